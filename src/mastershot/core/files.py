"""Files written whole or not at all, and failures of files and tables in one sentence."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from mastershot.core.errors import MastershotError, OutputError


@contextmanager
def replacing(path: Path, *, ending: str | None = None) -> Iterator[Path]:
    """Return a path beside a file's, whose file takes its place when the block succeeds.

    Without an ending it is another path in each process, so that several may write one file.
    """
    partial = path.with_name(f"{path.name}{ending or f'.{os.getpid()}.part'}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder, unless there is one.

    Raises:
        OutputError: It cannot be made.
    """
    with reporting_errors(OutputError, f"folder {folder} cannot be made"):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def written_whole(path: Path, *, newline: str = "\n") -> Iterator[TextIO]:
    """Return a UTF-8 file that takes its name only once all of it is written.

    Args:
        path: The file.
        newline: What a line break becomes; empty for `csv`, which writes its own.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    encoding, errors = "utf-8", "backslashreplace"
    try:
        with (
            replacing(path) as partial,
            partial.open("w", encoding=encoding, errors=errors, newline=newline) as file,
        ):
            yield file
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {failure_reason(error)}") from error


@contextmanager
def reporting_errors(error_type: type[MastershotError], failure: str) -> Iterator[None]:
    """Turn what Arrow, Lance or the file system raises into ``failure``, a colon and the reason."""
    try:
        yield
    except BaseException as error:
        if not is_storage_error(error):
            raise
        raise error_type(f"{failure}: {failure_reason(error)}") from error


def is_storage_error(error: BaseException) -> bool:
    """Return whether Arrow, Lance or the file system may have raised it, not this package."""
    # Neither Arrow's classes (which are loaded late) nor that of a Rust panic can be imported here.
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, OSError | RuntimeError | ValueError) or bool(
        names & {"ArrowException", "RustPanic", "PanicException"}
    )


def failure_reason(error: BaseException) -> str:
    """Return in a few words why a file or table failed, without places in Lance's source."""
    number = getattr(error, "errno", None) or re.search(r"\(os error (\d+)\)", str(error))
    if number:
        return os.strerror(number if isinstance(number, int) else int(number[1]))
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 text ({error})"
    first_line = str(error).removeprefix("lance error: ").partition("\n")[0]
    return re.sub(r", /\S+\.rs:\d+:\d+$", "", first_line)[:300]
