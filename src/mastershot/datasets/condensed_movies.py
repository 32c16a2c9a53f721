"""Condensed Movies' metadata: which film a clip is of, and what is known of both.

Bain et al., "Condensed Movies: Story Based Retrieval with Contextual Embeddings", ACCV 2020.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from mastershot.datasets.files import Row, by_key, read_table

T = TypeVar("T", list[str], dict[str, str])

SPLITS = ("train", "val", "test")

_FILES = {
    "movies": ("imdbid", "title", "year"),
    "clips": ("videoid", "year", "clip_idx", "clip_tot", "upload_year", "clip_name", "imdbid"),
    "split": ("imdbid", "split"),
    "movie_info": ("imdbid", "genre", "country"),
    "casts": ("imdbid", "cast"),
    "descriptions": ("imdbid", "videoid", "description"),
    "durations": ("videoid", "duration"),
}


@dataclass(frozen=True, slots=True)
class CondensedMovie:
    """A film of the data set.

    Attributes:
        imdb_id: Such as ``tt1707386``.
        title: Its title.
        year: Year of release; None for the few that state none.
        split: Where the data set's own split puts it.
        genres: IMDb's genres; empty for films without information.
        countries: Countries of production; likewise.
        cast: Characters by actor, in order of billing; empty where not known.
    """

    imdb_id: str
    title: str
    year: int | None
    split: str
    genres: tuple[str, ...]
    countries: tuple[str, ...]
    cast: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CondensedClip:
    """A clip of a film.

    Attributes:
        id: The YouTube id.
        imdb_id: The film it is of.
        name: Its title on YouTube; empty for a few.
        number: Which of the film's clips it is, from 1.
        num_clips: How many there are of the film; -1 for some 900 that do not say.
        upload_year: Year of upload.
        description: What happens in it; None where there is none.
        duration_s: Its length; None where not known.
    """

    id: str
    imdb_id: str
    name: str
    number: int
    num_clips: int
    upload_year: int
    description: str | None
    duration_s: float | None


@dataclass(frozen=True)
class CondensedMovies:
    """The films and clips of the data set.

    Attributes:
        movies: Films by IMDb id, in file order.
        clips: Clips by YouTube id, in file order.
    """

    movies: Mapping[str, CondensedMovie]
    clips: Mapping[str, CondensedClip]

    @cached_property
    def film_of_clip(self) -> dict[str, str]:
        """The IMDb id of the film that each clip is of."""
        return {clip.id: clip.imdb_id for clip in self.clips.values()}


def read_condensed_movies(folder: str | Path) -> CondensedMovies:
    """Return the metadata of a folder with the released CSV files.

    Raises:
        DatasetError: A file is missing, damaged, or names a film that ``movies.csv`` does not.
    """
    tables = {
        name: read_table(Path(folder) / f"{name}.csv", columns, what="Condensed Movies table")
        for name, columns in _FILES.items()
    }
    movies = _movies(tables)
    return CondensedMovies(movies, _clips(tables, movies))


def _movies(tables: Mapping[str, list[Row]]) -> dict[str, CondensedMovie]:
    splits = _first_rows(tables["split"], "imdbid")
    information = _first_rows(tables["movie_info"], "imdbid")
    casts = _first_rows(tables["casts"], "imdbid")
    movies = {}
    for key, row in by_key(tables["movies"], itemgetter("imdbid")).items():
        split = splits[key]["split"] if key in splits else None
        if split not in SPLITS:
            raise splits.get(key, row).error(
                f"the split of film {key!r} is {split!r}, which should be one of "
                f"{', '.join(SPLITS)}"
            )
        movies[key] = CondensedMovie(
            imdb_id=key,
            title=row["title"],
            year=row.whole("year") if row["year"] else None,
            split=split,
            genres=tuple(_literal(information.get(key), "genre", list)),
            countries=tuple(_literal(information.get(key), "country", list)),
            cast=_literal(casts.get(key), "cast", dict),
        )
    return movies


def _clips(
    tables: Mapping[str, list[Row]], movies: Mapping[str, CondensedMovie]
) -> dict[str, CondensedClip]:
    descriptions = _first_rows(tables["descriptions"], "videoid")
    durations = _first_rows(tables["durations"], "videoid")
    clips = {}
    for key, row in by_key(tables["clips"], itemgetter("videoid")).items():
        film, duration = row["imdbid"], durations.get(key)
        if film not in movies:
            raise row.error(f"clip {key!r} is of film {film!r}, which movies.csv lacks")
        clips[key] = CondensedClip(
            id=key,
            imdb_id=film,
            name=row["clip_name"],
            number=row.whole("clip_idx"),
            num_clips=row.whole("clip_tot", least=-1),
            upload_year=row.whole("upload_year"),
            description=descriptions[key]["description"] if key in descriptions else None,
            duration_s=duration.read("duration", float, "a number") if duration else None,
        )
    return clips


def _first_rows(rows: list[Row], column: str) -> dict[str, Row]:
    """Return the first row of each value; the release has two casts of some films."""
    return {row[column]: row for row in reversed(rows)}


def _literal(row: Row | None, column: str, kind: type[T]) -> T:
    """Return a cell that holds a Python list or dictionary of texts, empty without a row."""

    def convert(text: str) -> T:
        value: Any = ast.literal_eval(text)
        texts = [*value, *value.values()] if isinstance(value, dict) else value
        if not isinstance(value, kind) or not all(isinstance(item, str) for item in texts):
            raise TypeError(text)
        return value

    expected = f"a {kind.__name__} of texts"
    return row.read(column, convert, expected) if row and row[column] else kind()
