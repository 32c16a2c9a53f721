"""The table of similar movies that a recipe asks for, from its metadata (METHODS B2)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.core.protocols import MovieSimilarity
from mastershot.core.similarity import SimilarityTable
from mastershot.datasets.lvu import movies_of, read_lvu
from mastershot.datasets.movielens import MovieLens, read_movielens
from mastershot.datasets.records import read_table
from mastershot.datasets.similarity_table import write_similarity
from mastershot.datasets.watch_log import WatchLog
from mastershot.encoders.text import SENTENCE_MODEL, SentenceEncoder
from mastershot.mining.co_watch import CoWatch, CoWatchSettings
from mastershot.mining.leakage import Guarded, match_movies, without_held_out
from mastershot.mining.similarity import CloseSynopses, RandomMovies, SameGenre, combine
from mastershot.training.data import movie_names
from mastershot.training.run_folder import Diary, claimed
from mastershot.training.settings import Watch, under, unwatched
from mastershot.training.stage_settings import SimilarityRecipe, SimilaritySettings, resolved

SIMILARITY = "similarity.parquet"


@dataclass(frozen=True)
class _Metadata:
    """What is known of movies: genres and synopsis by id."""

    genres: dict[str, tuple[str, ...]]
    synopses: dict[str, str]


def tell_similar(recipe: SimilarityRecipe, out: Path, watch: Watch = unwatched) -> Path:
    """Return the file of a library's similar movies; a table that is there changes nothing.

    What the metadata lacks, what it knows beyond the library, and which movies have no neighbour,
    is counted in the folder's log.

    Raises:
        DatasetError: Metadata cannot be read, or no two movies are similar by it.
        SettingError: The folder is another recipe's.
        OutputError: The folder cannot be written.
    """
    made = out / SIMILARITY
    with claimed(out, recipe, made=(SIMILARITY,)):
        if not made.is_file():
            watch("similar movies", 0, None, {})
            table = _table(recipe, out)
            if not len(table):
                viewers = recipe.similarity.watched_after.min_viewers
                few = f", and had by {viewers} viewers or more (watched_after.min_viewers)"
                raise DatasetError(
                    f"no two of {len(table.movies)} movies are similar by "
                    f"{recipe.similarity.measure}; are its films named as in the metadata"
                    f"{few if 'cowatch' in recipe.similarity.weights else ''}?"
                )
            write_similarity(made, table)
    return made


def _table(recipe: SimilarityRecipe, out: Path) -> SimilarityTable:
    settings, data = recipe.similarity, recipe.data
    guarded = _guarded(movie_names(resolved(data, recipe.shots)), settings, data)
    lens = read_movielens(under(data, settings.movielens)) if settings.movielens else None
    metadata = _metadata(settings, data, lens)
    measures = _measures(settings, data, lens, metadata)
    tables = {
        name: measure.similar(guarded.movies, num_similar=settings.num_similar)
        for name, measure in measures.items()
    }
    table = next(iter(tables.values()))
    if len(tables) > 1:
        table = combine(tables, settings.weights, num_similar=settings.num_similar)
    known = metadata.genres or (lens.movies if lens else {})
    matched = match_movies(guarded.movies, list(known)) if known else None
    Diary(out).write(
        {
            "movies": len(guarded.movies),
            "excluded_by_leakage_guard": list(guarded.excluded),
            "without_neighbours": list(table.without_neighbours),
            "without_metadata": list(matched.without_metadata) if matched else None,
            "in_metadata_only": len(matched.not_in_library) if matched else None,
            "rows": len(table),
        }
    )
    return table


def _guarded(movies: Sequence[str], settings: SimilaritySettings, data: str) -> Guarded:
    held_out = movies_of(read_lvu(under(data, settings.lvu))) if settings.lvu else frozenset()
    guarded = without_held_out(movies, held_out)
    if not settings.max_movies:
        return guarded
    digests = {movie: hashlib.sha256(movie.encode()).digest() for movie in guarded.movies}
    picked = sorted(guarded.movies, key=digests.__getitem__)[: settings.max_movies]
    return replace(guarded, movies=tuple(sorted(picked)))


def _measures(
    settings: SimilaritySettings, data: str, lens: MovieLens | None, metadata: _Metadata
) -> dict[str, MovieSimilarity]:
    if settings.measure == "random":
        return {"random": RandomMovies(settings.seed)}
    measures: dict[str, MovieSimilarity] = {}
    for name in settings.weights:
        if name == "cowatch":
            measures[name] = CoWatch(_views(settings, data, lens), _co_watch(settings))
        elif name == "genre":
            measures[name] = SameGenre(metadata.genres, settings.seed)
        else:
            told = {movie: text for movie, text in metadata.synopses.items() if text}
            vectors = SentenceEncoder().encode_texts(list(told.values()))
            measures[name] = CloseSynopses(tuple(told), vectors, {"encoder": SENTENCE_MODEL})
    return measures


def _views(settings: SimilaritySettings, data: str, lens: MovieLens | None) -> WatchLog:
    if settings.watches:
        return WatchLog(under(data, settings.watches))
    assert lens is not None  # SimilaritySettings wants one of both.
    return lens.log


def _co_watch(settings: SimilaritySettings) -> CoWatchSettings:
    told = settings.watched_after
    return CoWatchSettings(
        measure=told.rank_by,  # type: ignore[arg-type]  # one of its two, as checked
        next_items=told.next_items or None,
        within_s=told.within_days * 86_400 or None,
        min_viewers=told.min_viewers,
        prior=told.prior,
    )


def _metadata(settings: SimilaritySettings, data: str, lens: MovieLens | None) -> _Metadata:
    if not settings.movies:
        genres = {movie: row.genres for movie, row in lens.movies.items()} if lens else {}
        return _Metadata(genres, {})
    path = under(data, settings.movies)
    genres, synopses = {}, {}
    for row in read_table(path, ("movie", "genres", "synopsis"), what="movies"):
        movie = row["movie"]
        if movie in genres:
            raise DatasetError(f"movies {path} name {movie!r} twice; keep one row")
        genres[movie] = tuple(name for name in row["genres"].split("|") if name)
        synopses[movie] = row["synopsis"].strip()
    return _Metadata(genres, synopses)
