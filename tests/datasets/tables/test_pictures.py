from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.pictures import read_labelled_pictures


def write(path: Path, columns: dict[str, Any]) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def test_pictures_come_in_the_tables_order_without_label_where_it_is_null(tmp_path: Path) -> None:
    labels = ["a", None] * 200
    contents = [bytes([row % 256]) for row in range(400)]
    columns = {"class": labels, "jpeg": contents, "more": list(range(400))}
    path = write(tmp_path / "t.parquet", columns)
    rows = list(read_labelled_pictures(path))
    assert [label for label, _ in rows] == ["a", ""] * 200
    assert [content[0] for _, content in rows] == [row % 256 for row in range(400)]


@pytest.mark.parametrize(
    "columns", [{"jpeg": [b"1"]}, {"class": ["a"]}, {"class": [1], "jpeg": [b"1"]}]
)
def test_a_table_of_other_columns_is_refused(tmp_path: Path, columns: dict[str, Any]) -> None:
    path = write(tmp_path / "t.parquet", columns)
    with pytest.raises(DatasetError, match=r"t\.parquet needs the columns class .* and jpeg"):
        list(read_labelled_pictures(path))


@pytest.mark.parametrize("content", [b"", b"no table", None])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "t.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"t\.parquet is not a table that can be read"):
        list(read_labelled_pictures(path))
