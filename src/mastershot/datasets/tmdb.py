"""TMDb's films as one CSV file, such as Kaggle's TMDB 5000: overviews, genres, keywords."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.records import read_table

_WHAT = "TMDb films"
_COLUMNS = ("id", "title", "release_date", "genres", "keywords", "overview")


@dataclass(frozen=True, slots=True)
class TmdbMovie:
    """What TMDb knows of a film.

    Attributes:
        tmdb_id: Its number there; MovieLens' ``links.csv`` has the IMDb id to it.
        title: Its title.
        release_date: ``YYYY-MM-DD``; empty where not known.
        genres: Its genres.
        keywords: Its keywords.
        overview: What happens in it; empty where not known.
    """

    tmdb_id: int
    title: str
    release_date: str
    genres: tuple[str, ...]
    keywords: tuple[str, ...]
    overview: str


def read_tmdb(path: str | Path) -> dict[int, TmdbMovie]:
    """Return the films of a file by their number, in file order.

    Raises:
        DatasetError: The file is unreadable, lacks a column, names a film twice, or has a cell
            that is not what its column holds.
    """
    path = Path(path)
    movies: dict[int, TmdbMovie] = {}
    for row in read_table(path, _COLUMNS, what=_WHAT):
        if not row["id"].isdecimal():
            raise DatasetError(f"{_WHAT} {path}: a film has the id {row['id']!r}, not a number")
        key = int(row["id"])
        if key in movies:
            raise DatasetError(f"{_WHAT} {path} name film {key} twice; keep one row")
        movies[key] = TmdbMovie(
            tmdb_id=key,
            title=row["title"],
            release_date=row["release_date"],
            genres=_names(path, row, "genres"),
            keywords=_names(path, row, "keywords"),
            overview=row["overview"].strip(),
        )
    return movies


def _names(path: Path, row: Mapping[str, str], column: str) -> tuple[str, ...]:
    """Return the names of a cell that holds ``[{"id": 28, "name": "Action"}, …]``."""
    try:
        names = [item["name"] for item in json.loads(row[column] or "[]")]
    except (ValueError, RecursionError, TypeError, KeyError):
        names = [None]
    if not all(isinstance(name, str) for name in names):
        raise DatasetError(
            f"{_WHAT} {path}, film {row['id']}: {column} is {row[column][:60]!r}, which should be "
            "a JSON list of objects with a name"
        )
    return tuple(names)
