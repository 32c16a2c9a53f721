"""What a film's file is, before it is decoded."""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from av import FFmpegError
from av.container import InputContainer
from av.video.stream import VideoStream

from mastershot.core.errors import MediaError
from mastershot.core.movie import movie_id
from mastershot.core.time import FrameTimes
from mastershot.media.containers import (
    encryption_in,
    is_fragmented_mp4,
    is_scrambled_broadcast,
    missing_bytes,
)
from mastershot.media.opening import (
    end_of_packets_s,
    has_sound,
    is_flush,
    missing_at_its_end,
    open_container,
    read_packets,
    require_file,
    stream_at,
    time_of,
)
from mastershot.media.streams import choose_stream

# Formats whose header states a duration; of others, and of cut AVI, FFmpeg's is an estimate.
_STATES_DURATION = frozenset({"matroska", "mov", "flv", "asf"})
# A container may round its end, or end with a sound that outlasts the picture.
_END_TOLERANCE_S = 2.0
_END_TOLERANCE_SHARE = 0.01
_MAX_COPYRIGHT = 10_000
_TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;.,]\d\d\d?")
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True)
class FilmFile:
    """The facts a film's container states.

    Attributes:
        path: The file, as the user named it.
        content_hash: BLAKE2b digest of its bytes, ``blake2b:<32 hex digits>``.
        width_px: Width of a stored frame, before rotation.
        height_px: Height of a stored frame.
        nominal_rate: Frames per second the container states or FFmpeg guesses; None if neither.
        mean_rate: Frames over duration as the container states them; `nominal_rate` if it cannot.
        time_base: Seconds per timestamp unit of the video stream.
        sample_aspect_ratio: Width of a stored pixel over its height; 1 where none is stated.
        has_audio: True if there is sound anywhere in the file.
        stated_frames: Number of frames the container states; None where it does not.
        stated_end_s: Earliest time at which the container may mean to end; None if it states none.
        held_until_s: Time until which the video stream states that it is shown; None if unstated.
        stream_index: Index of the video stream among the file's streams, as ffprobe counts.
        version: Size, time of change and place of the file as it was hashed.
        notes: What the user should know, such as that there was a choice of streams.
        copyright: The container's copyright tag, cut to its first `_MAX_COPYRIGHT` characters.
        timecode: SMPTE time code of the first frame, by the time code track or tag; empty without.
        reels: The files of a film that lies in several; the rest is then true of all together, see
            `reels.facts.join_files`.
    """

    path: Path
    content_hash: str
    width_px: int
    height_px: int
    nominal_rate: Fraction | None
    mean_rate: Fraction | None
    time_base: Fraction
    sample_aspect_ratio: Fraction
    has_audio: bool
    stated_frames: int | None
    stated_end_s: float | None
    held_until_s: float | None = None
    stream_index: int = 0
    version: tuple[int, int, int] | None = None
    notes: tuple[str, ...] = ()
    copyright: str = ""
    timecode: str = ""
    reels: tuple["FilmFile", ...] = ()

    @property
    def id(self) -> str:
        """The movie's id, derived from its content."""
        return movie_id(self.content_hash)

    def require_unchanged(self) -> None:
        """Refuse a file that is not the one that was hashed any more.

        Raises:
            MediaError: It grew, was written to or replaced.
        """
        for reel in self.reels:
            reel.require_unchanged()
        if self.version is not None and self.version != _version(self.path):
            raise MediaError(
                f"{self.path} changed while it was read; analyse it again when it is complete"
            )


def probe(path: str | Path, *, stream: int | None = None) -> FilmFile:
    """Return what the film's container states, with the digest of its bytes.

    Args:
        path: The film.
        stream: Index of the video stream, as ffprobe counts; None chooses, see `choose_stream`.

    Raises:
        MediaError: The file is missing, a folder, empty, unreadable, not a video, encrypted,
            truncated, without a video stream, or without the stream that is asked for.
    """
    file = describe(path, stream=stream)
    return replace(file, content_hash=content_hash(file.path))


def describe(path: str | Path, *, stream: int | None = None) -> FilmFile:
    """Return what `probe` does without reading the whole file: ``content_hash`` is empty."""
    path = Path(path)
    require_file(path)
    version = _version(path)
    with open_container(path) as container:
        if (scheme := encryption_in(path)) is not None:
            raise MediaError(f"{path} is encrypted ({scheme}); give a copy without encryption")
        _require_index_in_file(path, container)
        if stream is None:
            video, notes = choose_stream(path, container)
        else:
            video, notes = stream_at(path, container, stream), ()
        if video.codec_context is None:
            raise MediaError(f"{path} holds video that this FFmpeg has no decoder for")
        stated_end_s = _stated_end_s(path, container)
        facts = _facts(path, container, video)
    if missing := _missing_bytes(path, stated_end_s):
        notes += (f"at least {missing:,} bytes are missing at its end",)
        facts["held_until_s"] = None  # What is stated of the end cannot be trusted.
    return FilmFile(
        **facts,
        content_hash="",
        stated_end_s=stated_end_s,
        version=version,
        notes=notes,
    )


def packet_times(file: FilmFile) -> FrameTimes:
    """Return when the frames of a film are shown, as its packets state it; nothing is decoded.

    Decoding may find other times, where a film is damaged or states none; those of two packets at
    one time count once.

    Raises:
        MediaError: The film cannot be opened, or no packet states a time.
    """
    with open_container(file.path) as container:
        stream = stream_at(file.path, container, file.stream_index)
        found = [
            (time_of(packet), packet.duration) for packet in read_packets(container, stream.index)
        ]
    known = sorted({(time, duration or 0) for time, duration in found if time is not None})
    if not known:
        raise MediaError(f"{file.path} states no time of any frame; give a list of frame numbers")
    pts = np.unique(np.array([time for time, _ in known], np.int64))
    step = known[-1][1] or (round(1 / file.mean_rate / file.time_base) if file.mean_rate else 1)
    return FrameTimes(np.append(pts, pts[-1] + max(1, step)), file.time_base)


def content_hash(path: Path) -> str:
    """Return the BLAKE2b digest of a file's bytes, as ``blake2b:<32 hex digits>``.

    Raises:
        MediaError: The file cannot be read to its end.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, partial(hashlib.blake2b, digest_size=16))
    except OSError as error:
        raise MediaError(f"{path} cannot be read to its end: {error.strerror or error}") from error
    return f"blake2b:{digest.hexdigest()}"


def _version(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file's bytes do."""
    try:
        status = path.stat()
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror or error}") from error
    return status.st_size, status.st_mtime_ns, status.st_ino


def _facts(path: Path, container: InputContainer, stream: VideoStream) -> dict[str, Any]:
    """Return what a video stream states of itself."""
    context, rate = stream.codec_context, stream.guessed_rate
    mean_rate = stream.average_rate or rate
    width, height = context.width, context.height
    if width < 1 or height < 1:  # Stated by the first keyframe, where a capture starts in mid-GOP.
        width, height = _decoded_size(path, container, stream)
    return {
        "path": path,
        "stream_index": stream.index,
        "width_px": width,
        "height_px": height,
        "nominal_rate": Fraction(rate) if rate else None,
        "mean_rate": Fraction(mean_rate) if mean_rate else None,
        "time_base": Fraction(stream.time_base or Fraction(1, 1000)),
        "sample_aspect_ratio": Fraction(stream.sample_aspect_ratio or 1),
        "has_audio": has_sound(path, container),
        "copyright": _copyright(container),
        "timecode": _timecode(container, stream),
        "stated_frames": stream.frames or None,
        "held_until_s": _held_until_s(stream),
    }


def _decoded_size(path: Path, container: InputContainer, stream: VideoStream) -> tuple[int, int]:
    """Return the size of the first picture that can be decoded."""
    try:
        for packet in container.demux(stream):
            with suppress(FFmpegError):
                for picture in packet.decode():
                    return picture.width, picture.height
            if is_flush(packet):
                break
    except FFmpegError:
        pass  # What can be read of the file ends here.
    raise MediaError(no_frame(path))


def no_frame(path: Path) -> str:
    """Return the sentence about a film of which nothing can be decoded."""
    if is_scrambled_broadcast(path):
        return f"{path} is encrypted (scrambled by the broadcaster); give a copy without encryption"
    return f"{path} holds a video stream but no frame that can be decoded"


def _copyright(container: InputContainer) -> str:
    tags = {name.lower(): text for name, text in container.metadata.items()}
    return tags.get("copyright", "").strip()[:_MAX_COPYRIGHT]


def _timecode(container: InputContainer, video: VideoStream) -> str:
    """Return the time code of the first frame: of the stream, a time code track, or the file.

    FFmpeg states that of a QuickTime time code track (tmcd), of MXF, AVI, Matroska and DV as a tag.
    """
    for tags in (video.metadata, *(one.metadata for one in container.streams), container.metadata):
        for name, text in tags.items():
            if name.lower() == "timecode" and _TIMECODE.fullmatch(text.strip()):
                return text.strip()
    return ""


def _held_until_s(stream: VideoStream) -> float | None:
    """Return until when a Matroska stream is shown, by its own tag."""
    text = stream.metadata.get("DURATION", "")
    if (match := _CLOCK.fullmatch(text)) is None:
        return None
    hours, minutes, seconds = match.groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _stated_end_s(path: Path, container: InputContainer) -> float | None:
    """Return when the container states to end, if it does."""
    end = container.duration
    if end is None or not _STATES_DURATION & set(container.format.name.split(",")):
        return None
    if is_fragmented_mp4(path):
        return None
    # Some containers count their duration from the start of the clock, some from theirs.
    return (end + min(0, container.start_time or 0)) / 1e6


def _require_index_in_file(path: Path, container: InputContainer) -> None:
    """Refuse an MP4 file whose index of pictures or sound points past its end.

    Where its boxes are all there whole, the index is damaged, but nothing is missing.
    """
    if "mov" not in container.format.name.split(",") or not missing_bytes(path):
        return
    size_bytes = path.stat().st_size
    for stream in (*container.streams.video, *container.streams.audio):
        entries = stream.index_entries
        if len(entries) and (end := entries[-1].pos + entries[-1].size) > size_bytes:
            raise MediaError(
                f"{path} is truncated: its index reaches byte {end:,} but the file ends at "
                f"{size_bytes:,}; copy or download it again"
            )


def _missing_bytes(path: Path, stated_end_s: float | None) -> int:
    """Return how many bytes are missing at the end of a file that is whole but for a moment.

    Raises:
        MediaError: More is missing than that.
    """
    if not (missing := missing_bytes(path)):
        return 0
    if stated_end_s is None:
        raise MediaError(f"{path} is truncated: {missing_at_its_end(missing)}")
    end_s = end_of_packets_s(path)
    if ends_early(end_s, stated_end_s):
        raise MediaError(
            f"{path} is truncated: it states {stated_end_s:.1f} s but ends at {end_s:.1f} s; "
            "copy or download it again"
        )
    return missing


def ends_early(end_s: float, stated_end_s: float) -> bool:
    """Return True if an end comes too long before the stated one to be rounding."""
    return end_s < stated_end_s - max(_END_TOLERANCE_S, _END_TOLERANCE_SHARE * stated_end_s)
