"""One writer at a time, and files that are there whole or not at all."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
    partial = path.with_name(f"{path.name}.tmp")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
