"""MovieLens: films with their IMDb ids, and ratings read as a viewing log.

Harper and Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015. A rating
says when a film was rated, not when it was watched, and many come in bursts: similarity from
them is co-rating.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.records import read_table
from mastershot.datasets.tables.watch_log import WatchLog

_NO_GENRES = "(no genres listed)"


@dataclass(frozen=True, slots=True)
class MovieLensMovie:
    """A film of the release.

    Attributes:
        id: Its number in MovieLens.
        imdb_id: Its IMDb id, such as ``tt0114709``.
        tmdb_id: Its number in TMDb; None for a few.
        title: Its title, with the year in brackets.
        genres: Its genres.
    """

    id: str
    imdb_id: str
    tmdb_id: int | None
    title: str
    genres: tuple[str, ...]


@dataclass(frozen=True)
class MovieLens:
    """The films of a release and who rated them when.

    Attributes:
        movies: Films by IMDb id, in file order.
        log: The ratings, whatever their stars, as views of films named by IMDb id.
    """

    movies: Mapping[str, MovieLensMovie]
    log: WatchLog


def read_movielens(folder: str | Path) -> MovieLens:
    """Return a release from its folder; the ratings are read when the log is.

    Raises:
        DatasetError: A file is missing or damaged, or two films share a number or an IMDb id.
    """
    folder = Path(folder)
    titles: dict[str, Mapping[str, str]] = {}
    path = folder / "movies.csv"
    for row in read_table(path, ("movieId", "title", "genres"), what="MovieLens films"):
        if titles.setdefault(row["movieId"], row) is not row:
            raise DatasetError(f"{path} names film {row['movieId']} twice; keep one row")
    movies: dict[str, MovieLensMovie] = {}
    ids: dict[str, str] = {}
    path = folder / "links.csv"
    for row in read_table(path, ("movieId", "imdbId", "tmdbId"), what="MovieLens links"):
        key, number, tmdb = row["movieId"], row["imdbId"], row["tmdbId"]
        if key not in titles:
            raise DatasetError(f"{path} links film {key!r}, which movies.csv lacks")
        if not number.isdecimal() or not (tmdb.isdecimal() or not tmdb):
            raise DatasetError(
                f"{path}, film {key}: the ids are {number!r} and {tmdb!r}; they should be numbers"
            )
        imdb_id = f"tt{number:0>7}"
        if key in ids or imdb_id in movies:
            raise DatasetError(f"{path} names film {key} or {imdb_id} twice; keep one row")
        ids[key] = imdb_id
        genres = tuple(name for name in titles[key]["genres"].split("|") if name != _NO_GENRES)
        movies[imdb_id] = MovieLensMovie(
            key, imdb_id, int(tmdb) if tmdb else None, titles[key]["title"], genres
        )
    columns = ("userId", "movieId", "timestamp")
    return MovieLens(movies, WatchLog(folder / "ratings.csv", columns, ids))
