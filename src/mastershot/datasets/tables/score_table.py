"""Scored shots on disk: a Parquet file, a folder of them, or a Lance table, read in pieces.

The table says which taxonomy its labels are places of and how it was made. A million shots are
tens of megabytes on disk; in memory there is one piece at a time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.tables.arrow import is_of_the_store, reason, told, write_parquet
from mastershot.datasets.tables.records import ScoredShots
from mastershot.datasets.tables.score_rows import (
    about_of,
    columns_in,
    columns_of_rows,
    gathered,
    piece_shots,
    rows_of,
    schema_of,
)

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ScoreTable:
    """A table of scored shots.

    Attributes:
        parts: The Parquet files or the Lance table it consists of.
        taxonomy: What the shots were scored with.
        made_by: How: encoder, weights' hash, sampling, package version.
        num_shots: Its number of rows.
    """

    parts: tuple[Path, ...]
    taxonomy: Taxonomy
    made_by: Mapping[str, Any]
    num_shots: int

    def batches(self) -> Iterator[ScoredShots]:
        """Yield the shots in pieces of at most some ten thousand.

        Raises:
            DatasetError: A part cannot be read, or names a label that the taxonomy has not.
        """
        for part in self.parts:
            with told(part, "scores"):
                for batch in _record_batches(part):
                    yield columns_of_rows(batch, part, num_labels=len(self.taxonomy))


def write_scores(
    path: Path, batches: Iterable[ScoredShots], taxonomy: Taxonomy, made_by: Mapping[str, Any]
) -> int:
    """Write scored shots to a ``.parquet`` file or a ``.lance`` table; return their number.

    What was there before stays until all is written. All batches have as many labels a shot, in
    the same type, as the first; it is also the table's.

    Raises:
        OutputError: The table cannot be written, or the name ends otherwise.
    """
    if path.suffix not in {".parquet", ".lance"}:
        raise OutputError(f"scores go to a .parquet file or a .lance table, not to {path}")
    source = _Source(batches)
    first = next(source, None)
    schema = schema_of(first, taxonomy, made_by)
    pieces = gathered(rows_of(source, first, schema), schema)
    write = write_parquet if path.suffix == ".parquet" else _write_lance
    try:
        return write(path, pieces, schema)
    except Exception as error:
        if source.error is not None:
            raise source.error from None
        if not is_of_the_store(error):
            raise
        raise OutputError(f"scores {path} cannot be written: {reason(error)}") from error


def open_scores(path: str | Path) -> ScoreTable:
    """Return a table of scored shots; a folder is one table whose parts are its Parquet files.

    Raises:
        DatasetError: There is no such table, it is damaged, or its parts differ in how they were
            made.
    """
    path = Path(path)
    is_folder = path.is_dir() and path.suffix != ".lance"
    parts = tuple(sorted(path.glob("*.parquet"))) if is_folder else (path,)
    if not parts:
        raise DatasetError(f"folder {path} holds no scores; it should hold .parquet files")
    about, num_shots = None, 0
    for part in parts:
        with told(part, "scores"):
            schema, num_rows = _look(part)
            found = about_of(part, schema)
        if about is not None and found != about:
            raise DatasetError(
                f"scores {part} were made otherwise than {parts[0]}; keep them apart"
            )
        about, num_shots = found, num_shots + num_rows
    assert about is not None
    taxonomy = Taxonomy(about["taxonomy"], tuple(about["labels"]))
    return ScoreTable(parts, taxonomy, about["made_by"], num_shots)


class _Source:
    """Batches, and what their maker raised: the store would report that as its own trouble."""

    def __init__(self, batches: Iterable[ScoredShots]) -> None:
        self._batches = iter(batches)
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[ScoredShots]:
        return self

    def __next__(self) -> ScoredShots:
        try:
            return next(self._batches)
        except StopIteration:
            raise
        except Exception as error:
            self.error = error
            raise


def _write_lance(path: Path, pieces: "Iterable[pa.RecordBatch]", schema: "pa.Schema") -> int:
    import lancedb
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_batches(schema, pieces)
    database = lancedb.connect(str(path.parent.resolve()))
    mode = "overwrite" if path.exists() else "create"
    table = database.create_table(path.stem, data=reader, schema=schema, mode=mode)
    return int(table.count_rows())


def _look(part: Path) -> "tuple[pa.Schema, int]":
    if part.suffix == ".lance":
        table = _lance_table(part)
        return table.schema, table.count_rows()
    from pyarrow import parquet

    with parquet.ParquetFile(part) as file:
        return file.schema_arrow, file.metadata.num_rows


def _record_batches(part: Path) -> "Iterator[pa.RecordBatch]":
    if part.suffix == ".lance":
        table = _lance_table(part)
        yield from table.search().select(columns_in(table.schema)).to_batches()
        return
    from pyarrow import parquet

    with parquet.ParquetFile(part) as file:
        schema = file.schema_arrow
        size, columns = piece_shots(schema), columns_in(schema)
        # Of many row groups at once pyarrow keeps far more in memory than is asked for.
        for group in range(file.num_row_groups):
            yield from file.iter_batches(size, row_groups=[group], columns=columns)


def _lance_table(part: Path) -> Any:
    import lancedb

    if not part.is_dir():
        raise DatasetError(f"there are no scores at {part}")
    return lancedb.connect(str(part.parent.resolve())).open_table(part.stem)
