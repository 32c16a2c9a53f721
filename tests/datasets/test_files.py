import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.files import read_arrays, read_table


def test_a_table_without_a_column_says_which(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(DatasetError, match=r"list .*a\.csv has no column 'z'; it has x, y"):
        read_table(tmp_path / "a.csv", ("x", "z"), what="list")


def test_an_empty_table_has_no_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(DatasetError, match="has no column 'x'"):
        read_table(tmp_path / "a.csv", ("x",), what="list")


@pytest.mark.parametrize("row", ["1", "1,2,3"])
def test_a_row_of_another_length_is_named(tmp_path: Path, row: str) -> None:
    (tmp_path / "a.csv").write_text(f"x,y\n1,2\n{row}\n")
    with pytest.raises(DatasetError, match=r"line 3: .* than the header: \d instead of 2"):
        read_table(tmp_path / "a.csv", ("x",), what="list")


def test_a_cell_too_large_for_a_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n" + "a" * 200_000 + "\n")
    with pytest.raises(DatasetError, match="field larger than field limit"):
        read_table(tmp_path / "a.csv", ("x",), what="list")


def test_a_file_that_is_not_there_or_not_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"list .*none\.csv cannot be read: No such file"):
        read_table(tmp_path / "none.csv", ("x",), what="list")
    (tmp_path / "a.csv").write_bytes(b"x\n\xff\xfe\n")
    with pytest.raises(DatasetError, match=r"list .*a\.csv cannot be read: it is not UTF-8 text"):
        read_table(tmp_path / "a.csv", ("x",), what="list")


def test_a_table_may_be_separated_by_white_space(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('x y\n1  "2\n\n3 4 \n')
    rows = read_table(tmp_path / "a.csv", ("x", "y"), what="list", delimiter="")
    assert rows == [{"x": "1", "y": '"2'}, {"x": "3", "y": "4"}]
    assert [row.line for row in rows] == [2, 4]


def test_a_column_that_is_there_twice_and_a_table_with_other_separators_are_errors(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text("x,x\n1,2\n")
    with pytest.raises(DatasetError, match="has two columns 'x'; keep one"):
        read_table(tmp_path / "a.csv", ("x",), what="list")
    (tmp_path / "a.csv").write_text("x;y\n1;2\n")
    with pytest.raises(DatasetError, match="it has x;y, which should be separated by commas"):
        read_table(tmp_path / "a.csv", ("x",), what="list")


def test_arrays_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, one=np.arange(3), two=np.ones(2))
    assert {name: len(one) for name, one in read_arrays(path, what="rows").items()} == {
        "one": 3, "two": 2,
    }  # fmt: skip
    assert list(read_arrays(path, what="rows", names=("two", "three"))) == ["two"]


def a_header(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


@pytest.mark.parametrize(
    ("member", "content", "problem"),
    [
        ("a.npy", b"text", "should hold arrays alone, and 'a' is none"),
        ("a.txt", b"text", "should hold arrays alone, and 'a.txt' is none"),
        ("a.npy", a_header((1 << 50,)), "cannot be read: Unable to allocate"),
        ("a.npy", a_header((4,)), "cannot be read"),
    ],
)
def test_an_archive_of_something_else_is_one_sentence(
    tmp_path: Path, member: str, content: bytes, problem: str
) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(member, content)
    with pytest.raises(DatasetError, match=f"rows {path} {problem}"):
        read_arrays(path, what="rows")
