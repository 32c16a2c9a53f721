"""Viewing logs (who saw what, and when): CSV or Parquet of any length, read in pieces."""

# E events of a piece

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.files import reporting_errors
from mastershot.datasets.files import require_columns

_WHAT = "viewing log"
_PIECE_BYTES = 1 << 24
_PIECE_ROWS = 1 << 19
_NUMBER = r"^\s*[+-]?\d+(\.\d*)?([eE]\+?\d+)?\s*$"
_MOMENT = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?$"
_DAY = r"^\d{4}-\d\d-\d\d$"


@dataclass(frozen=True, eq=False)
class Watches:
    """Some events of a log, in its order.

    Attributes:
        viewers: The viewers of this piece, each once.
        viewer: Place among them of each event's viewer, shape (E,); -1 where none is given.
        movies: The movies of this piece, each once, by their ids as the caller knows them.
        movie: Place among them of each event's movie, shape (E,); -1 where none is given.
        times_s: Seconds since 1970 of each event, shape (E,); NaN where that is no time.
    """

    viewers: list[str]
    viewer: IntArray
    movies: list[str]
    movie: IntArray
    times_s: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.viewer)


@dataclass(frozen=True)
class WatchLog:
    """A log of views: one row a view, in any order.

    Times are seconds since 1970, or ``2024-05-01 20:15:00`` in UTC (with ``T``, ``Z`` or a
    fraction if so written), or a day, or a Parquet timestamp.

    Attributes:
        path: A ``.csv`` file whose first line names the columns, or a ``.parquet`` file.
        columns: Names of the columns that hold viewer, movie and time.
        ids: Other names of the log's movies, such as IMDb ids; a movie without one keeps its own.
    """

    path: Path
    columns: tuple[str, str, str] = ("user", "movie", "time")
    ids: Mapping[str, str] = field(default_factory=dict, repr=False)

    def pieces(self) -> Iterator[Watches]:
        """Yield the events in pieces of at most some half a million.

        Raises:
            DatasetError: The file is unreadable, damaged, or lacks a column.
        """
        for batch in self._batches(self.columns):
            viewers, viewer = _coded(batch.column(0))
            movies, movie = _coded(batch.column(1))
            times_s = _seconds(batch.column(2))
            names = [self.ids.get(name, name) for name in movies]
            yield Watches(viewers, viewer, names, movie, times_s)

    def movie_names(self) -> list[str]:
        """Return the names of the log's movies, each once; no other column is read.

        Raises:
            DatasetError: The file is unreadable, damaged, or lacks the column.
        """
        named: dict[str, None] = {}
        for batch in self._batches(self.columns[1:2]):
            named |= dict.fromkeys(_coded(batch.column(0))[0])
        return list(dict.fromkeys(self.ids.get(name, name) for name in named))

    def renamed(self, called: Mapping[str, str]) -> "WatchLog":
        """Return the log with other names for some of its movies."""
        ids = {name: called.get(id, id) for name, id in self.ids.items()}
        return replace(self, ids={**called, **ids})

    def _batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        path = Path(self.path)
        if path.suffix not in {".csv", ".parquet"}:
            raise DatasetError(f"a {_WHAT} is a .csv or a .parquet file, not {path}")
        batches = _parquet_batches if path.suffix == ".parquet" else _csv_batches
        with reporting_errors(DatasetError, f"{_WHAT} {path} cannot be read"):
            yield from batches(path, columns)


def _csv_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    reading = csv.ReadOptions(block_size=_PIECE_BYTES)
    with csv.open_csv(path, read_options=reading) as header:
        require_columns(columns, header.schema.names, f"{_WHAT} {path}")
    # Of other columns nothing is guessed that a later row might contradict; and by default a film
    # called "NA", "nan" or "NULL" would be none.
    converting = csv.ConvertOptions(
        column_types={name: pa.string() for name in columns},
        include_columns=list(columns),
        strings_can_be_null=True,
        null_values=[""],
    )
    with csv.open_csv(path, read_options=reading, convert_options=converting) as reader:
        for batch in reader:
            yield batch.select(list(columns))


def _parquet_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with parquet.ParquetFile(path) as file:
        require_columns(columns, file.schema_arrow.names, f"{_WHAT} {path}")
        for batch in file.iter_batches(_PIECE_ROWS, columns=list(columns)):
            yield batch.select(list(columns))


def _coded(column: pa.Array) -> tuple[list[str], IntArray]:
    """Return the distinct values of a column as text, and each row's place among them."""
    values = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    codes = pc.fill_null(values.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return [str(value) for value in values.dictionary.to_pylist()], codes


def _seconds(column: pa.Array) -> npt.NDArray[np.float64]:
    """Return seconds since 1970, NaN where a cell holds no time."""
    kind: Any = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        micros = column.cast(pa.timestamp("us")).cast(pa.int64())
        seconds = pc.divide(micros.cast(pa.float64()), 1e6)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        seconds = _seconds_of_text(column)
    else:
        seconds = column.cast(pa.float64(), safe=False)
    return np.asarray(pc.fill_null(seconds, np.nan).to_numpy(zero_copy_only=False))


def _seconds_of_text(column: pa.Array) -> pa.Array:
    """Return a column of numbers or moments as seconds, null where a cell is neither."""

    def only(pattern: str) -> Any:
        return pc.if_else(pc.match_substring_regex(column, pattern), column, None)

    numbers = pc.utf8_trim_whitespace(only(_NUMBER)).cast(pa.float64())
    if not numbers.null_count:
        return numbers
    moments = pc.utf8_slice_codeunits(pc.replace_substring(only(_MOMENT), "T", " "), 0, 19)
    return pc.coalesce(
        numbers, _parsed(moments, "%Y-%m-%d %H:%M:%S"), _parsed(only(_DAY), "%Y-%m-%d")
    )


def _parsed(texts: pa.Array, pattern: str) -> pa.Array:
    """Return moments as seconds, null where there is no such day: 31 February is not 2 March."""
    moments = pc.strptime(texts, format=pattern, unit="s", error_is_null=True)
    is_real = pc.equal(pc.day(moments), pc.utf8_slice_codeunits(texts, 8, 10).cast(pa.int64()))
    return pc.if_else(is_real, moments.cast(pa.int64()).cast(pa.float64()), None)
