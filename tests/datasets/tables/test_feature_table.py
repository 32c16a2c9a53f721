import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError, OutputError
from mastershot.datasets.tables import feature_table
from mastershot.datasets.tables.feature_table import read_features, writing_features

Pairs = Iterable[tuple[str, FloatArray]]
ITEMS: dict[str, FloatArray] = {
    name: np.random.default_rng(place).normal(size=(rows, 3)).astype(np.float32)
    for place, (name, rows) in enumerate([("b", 2), ("a, \"x\"", 1), ("ö", 5), ("d", 3)])
}  # fmt: skip
PAIRS: Pairs = tuple(ITEMS.items())


def write(folder: Path, items: Pairs = PAIRS, dtype: str = "float32") -> Path:
    with writing_features(folder, width=3, dtype=dtype, made_by={"encoder": "toy"}) as add:
        for name, vectors in items:
            add(name, vectors)
    return folder


def test_what_was_written_is_read_back_in_order(tmp_path: Path) -> None:
    table = read_features(write(tmp_path / "new" / "features"))
    assert table.items == tuple(ITEMS)
    assert table.starts.tolist() == [0, 2, 3, 8, 11]
    assert (len(table), table.width, table.made_by) == (4, 3, {"encoder": "toy"})
    for place, vectors in enumerate(ITEMS.values()):
        np.testing.assert_array_equal(table.rows(place), vectors)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["features"]


def test_vectors_of_half_precision_are_given_in_single_precision(tmp_path: Path) -> None:
    table = read_features(write(tmp_path / "features", dtype="float16"))
    assert table.vectors.dtype == np.float16
    assert table.rows(2).dtype == np.float32
    np.testing.assert_array_equal(table.rows(2), ITEMS["ö"].astype(np.float16))


def test_the_mean_of_an_item_is_that_of_a_loop(tmp_path: Path) -> None:
    table = read_features(write(tmp_path / "features"))
    means = table.means()
    for mean, vectors in zip(means, ITEMS.values(), strict=True):
        expected = [sum(map(float, column)) / len(column) for column in vectors.T]
        np.testing.assert_allclose(mean, expected, rtol=1e-6)
    np.testing.assert_array_equal(table.means(np.array([3, 0])), means[[3, 0]])
    assert table.means(np.array([], np.int64)).shape == (0, 3)


def test_items_are_found_by_name(tmp_path: Path) -> None:
    table = read_features(write(tmp_path / "features"))
    assert table.find(["d", "x", "b"]).tolist() == [3, -1, 0]
    assert table.places(["d", "b"], what="trailers").tolist() == [3, 0]
    with pytest.raises(DatasetError, match="lack 2 of 3 trailers, the first 'x'"):
        table.places(["x", "b", "y"], what="trailers")


def test_opening_maps_the_vectors_and_does_not_read_them(tmp_path: Path) -> None:
    # 73,859 items of 20 vectors of 768 are 2.3 GB; the file here is as long, but sparse.
    folder = tmp_path / "features"
    write(folder)
    num_items, shape = 73_859, (73_859 * 20, 768)
    lines = "".join(f"shot {place},20\n" for place in range(num_items))
    (folder / "items.csv").write_text("item,rows\n" + lines)
    with (folder / "vectors.npy").open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + shape[0] * shape[1] * 2)
    table = read_features(folder)
    assert isinstance(table.vectors, np.memmap)
    assert table.rows(73_858).shape == (20, 768)


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "features")
    with pytest.raises(OutputError, match="exists already; name another folder"):
        write(tmp_path / "features", ())


def test_nothing_stays_of_features_that_failed(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="would be empty; add an item"):
        write(tmp_path / "features", ())
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written: Not a directory"):
        write(tmp_path / "file" / "features")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [ValueError("no frames"), FileNotFoundError("a.mp4")])
def test_an_error_of_what_makes_the_features_stays_what_it_is(
    tmp_path: Path, error: Exception
) -> None:
    def make() -> Iterator[tuple[str, FloatArray]]:
        yield from PAIRS
        raise error

    with pytest.raises(type(error), match=str(error)):
        write(tmp_path / "features", make())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_an_error_of_writing(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "")
    with (
        patch.object(feature_table._Writer, "put", side_effect=full),
        pytest.raises(OutputError, match=r"features .* cannot be written: No space left"),
    ):
        write(tmp_path / "features")
    assert not list(tmp_path.iterdir())


def test_two_processes_that_write_one_table_leave_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "features"

    def make() -> Iterator[tuple[str, FloatArray]]:
        yield "b", ITEMS["b"]
        monkeypatch.setattr(os, "getpid", lambda: 1)
        write(folder)

    with pytest.raises(OutputError, match="features cannot be written: Directory not empty"):
        write(folder, make())
    assert read_features(folder).items == tuple(ITEMS)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("name", "vectors", "sentence"),
    [
        ("b", [[0, 0, 0]], "'b': an item must have a name of its own"),
        ("", [[0, 0, 0]], "'': an item must have a name of its own"),
        ("x", [[0, 0]], r"'x' are of shape \(1, 2\); they should be one or more of 3"),
        ("x", np.zeros((0, 3)), r"'x' are of shape \(0, 3\)"),
        ("x", [[0, 0, 1e9]], "'x' are not finite numbers as float16"),
    ],
)
def test_an_item_that_does_not_fit_is_refused(
    tmp_path: Path, name: str, vectors: FloatArray, sentence: str
) -> None:
    items = [("b", np.zeros((1, 3), np.float32)), (name, vectors)]
    with pytest.raises(DatasetError, match=sentence):
        write(tmp_path / "features", items, "float16")


def test_a_vector_that_is_not_finite_is_found_where_it_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "features")
    vectors = np.load(folder / "vectors.npy")
    vectors[4] = np.nan
    np.save(folder / "vectors.npy", vectors)
    table = read_features(folder)
    table.rows(0)
    np.testing.assert_array_equal(table.rows(2, 1), ITEMS["ö"][:1])
    assert np.isfinite(table.means(np.array([0, 1, 3]))).all()
    for read in (lambda: table.rows(2), table.means):
        with pytest.raises(DatasetError, match="vectors of item 'ö' are not finite numbers"):
            read()


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("features.json", b"[", "does not describe features"),
        ("features.json", json.dumps({"schema": "x/2", "made_by": {}}).encode(), "schema 'x/2'"),
        ("items.csv", b"item\nb\n", "has no column 'rows'"),
        ("items.csv", b"item,rows\nb,0\n", "rows is '0', which should be a whole number from 1"),
        ("items.csv", b"item,rows\nb,11\nb,1\n", "'b' stands in line 2 too"),
        ("items.csv", b"item,rows\nb,12\n", "items.csv counts 12 vectors, vectors.npy holds 11"),
        ("vectors.npy", b"", "vectors.npy are empty"),
        ("vectors.npy", b"\x93NUMPY\x01\x00\x06\x00{}", "cannot be read"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    folder = write(tmp_path / "features")
    (folder / name).write_bytes(data)
    with pytest.raises(DatasetError, match=sentence):
        read_features(folder)


def test_a_table_without_its_description_and_vectors_of_another_type_are_refused(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path / "features")
    with (folder / "vectors.npy").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DatasetError, match="not what their header says"):
        read_features(folder)
    np.save(folder / "vectors.npy", np.zeros((11, 3)))
    with pytest.raises(DatasetError, match="and type float64; they should be rows of float16"):
        read_features(folder)
    (folder / "features.json").unlink()
    with pytest.raises(DatasetError, match="it is no folder of features"):
        read_features(folder)
