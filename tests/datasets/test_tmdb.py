from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.tmdb import TmdbMovie, read_tmdb

TMDB = "id,title,release_date,genres,keywords,overview\n"


def test_tmdb_holds_the_overviews_it_is_said_to(real_data: Path) -> None:
    movies = read_tmdb(real_data / "tmdb5000" / "movies.csv")
    assert len(movies) == 4_803
    assert sum(not movie.overview for movie in movies.values()) == 4
    assert movies[19995].genres == ("Action", "Adventure", "Fantasy", "Science Fiction")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,A,,[],[],x\n1,B,,[],[],y\n", "line 3: 1 stands in line 2 too"),
        pytest.param(
            f"1,A,,[],{'[' * 100_000},x\n", "line 2: keywords is '\\[+', which", id="deep"
        ),
        ('1,A,,"[{""id"": 28}]",[],x\n', "line 2: genres is .* objects with a name"),
        ("1,A,,[],null,x\n", "line 2: keywords is 'null'"),
        ("-1,A,,[],[],x\n", "line 2: id is '-1', which should be a whole number from 0"),
        ("one,A,,[],[],x\n", "line 2: id is 'one', which should be a whole number"),
        ("1,A,,[3],[],x\n", "line 2: genres is '\\[3\\]'.* a JSON list of objects"),
        ("1,A,,[],{,x\n", "line 2: keywords is '{'"),
        ('1,A,,"[{""name"": 3}]",[],x\n', "line 2: genres is"),
    ],
)
def test_a_damaged_row_of_tmdb_says_what_and_where(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "movies.csv").write_text(TMDB + rows)
    with pytest.raises(DatasetError, match=message):
        read_tmdb(tmp_path / "movies.csv")


def test_films_are_read_in_file_order_with_what_stands_in_their_cells(tmp_path: Path) -> None:
    path = tmp_path / "movies.csv"
    path.write_text(
        "votes,overview,keywords,genres,release_date,title,id\n"
        '3," A man,\na plan. ","[{""id"": 2, ""name"": ""caf\u00e9, \\""bar\\""""}]",'
        '"[{""name"": ""War""}, {""name"": ""Action""}]",2009-12-10,"Nine, ""9""",19\n'
        "0,,,,,Untitled,5.0\n",
        encoding="utf-8",
    )
    nine, untitled = (
        TmdbMovie(
            19,
            'Nine, "9"',
            "2009-12-10",
            ("War", "Action"),
            ('caf\u00e9, "bar"',),
            "A man,\na plan.",
        ),
        TmdbMovie(5, "Untitled", "", (), (), ""),
    )
    assert list(read_tmdb(path).items()) == [(19, nine), (5, untitled)]


def test_a_file_without_a_column_names_it(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text(TMDB.replace(",keywords", ""))
    with pytest.raises(
        DatasetError, match=r"^TMDb films .*movies\.csv has no column 'keywords'; it"
    ):
        read_tmdb(tmp_path / "movies.csv")
