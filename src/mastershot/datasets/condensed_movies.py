"""Condensed Movies' metadata: which film a clip is of, and what is known of both.

Bain et al., "Condensed Movies: Story Based Retrieval with Contextual Embeddings", ACCV 2020.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.records import read_table

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
        num_clips: How many there are of the film.
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
    folder = Path(folder)
    tables = {name: _Table(folder / f"{name}.csv", columns) for name, columns in _FILES.items()}
    movies = _movies(tables)
    return CondensedMovies(movies, _clips(tables, movies))


class _Table:
    """One file of the release."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self.rows = read_table(path, columns, what="Condensed Movies table")

    def by(self, column: str) -> dict[str, dict[str, str]]:
        """Return the rows by a column; the first of those that share its value."""
        rows: dict[str, dict[str, str]] = {}
        for row in self.rows:
            rows.setdefault(row[column], row)
        return rows

    def number(self, row: dict[str, str], column: str) -> float:
        """Return a cell as a number; whole numbers are written as 2012.0 in places."""
        try:
            return float(row[column])
        except ValueError as error:
            raise self.wrong(row, column, "a number") from error

    def count(self, row: dict[str, str], column: str) -> int:
        """Return a cell as a whole number."""
        value = self.number(row, column)
        if not value.is_integer():
            raise self.wrong(row, column, "a whole number")
        return int(value)

    def literal(self, row: dict[str, str], column: str, kind: type) -> object:
        """Return a cell that holds a Python list or dictionary of texts."""
        try:
            value = ast.literal_eval(row[column]) if row[column] else kind()
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise self.wrong(row, column, f"a {kind.__name__}") from error
        texts = [*value, *value.values()] if isinstance(value, dict) else value
        if not isinstance(value, kind) or not all(isinstance(text, str) for text in texts):
            raise self.wrong(row, column, f"a {kind.__name__} of texts")
        return value

    def wrong(self, row: dict[str, str], column: str, due: str) -> DatasetError:
        """Return the error that a cell is not what it should be."""
        key = next(iter(row.values()))
        return DatasetError(
            f"{self.path}, row {key!r}: {column} is {row[column][:60]!r}, which should be {due}"
        )


def _movies(tables: dict[str, _Table]) -> dict[str, CondensedMovie]:
    movies, splits = tables["movies"], tables["split"].by("imdbid")
    information, casts = tables["movie_info"].by("imdbid"), tables["casts"].by("imdbid")
    found: dict[str, CondensedMovie] = {}
    for row in movies.rows:
        key = row["imdbid"]
        if key in found:
            raise DatasetError(f"{movies.path} names film {key!r} twice; keep one row")
        split = splits.get(key, {}).get("split")
        if split not in SPLITS:
            raise DatasetError(
                f"{tables['split'].path} puts film {key!r} into {split!r}; "
                f"it should be one of {', '.join(SPLITS)}"
            )
        about = information.get(key, {"genre": "", "country": ""})
        found[key] = CondensedMovie(
            imdb_id=key,
            title=row["title"],
            year=movies.count(row, "year") if row["year"] else None,
            split=split,
            genres=_texts(tables["movie_info"], about, "genre"),
            countries=_texts(tables["movie_info"], about, "country"),
            cast=_cast(tables["casts"], casts.get(key, {"cast": ""})),
        )
    return found


def _clips(
    tables: dict[str, _Table], movies: Mapping[str, CondensedMovie]
) -> dict[str, CondensedClip]:
    clips, durations = tables["clips"], tables["durations"].by("videoid")
    descriptions = tables["descriptions"].by("videoid")
    found: dict[str, CondensedClip] = {}
    for row in clips.rows:
        key, film = row["videoid"], row["imdbid"]
        if key in found:
            raise DatasetError(f"{clips.path} names clip {key!r} twice; keep one row")
        if film not in movies:
            raise DatasetError(
                f"{clips.path} says that clip {key!r} is of film {film!r}, which movies.csv lacks"
            )
        duration = durations.get(key)
        found[key] = CondensedClip(
            id=key,
            imdb_id=film,
            name=row["clip_name"],
            number=clips.count(row, "clip_idx"),
            num_clips=clips.count(row, "clip_tot"),
            upload_year=clips.count(row, "upload_year"),
            description=descriptions[key]["description"] if key in descriptions else None,
            duration_s=tables["durations"].number(duration, "duration") if duration else None,
        )
    return found


def _texts(table: _Table, row: dict[str, str], column: str) -> tuple[str, ...]:
    value = table.literal(row, column, list)
    assert isinstance(value, list)
    return tuple(value)


def _cast(table: _Table, row: dict[str, str]) -> dict[str, str]:
    value = table.literal(row, "cast", dict)
    assert isinstance(value, dict)
    return value
