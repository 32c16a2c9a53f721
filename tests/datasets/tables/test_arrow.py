from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.arrow import about_table, schema_with, write_parquet

COLUMNS = {"movie": pa.string(), "shot": pa.int32()}
ABOUT = {"schema": "ours/1", "made_by": {"model": "caf\u00e9", "share": 0.1, "parts": [1, None]}}
SCHEMA = schema_with(COLUMNS, ABOUT)


def batch(*rows: tuple[str, int | None]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def test_a_table_on_disk_says_how_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    batches = [batch(("a", 1), ("b", 2)), batch(("c", 3))]
    assert write_parquet(path, batches, SCHEMA) == 3
    table = parquet.read_table(path)
    assert table.to_pylist() == [
        {"movie": name, "shot": shot} for name, shot in [("a", 1), ("b", 2), ("c", 3)]
    ]
    assert about_table(path, table.schema, name="ours/1", columns=COLUMNS) == ABOUT
    assert write_parquet(path, [], SCHEMA) == parquet.read_table(path).num_rows == 0


def test_rows_that_fail_leave_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(path, [batch(("a", 1))], SCHEMA)
    before = path.read_bytes()

    def failing() -> Iterator[pa.RecordBatch]:
        yield batch(("b", 2))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parquet(path, failing(), SCHEMA)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


def test_a_missing_value_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid, match="non-nullable"):
        write_parquet(tmp_path / "t.parquet", [batch(("a", None))], SCHEMA)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA.remove_metadata(),
        schema_with(COLUMNS, {"schema": "ours/2"}),
        SCHEMA.with_metadata({b"mastershot": b'["ours/1"]'}),
    ],
)
def test_a_table_of_another_schema_is_refused(schema: pa.Schema) -> None:
    sentence = "^t is not a table of schema 'ours/1'; this version reads no other$"
    with pytest.raises(DatasetError, match=sentence):
        about_table(Path("t"), schema, name="ours/1", columns=COLUMNS)


def test_a_column_must_be_there_and_of_its_type_if_it_has_one() -> None:
    def about(columns: dict[str, pa.DataType | None]) -> dict[str, object]:
        return about_table(Path("t"), SCHEMA, name="ours/1", columns=columns)

    assert about({"shot": None}) == about({}) == ABOUT
    with pytest.raises(
        DatasetError, match=r"^table t is damaged: column shot is int32, which should be int64$"
    ):
        about({"movie": pa.string(), "shot": pa.int64()})
    with pytest.raises(DatasetError, match=r"^table t is damaged: column score is missing$"):
        about({"score": None})
