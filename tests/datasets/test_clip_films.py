from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.clip_films import ClipFilms, read_clip_films


def table(tmp_path: Path, text: str) -> Path:
    (tmp_path / "films.csv").write_text(text)
    return tmp_path / "films.csv"


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    text = "video,film,year,genres\na,f,1999,Drama; War\nb,f,1999,Drama; War\nc,g,,\n"
    found = read_clip_films(table(tmp_path, text))
    assert found == ClipFilms({"a": "f", "b": "f", "c": "g"}, {"f": 1999}, {"f": ("Drama", "War")})
    assert found.genres_of_clip == {"a": ("Drama", "War"), "b": ("Drama", "War")}
    assert read_clip_films(table(tmp_path, "film,video\nf,a\n")) == ClipFilms({"a": "f"})


def test_condensed_movies_are_read_as_a_folder_or_as_its_table_of_clips(real_data: Path) -> None:
    folder = real_data / "condensed_movies"
    films = read_clip_films(folder)
    assert len(films.film_of_clip) == 34_185
    assert films.year_of_film["tt1707386"] == 2012
    assert films.genres_of_film["tt0020629"] == ("Drama", "War")
    alone = read_clip_films(folder / "clips.csv")
    assert alone == ClipFilms(films.film_of_clip)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "should have the columns video and film, .* its first line names nothing"),
        ("clip,film\na,f\n", "its first line names clip, film"),
        ("video,film\na,f\na,g\n", "line 3: clip 'a' is of 'g', and of 'f' before"),
        ("video,film\na,\n", "line 2: a clip or a film is missing"),
        ("video,film,year\na,f,soon\n", "line 2: year is 'soon', which should be a whole number"),
        ("video,film\na\n", "line 2: the row has .* cells than the header: 1 instead of 2"),
    ],
)
def test_a_table_that_says_nothing_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_clip_films(table(tmp_path, text))


def test_a_table_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"table of clips .* cannot be read: No such file"):
        read_clip_films(tmp_path / "gone.csv")
