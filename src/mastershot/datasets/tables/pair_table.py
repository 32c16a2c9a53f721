"""Similar scenes of similar movies as a Parquet file, a row a pair of scenes."""

# R rows

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import reporting_errors
from mastershot.datasets.tables.arrow import about_table, schema_with, write_parquet

SCHEMA = "mastershot/scene-pairs/1"
_WHAT = "scene pairs"
_COLUMNS = {
    "movie": pa.string(),
    "first_shot": pa.int32(),
    "similar": pa.string(),
    "similar_first_shot": pa.int32(),
    "score": pa.float32(),
}


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
        columns = (self.movie, self.first_shot, self.similar, self.similar_first_shot, self.scores)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            yield self.movies[row[0]], row[1], self.movies[row[2]], row[3], row[4]


def write_pairs(path: Path, batches: Iterable[ScenePairs], made_by: Mapping[str, Any]) -> int:
    """Write pairs of scenes; return their number. What was there stays until all is written.

    Raises:
        OutputError: The file cannot be written.
    """
    schema = _schema(made_by)
    with reporting_errors(OutputError, f"{_WHAT} {path} cannot be written"):
        return write_parquet(path, (_rows_of(pairs, schema) for pairs in batches), schema)


def join_pairs(path: Path, parts: Sequence[Path], made_by: Mapping[str, Any]) -> int:
    """Write the rows of several files as one; return their number.

    Raises:
        OutputError: The file cannot be written, or a part cannot be read.
    """
    schema = _schema(made_by)
    with reporting_errors(OutputError, f"{_WHAT} {path} cannot be written"):
        return write_parquet(path, _batches_of(parts, schema), schema)


def read_pairs(path: str | Path) -> ScenePairs:
    """Return pairs of scenes: some 40 bytes a row.

    Raises:
        DatasetError: The file is unreadable, not such a table, or damaged.
    """
    path = Path(path)
    with _open_table(path) as (file, made_by):
        table = file.read()
    if any(column.null_count for column in table.columns):
        raise DatasetError(f"{_WHAT} {path} are damaged: a value is missing")
    chunks = [*table["movie"].chunks, *table["similar"].chunks]
    both = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    codes = both.indices.to_numpy(zero_copy_only=False)
    return ScenePairs(
        movies=tuple(both.dictionary.to_pylist()),
        movie=codes[: len(table)],
        first_shot=table["first_shot"].to_numpy(),
        similar=codes[len(table) :],
        similar_first_shot=table["similar_first_shot"].to_numpy(),
        scores=table["score"].to_numpy(),
        made_by=made_by,
    )


def pairs_made_by(path: Path) -> dict[str, Any]:
    """Return how a table of pairs was made, without reading its rows.

    Raises:
        DatasetError: The file is unreadable or not such a table.
    """
    with _open_table(path) as (_, made_by):
        return made_by


@contextmanager
def _open_table(path: Path) -> Iterator[tuple[parquet.ParquetFile, dict[str, Any]]]:
    """Return a table of pairs and how it was made."""
    with (
        reporting_errors(DatasetError, f"{_WHAT} {path} cannot be read"),
        parquet.ParquetFile(path) as file,
    ):
        about = about_table(path, file.schema_arrow, name=SCHEMA, columns=_COLUMNS)
        made_by = about.get("made_by", {})
        if not isinstance(made_by, Mapping):
            raise DatasetError(f"{_WHAT} {path} do not say how they were made; mine them anew")
        yield file, dict(made_by)


def _batches_of(parts: Sequence[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for part in parts:
        with parquet.ParquetFile(part) as file:
            for batch in file.iter_batches():
                yield batch.replace_schema_metadata(schema.metadata)


def _rows_of(pairs: ScenePairs, schema: pa.Schema) -> pa.RecordBatch:
    names = pa.array(pairs.movies, pa.string())
    columns = [
        names.take(pa.array(pairs.movie, pa.int64())),
        pa.array(pairs.first_shot.astype(np.int32)),
        names.take(pa.array(pairs.similar, pa.int64())),
        pa.array(pairs.similar_first_shot.astype(np.int32)),
        pa.array(pairs.scores.astype(np.float32)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _schema(made_by: Mapping[str, Any]) -> pa.Schema:
    return schema_with(_COLUMNS, {"schema": SCHEMA, "made_by": dict(made_by)})
