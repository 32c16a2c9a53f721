"""Labelled pictures in a Parquet table: a row a picture, its label and its JPEG or PNG file."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from mastershot.core.errors import DatasetError

TABLE_SUFFIX = ".parquet"
_COLUMNS = {"class": pa.string(), "jpeg": pa.binary()}
_ROWS_AT_ONCE = 256


def read_labelled_pictures(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield label and file of each picture, in the table's order; few rows are in memory at once.

    Raises:
        DatasetError: The table cannot be read, or lacks the columns ``class`` and ``jpeg``.
    """
    try:
        with parquet.ParquetFile(path) as table:
            schema = table.schema_arrow
            if any(schema.names.count(name) != 1 for name in _COLUMNS) or any(
                schema.field(name).type != kind for name, kind in _COLUMNS.items()
            ):
                raise DatasetError(
                    f"{path} needs the columns class (text) and jpeg (bytes of a picture's file)"
                )
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=list(_COLUMNS)):
                for label, jpeg in zip(*(column.to_pylist() for column in batch), strict=True):
                    yield label or "", jpeg or b""
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"{path} is not a table that can be read ({error})") from error
