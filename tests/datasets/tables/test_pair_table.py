from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError, OutputError
from mastershot.datasets.tables.pair_table import (
    ScenePairs,
    join_pairs,
    pairs_made_by,
    read_pairs,
    write_pairs,
)


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


def columns_of(folder: Path, name: str, rows: list[tuple[int, int, int, int, float]]) -> Path:
    """Write a part whose movies are called after it."""
    columns = zip(*rows, strict=True) if rows else [()] * 5
    movie, first_shot, similar, other_shot, scores = (np.array(column) for column in columns)
    places = movie.astype(int), first_shot.astype(int), similar.astype(int), other_shot.astype(int)
    pairs = ScenePairs((f"{name}0", f"{name}1", "both"), *places, scores.astype(np.float32))
    assert write_pairs(folder / f"{name}.parquet", [pairs], {"part": name}) == len(rows)
    return folder / f"{name}.parquet"


def test_parts_are_joined_in_their_order_and_the_whole_says_how_it_was_made(tmp_path: Path) -> None:
    parts = [
        columns_of(tmp_path, "x", [(2, 7, 0, 0, 0.5), (0, 0, 2, 7, -1.5)]),
        columns_of(tmp_path, "none", []),
        columns_of(tmp_path, "y", [(1, 3, 2, 2**31 - 1, 0.25)]),
    ]
    path = tmp_path / "joined.parquet"
    assert join_pairs(path, parts, {"job": 1}) == 3
    found = read_pairs(path)
    rows = [
        ("both", 7, "x0", 0, 0.5),
        ("x0", 0, "both", 7, -1.5),
        ("y1", 3, "both", 2**31 - 1, 0.25),
    ]
    assert list(found.rows()) == rows
    assert found.made_by == pairs_made_by(path) == {"job": 1}
    assert sorted(found.movies) == ["both", "x0", "y1"]  # those of a row, each once


def test_a_table_without_rows_is_a_table(tmp_path: Path) -> None:
    found = read_pairs(columns_of(tmp_path, "none", []))
    assert (len(found), found.movies, list(found.rows())) == (0, (), [])
    assert found.made_by == {"part": "none"}


def test_a_part_of_another_kind_leaves_the_whole_as_it_was(tmp_path: Path) -> None:
    good, path = columns_of(tmp_path, "x", [(0, 1, 1, 2, 0.5)]), tmp_path / "joined.parquet"
    join_pairs(path, [good], {"job": 1})
    before, other = path.read_bytes(), tmp_path / "other.parquet"
    parquet.write_table(pa.table({"movie": ["a"]}), other)
    for bad in (other, tmp_path / "missing.parquet"):
        with pytest.raises(
            OutputError, match=r"^scene pairs .*joined\.parquet cannot be written: "
        ):
            join_pairs(path, [good, bad], {"job": 2})
        assert path.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {path.name, good.name, other.name}


def test_a_table_that_does_not_say_how_it_was_made_is_refused(tmp_path: Path) -> None:
    path = columns_of(tmp_path, "x", [(0, 1, 1, 2, 0.5)])
    about = b'{"schema": "mastershot/scene-pairs/1", "made_by": ["x"]}'
    table = parquet.read_table(path).replace_schema_metadata({b"mastershot": about})
    parquet.write_table(table, path)
    for read in (read_pairs, pairs_made_by):
        with pytest.raises(DatasetError, match=r"do not say how they were made; mine them anew$"):
            read(path)
    parquet.write_table(table.replace_schema_metadata(), path)
    with pytest.raises(DatasetError, match="is not a table of schema 'mastershot/scene-pairs/1'"):
        pairs_made_by(path)
