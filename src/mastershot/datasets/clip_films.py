"""Which film a clip is of, and the film's year and genres: from a table of clips."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.condensed_movies import read_condensed_movies
from mastershot.datasets.files import open_text, read_table

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
        DatasetError: The file or folder is unreadable, lacks a column, or contradicts itself.
    """
    path = Path(path)
    if path.is_dir():
        release = read_condensed_movies(path)
        movies = release.movies.items()
        years = {key: movie.year for key, movie in movies if movie.year is not None}
        genres = {key: movie.genres for key, movie in movies if movie.genres}
        return ClipFilms(release.film_of_clip, years, genres)
    with open_text(path, what=_WHAT) as file:
        header = next(csv.reader(file), [])
    is_released = {"videoid", "imdbid"} <= set(header)
    columns = ("videoid", "imdbid") if is_released else ("video", "film")
    if not set(columns) <= set(header):
        raise DatasetError(
            f"{_WHAT} {path} should have the columns video and film, or Condensed Movies' videoid "
            f"and imdbid; its first line names {', '.join(header) or 'nothing'}"
        )
    rows = read_table(path, columns, what=_WHAT)
    films: dict[str, str] = {}
    for row in rows:
        clip, film = (row[name] for name in columns)
        if not clip or not film:
            raise row.error("a clip or a film is missing")
        if films.setdefault(clip, film) != film:
            raise row.error(f"clip {clip!r} is of {film!r}, and of {films[clip]!r} before")
    if is_released:
        return ClipFilms(films)
    years = {row["film"]: row.whole("year") for row in rows if row.get("year")}
    genres = {row["film"]: _genres(row["genres"]) for row in rows if row.get("genres")}
    return ClipFilms(films, years, genres)


def _genres(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(";") if name.strip()))
