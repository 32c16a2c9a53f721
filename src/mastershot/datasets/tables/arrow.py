"""Arrow tables on disk: written whole or not at all, and their troubles told in one sentence."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.core.errors import DatasetError, MastershotError, OutputError

if TYPE_CHECKING:
    import pyarrow as pa

ABOUT = b"mastershot"
"""The key under which a table's schema says how the table was made, as JSON."""


def write_parquet(path: Path, pieces: "Iterable[pa.RecordBatch]", schema: "pa.Schema") -> int:
    """Write batches of rows; return their number. What was there stays until all is written."""
    from pyarrow import parquet

    partial, num_rows = path.with_name(f"{path.name}.part"), 0
    try:
        with parquet.ParquetWriter(partial, schema, compression="zstd") as writer:
            for piece in pieces:
                writer.write_batch(piece)
                num_rows += len(piece)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return num_rows


def about_table(path: Path, schema: "pa.Schema", *, due: str, columns: "pa.Schema") -> Any:
    """Return what a table says of how it was made.

    Raises:
        DatasetError: Its schema is not named as is due, or a column is missing or of another type.
    """
    text = (schema.metadata or {}).get(ABOUT)
    about = json.loads(text) if text else {}
    if not isinstance(about, Mapping) or about.get("schema") != due:
        raise DatasetError(f"{path} is not a table of schema {due!r}; this version reads no other")
    for column in columns:
        if column.name not in schema.names or schema.field(column.name).type != column.type:
            raise DatasetError(f"table {path} is damaged: it has no column {column.name} as due")
    return about


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Turn what goes wrong while a table is read into a `DatasetError` about it."""
    try:
        yield
    except Exception as error:
        if not is_of_the_store(error):
            raise
        raise DatasetError(f"{what} {path} cannot be read: {reason(error)}") from error


@contextmanager
def told_writing(path: Path, what: str) -> Iterator[None]:
    """Turn what goes wrong while a table is written into an `OutputError` about it."""
    try:
        yield
    except Exception as error:
        if not is_of_the_store(error):
            raise
        raise OutputError(f"{what} {path} cannot be written: {reason(error)}") from error


def is_of_the_store(error: Exception) -> bool:
    """Return whether Arrow, Lance or the file system raised it, and not this package."""
    import pyarrow as pa

    known = (OSError, RuntimeError, ValueError, pa.ArrowException)
    return isinstance(error, known) and not isinstance(error, MastershotError)


def reason(error: Exception) -> str:
    """Return in a few words why the store failed."""
    number = getattr(error, "errno", None) or re.search(r"\(os error (\d+)\)", str(error))
    if number:
        return os.strerror(number if isinstance(number, int) else int(number[1]))
    return str(error).removeprefix("lance error: ").partition("\n")[0][:300]
