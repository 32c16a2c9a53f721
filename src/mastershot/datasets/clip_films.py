"""Which film a clip is of, and the film's year and genres: from a table of clips."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.condensed_movies import read_condensed_movies
from mastershot.datasets.tables.records import read_table, read_text

_WHAT = "table of clips"


@dataclass(frozen=True)
class ClipFilms:
    """What is known of the films that clips are of.

    Attributes:
        film_of_clip: The film of each clip.
        year_of_film: Year of release, where known.
        genres_of_film: Genres, where known.
    """

    film_of_clip: Mapping[str, str]
    year_of_film: Mapping[str, int] = field(default_factory=dict)
    genres_of_film: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def genres_of_clip(self) -> dict[str, tuple[str, ...]]:
        """The genres of the film that each clip is of."""
        genres = self.genres_of_film
        return {clip: genres[film] for clip, film in self.film_of_clip.items() if film in genres}


def read_clip_films(path: str | Path) -> ClipFilms:
    """Return the films of clips from a table, or from a folder with Condensed Movies' files.

    A table is a CSV file with the columns ``video`` and ``film`` and, where known, ``year`` and
    ``genres`` (joined by semicolons); or Condensed Movies' own ``clips.csv``.

    Raises:
        DatasetError: The file or folder is unreadable, lacks a column, has a year that is no
            number, or names a clip with two films.
    """
    path = Path(path)
    if path.is_dir():
        return _of_condensed_movies(path)
    header = next(csv.reader(read_text(path, what=_WHAT).splitlines()[:1]), [])
    if {"videoid", "imdbid"} <= set(header):
        rows = read_table(path, ("videoid", "imdbid"), what=_WHAT)
        return ClipFilms(_films(path, [(row["videoid"], row["imdbid"]) for row in rows]))
    if not {"video", "film"} <= set(header):
        raise DatasetError(
            f"{_WHAT} {path} should have the columns video and film, or Condensed Movies' videoid "
            f"and imdbid; its first line names {', '.join(header) or 'nothing'}"
        )
    rows = read_table(path, ("video", "film"), what=_WHAT)
    genres = {row["film"]: _genres(row["genres"]) for row in rows if row.get("genres")}
    years = {row["film"]: _year(path, row["year"]) for row in rows if row.get("year")}
    return ClipFilms(_films(path, [(row["video"], row["film"]) for row in rows]), years, genres)


def _of_condensed_movies(folder: Path) -> ClipFilms:
    release = read_condensed_movies(folder)
    return ClipFilms(
        release.film_of_clip,
        {key: movie.year for key, movie in release.movies.items() if movie.year is not None},
        {key: movie.genres for key, movie in release.movies.items() if movie.genres},
    )


def _films(path: Path, pairs: list[tuple[str, str]]) -> dict[str, str]:
    films: dict[str, str] = {}
    for clip, film in pairs:
        if not clip or not film:
            raise DatasetError(f"{_WHAT} {path} has a row without a clip or a film")
        if films.setdefault(clip, film) != film:
            raise DatasetError(
                f"{_WHAT} {path} says that clip {clip!r} is of {films[clip]!r} and of {film!r}; "
                "keep one row"
            )
    return films


def _genres(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(";") if name.strip()))


def _year(path: Path, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise DatasetError(f"{_WHAT} {path}: year {text!r} is not a whole number") from error
