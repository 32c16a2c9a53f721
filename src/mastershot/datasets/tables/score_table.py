"""Scored shots on disk: a Parquet file, a folder of them, or a Lance table, read in pieces.

The table says which taxonomy its labels are places of and how it was made. A million shots are
tens of megabytes on disk; in memory there is one piece at a time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import reporting_errors
from mastershot.core.labels import Taxonomy
from mastershot.datasets.tables.arrow import about_table, schema_with, write_parquet
from mastershot.datasets.tables.records import NUM_BEST, ScoredShots

SCHEMA = "mastershot/scores/1"
COLUMNS = ("video", "file", "start_frame", "end_frame", "start_s", "end_s", "labels", "scores")
SCALE = "scale"
"""A further column, where the scale of the shots was determined."""
PIECE_SHOTS = 1 << 16
"""How many rows are held in memory at once; fewer are read where each has many labels."""


@dataclass(frozen=True)
class ScoreTable:
    """A table of scored shots.

    Attributes:
        parts: The Parquet files or the Lance table it consists of.
        taxonomy: What the shots were scored with.
        made_by: How: encoder, weights' hash, sampling, package version.
        num_shots: Its number of rows.
    """

    parts: tuple[Path, ...]
    taxonomy: Taxonomy
    made_by: Mapping[str, Any]
    num_shots: int

    def batches(self) -> Iterator[ScoredShots]:
        """Yield the shots in pieces of at most some ten thousand.

        Raises:
            DatasetError: A part cannot be read, or names a label that the taxonomy lacks.
        """
        for part in self.parts:
            with reporting_errors(DatasetError, f"scores {part} cannot be read"):
                for batch in _batches_of(part):
                    yield _shots_of(batch, part, num_labels=len(self.taxonomy))


def write_scores(
    path: Path, batches: Iterable[ScoredShots], taxonomy: Taxonomy, made_by: Mapping[str, Any]
) -> int:
    """Write scored shots to a ``.parquet`` file or a ``.lance`` table; return their number.

    What was there before stays until all is written. All batches have as many labels a shot, in
    the same type, as the first; it is also the table's.

    Raises:
        OutputError: The table cannot be written, or the name ends otherwise.
    """
    if path.suffix not in {".parquet", ".lance"}:
        raise OutputError(f"scores go to a .parquet file or a .lance table, not to {path}")
    failures: list[Exception] = []

    def source() -> Iterator[ScoredShots]:
        """Yield the batches, and keep what their maker raises: Lance reports it as its own."""
        try:
            yield from batches
        except Exception as error:
            failures.append(error)
            raise

    shots = source()
    first = next(shots, None)
    schema = _schema_of(first, taxonomy, made_by)
    rows = (_rows_of(some, schema) for some in chain([] if first is None else [first], shots))
    write = write_parquet if path.suffix == ".parquet" else _write_lance
    try:
        with reporting_errors(OutputError, f"scores {path} cannot be written"):
            return write(path, _gathered(rows, schema), schema)
    except Exception:
        if failures:
            raise failures[0] from None
        raise


def open_scores(path: str | Path) -> ScoreTable:
    """Return a table of scored shots; a folder is one table whose parts are its Parquet files.

    Raises:
        DatasetError: There is no such table, it is damaged, or its parts were made otherwise.
    """
    path = Path(path)
    is_folder = path.is_dir() and path.suffix != ".lance"
    parts = tuple(sorted(path.glob("*.parquet"))) if is_folder else (path,)
    if not parts:
        raise DatasetError(f"folder {path} holds no scores; it should hold .parquet files")
    about: dict[str, Any] = {}
    num_shots = 0
    for part in parts:
        with reporting_errors(DatasetError, f"scores {part} cannot be read"):
            if part.suffix == ".lance":
                table = _lance_table(part)
                schema, num_rows = table.schema, table.count_rows()
            else:
                with parquet.ParquetFile(part) as file:
                    schema, num_rows = file.schema_arrow, file.metadata.num_rows
            found = about_table(part, schema, name=SCHEMA, columns=dict.fromkeys(COLUMNS))
        if about and found != about:
            raise DatasetError(
                f"scores {part} were made otherwise than {parts[0]}; keep them apart"
            )
        about, num_shots = found, num_shots + num_rows
    taxonomy = Taxonomy(about["taxonomy"], tuple(about["labels"]))
    return ScoreTable(parts, taxonomy, about["made_by"], num_shots)


def _schema_of(
    first: ScoredShots | None, taxonomy: Taxonomy, made_by: Mapping[str, Any]
) -> pa.Schema:
    """Return the schema of a table whose shots are like the first."""
    num_best = NUM_BEST if first is None else first.labels.shape[1]
    score = pa.from_numpy_dtype(np.dtype(np.float32) if first is None else first.scores.dtype)
    types = [pa.string()] * 2 + [pa.int64()] * 2 + [pa.float64()] * 2
    types += [pa.list_(pa.int16(), num_best), pa.list_(score, num_best)]
    columns = dict(zip(COLUMNS, types, strict=True))
    if first is not None and first.scales is not None:
        columns[SCALE] = pa.string()
    about = {"schema": SCHEMA, "taxonomy": taxonomy.name, "labels": taxonomy.labels}
    return schema_with(columns, about | {"made_by": dict(made_by)})


def _rows_of(shots: ScoredShots, schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(shots.videos, pa.string()), pa.array(shots.files, pa.string())]
    columns += map(pa.array, [*shots.frames.T, *shots.times_s.T])
    for name, values in (("labels", shots.labels), ("scores", shots.scores)):
        kind = schema.field(name).type
        flat = pa.array(values.ravel(), kind.value_type)
        columns.append(pa.FixedSizeListArray.from_arrays(flat, type=kind))
    if SCALE in schema.names:
        columns.append(pa.array(shots.scales or [""] * len(shots), pa.string()))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _gathered(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield batches of useful size: a clip's few shots alone would make a slow file."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= PIECE_SHOTS:
            yield pa.concat_batches(held)
            held = []
    yield pa.concat_batches([*held, pa.RecordBatch.from_pylist([], schema)])


def _columns_in(schema: pa.Schema) -> list[str]:
    return [*COLUMNS, SCALE] if SCALE in schema.names else [*COLUMNS]


def _shots_of(batch: pa.RecordBatch, part: Path, *, num_labels: int) -> ScoredShots:
    names = _columns_in(batch.schema)
    if any(batch[name].null_count for name in names):
        raise DatasetError(f"scores {part} are damaged: a value is missing")
    flat = {name: batch[name].to_numpy() for name in COLUMNS[2:6]}
    labels, scores = (
        batch[name].flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1)
        for name in ("labels", "scores")
    )
    if labels.size and not -1 <= labels.min() <= labels.max() < num_labels:
        raise DatasetError(f"scores {part} are damaged: a label is not one of the {num_labels}")
    return ScoredShots(
        videos=batch["video"].to_pylist(),
        files=batch["file"].to_pylist(),
        frames=np.stack([flat["start_frame"], flat["end_frame"]], axis=1),
        times_s=np.stack([flat["start_s"], flat["end_s"]], axis=1),
        labels=labels,
        scores=scores,
        scales=batch[SCALE].to_pylist() if SCALE in names else None,
    )


def _write_lance(path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    import lancedb

    reader = pa.RecordBatchReader.from_batches(schema, batches)
    database = lancedb.connect(str(path.parent.resolve()))
    mode = "overwrite" if path.exists() else "create"
    table = database.create_table(path.stem, data=reader, schema=schema, mode=mode)
    return int(table.count_rows())


def _batches_of(part: Path) -> Iterator[pa.RecordBatch]:
    if part.suffix == ".lance":
        table = _lance_table(part)
        yield from table.search().select(_columns_in(table.schema)).to_batches()
        return
    with parquet.ParquetFile(part) as file:
        columns = _columns_in(file.schema_arrow)
        num_best = getattr(file.schema_arrow.field("labels").type, "list_size", NUM_BEST)
        size = PIECE_SHOTS * NUM_BEST // max(NUM_BEST, num_best)
        # Of many row groups at once pyarrow keeps far more in memory than is asked for.
        for group in range(file.num_row_groups):
            yield from file.iter_batches(size, row_groups=[group], columns=columns)


def _lance_table(part: Path) -> Any:
    import lancedb

    if not part.is_dir():
        raise DatasetError(f"there are no scores at {part}")
    return lancedb.connect(str(part.parent.resolve())).open_table(part.stem)
