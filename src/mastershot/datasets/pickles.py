"""Pickles of plain values, which some data sets were released as."""

import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

from mastershot.core.errors import DatasetError
from mastershot.core.files import reporting_errors

_MAX_BYTES = 1 << 28
# Of lists, mappings, text, numbers and None in pickles of every protocol, and c and \x93, which
# name the class that is refused.
_OPERATIONS = "(.0]l}dasueNIJKMLFGSTUVX\x80\x88\x89\x8a\x8c\x94\x95pqrghjc\x93"
_DAMAGED = (
    pickle.UnpicklingError, EOFError, LookupError, TypeError, AttributeError, ValueError,
    OverflowError, MemoryError,
)  # fmt: skip


def plain_pickle(path: Path, *, what: str) -> Any:
    """Return the value of a pickle of lists, mappings, text and numbers; no code of it is run.

    Raises:
        DatasetError: It cannot be read, is very large, or holds anything else.
    """
    with reporting_errors(DatasetError, f"{what} {path} cannot be read"), path.open("rb") as file:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{what} {path} has more than {_MAX_BYTES:,} bytes")
        data = file.read()
    try:
        return _PlainUnpickler(BytesIO(data), encoding="latin1").load()
    except _DAMAGED as error:
        reason = str(error) or "it ends too early"
        raise DatasetError(f"{what} {path} is no pickle of plain values: {reason}") from error


class _Operations(dict[int, Callable[[pickle.Unpickler], None]]):
    def __missing__(self, operation: int) -> NoReturn:
        raise pickle.UnpicklingError(f"it has the operation {chr(operation)!a}")


class _PlainUnpickler(pickle._Unpickler):
    """Refuses every class and function, and with them any code.

    Python's own unpickler, not the one in C: a length or a number that a file claims takes no
    memory there. Tuples are refused, since hashing nested ones ends the interpreter.
    """

    dispatch = _Operations({ord(one): pickle._Unpickler.dispatch[ord(one)] for one in _OPERATIONS})

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}")
