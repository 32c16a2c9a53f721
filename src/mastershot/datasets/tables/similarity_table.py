"""A table of similar movies as a Parquet file: movie, similar, rank, score."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.errors import DatasetError, MiningError
from mastershot.core.similarity import SimilarityTable, table_of
from mastershot.datasets.tables.arrow import ABOUT, about_table, told, told_writing, write_parquet

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "mastershot/similarity/1"
_WHAT = "similar movies"


def write_similarity(path: str | Path, table: SimilarityTable) -> None:
    """Write a table of similar movies; what was there stays until all is written.

    Movies without a neighbour have no row and are named in the file's metadata.

    Raises:
        OutputError: The file cannot be written.
    """
    import pyarrow as pa

    names = pa.array(table.movies, pa.string())
    columns = [names.take(pa.array(places)) for places in (table.movie, table.similar)]
    columns += [pa.array(table.ranks, pa.int32()), pa.array(table.scores, pa.float32())]
    about = {"schema": SCHEMA, "movies": table.movies, "made_by": dict(table.made_by)}
    schema = _columns().with_metadata({ABOUT: json.dumps(about).encode()})
    with told_writing(Path(path), _WHAT):
        write_parquet(Path(path), [pa.RecordBatch.from_arrays(columns, schema=schema)], schema)


def read_similarity(path: str | Path) -> SimilarityTable:
    """Return a table of similar movies.

    Raises:
        DatasetError: The file is unreadable, not such a table, or contradicts itself.
    """
    from pyarrow import parquet

    path = Path(path)
    with told(path, _WHAT), parquet.ParquetFile(path) as file:
        about = about_table(path, file.schema_arrow, due=SCHEMA, columns=_columns())
        rows = file.read(["movie", "similar", "score"])
    cells = [rows[name].to_pylist() for name in ("movie", "similar", "score")]
    try:
        scores = [np.nan if score is None else score for score in cells[2]]
        found = zip(cells[0], cells[1], scores, strict=True)
        return table_of(about["movies"], found, about["made_by"])
    except (KeyError, TypeError, MiningError) as error:
        raise DatasetError(f"{_WHAT} {path} are damaged: {error}") from error


def _columns() -> "pa.Schema":
    import pyarrow as pa

    types = {
        "movie": pa.string(),
        "similar": pa.string(),
        "rank": pa.int32(),
        "score": pa.float32(),
    }
    return pa.schema([pa.field(name, kind, False) for name, kind in types.items()])
