"""Vectors that were computed elsewhere, and released lists of trailers."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.mmx import read_mmx
from mastershot.datasets.genres.trailers12k import read_trailers12k
from mastershot.datasets.genres.vectors import VectorFolder, find_vectors, read_vectors

IDS = ("a", "b", "c")


def no_tensor(path: Path) -> np.ndarray[Any, Any]:
    raise AssertionError(path)


def put(folder: Path, expert: str, trailer: str, array: np.ndarray[Any, Any]) -> None:
    (folder / "experts" / expert).mkdir(parents=True, exist_ok=True)
    np.save(folder / "experts" / expert / f"{trailer}.npy", array)


def found(folder: Path) -> VectorFolder:
    vectors = find_vectors(folder, IDS, no_tensor)
    assert vectors is not None
    return vectors


def test_experts_have_the_width_of_their_files(tmp_path: Path) -> None:
    assert find_vectors(tmp_path, IDS, no_tensor) is None
    put(tmp_path, "image", "a", np.ones((3, 5)))
    put(tmp_path, "image", "b", np.arange(5))  # one clip
    put(tmp_path, "image", "other", np.ones((1, 9)))  # not asked for
    put(tmp_path, "audio", "a", np.ones((3, 2, 4), np.float16))
    put(tmp_path, "audio", "b", np.ones((1, 1, 4), np.float16))
    vectors = found(tmp_path)
    assert [(one.name, one.shape) for one in vectors.experts] == [
        ("audio", (2, 4)),
        ("image", (5,)),
    ]
    assert vectors.num_clips == {"a": 3, "b": 1}
    second = vectors.vectors("b")
    assert second["image"].tolist() == [[0, 1, 2, 3, 4]]
    assert np.isnan(second["audio"]).all(axis=2).tolist() == [[False, True]]
    assert vectors.vectors("c") == {}


def test_an_expert_of_two_widths_is_one_sentence(tmp_path: Path) -> None:
    put(tmp_path, "image", "a", np.ones((3, 5)))
    put(tmp_path, "image", "b", np.ones((3, 6)))
    with pytest.raises(DatasetError, match=r"expert image: .*b\.npy holds vectors of width 6, and "
                       r".*a\.npy of width 5; all of an expert have one width"):  # fmt: skip
        found(tmp_path)
    put(tmp_path, "image", "b", np.ones((3, 2, 5)))
    with pytest.raises(DatasetError, match="of width 5 in pieces"):
        found(tmp_path)


def test_experts_that_saw_other_clips_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "image", "a", np.ones((3, 5)))
    put(tmp_path, "motion", "a", np.ones((4, 5)))
    with pytest.raises(DatasetError, match=r"has 4 clips, and .* 3; all experts see the same"):
        found(tmp_path)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.array(3.0), "of shape"),
        (np.ones((2, 0)), "of shape"),
        (np.ones((1, 1, 1, 1)), "of shape"),
        (np.array(["a"]), "holds <U1"),
        (np.array([[np.inf]]), "infinite"),
    ],
)
def test_arrays_that_are_no_vectors_are_refused(
    tmp_path: Path, array: np.ndarray[Any, Any], problem: str
) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DatasetError, match=problem):
        read_vectors(tmp_path / "a.npy", no_tensor)


class Code:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("run",))


def test_pickles_run_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([[1.0, 2.0], [3.0, 4.5]]))
    assert read_vectors(path, no_tensor).tolist() == [[1, 2], [3, 4.5]]
    path.write_bytes(pickle.dumps([[1.0, 2.0], [3.0]]))
    with pytest.raises(DatasetError, match="no lists of numbers that are equally long"):
        read_vectors(path, no_tensor)
    path.write_bytes(pickle.dumps(Code()))
    with pytest.raises(DatasetError, match="no pickle of plain values"):
        read_vectors(path, no_tensor)
    np.save(tmp_path / "b.npy", np.array([Code()]), allow_pickle=True)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_vectors(tmp_path / "b.npy", no_tensor)
    assert capsys.readouterr().out == ""


def test_an_id_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "image", "a", np.ones((1, 2)))
    np.save(tmp_path / "secret.npy", np.ones((1, 2)))
    vectors = find_vectors(tmp_path, ["a", "../../secret"], no_tensor)
    assert vectors is not None
    assert vectors.num_clips == {"a": 1}


def test_mmx_needs_its_list(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no genres\.csv"):
        read_mmx(tmp_path)
    (tmp_path / "genres.csv").write_text("id,genres\na,War\n")
    assert [one.id for one in read_mmx(tmp_path)] == ["a"]


def test_trailers12k_by_columns_of_genres_or_a_list(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "mid,title,year,action,sci_fi,drama,split0,split1\n"
        "tt1,One,1999,1,1,0,train,test\ntt2,Two,,0,0,1,test,1\n"
    )
    one, two = read_trailers12k(tmp_path)
    assert (one.id, one.genres, one.year, one.split) == ("tt1", ("action", "sci-fi"), 1999, "train")
    assert (two.genres, two.year, two.split) == (("drama",), None, "test")
    assert [row.split for row in read_trailers12k(path, fold=1)] == ["test", "val"]
    path.write_text("imdb_id,genre\ntt1,\"['action', 'drama']\"\ntt2,\"Action, Comedy\"\n")
    assert [row.genres for row in read_trailers12k(path)] == [
        ("action", "drama"), ("action", "Comedy"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title,action\nOne,1\n", "no column of ids"),
        ("mid,title\ntt1,One\n", "neither a column genres nor one of a genre"),
        ("mid,action\ntt1,2\n", "action is '2'"),
        ("mid,action,split0\ntt1,1,holdout\n", "split0 is 'holdout'"),
        ("mid,action,split1\ntt1,1,0\n", "no column split0"),
        ("mid,action\ntt1,1\ntt1,1\n", "'tt1' stands in line 2 too"),
        ("mid,genres\ntt1,[1]\n", "genres is '\\[1\\]'"),
        ("mid,genres\ntt1,[open\n", "genres is "),
        ("mid,action\n", "has no row"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(DatasetError, match=problem):
        read_trailers12k(tmp_path)
    (tmp_path / "second.csv").write_text(text)
    with pytest.raises(DatasetError, match="should hold one CSV"):
        read_trailers12k(tmp_path)
