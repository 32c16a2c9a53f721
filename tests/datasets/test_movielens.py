from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.movielens import read_movielens

MOVIES = "movieId,title,genres\n1,One (1995),Drama|War\n2,Two (1996),(no genres listed)\n"
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n2,12345678,\n"


def release(folder: Path, movies: str = MOVIES, links: str = LINKS) -> Path:
    (folder / "movies.csv").write_text(movies)
    (folder / "links.csv").write_text(links)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n7,1,4.0,10\n7,2,1.0,11\n")
    return folder


def test_the_release_holds_the_films_and_ratings_it_is_said_to(real_data: Path) -> None:
    movielens = read_movielens(real_data / "movielens")
    assert len(movielens.movies) == 9_742
    assert movielens.movies["tt0114709"].title == "Toy Story (1995)"
    pieces = list(movielens.log.pieces())
    assert sum(map(len, pieces)) == 100_836
    assert {name for piece in pieces for name in piece.movies} <= movielens.movies.keys()


def test_films_and_ratings_are_named_by_imdb_id(tmp_path: Path) -> None:
    movielens = read_movielens(release(tmp_path))
    one, two = movielens.movies.values()
    assert (one.imdb_id, one.tmdb_id, one.genres) == ("tt0114709", 862, ("Drama", "War"))
    assert (two.imdb_id, two.tmdb_id, two.genres) == ("tt12345678", None, ())
    (piece,) = movielens.log.pieces()
    assert piece.movies == ["tt0114709", "tt12345678"]
    assert (piece.viewers, piece.times_s.tolist()) == (["7"], [10.0, 11.0])


@pytest.mark.parametrize(
    ("links", "message"),
    [
        (LINKS + "1,0114710,3\n", "line 4: '1' stands in line 2 too"),
        (LINKS.replace("12345678", "0114709"), "line 3: 'tt0114709' stands in line 2 too"),
        (LINKS + "3,0114711,3\n", "line 4: film '3' is not in movies.csv"),
        (LINKS.replace("862", "x"), "line 2: tmdbId is 'x', which should be a whole number"),
        ("movieId,imdbId\n", "has no column 'tmdbId'"),
    ],
)
def test_damaged_links_say_what_and_where(tmp_path: Path, links: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_movielens(release(tmp_path, links=links))


def test_a_film_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    folder = release(tmp_path)
    with (folder / "movies.csv").open("a") as file:
        file.write("1,Another film (1999),War\n")
    with pytest.raises(DatasetError, match=r"movies\.csv, line 4: '1' stands in line 2 too"):
        read_movielens(folder)
