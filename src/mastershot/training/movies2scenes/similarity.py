"""The table of similar movies that a recipe asks for, from its metadata (METHODS B2)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from mastershot.core.errors import DatasetError
from mastershot.core.names import FilmNames, NamedFilm
from mastershot.core.protocols import MovieSimilarity
from mastershot.core.similarity import SimilarityTable
from mastershot.datasets.files import read_table
from mastershot.datasets.lvu import movies_of, read_lvu
from mastershot.datasets.movielens import MovieLens, read_movielens
from mastershot.datasets.tables.similarity_table import write_similarity
from mastershot.datasets.tables.watch_log import WatchLog
from mastershot.encoders.text import SENTENCE_MODEL, SentenceEncoder
from mastershot.mining.co_watch import CoWatch
from mastershot.mining.similarity import (
    CloseSynopses,
    Guarded,
    RandomMovies,
    SameGenre,
    combine,
    without_held_out,
)
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress, under
from mastershot.training.movies2scenes.settings.stages import (
    SimilarityRecipe,
    SimilaritySettings,
)
from mastershot.training.movies2scenes.shots import named_films

SIMILARITY = "similarity.parquet"


class _Names:
    """Translates the movie names of metadata to the library's.

    Attributes:
        by_start: Names that are only the start of a film's name, and the film.
        ambiguous: Names that may mean several films; none of them is used.
    """

    def __init__(self, films: Mapping[str, NamedFilm]) -> None:
        self._movies, self._names = tuple(films), FilmNames(films.values())
        self.by_start: dict[str, str] = {}
        self.ambiguous: dict[str, None] = {}

    def called(self, names: Iterable[str]) -> dict[str, str]:
        """Return the library's name of each film; names that mean none are left out."""
        found = self._names.meant(names)
        called = {name: self._movies[place] for name, place in found.film.items()}
        self.by_start |= {name: called[name] for name in found.by_start}
        self.ambiguous |= dict.fromkeys(found.ambiguous)
        return called

    def possible(self, names: Iterable[str]) -> set[str]:
        """Return the library's names of all films that the names may mean."""
        return {self._movies[place] for name in names for place in self._names.places(name)}


class _Metadata(NamedTuple):
    """Genres and synopses of movies by the library's names."""

    genres: dict[str, tuple[str, ...]]
    synopses: dict[str, str]


def write_similar_movies(
    recipe: SimilarityRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the file of a library's similar movies; a finished one is not made again.

    Movies without metadata, metadata without a movie, and movies without a neighbour are counted
    in the folder's log.

    Raises:
        DatasetError: Metadata cannot be read, or no two movies are similar by it.
        SettingError: The folder is another recipe's.
        OutputError: The folder cannot be written.
    """
    made = out / SIMILARITY
    with open_run_directory(out, recipe, made=(SIMILARITY,)):
        if not made.is_file():
            on_progress("similar movies", 0, None, {})
            table = _table(recipe, out)
            if not len(table):
                viewers = recipe.similarity.co_watch.min_viewers
                few = f", and had by {viewers} viewers or more (co_watch.min_viewers)"
                raise DatasetError(
                    f"no two of {len(table.movies)} movies are similar by "
                    f"{recipe.similarity.measure}; are its films named as in the metadata"
                    f"{few if 'cowatch' in recipe.similarity.weights else ''}?"
                )
            write_similarity(made, table)
    return made


def _table(recipe: SimilarityRecipe, out: Path) -> SimilarityTable:
    settings, data = recipe.similarity, recipe.data
    films = named_films(recipe.source)
    names = _Names(films)
    guarded = _guarded(tuple(films), names, settings, data)
    lens = read_movielens(under(data, settings.movielens)) if settings.movielens else None
    metadata = _metadata(settings, data, lens, names)
    measures = _measures(settings, _views(settings, data, lens, names), metadata)
    tables = {
        name: measure.similar(guarded.movies, num_similar=settings.num_similar)
        for name, measure in measures.items()
    }
    table = next(iter(tables.values()))
    if len(tables) > 1:
        table = combine(tables, settings.weights, num_similar=settings.num_similar)
    known = metadata.genres.keys()
    MetricsLog(out).write(
        {
            "movies": len(guarded.movies),
            "excluded_by_leakage_guard": list(guarded.excluded),
            "without_neighbours": list(table.without_neighbours),
            "without_metadata": [m for m in guarded.movies if m not in known] if known else None,
            "in_metadata_only": len(known - {*guarded.movies}) if known else None,
            "named_by_start": [f"{name} → {movie}" for name, movie in names.by_start.items()],
            "ambiguous_names": list(names.ambiguous),
            "rows": len(table),
        }
    )
    return table


def _guarded(
    movies: Sequence[str], names: _Names, settings: SimilaritySettings, data: str
) -> Guarded:
    held_out = movies_of(read_lvu(under(data, settings.lvu))) if settings.lvu else frozenset()
    guarded = without_held_out(movies, held_out | names.possible(held_out))
    if not settings.max_movies:
        return guarded
    digests = {movie: hashlib.sha256(movie.encode()).digest() for movie in guarded.movies}
    picked = sorted(guarded.movies, key=digests.__getitem__)[: settings.max_movies]
    return replace(guarded, movies=tuple(sorted(picked)))


def _measures(
    settings: SimilaritySettings, views: WatchLog | None, metadata: _Metadata
) -> dict[str, MovieSimilarity]:
    if settings.measure == "random":
        return {"random": RandomMovies(settings.seed)}
    measures: dict[str, MovieSimilarity] = {}
    for name in settings.weights:
        if name == "cowatch":
            assert views is not None
            measures[name] = CoWatch(views, settings.co_watch)
        elif name == "genre":
            measures[name] = SameGenre(metadata.genres, settings.seed)
        else:
            synopses = {movie: text for movie, text in metadata.synopses.items() if text}
            vectors = SentenceEncoder().encode_texts(list(synopses.values()))
            measures[name] = CloseSynopses(tuple(synopses), vectors, {"encoder": SENTENCE_MODEL})
    return measures


def _views(
    settings: SimilaritySettings, data: str, lens: MovieLens | None, names: _Names
) -> WatchLog | None:
    """Return the viewing log, if it is used, with films by the library's names."""
    if "cowatch" not in settings.weights:
        return None
    log = WatchLog(under(data, settings.viewing_log)) if settings.viewing_log else None
    if log is None:
        assert lens is not None  # SimilaritySettings requires one of both.
        log = lens.log
    return log.renamed(names.called(log.movie_names()))


def _metadata(
    settings: SimilaritySettings, data: str, lens: MovieLens | None, names: _Names
) -> _Metadata:
    if not settings.movies:
        movies = lens.movies if lens else {}
        called = names.called(movies)
        return _Metadata({called.get(id, id): row.genres for id, row in movies.items()}, {})
    path = under(data, settings.movies)
    rows = read_table(path, ("movie", "genres", "synopsis"), what="movies")
    called = names.called(row["movie"] for row in rows)
    named: dict[str, str] = {}
    genres, synopses = {}, {}
    for row in rows:
        movie = called.get(row["movie"], row["movie"])
        if movie in genres:
            also = "" if named[movie] == row["movie"] else f", also as {row['movie']!r}"
            raise DatasetError(f"movies {path} name {named[movie]!r} twice{also}; keep one row")
        named[movie] = row["movie"]
        genres[movie] = tuple(name for name in row["genres"].split("|") if name)
        synopses[movie] = row["synopsis"].strip()
    return _Metadata(genres, synopses)
