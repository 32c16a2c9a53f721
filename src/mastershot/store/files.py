"""One writer at a time, files written whole, and rows added whole to a file."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mastershot.core.files import replacing


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file while the block runs, waiting for the thread or process that holds it.

    The kernel drops the lock with the file descriptor, so a killed process holds nothing.

    Raises:
        OSError: The lock file cannot be opened for writing.
    """
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there; what was there stays until then.

    Raises:
        OSError: The file cannot be written; nothing of it is left.
    """
    with replacing(path, ending=".tmp") as partial:
        partial.write_bytes(data)


def append_row(path: Path, row: bytes, *, header: bytes = b"") -> None:
    """Put whole lines at the end of a file, after ``header`` where the file is new or empty.

    They are on disk on return. What the file holds stays, including a last line without its end.

    Raises:
        OSError: The file cannot be written; it is as it was before.
    """
    with exclusive(path), path.open("r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        start = b"" if end else header
        if end:
            file.seek(end - 1)
            start = b"" if file.read(1) == b"\n" else b"\n"
        try:
            if file.write(start + row) < len(start + row):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), end)
            raise
        if end == 0:
            keep_entry(path)


def append_lines(path: Path, lines: Callable[[bytes], bytes]) -> None:
    """Put lines at the end of a log, on disk on return; other writers wait.

    A last line without its end was cut off by a crash and never acknowledged: it is overwritten.

    Args:
        path: The log; it is made where there is none.
        lines: Returns what to put after the log's whole lines, each with its end.

    Raises:
        OSError: The file cannot be written.
    """
    with exclusive(path), path.open("r+b") as file:
        data = file.read()
        end = data.rfind(b"\n") + 1
        added = lines(data[:end])
        if not added:
            return
        file.truncate(end)
        file.seek(end)
        file.write(added)
        file.flush()
        os.fsync(file.fileno())
        if end == 0:
            keep_entry(path)


def keep_entry(path: Path) -> None:
    """Put a new file's name on disk: it is the folder's content, not the file's."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
