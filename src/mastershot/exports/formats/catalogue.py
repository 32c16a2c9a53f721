"""The table of formats: what ``mastershot export`` writes and ``mastershot import`` reads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.lanes import Lane
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.lanes import Export


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: What ``--to`` calls it.
        suffix: Of its files; empty for a folder.
        write: Writes a timeline to a path; returns what the user should know of it.
        read: Returns a file's lanes for a film, or None where it cannot be read back.
    """

    name: str
    suffix: str
    write: Callable[[Export, Path], tuple[str, ...]]
    read: Callable[[Path, Timeline, FrameTimes], tuple[Lane, ...]] | None = None


FORMATS: tuple[Format, ...] = ()
