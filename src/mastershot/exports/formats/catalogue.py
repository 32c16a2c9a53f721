"""The table of formats: what ``mastershot export`` writes and ``mastershot import`` reads."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mastershot.core.errors import EditsError, SettingError
from mastershot.core.lanes import Lane
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.editors.edl import write_edl
from mastershot.exports.formats.editors.edl_reading import read_edl
from mastershot.exports.formats.editors.fcpxml import read_fcpxml, write_fcpxml
from mastershot.exports.formats.editors.otio import read_otio, write_otio
from mastershot.exports.formats.lanes import Export

_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: What ``--to`` calls it.
        suffix: Of its files; empty for a folder.
        write: Writes a timeline to a path; returns what the user should know of it.
        read: Returns a file's lanes for a film, or None where it cannot be read back.
        sign: What the start of such a file holds and no other's does, where its suffix does not
            say what it is; empty where only the suffix does.
    """

    name: str
    suffix: str
    write: Callable[[Export, Path], tuple[str, ...]]
    read: Callable[[Path, Timeline, FrameTimes], tuple[Lane, ...]] | None = None
    sign: str = ""


FORMATS: tuple[Format, ...] = (
    Format("edl", ".edl", write_edl, read_edl, "FCM:"),
    Format("otio", ".otio", write_otio, read_otio, "OTIO_SCHEMA"),
    Format("fcpxml", ".fcpxml", write_fcpxml, read_fcpxml, "<fcpxml"),
)


def format_named(name: str) -> Format:
    """Return the format of a name.

    Raises:
        SettingError: There is none.
    """
    names = {known.name: known for known in FORMATS}
    if name not in names:
        close = get_close_matches(name.lower(), names, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise SettingError(f"format {name!r} is unknown; use {', '.join(names)}{meant}")
    return names[name]


def format_of_file(path: Path) -> Format | None:
    """Return the format that a file is read in, by its suffix, else by how it starts.

    Where several have the suffix, how it starts decides. None means that no reader knows it.

    Raises:
        EditsError: The file cannot be read.
    """
    readable = [known for known in FORMATS if known.read is not None]
    by_suffix = [known for known in readable if known.suffix == path.suffix.lower()]
    if len(by_suffix) == 1:
        return by_suffix[0]
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise EditsError(f"{path} cannot be read: {error.strerror or error}") from error
    for known in by_suffix or readable:
        if known.sign and known.sign in head:
            return known
    return by_suffix[0] if by_suffix else None
