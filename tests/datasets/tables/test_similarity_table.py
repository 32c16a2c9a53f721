import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.similarity import table_of
from mastershot.datasets.tables.similarity_table import read_similarity, write_similarity

TABLE = table_of(["a", "b", "c"], [("a", "b", 2.0), ("a", "c", 1.5)], {"measure": "ours"})


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_similarity(tmp_path / "t.parquet", TABLE)
    found = read_similarity(tmp_path / "t.parquet")
    assert list(found.rows()) == list(TABLE.rows()) == [("a", "b", 1, 2.0), ("a", "c", 2, 1.5)]
    assert (found.movies, found.made_by) == (TABLE.movies, {"measure": "ours"})
    assert found.without_neighbours == ("b", "c")
    plain = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert plain[0] == {"movie": "a", "similar": "b", "rank": 1, "score": 2.0}


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    write_similarity(tmp_path / "t.parquet", table_of([], [], {}))
    assert len(read_similarity(tmp_path / "t.parquet")) == 0


def test_a_table_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"movies .*t\.parquet cannot be written: No such"):
        write_similarity(tmp_path / "none" / "t.parquet", TABLE)


def rewritten(folder: Path, rows: list[dict[str, object]], movies: object = ("a", "b")) -> Path:
    write_similarity(folder / "t.parquet", TABLE)
    schema = parquet.read_schema(folder / "t.parquet")
    about = {"schema": "mastershot/similarity/1", "movies": movies, "made_by": {}}
    fields = [field.with_nullable(True) for field in schema]
    schema = pa.schema(fields, {b"mastershot": json.dumps(about).encode()})
    parquet.write_table(pa.Table.from_pylist(rows, schema), folder / "t.parquet")
    return folder / "t.parquet"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"movie": "a", "similar": "a", "rank": 1, "score": 1.0}, "'a' is said to be similar to"),
        ({"movie": "a", "similar": "x", "rank": 1, "score": 1.0}, "movie 'x' of a similarity"),
        ({"movie": None, "similar": "a", "rank": 1, "score": 1.0}, "movie None of a similarity"),
        ({"movie": "a", "similar": "b", "rank": 1, "score": None}, "is nan, not a number"),
    ],
)
def test_a_table_that_contradicts_itself_is_damaged(
    tmp_path: Path, row: dict[str, object], message: str
) -> None:
    with pytest.raises(DatasetError, match=f"are damaged: .*{message}"):
        read_similarity(rewritten(tmp_path, [row]))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with pytest.raises(DatasetError, match=r"cannot be read: No such file"):
        read_similarity(path)
    parquet.write_table(pa.table({"movie": ["a"]}), path)
    with pytest.raises(DatasetError, match="is not a table of schema 'mastershot/similarity/1'"):
        read_similarity(path)
    write_similarity(path, TABLE)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DatasetError, match="cannot be read"):
        read_similarity(path)
