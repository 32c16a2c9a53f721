"""A table of similar movies as a Parquet file: movie, similar, rank, score."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.errors import DatasetError, MiningError, OutputError
from mastershot.core.files import reporting_errors
from mastershot.core.similarity import SimilarityTable, table_of
from mastershot.datasets.tables.arrow import about_table, schema_with, write_parquet

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "mastershot/similarity/1"


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
    schema = schema_with(_columns(), about)
    with reporting_errors(OutputError, f"similar movies {path} cannot be written"):
        write_parquet(Path(path), [pa.RecordBatch.from_arrays(columns, schema=schema)], schema)


def read_similarity(path: str | Path) -> SimilarityTable:
    """Return a table of similar movies.

    Raises:
        DatasetError: The file is unreadable, not such a table, or contradicts itself.
    """
    from pyarrow import parquet

    path = Path(path)
    with (
        reporting_errors(DatasetError, f"similar movies {path} cannot be read"),
        parquet.ParquetFile(path) as file,
    ):
        about = about_table(path, file.schema_arrow, name=SCHEMA, columns=_columns())
        rows = file.read(["movie", "similar", "score"])
    movies, similar, scores = (column.to_pylist() for column in rows.columns)
    try:
        scores = [np.nan if score is None else score for score in scores]
        found = zip(movies, similar, scores, strict=True)
        return table_of(about["movies"], found, about["made_by"])
    except (KeyError, TypeError, MiningError) as error:
        raise DatasetError(f"similar movies {path} are damaged: {error}") from error


def _columns() -> "dict[str, pa.DataType]":
    import pyarrow as pa

    kinds = (pa.string(), pa.string(), pa.int32(), pa.float32())
    return dict(zip(("movie", "similar", "rank", "score"), kinds, strict=True))
