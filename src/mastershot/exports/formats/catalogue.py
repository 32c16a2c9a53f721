"""The table of formats: what ``mastershot export`` writes and ``mastershot import`` reads."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mastershot.core.errors import EditsError, SettingError
from mastershot.core.lanes import Lane
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.clips import write_clips
from mastershot.exports.formats.eaf import read_eaf, write_eaf
from mastershot.exports.formats.editors.edl import write_edl
from mastershot.exports.formats.editors.edl_reading import read_edl
from mastershot.exports.formats.editors.fcpxml import read_fcpxml, write_fcpxml
from mastershot.exports.formats.editors.otio import read_otio, write_otio
from mastershot.exports.formats.fiftyone import write_fiftyone
from mastershot.exports.formats.html import write_html
from mastershot.exports.formats.keyframes import write_keyframes
from mastershot.exports.formats.lanes import Export
from mastershot.exports.formats.players.ffmetadata import write_ffmetadata
from mastershot.exports.formats.players.matroska import write_mkv_chapters
from mastershot.exports.formats.players.subtitles import read_subtitles, write_subtitles
from mastershot.exports.formats.players.webvtt import read_webvtt, write_webvtt
from mastershot.exports.formats.tables import read_csv, read_parquet, write_csv, write_parquet

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
    Format("webvtt", ".vtt", write_webvtt, read_webvtt, "WEBVTT"),
    Format("srt", ".srt", write_subtitles, read_subtitles),
    Format("ffmetadata", ".ffmetadata", write_ffmetadata),
    Format("mkv-chapters", ".chapters.xml", write_mkv_chapters),
    Format("eaf", ".eaf", write_eaf, read_eaf, "<ANNOTATION_DOCUMENT"),
    Format("csv", ".csv", write_csv, read_csv),
    Format("parquet", ".parquet", write_parquet, read_parquet, "PAR1"),
    Format("keyframes", ".keyframes.txt", write_keyframes),
    Format("html", ".html", write_html),
    Format("fiftyone", ".fiftyone.json", write_fiftyone),
    Format("clips", "", write_clips),
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
