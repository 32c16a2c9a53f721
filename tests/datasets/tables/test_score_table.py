"""Scores on disk are the scores that were written, in the type they were computed in."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.tables import score_table
from mastershot.datasets.tables.records import ScoredShots, best_columns
from mastershot.datasets.tables.score_table import open_scores, write_scores

PLACES = Taxonomy("places", ("street", "forest", "kitchen", "beach", "church", "bar", "cave"))
MADE_BY = {"encoder": "toy", "sampling": "uniform:3"}
SUFFIXES = pytest.mark.parametrize("suffix", [".parquet", ".lance"])


def batch(num_shots: int, seed: int, dtype: npt.DTypeLike = np.float32) -> ScoredShots:
    random = np.random.default_rng(seed)
    labels, scores = best_columns(random.random((num_shots, len(PLACES))).astype(dtype))
    return ScoredShots(
        videos=[f"v{seed}"] * num_shots,
        files=[f"v{seed}-Scene-{number:03}.mp4" for number in range(1, num_shots + 1)],
        frames=random.integers(0, 999, (num_shots, 2)),
        times_s=random.random((num_shots, 2)),
        labels=labels,
        scores=scores,
    )


def joined(batches: Iterator[ScoredShots] | list[ScoredShots]) -> dict[str, list[object]]:
    rows: dict[str, list[object]] = {}
    for shots in batches:
        for name in ("videos", "files", "frames", "times_s", "labels", "scores"):
            values = getattr(shots, name)
            rows.setdefault(name, []).extend(
                values.tolist() if isinstance(values, np.ndarray) else values
            )
    return rows


@SUFFIXES
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_was_written_is_read(tmp_path: Path, suffix: str, dtype: npt.DTypeLike) -> None:
    path = tmp_path / f"scores{suffix}"
    batches = [batch(5, 1, dtype), batch(0, 2, dtype), batch(7, 3, dtype)]
    assert write_scores(path, batches, PLACES, MADE_BY) == 12
    table = open_scores(path)
    assert (table.taxonomy, table.made_by, table.num_shots) == (PLACES, MADE_BY, 12)
    found = list(table.batches())
    assert joined(found) == joined(batches)
    assert {shots.scores.dtype for shots in found} == {np.dtype(dtype)}


@SUFFIXES
def test_a_table_is_written_over(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scores{suffix}"
    write_scores(path, [batch(5, 1)], PLACES, MADE_BY)
    write_scores(path, [batch(2, 4)], PLACES, {})
    assert joined(open_scores(path).batches()) == joined([batch(2, 4)])
    assert open_scores(path).made_by == {}


@SUFFIXES
def test_no_shots_are_an_empty_table(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scores{suffix}"
    assert write_scores(path, [], PLACES, MADE_BY) == 0
    assert open_scores(path).num_shots == 0
    assert list(open_scores(path).batches()) == []


def test_many_small_batches_become_few_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_table, "PIECE_SHOTS", 100)
    path = tmp_path / "scores.parquet"
    write_scores(path, (batch(7, seed) for seed in range(60)), PLACES, MADE_BY)
    sizes = [len(shots) for shots in open_scores(path).batches()]
    assert sum(sizes) == 420
    assert max(sizes) <= 105
    assert parquet.ParquetFile(path).num_row_groups <= 6


def test_shots_with_many_labels_are_read_in_smaller_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_table, "PIECE_SHOTS", 100)
    many = Taxonomy("many", tuple(f"place {number}" for number in range(50)))
    scores = np.random.default_rng(0).random((95, 50), np.float32)
    labels, best = best_columns(scores, 50)
    times, frames = np.zeros((95, 2)), np.zeros((95, 2), np.int64)
    wide = ScoredShots(["v"] * 95, [f"{n}.mp4" for n in range(95)], frames, times, labels, best)
    write_scores(tmp_path / "scores.parquet", [wide], many, MADE_BY)
    batches = list(open_scores(tmp_path / "scores.parquet").batches())
    assert [len(shots) for shots in batches] == [10] * 9 + [5]
    np.testing.assert_array_equal(np.concatenate([b.scores for b in batches]), best)
    np.testing.assert_array_equal(np.concatenate([b.labels for b in batches]), labels)


def test_a_folder_of_parts_is_one_table(tmp_path: Path) -> None:
    for seed in (2, 1):
        write_scores(tmp_path / f"{seed}.parquet", [batch(3, seed)], PLACES, MADE_BY)
    table = open_scores(tmp_path)
    assert table.num_shots == 6
    assert joined(table.batches()) == joined([batch(3, 1), batch(3, 2)])


def test_parts_made_otherwise_are_not_mixed(tmp_path: Path) -> None:
    write_scores(tmp_path / "1.parquet", [batch(3, 1)], PLACES, MADE_BY)
    write_scores(tmp_path / "2.parquet", [batch(3, 2)], PLACES, {"encoder": "other"})
    with pytest.raises(DatasetError, match=r"2\.parquet were made otherwise than .*1\.parquet"):
        open_scores(tmp_path)


@SUFFIXES
@pytest.mark.parametrize("error", [DatasetError("clip b has no shot"), ValueError("our mistake")])
def test_what_a_source_raises_is_raised_as_it_is_and_the_table_before_stays(
    tmp_path: Path, suffix: str, error: Exception
) -> None:
    path = tmp_path / f"scores{suffix}"
    write_scores(path, [batch(5, 1)], PLACES, MADE_BY)

    def source() -> Iterator[ScoredShots]:
        yield batch(2, 2)
        raise error

    with pytest.raises(type(error), match=str(error)):
        write_scores(path, source(), PLACES, MADE_BY)
    assert joined(open_scores(path).batches()) == joined([batch(5, 1)])
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_table_has_one_of_two_endings(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"scores go to a \.parquet file or a \.lance table"):
        write_scores(tmp_path / "scores.csv", [], PLACES, MADE_BY)


@SUFFIXES
def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_scores(tmp_path / "file" / f"a{suffix}", [batch(1, 1)], PLACES, MADE_BY)


def test_what_is_no_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no scores; it should hold \.parquet files"):
        open_scores(tmp_path)
    with pytest.raises(DatasetError, match=r"none\.parquet cannot be read: No such file"):
        open_scores(tmp_path / "none.parquet")
    with pytest.raises(DatasetError, match=r"there are no scores at .*none\.lance"):
        open_scores(tmp_path / "none.lance")
    (tmp_path / "text.parquet").write_text("no table, but long enough to have a footer")
    with pytest.raises(DatasetError, match=r"text\.parquet cannot be read: Parquet magic bytes"):
        open_scores(tmp_path / "text.parquet")


def test_a_table_of_something_else_is_an_error(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(
        DatasetError,
        match="is not a table of schema 'mastershot/scores/1'; this version",
    ):
        open_scores(tmp_path / "a.parquet")


def test_a_label_outside_the_taxonomy_is_an_error(tmp_path: Path) -> None:
    write_scores(tmp_path / "a.parquet", [batch(5, 1)], Taxonomy("two", ("bar", "zoo")), {})
    with pytest.raises(DatasetError, match="are damaged: a label is not one of the 2"):
        list(open_scores(tmp_path / "a.parquet").batches())


def test_a_missing_value_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_scores(path, [batch(5, 1)], PLACES, MADE_BY)
    table = parquet.read_table(path)
    videos = pa.array([None, *table["video"].to_pylist()[1:]], pa.string())
    parquet.write_table(table.set_column(0, "video", videos), path)
    with pytest.raises(DatasetError, match="are damaged: a value is missing"):
        list(open_scores(path).batches())


def test_a_table_that_says_nonsense_of_itself_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": [1]}).replace_schema_metadata({"mastershot": "{"}), path)
    with pytest.raises(DatasetError, match=r"a\.parquet cannot be read: Expecting"):
        open_scores(path)
