import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.similarity import table_of
from mastershot.datasets.tables.pair_table import ScenePairs, read_pairs, write_pairs
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
    for read in (read_similarity, read_pairs):
        with pytest.raises(DatasetError, match="is not a table of schema 'mastershot/s"):
            read(path)
    write_similarity(path, TABLE)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DatasetError, match="cannot be read"):
        read_similarity(path)


def pair_rows(folder: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    columns = (np.array([0, 1]), np.array([4, 13]), np.array([1, 2]), np.array([0, 30]))
    pairs = ScenePairs(("a", "b", "c"), *columns, np.array([0.5, 0.25], np.float32))
    write_pairs(folder / "p.parquet", [pairs], {"window": 9})
    table = change(parquet.read_table(folder / "p.parquet"))
    parquet.write_table(table, folder / "p.parquet")
    return folder / "p.parquet"


def test_scene_pairs_are_read_as_they_were_written(tmp_path: Path) -> None:
    found = read_pairs(pair_rows(tmp_path, lambda table: table))
    assert list(found.rows()) == [("a", 4, "b", 0, 0.5), ("b", 13, "c", 30, 0.25)]
    assert found.made_by == {"window": 9}


def test_a_damaged_table_of_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is damaged: column score is missing, which"):
        read_pairs(pair_rows(tmp_path, lambda table: table.drop(["score"])))

    def without_a_shot(table: pa.Table) -> pa.Table:
        shots = pa.array([None, 3], pa.int32())
        return table.set_column(1, pa.field("first_shot", pa.int32()), shots)

    with pytest.raises(DatasetError, match="are damaged: a value is missing"):
        read_pairs(pair_rows(tmp_path, without_a_shot))


def test_pairs_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"scene pairs .*p\.parquet cannot be written: No such"):
        write_pairs(tmp_path / "none" / "p.parquet", [], {})
