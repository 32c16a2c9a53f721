"""A JSON object too large to be read at once, member by member."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from mastershot.core.errors import DatasetError

_PIECE_CHARS = 1 << 20


def object_members(path: Path, *, what: str) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each member of a file's outermost object, in file order.

    Memory is that of the largest member, not of the file.

    Raises:
        DatasetError: The file is unreadable, or is not one JSON object.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _Reader(file).members()
    except OSError as error:
        raise DatasetError(f"{what} {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{what} {path} is not UTF-8 text: {error}") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{what} {path} is not one valid JSON object: {error}") from error


class _Reader:
    """The part of the file that is in memory, and how far it has been used."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def members(self) -> Iterator[tuple[str, Any]]:
        self._expect("{")
        if self._next() == "}":
            self._at += 1
        else:
            yield self._member()
            while self._next() == ",":
                self._at += 1
                yield self._member()
            self._expect("}")
        if self._next():
            raise ValueError("something follows the object")

    def _member(self) -> tuple[str, Any]:
        if self._next() != '"':
            raise ValueError("a name in double quotes is missing")
        name = self._value()
        self._expect(":")
        self._next()
        return name, self._value()

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
