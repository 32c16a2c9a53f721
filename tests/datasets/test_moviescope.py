import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.moviescope import GENRES, SPLITS, read_moviescope

ACTION_DRAMA, COMEDY = "1000010000000", "0001000000000"


def film(movie_id: int, genres: Any = COMEDY) -> dict[str, Any]:
    return {"movie_id": movie_id, "plot": "naïve", "newGenreLabels": genres}


def write(folder: Path, **splits: Any) -> Path:
    films: dict[str, Any] = {
        "train": [film(7, ACTION_DRAMA), film(0)], "val": [film(12)], "test": [film(3)],
    }  # fmt: skip
    for split, value in (films | splits).items():
        data = value if isinstance(value, bytes) else pickle.dumps(value, protocol=2)
        (folder / f"raw_data_{split}.p").write_bytes(data)
    return folder


def test_trailers_are_read_by_split_in_file_order(tmp_path: Path) -> None:
    splits = read_moviescope(write(tmp_path))
    assert tuple(splits) == SPLITS
    train = splits["train"]
    assert (train.items, train.videos, train.classes) == (("7", "0"), ("7", "0"), GENRES)
    found = [[GENRES[place] for place in np.flatnonzero(has)] for has in train.truth]
    assert found == [["action", "drama"], ["comedy"]]
    assert [len(splits[split]) for split in SPLITS] == [2, 1, 1]


def test_a_pickle_of_python_2_and_labels_as_a_list_are_read(tmp_path: Path) -> None:
    # What Python 2's pickle.dumps([{'movie_id': 12, 'plot': 'caf\xc3\xa9', …}]) writes.
    digits = "".join(f"I{digit}\na" for digit in COMEDY)
    old = (
        b"(lp0\n(dp1\nS'plot'\np2\nS'caf\\xc3\\xa9'\np3\nsS'movie_id'\np4\nI12\n"
        b"sS'newGenreLabels'\np5\n(lp6\n" + digits.encode() + b"sa."
    )
    splits = read_moviescope(write(tmp_path, val=old))
    assert splits["val"].items == ("12",)
    assert splits["val"].truth[0].tolist() == [genre == "comedy" for genre in GENRES]


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("touched"),))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([film(1), film(1)], "film 2: movie 1 stands there twice"),
        ([film(3)], "movie 3 is in val and test"),
        ([film(1, "10")], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([film(1, "2" * 13)], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([film(1, "x" * 13)], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([film(1, [0] * 12 + ["01"])], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([film(1, [0] * 12 + [0.7])], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([film(1, [0] * 12 + [np.inf])], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([film(1, [0] * 12 + [[]])], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([{"movie_id": 1}], "film 1: newGenreLabels should be 13 digits 0 or 1"),
        ([{"movie_id": None}], "film 1: it should have a movie_id"),
        (["film"], "film 1: it should have a movie_id"),
        ([], "should be a list of one film or more"),
        ({"a": 1}, "should be a list of one film or more"),
        (b"", "is no pickle of plain values: it ends too early"),
        (b"})" + b"\x85" * 300_000 + b"Ns.", r"is no pickle of plain values: it has .* '\)'"),
        (b"]r\xfe\xff\xff\xff.", "should be a list of one film or more"),
        (b"\x8e" + b"\xff" * 7 + b"\x7f.", r"it has the operation '\\x8e'"),
        (b"\x96" + b"\xff" * 7 + b"\x7f.", r"it has the operation '\\x96'"),
        (b"\x8b\xff\xff\xff\x7f.", r"it has the operation '\\x8b'"),
        (b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.", "is no pickle of plain values"),
        (b"X\xff\xff\xff\xff.", "is no pickle of plain values"),
        (b"]" * 200_000 + b"a" * 199_999 + b".", "film 1: it should have a movie_id"),
        (b"I" + b"9" * 5000 + b"\n.", "is no pickle of plain values: Exceeds the limit"),
        (b"text\n", "is no pickle of plain values"),
        (pickle.dumps([film(1)])[:-9], "is no pickle of plain values"),
    ],
)
def test_a_split_that_is_not_as_released_is_an_error(
    tmp_path: Path, value: Any, sentence: str
) -> None:
    with pytest.raises(DatasetError, match=sentence):
        read_moviescope(write(tmp_path, val=value))


def test_code_in_a_pickle_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="is no pickle of plain values: it names "):
        read_moviescope(write(tmp_path, val=[Harmful()]))
    assert not (tmp_path / "touched").exists()


def test_a_split_that_is_missing_or_too_large_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    monkeypatch.setattr("mastershot.datasets.pickles._MAX_BYTES", 9)
    with pytest.raises(DatasetError, match=r"raw_data_train.p has more than 9 bytes"):
        read_moviescope(tmp_path)
    with pytest.raises(DatasetError, match=r"raw_data_train.p cannot be read: No such file"):
        read_moviescope(tmp_path / "elsewhere")
