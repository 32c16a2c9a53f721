"""A table of similar movies as a Parquet file: movie, similar, rank, score."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from mastershot.core.errors import DatasetError, MiningError, OutputError
from mastershot.core.files import reporting_errors
from mastershot.core.similarity import SimilarityTable, table_of
from mastershot.datasets.tables.arrow import about_table, schema_with, write_parquet

SCHEMA = "mastershot/similarity/1"
_COLUMNS = {
    "movie": pa.string(),
    "similar": pa.string(),
    "rank": pa.int32(),
    "score": pa.float32(),
}


def write_similarity(path: str | Path, table: SimilarityTable) -> None:
    """Write a table of similar movies; what was there stays until all is written.

    Movies without a neighbour have no row and are named in the file's metadata.

    Raises:
        OutputError: The file cannot be written.
    """
    names = pa.array(table.movies, pa.string())
    columns = [names.take(pa.array(places)) for places in (table.movie, table.similar)]
    columns += [pa.array(table.ranks, pa.int32()), pa.array(table.scores, pa.float32())]
    about = {"schema": SCHEMA, "movies": table.movies, "made_by": dict(table.made_by)}
    schema = schema_with(_COLUMNS, about)
    with reporting_errors(OutputError, f"similar movies {path} cannot be written"):
        write_parquet(Path(path), [pa.RecordBatch.from_arrays(columns, schema=schema)], schema)


def read_similarity(path: str | Path) -> SimilarityTable:
    """Return a table of similar movies.

    Raises:
        DatasetError: The file is unreadable, not such a table, or contradicts itself.
    """
    path = Path(path)
    with (
        reporting_errors(DatasetError, f"similar movies {path} cannot be read"),
        parquet.ParquetFile(path) as file,
    ):
        about = about_table(path, file.schema_arrow, name=SCHEMA, columns=_COLUMNS)
        rows = file.read(["movie", "similar", "score"])
    movies, similar, scores = (column.to_pylist() for column in rows.columns)
    try:
        scores = [np.nan if score is None else score for score in scores]
        found = zip(movies, similar, scores, strict=True)
        return table_of(about["movies"], found, about["made_by"])
    except (KeyError, TypeError, MiningError) as error:
        raise DatasetError(f"similar movies {path} are damaged: {error}") from error
