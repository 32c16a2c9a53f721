"""What a film's file is, before anyone decodes it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from mastershot.core.errors import MediaError
from mastershot.core.movie import movie_id

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Playlists and scripts that FFmpeg would follow to other files or draw as a picture; not films.
_NOT_A_FILM = frozenset({"hls", "concat", "dash", "tty", "ffmetadata", "sdp", "rtsp", "lavfi"})
_HASH_BLOCK_BYTES = 1 << 20


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
        has_audio: True if there is an audio stream.
        stated_frames: Number of frames the container states; None where it does not.
        stated_end_s: Earliest time at which the container may mean to end; None if it states none.
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

    @property
    def id(self) -> str:
        """The movie's id, derived from its content."""
        return movie_id(self.content_hash)


def probe(path: str | Path) -> FilmFile:
    """Return what the film's container says, without decoding a frame.

    Raises:
        MediaError: The file is missing, a folder, empty, unreadable, not a video, truncated, or
            without a video stream.
    """
    path = Path(path)
    _require_file(path)
    with open_film(path) as (container, stream):
        _require_whole(path, container)
        context = stream.codec_context
        if context is None:
            raise MediaError(f"{path} holds video that this FFmpeg has no decoder for")
        if context.width < 1 or context.height < 1:
            raise MediaError(f"{path} states no picture size, so its frames cannot be decoded")
        rate = stream.guessed_rate
        mean_rate = stream.average_rate or rate
        end = container.duration
        return FilmFile(
            path=path,
            content_hash=content_hash(path),
            width_px=context.width,
            height_px=context.height,
            nominal_rate=Fraction(rate) if rate else None,
            mean_rate=Fraction(mean_rate) if mean_rate else None,
            time_base=Fraction(stream.time_base or Fraction(1, 1000)),
            sample_aspect_ratio=Fraction(stream.sample_aspect_ratio or 1),
            has_audio=bool(container.streams.audio),
            stated_frames=stream.frames or None,
            # Some containers count their duration from the start of the clock, some from theirs.
            stated_end_s=None if end is None else (end + min(0, container.start_time or 0)) / 1e6,
        )


def content_hash(path: Path) -> str:
    """Return the BLAKE2b digest of a file's bytes, as ``blake2b:<32 hex digits>``.

    Raises:
        MediaError: The file cannot be read to its end.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(_HASH_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise MediaError(f"{path} cannot be read to its end: {error.strerror or error}") from error
    return f"blake2b:{digest.hexdigest()}"


@contextmanager
def open_film(path: Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """Yield the open container and its first video stream that is not a cover picture.

    Raises:
        MediaError: FFmpeg cannot open the file, or it holds no video stream.
    """
    import av

    # The prefix keeps names with colons files, the whitelist keeps playlists from the network.
    try:
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, ValueError, OSError) as error:
        raise MediaError(_why_not_opened(path, error)) from error
    with container:
        if _NOT_A_FILM & set(container.format.name.split(",")):
            raise MediaError(
                f"{path} is a {container.format.name} playlist or text, not a film; "
                "give the film file itself"
            )
        yield container, _video_stream(path, container)


def end_of_packets_s(path: Path) -> float:
    """Return the latest end of any stream's packets, in seconds; nothing is decoded."""
    latest = 0.0
    with open_film(path) as (container, _):
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = (packet.pts + (packet.duration or 0)) * packet.time_base
                latest = max(latest, float(end))
    return latest


def _require_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise MediaError(f"{path} is a folder, not a film; name the film file in it")
        if not path.exists():
            raise MediaError(f"{path} does not exist")
        if not path.is_file():
            raise MediaError(f"{path} is not a regular file; a film must be one, to be read twice")
        size_bytes = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise MediaError(f"{str(path)!r} is not a file name: {error}") from error
    if size_bytes == 0:
        raise MediaError(f"{path} is empty (0 bytes), so there is no film in it")


def _why_not_opened(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    log = getattr(error, "log", None)
    detail = log[2] if log else ""
    if "moov atom not found" in detail or _looks_like_cut_mp4(path):
        return f"{path} is truncated: its index (moov atom) is missing; copy or download it again"
    return f"{path} is not a video that FFmpeg can read ({reason})"


def _looks_like_cut_mp4(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(12)[4:8] == b"ftyp"
    except OSError:
        return False


def _video_stream(path: Path, container: "InputContainer") -> "VideoStream":
    from av.stream import Disposition

    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    covers = {stream.index for stream in container.streams.video}
    kinds = ", ".join(sorted({s.type for s in container.streams if s.index not in covers}))
    raise MediaError(f"{path} holds no video stream (only {kinds or 'cover pictures'})")


def _require_whole(path: Path, container: "InputContainer") -> None:
    """Refuse a file whose index points past its end."""
    size_bytes = path.stat().st_size
    for stream in container.streams:
        entries = stream.index_entries
        if len(entries) and (end := entries[-1].pos + entries[-1].size) > size_bytes:
            raise MediaError(
                f"{path} is truncated: its index reaches byte {end:,} but the file ends at "
                f"{size_bytes:,}; copy or download it again"
            )
