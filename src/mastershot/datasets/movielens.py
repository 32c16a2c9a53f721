"""MovieLens: films with their IMDb ids, and ratings read as a viewing log.

Harper and Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015. A rating
says when a film was rated, not when it was watched, and many come in bursts: similarity from
them is co-rating.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from mastershot.datasets.files import by_key, read_table
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
    columns = ("movieId", "title", "genres")
    rows = read_table(folder / "movies.csv", columns, what="MovieLens films")
    titles = by_key(rows, itemgetter("movieId"))
    columns = ("movieId", "imdbId", "tmdbId")
    links = read_table(folder / "links.csv", columns, what="MovieLens links")
    by_key(links, itemgetter("movieId"))
    movies = {}
    for imdb_id, row in by_key(links, lambda row: f"tt{row.whole('imdbId'):07}").items():
        key = row["movieId"]
        if key not in titles:
            raise row.error(f"film {key!r} is not in movies.csv")
        movies[imdb_id] = MovieLensMovie(
            id=key,
            imdb_id=imdb_id,
            tmdb_id=row.whole("tmdbId") if row["tmdbId"] else None,
            title=titles[key]["title"],
            genres=tuple(name for name in titles[key]["genres"].split("|") if name != _NO_GENRES),
        )
    ids = {movie.id: movie.imdb_id for movie in movies.values()}
    ratings = WatchLog(folder / "ratings.csv", ("userId", "movieId", "timestamp"), ids)
    return MovieLens(movies, ratings)
