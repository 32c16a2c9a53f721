"""Lists of trailers: what they may hold, and what is refused in one sentence."""

from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.listing import (
    ListedTrailer,
    folders_of_genres,
    read_listing,
    read_words,
    write_listing,
    write_words,
)


def listing(path: Path, text: str) -> tuple[ListedTrailer, ...]:
    (path / "list.csv").write_text(text, "utf-8")
    return read_listing(path / "list.csv")


def test_names_are_cleaned_and_spelled_alike(tmp_path: Path) -> None:
    found = listing(
        tmp_path,
        "\ufefffile,genres,title,year,split,synopsis\n"
        'sub/a b.mp4," Sci-Fi|war ; ;WAR",  A  title ,1999.0,Validation,"two\nlines"\n'
        "b.mp4,sci-fi,,,,\n",
    )
    assert found == (
        ListedTrailer("a b", "sub/a b.mp4", ("Sci-Fi", "war"), "A title", 1999, "val", "two lines"),
        ListedTrailer("b", "b.mp4", ("Sci-Fi",)),
    )


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = (
        ListedTrailer("a", "x.mp4", ("War", "Drama"), 'T, "quoted"', 2001, "test", "S", "k;w"),
        ListedTrailer("ü", "", ("War",)),
    )
    write_listing(tmp_path / "out.csv", rows)
    assert read_listing(tmp_path / "out.csv") == rows
    write_words(tmp_path / "words.csv", {"a": 'one, "two"', "b": ""})
    assert read_words(tmp_path / "words.csv") == {"a": 'one, "two"', "b": ""}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("file\na.mp4\n", "no column 'genres'"),
        ("name,genres\na,War\n", "no column 'id'"),
        ("file,genres\na.mp4,War\nb/a.mkv,War\n", "line 3: id 'a' is not the first"),
        ("id,genres\n,War\n", "'' is no id of a trailer"),
        ('id,file,genres\n,"a\u2028b.mp4",War\n', "is no id of a trailer"),
        ("id,genres,year\na,War,soon\n", "year is 'soon'"),
        ("id,genres,split\na,War,dev\n", "split 'dev' is none of train, val, test"),
        ("id,genres\na,|;\n", "states no genre"),
        ("id,genres\n", "states no genre"),
        ("id,genres\na,War,1\n", "another number of cells"),
        ('id,genres\n"a,War\n', "another number of cells"),
        ("id;genres\na;War\n", "separated by commas"),
        ("", "no column 'genres'"),
    ],
)
def test_a_list_that_is_none_is_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DatasetError, match=problem) as raised:
        listing(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"id,genres\n\xff\xfe,War\n")
    with pytest.raises(DatasetError, match="not UTF-8"):
        read_listing(tmp_path / "list.csv")
    (tmp_path / "list.csv").write_bytes(b"id,genres\na\x00,War\n")
    with pytest.raises(DatasetError):
        read_listing(tmp_path / "gone.csv")


def test_a_film_outside_of_a_genres_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "War").mkdir()
    for path in ("War/a.mp4", "b.mp4"):
        (tmp_path / path).write_bytes(b"film")
    found = folders_of_genres(tmp_path, [tmp_path / "War" / "a.mp4"])
    assert found == (ListedTrailer("a", "War/a.mp4", ("War",)),)
    with pytest.raises(DatasetError, match=r"b\.mp4 lies in no genre's folder"):
        folders_of_genres(tmp_path, [tmp_path / "b.mp4"])
