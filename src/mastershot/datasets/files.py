"""Text, CSV, JSON and ``.npz`` files of data sets; errors name the place in the file."""

import csv
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np
import numpy.typing as npt

from mastershot.core.errors import DatasetError
from mastershot.core.files import reporting_errors

K = TypeVar("K")
T = TypeVar("T")

_PIECE_CHARS = 1 << 20


class Row(dict[str, str]):
    """The cells of one row by column, and where they stand.

    Attributes:
        source: The kind of file and its path.
        line: The row's last line, from 1.
    """

    __slots__ = ("line", "source")

    def __init__(self, cells: Iterable[tuple[str, str]], source: str, line: int) -> None:
        super().__init__(cells)
        self.source, self.line = source, line

    def error(self, text: str) -> DatasetError:
        """Return an error about this row."""
        return DatasetError(f"{self.source}, line {self.line}: {text}")

    def read(self, column: str, convert: Callable[[str], T], expected: str) -> T:
        """Return what a cell's text converts to.

        Raises:
            DatasetError: It does not convert; the sentence names the cell and what is expected.
        """
        try:
            return convert(self[column])
        except (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError) as error:
            text = f"{column} is {self[column][:60]!r}, which should be {expected}"
            raise self.error(text) from error

    def whole(self, column: str, *, least: int = 0) -> int:
        """Return a cell that holds a whole number, which some tables write as 2012.0."""

        def convert(text: str) -> int:
            digits = text.removesuffix(".0")
            number = int(digits)
            if number < least or not digits.removeprefix("-").isdecimal():
                raise ValueError(text)
            return number

        return self.read(column, convert, f"a whole number from {least}")


@contextmanager
def open_text(path: Path, *, what: str) -> Iterator[TextIO]:
    """Open a UTF-8 file to be read, after its byte order mark if it has one.

    Raises:
        DatasetError: The file is missing, unreadable, or, where the block reads it, not UTF-8.
    """
    with (
        reporting_errors(DatasetError, f"{what} {path} cannot be read"),
        path.open(encoding="utf-8-sig") as file,
    ):
        yield file


def read_text(path: Path, *, what: str) -> str:
    """Return a file's text, without a byte order mark.

    Raises:
        DatasetError: The file is missing, unreadable, or not UTF-8.
    """
    with open_text(path, what=what) as file:
        return file.read()


def read_table(path: Path, columns: Sequence[str], *, what: str, delimiter: str = ",") -> list[Row]:
    """Return the rows of a CSV file; columns that were not asked for stay in.

    Args:
        path: The file; its first line names its columns.
        columns: Those it must have.
        what: What the file is, for messages.
        delimiter: What is between two cells; empty for white space of any length, and no quotes.

    Raises:
        DatasetError: The file is unreadable, lacks a column, or has a row of another length.
    """
    source, rows = f"{what} {path}", []
    with open_text(path, what=what) as file:
        if delimiter:
            reader = csv.reader(file, delimiter=delimiter)
        else:
            lines = (" ".join(line.split()) for line in file)
            reader = csv.reader(lines, delimiter=" ", quoting=csv.QUOTE_NONE)
        try:
            header = next(reader, [])
            require_columns(columns, header, source)
            for cells in filter(None, reader):
                if len(cells) != len(header):
                    raise DatasetError(
                        f"{source}, line {reader.line_num}: the row has another number of "
                        f"cells than the header: {len(cells)} instead of {len(header)}"
                    )
                rows.append(Row(zip(header, cells, strict=True), source, reader.line_num))
        except csv.Error as error:
            raise DatasetError(f"{source}, line {reader.line_num}: {error}") from error
    return rows


def read_arrays(
    path: Path, *, what: str, names: Sequence[str] | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a ``.npz`` file by name; with ``names``, those of them that it has.

    Raises:
        DatasetError: It cannot be read, is no such file, or holds something else than arrays.
    """
    try:
        with (
            reporting_errors(DatasetError, f"{what} {path} cannot be read"),
            path.open("rb") as file,
        ):
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise DatasetError(f"{what} {path} should be a .npz file")
            chosen = [name for name in loaded.files if names is None or name in names]
            arrays = {name: loaded[name] for name in chosen}
    except (zipfile.BadZipFile, zlib.error, EOFError, MemoryError) as error:
        raise DatasetError(f"{what} {path} cannot be read: {error}") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise DatasetError(f"{what} {path} should hold arrays alone, and {name!r} is none")
    return arrays


def require_columns(columns: Sequence[str], found: Sequence[str], source: str) -> None:
    """Raise `DatasetError` unless a table has each of the columns once."""
    for name in columns:
        if name not in found:
            text = f"{source} has no column {name!r}; it has {', '.join(found[:9]) or 'none'}"
            if len(found) == 1 and any(mark in found[0] for mark in ";\t|"):
                text += ", which should be separated by commas"
            raise DatasetError(text)
        if found.count(name) > 1:
            raise DatasetError(f"{source} has two columns {name!r}; keep one")


def by_key(rows: Iterable[Row], key: Callable[[Row], K]) -> dict[K, Row]:
    """Return rows by a key, in their order.

    Raises:
        DatasetError: Two rows have the same.
    """
    found: dict[K, Row] = {}
    for row in rows:
        name = key(row)
        if found.setdefault(name, row) is not row:
            raise row.error(f"{name!r} stands in line {found[name].line} too; keep one row")
    return found


def object_members(path: Path, *, what: str) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each member of a JSON file's outermost object, in file order.

    Memory is that of the largest member, not of the file.

    Raises:
        DatasetError: The file is unreadable, or is not one JSON object.
    """
    with open_text(path, what=what) as file:
        try:
            yield from _JsonReader(file).members()
        except UnicodeDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{what} {path} is not one valid JSON object: {error}") from error


class _JsonReader:
    """The part of the file that is in memory, and how far it has been used."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._text, self._at = file, "", 0
        self._decoder = json.JSONDecoder()

    def members(self) -> Iterator[tuple[str, Any]]:
        self._expect("{")
        separator = self._next()
        while separator != "}":
            if self._next() != '"':
                raise ValueError("a name in double quotes is missing")
            name = self._value()
            self._expect(":")
            self._next()
            yield name, self._value()
            separator = self._next()
            if separator != "}":
                self._expect(",")
        self._expect("}")
        if self._next():
            raise ValueError("something follows the object")

    def _expect(self, char: str) -> None:
        found = self._next()
        if found != char:
            raise ValueError(f"{char!r} expected, {found!r} found" if found else "it ends early")
        self._at += 1

    def _next(self) -> str:
        """Return the next character that is not white space, empty at the end."""
        while True:
            rest = self._text[self._at : self._at + 1]
            if not rest and not self._read_on(_PIECE_CHARS):
                return ""
            if rest and not rest.isspace():
                return rest
            self._at += len(rest)

    def _value(self) -> Any:
        """Return the value that starts here, reading twice as far each time it is cut off."""
        num_chars = _PIECE_CHARS
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if not self._read_on(num_chars):
                    raise
            else:
                # A number that ends where the text does may go on.
                if end < len(self._text) or not self._read_on(num_chars):
                    self._at = end
                    return value
            num_chars *= 2

    def _read_on(self, num_chars: int) -> bool:
        piece = self._file.read(num_chars)
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)
