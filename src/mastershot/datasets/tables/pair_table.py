"""Similar scenes of similar movies as a Parquet file, a row a pair of scenes."""

# R rows

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.arrow import ABOUT, about_table, told, told_writing, write_parquet

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "mastershot/scene-pairs/1"
_WHAT = "scene pairs"


@dataclass(frozen=True, eq=False)
class ScenePairs:
    """Pairs of scenes, as columns.

    Attributes:
        movies: The movies they are of.
        movie: Place among them of each row's first movie, shape (R,).
        first_shot: Where the scene starts in it, shape (R,).
        similar: Place of the movie that is similar to it, shape (R,).
        similar_first_shot: Where the similar scene starts in that, shape (R,).
        scores: Mean dot product of a shot of one with a shot of the other, shape (R,).
        made_by: Window, shares and features, and what was skipped (`PairReport`).
    """

    movies: tuple[str, ...]
    movie: IntArray
    first_shot: IntArray
    similar: IntArray
    similar_first_shot: IntArray
    scores: FloatArray
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.scores)

    def rows(self) -> Iterator[tuple[str, int, str, int, float]]:
        """Yield (movie, first shot, similar movie, first shot there, score) of each row."""
        for place, shot, other, other_shot, score in zip(
            self.movie.tolist(),
            self.first_shot.tolist(),
            self.similar.tolist(),
            self.similar_first_shot.tolist(),
            self.scores.tolist(),
            strict=True,
        ):
            yield self.movies[place], shot, self.movies[other], other_shot, score


def write_pairs(path: Path, batches: Iterable[ScenePairs], made_by: Mapping[str, Any]) -> int:
    """Write pairs of scenes; return their number. What was there stays until all is written.

    Raises:
        OutputError: The file cannot be written.
    """
    schema = _schema(made_by)
    with told_writing(path, _WHAT):
        return write_parquet(path, (_rows_of(pairs, schema) for pairs in batches), schema)


def join_pairs(path: Path, parts: Sequence[Path], made_by: Mapping[str, Any]) -> int:
    """Write the rows of several files as one; return their number.

    Raises:
        OutputError: The file cannot be written, or a part cannot be read.
    """
    schema = _schema(made_by)
    with told_writing(path, _WHAT):
        return write_parquet(path, _batches(parts, schema), schema)


def read_pairs(path: str | Path) -> ScenePairs:
    """Return pairs of scenes: some 40 bytes a row.

    Raises:
        DatasetError: The file is unreadable, not such a table, or damaged.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path = Path(path)
    made_by = pairs_made_by(path)
    with told(path, _WHAT), parquet.ParquetFile(path) as file:
        table = file.read()
    if any(column.null_count for column in table.columns):
        raise DatasetError(f"{_WHAT} {path} are damaged: a value is missing")
    chunks = [*table["movie"].chunks, *table["similar"].chunks]
    both = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    codes = both.indices.to_numpy(zero_copy_only=False)
    shots = {name: table[name].to_numpy() for name in ("first_shot", "similar_first_shot", "score")}
    return ScenePairs(
        movies=tuple(both.dictionary.to_pylist()),
        movie=codes[: len(table)],
        first_shot=shots["first_shot"],
        similar=codes[len(table) :],
        similar_first_shot=shots["similar_first_shot"],
        scores=shots["score"],
        made_by=made_by,
    )


def pairs_made_by(path: Path) -> dict[str, Any]:
    """Return how a table of pairs was made, without reading its rows.

    Raises:
        DatasetError: The file is unreadable or not such a table.
    """
    from pyarrow import parquet

    with told(path, _WHAT), parquet.ParquetFile(path) as file:
        about = about_table(path, file.schema_arrow, due=SCHEMA, columns=_columns())
    made_by = about.get("made_by", {})
    if not isinstance(made_by, Mapping):
        raise DatasetError(f"{_WHAT} {path} do not say how they were made; mine them anew")
    return dict(made_by)


def _batches(parts: Sequence[Path], schema: "pa.Schema") -> "Iterator[pa.RecordBatch]":
    from pyarrow import parquet

    for part in parts:
        with parquet.ParquetFile(part) as file:
            for batch in file.iter_batches():
                yield batch.replace_schema_metadata(schema.metadata)


def _rows_of(pairs: ScenePairs, schema: "pa.Schema") -> "pa.RecordBatch":
    import pyarrow as pa

    names = pa.array(pairs.movies, pa.string())
    columns = [
        names.take(pa.array(pairs.movie, pa.int64())),
        pa.array(pairs.first_shot.astype(np.int32)),
        names.take(pa.array(pairs.similar, pa.int64())),
        pa.array(pairs.similar_first_shot.astype(np.int32)),
        pa.array(pairs.scores.astype(np.float32)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _schema(made_by: Mapping[str, Any]) -> "pa.Schema":
    about = {"schema": SCHEMA, "made_by": dict(made_by)}
    return _columns().with_metadata({ABOUT: json.dumps(about).encode()})


def _columns() -> "pa.Schema":
    import pyarrow as pa

    types = {
        "movie": pa.string(),
        "first_shot": pa.int32(),
        "similar": pa.string(),
        "similar_first_shot": pa.int32(),
        "score": pa.float32(),
    }
    return pa.schema([pa.field(name, kind, False) for name, kind in types.items()])
