"""Scored shots as rows of an Arrow table, and back."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.tables.records import NUM_BEST, ScoredShots

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "mastershot/scores/1"
COLUMNS = ("video", "file", "start_frame", "end_frame", "start_s", "end_s", "labels", "scores")
SCALE = "scale"
"""A column more, where the shots were looked at for their scale."""
PIECE_SHOTS = 1 << 16
"""How many rows are held in memory at once; fewer are read where each has many labels."""


def schema_of(
    first: ScoredShots | None, taxonomy: Taxonomy, made_by: Mapping[str, Any]
) -> "pa.Schema":
    """Return the columns of a table whose shots are like the first, and what it says of itself."""
    import pyarrow as pa

    num_best = NUM_BEST if first is None else first.labels.shape[1]
    score = pa.from_numpy_dtype(np.dtype(np.float32) if first is None else first.scores.dtype)
    about = {
        "schema": SCHEMA,
        "taxonomy": taxonomy.name,
        "labels": taxonomy.labels,
        "made_by": dict(made_by),
    }
    types = [pa.string()] * 2 + [pa.int64()] * 2 + [pa.float64()] * 2
    types += [pa.list_(pa.int16(), num_best), pa.list_(score, num_best)]
    columns = [pa.field(name, kind, False) for name, kind in zip(COLUMNS, types, strict=True)]
    if first is not None and first.scales is not None:
        columns.append(pa.field(SCALE, pa.string(), False))
    return pa.schema(columns, {b"mastershot": json.dumps(about).encode()})


def rows_of(
    batches: Iterator[ScoredShots], first: ScoredShots | None, schema: "pa.Schema"
) -> "Iterator[pa.RecordBatch]":
    """Yield batches as rows, the first before the others."""
    import pyarrow as pa

    for shots in chain([] if first is None else [first], batches):
        best = [
            pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), kind.value_type), type=kind)
            for values, kind in (
                (shots.labels, schema.field("labels").type),
                (shots.scores, schema.field("scores").type),
            )
        ]
        spans = [*shots.frames.T, *shots.times_s.T]
        columns = [pa.array(shots.videos, pa.string()), pa.array(shots.files, pa.string())]
        columns += [*map(pa.array, spans), *best]
        if SCALE in schema.names:
            columns.append(pa.array(shots.scales or [""] * len(shots), pa.string()))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def piece_shots(schema: "pa.Schema") -> int:
    """Return how many rows to read at once: fewer where each has many labels."""
    num_best = getattr(schema.field("labels").type, "list_size", NUM_BEST)
    return int(PIECE_SHOTS * NUM_BEST // max(NUM_BEST, num_best))


def gathered(
    batches: "Iterable[pa.RecordBatch]", schema: "pa.Schema"
) -> "Iterator[pa.RecordBatch]":
    """Yield batches of useful size: a clip's few shots alone would make a slow file."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= PIECE_SHOTS:
            yield pa.concat_batches(held)
            held = []
    yield pa.concat_batches([*held, pa.RecordBatch.from_pylist([], schema)])


def about_of(part: Path, schema: "pa.Schema") -> dict[str, Any]:
    """Return what a table says of itself.

    Raises:
        DatasetError: It is not a table of scores.
    """
    text = (schema.metadata or {}).get(b"mastershot")
    about = json.loads(text) if text else {}
    if about.get("schema") != SCHEMA or any(name not in schema.names for name in COLUMNS):
        raise DatasetError(f"{part} is not a table of scores; this version reads {SCHEMA!r}")
    return dict(about)


def columns_in(schema: "pa.Schema") -> list[str]:
    """Return the columns to read of a table."""
    return [*COLUMNS, SCALE] if SCALE in schema.names else [*COLUMNS]


def columns_of_rows(batch: "pa.RecordBatch", part: Path, *, num_labels: int) -> ScoredShots:
    """Return rows as columns.

    Raises:
        DatasetError: A value is missing, or a label is not in the taxonomy.
    """
    names = columns_in(batch.schema)
    if any(batch[name].null_count for name in names):
        raise DatasetError(f"scores {part} are damaged: a value is missing")
    flat = {name: batch[name].to_numpy() for name in COLUMNS[2:6]}
    labels, scores = (
        batch[name].flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1)
        for name in ("labels", "scores")
    )
    if labels.size and not -1 <= labels.min() <= labels.max() < num_labels:
        raise DatasetError(f"scores {part} are damaged: a label is none of the {num_labels}")
    return ScoredShots(
        videos=batch["video"].to_pylist(),
        files=batch["file"].to_pylist(),
        frames=np.stack([flat["start_frame"], flat["end_frame"]], axis=1),
        times_s=np.stack([flat["start_s"], flat["end_s"]], axis=1),
        labels=labels,
        scores=scores,
        scales=batch[SCALE].to_pylist() if SCALE in names else None,
    )
