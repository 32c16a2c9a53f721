"""Lanes as one Parquet file: a row an interval."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import get_type_hints

from mastershot.core.errors import EditsError, OutputError
from mastershot.core.files import failure_reason, is_storage_error, replacing, reporting_errors
from mastershot.core.text import utf8_text

_SCHEMA = b"mastershot/lanes/1"


@dataclass(frozen=True)
class LaneRow:
    """An interval of a lane; frames are half-open, seconds and clock the film's own."""

    lane: str
    role: str
    text: str
    score: float | None
    first_frame: int
    end_frame: int
    start_pts: int
    end_pts: int
    start_s: float
    end_s: float
    start_clock: str
    end_clock: str


def write_lane_table(rows: Sequence[LaneRow], path: Path, *, film: str) -> None:
    """Write rows, and the id of the film they are of, as a Parquet file.

    Raises:
        OutputError: It cannot be written; what was there before stays.
    """
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {"str": pa.string(), "int": pa.int64()}
    columns = [
        pa.field(name, kinds.get(getattr(hint, "__name__", ""), pa.float64()))
        for name, hint in get_type_hints(LaneRow).items()
    ]
    schema = pa.schema(columns, {b"schema": _SCHEMA, b"film": film.encode()})
    cells = [
        {name: utf8_text(v) if isinstance(v, str) else v for name, v in asdict(row).items()}
        for row in rows
    ]
    with reporting_errors(OutputError, f"{path} cannot be written"), replacing(path) as partial:
        parquet.write_table(pa.Table.from_pylist(cells, schema), partial, compression="zstd")


def read_lane_table(path: Path) -> tuple[list[LaneRow], str]:
    """Return the rows that `write_lane_table` wrote, and the film they are of.

    Raises:
        EditsError: The file cannot be read, or is no such table.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path, page_checksum_verification=True).read()
    except Exception as error:
        if not is_storage_error(error) and not isinstance(error, pa.ArrowException):
            raise
        raise EditsError(f"{path} is no Parquet file: {failure_reason(error)}") from error
    about = table.schema.metadata or {}
    names = [one.name for one in fields(LaneRow)]
    if about.get(b"schema") != _SCHEMA or table.column_names != names:
        raise EditsError(f"{path} is no table of lanes that `mastershot export` writes")
    try:
        rows = table.to_pylist()
    except UnicodeDecodeError as error:
        raise EditsError(f"{path} is damaged: {failure_reason(error)}") from error
    if any(value is None for row in rows for name, value in row.items() if name != "score"):
        raise EditsError(f"{path} is damaged: a row lacks a value")
    return [LaneRow(**row) for row in rows], about.get(b"film", b"").decode("utf-8", "replace")
