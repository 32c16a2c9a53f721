"""Arrow tables on disk, which say how they were made."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mastershot.core.errors import DatasetError
from mastershot.core.files import replacing

_ABOUT = b"mastershot"
"""The key under which a table's schema says how the table was made, as JSON."""


def schema_with(columns: Mapping[str, pa.DataType], about: Mapping[str, Any]) -> pa.Schema:
    """Return the schema of a table in which no value is missing, and what it says of itself."""
    fields = [pa.field(name, kind, nullable=False) for name, kind in columns.items()]
    return pa.schema(fields, {_ABOUT: json.dumps(about).encode()})


def about_table(
    path: Path, schema: pa.Schema, *, name: str, columns: Mapping[str, pa.DataType | None]
) -> dict[str, Any]:
    """Return how a table describes itself; a column whose type is None may be of any.

    Raises:
        DatasetError: Its schema has another name, or a column is missing or not of its type.
    """
    text = (schema.metadata or {}).get(_ABOUT)
    about = json.loads(text) if text else {}
    if not isinstance(about, Mapping) or about.get("schema") != name:
        raise DatasetError(f"{path} is not a table of schema {name!r}; this version reads no other")
    types = dict(zip(schema.names, schema.types, strict=True))
    for column, kind in columns.items():
        if column not in types or kind not in (None, types[column]):
            raise DatasetError(
                f"table {path} is damaged: column {column} is {types.get(column, 'missing')}"
                + (f", which should be {kind}" if kind else "")
            )
    return dict(about)


def write_parquet(path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    """Write batches of rows; return their number. What was there stays until all is written."""
    num_rows = 0
    with (
        replacing(path) as partial,
        parquet.ParquetWriter(partial, schema, compression="zstd") as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
            num_rows += len(batch)
    return num_rows
