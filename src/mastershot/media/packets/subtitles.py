"""A film's own subtitle tracks, as texts with their times."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from av import FFmpegError
from av.stream import Disposition

from mastershot.core.errors import MediaError
from mastershot.media.opening import open_container, read_packets, require_file

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.subtitles.stream import SubtitleStream

_OF_TEXT = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
# SubStation's fields before the text of a line: layer, style, name, margins and effect.
_NUM_FIELDS = 8


@dataclass(frozen=True)
class SubtitleTrack:
    """The texts of a track.

    Attributes:
        index: The stream's index, as ffprobe counts.
        language: What the file says of it, such as ``eng``; empty if nothing.
        cues: When each text appears and goes, in seconds on the film's own clock, and the text
            with its markup, in the order of the file.
    """

    index: int
    language: str
    cues: tuple[tuple[Fraction, Fraction, str], ...]


def read_subtitle_track(path: Path, *, track: int | None = None) -> SubtitleTrack:
    """Return a subtitle track of a film: the one with this index, the default, or the first.

    Raises:
        MediaError: The film cannot be read, or has no such track, or none of text.
    """
    require_file(path)
    with open_container(path) as container:
        stream = _chosen(path, container, track)
        language = stream.metadata.get("language", "")
        cues = tuple(_cues(container, stream))
        if not cues:
            raise MediaError(f"{path}: subtitle track {stream.index} holds no text")
        return SubtitleTrack(stream.index, "" if language == "und" else language, cues)


def _chosen(path: Path, container: "InputContainer", track: int | None) -> "SubtitleStream":
    streams = list(container.streams.subtitles)
    known = ", ".join(f"{one.index} ({_codec(one)})" for one in streams)
    if not streams:
        raise MediaError(f"{path} holds no subtitle track; bring its subtitles in as a file")
    if track is not None:
        streams = [one for one in streams if one.index == track]
        if not streams:
            raise MediaError(f"{path} has no subtitle track {track}; its tracks are: {known}")
    texts = [one for one in streams if _codec(one) in _OF_TEXT]
    if not texts:
        raise MediaError(
            f"{path} holds subtitles as pictures only, whose words cannot be read: {known}"
        )
    return min(texts, key=lambda one: not one.disposition & Disposition.default)


def _codec(stream: "SubtitleStream") -> str:
    return stream.codec_context.name if stream.codec_context else "unknown codec"


def _cues(
    container: "InputContainer", stream: "SubtitleStream"
) -> Iterator[tuple[Fraction, Fraction, str]]:
    for packet in read_packets(container, stream.index):
        if not packet.size or packet.pts is None or packet.time_base is None:
            continue
        start = packet.pts * packet.time_base
        end = (packet.pts + (packet.duration or 0)) * packet.time_base
        text = " ".join(_texts(packet))
        if text.strip():
            yield start, end, text


def _texts(packet: "Packet[Any]") -> Iterator[str]:
    try:
        found = packet.decode()
    except (FFmpegError, ValueError):
        return
    for one in found:
        for rect in getattr(one, "rects", (one,)):
            line: bytes = getattr(rect, "ass", b"") or b""
            fields = line.decode("utf-8", "replace").split(",", _NUM_FIELDS)
            if len(fields) > _NUM_FIELDS:
                yield fields[_NUM_FIELDS].replace("\\N", "\n").replace("\\n", "\n")
