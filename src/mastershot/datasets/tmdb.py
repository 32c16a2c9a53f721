"""TMDb's films as one CSV file, such as Kaggle's TMDB 5000: overviews, genres, keywords."""

import json
from dataclasses import dataclass
from pathlib import Path

from mastershot.datasets.files import by_key, read_table

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
        DatasetError: The file is unreadable, lacks a column, or has a bad cell or a film twice.
    """
    movies = {}
    rows = read_table(Path(path), _COLUMNS, what="TMDb films")
    for key, row in by_key(rows, lambda row: row.whole("id")).items():
        genres, keywords = (
            row.read(column, _names, "a JSON list of objects with a name")
            for column in ("genres", "keywords")
        )
        overview = row["overview"].strip()
        movies[key] = TmdbMovie(key, row["title"], row["release_date"], genres, keywords, overview)
    return movies


def _names(text: str) -> tuple[str, ...]:
    """Return the names in ``[{"id": 28, "name": "Action"}, …]``."""
    names = tuple(item["name"] for item in json.loads(text or "[]"))
    if not all(isinstance(name, str) for name in names):
        raise TypeError(text)
    return names
