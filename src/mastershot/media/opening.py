"""Opening a film's file, or explaining in one sentence why it cannot be opened."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
from av import Packet, VideoFrame
from av.container import InputContainer
from av.container.core import Flags
from av.video.stream import VideoStream

from mastershot.core.errors import MediaError
from mastershot.media.containers import encryption_in, is_mp4_without_index, missing_bytes

# The whitelist keeps playlists from the network; a title may be in any encoding.
OPEN_SAFELY: Final[dict[str, Any]] = {
    "options": {"protocol_whitelist": "file"},
    "metadata_errors": "replace",
}

# Playlists and scripts that FFmpeg would follow to other files or draw as a picture; not films.
_NOT_A_FILM = frozenset({"hls", "concat", "dash", "tty", "ffmetadata", "sdp", "rtsp", "lavfi"})

_LISTS_NO_STREAMS = frozenset({"mpegts", "mpeg", "flv"})


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """Yield the open container, with the timestamps of the file.

    PyAV has FFmpeg make up missing timestamps, which goes wrong for H.264 in AVI and ASF; that is
    turned off.

    Raises:
        MediaError: FFmpeg cannot open the file, or it is no film but a list of others.
    """
    # The prefix keeps names with colons files.
    try:
        container = av.open(f"file:{path}", **OPEN_SAFELY)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise MediaError(_why_not_opened(path, error)) from error
    with container:
        container.flags &= ~cast("int", Flags.gen_pts.value)
        if _NOT_A_FILM & set(container.format.name.split(",")):
            raise MediaError(
                f"{path} is a {container.format.name} playlist or text, not a film; "
                "give the film file itself"
            )
        yield container


@contextmanager
def open_film(path: Path, stream_index: int) -> Iterator[VideoStream]:
    """Yield a video stream of the open film; see `open_container` for what is raised."""
    with open_container(path) as container:
        yield stream_at(path, container, stream_index)


def stream_at(path: Path, container: InputContainer, index: int) -> VideoStream:
    """Return the video stream with an index, as ffprobe counts: among all streams, from 0.

    Raises:
        MediaError: There is none.
    """
    for stream in container.streams.video:
        if stream.index == index:
            return stream
    known = ", ".join(str(stream.index) for stream in container.streams.video) or "there are none"
    raise MediaError(f"{path} has no video stream {index}; its video streams are: {known}")


def read_packets(container: InputContainer, *stream_indices: int) -> Iterator["Packet[Any]"]:
    """Yield the packets of some streams, or of all, as far as the file can be read."""
    with suppress(av.FFmpegError):
        for packet in container.demux(*stream_indices):
            if is_flush(packet):
                return
            yield packet


def is_flush(packet: "Packet[Any]") -> bool:
    """Return True for the empty packet that PyAV yields for each stream after the last one.

    What follows it must not be asked for: where a stream has appeared in mid-file, PyAV fails.
    """
    return not packet.size and packet.pts is None and packet.dts is None and packet.pos is None


def time_of(packet: "Packet[Any]") -> int | None:
    """Return when a packet is shown or, where that is not known, decoded."""
    return packet.dts if packet.pts is None else packet.pts


def size_bytes(picture: VideoFrame) -> int:
    """Return how much memory a decoded picture takes; at least 1."""
    return max(1, sum(plane.buffer_size for plane in picture.planes))


def end_of_packets_s(path: Path) -> float:
    """Return the latest end of any stream's packets, in seconds; nothing is decoded."""
    latest = 0.0
    with open_container(path) as container:
        for packet in read_packets(container):
            time = time_of(packet)
            if time is not None and packet.time_base is not None:
                end = (time + (packet.duration or 0)) * packet.time_base
                latest = max(latest, float(end))
    return latest


def start_of_file_s(path: Path) -> Fraction:
    """Return when a file starts on its own clock, in seconds: what players show as 0.

    That is where the first of its streams starts. What starts before 0 is a codec's delay, which
    players hide.

    Raises:
        MediaError: It cannot be opened.
    """
    require_file(path)
    with open_container(path) as container:
        return Fraction(max(0, container.start_time or 0), av.time_base)


def has_sound(path: Path, container: InputContainer) -> bool:
    """Return True if there is sound anywhere in the file, also where it starts late.

    Transport and program streams and FLV have no list of their streams, so a silent start is read
    on to the end, or to the first sound.
    """
    if container.streams.audio or not _LISTS_NO_STREAMS & set(container.format.name.split(",")):
        return bool(container.streams.audio)
    whole = str((1 << 31) - 1)
    options = {"fflags": "nobuffer", "probesize": whole, "analyzeduration": whole}
    try:
        with av.open(f"file:{path}", container_options=options, **OPEN_SAFELY) as again:
            return bool(again.streams.audio)
    except (av.FFmpegError, ValueError, OSError):
        return False


def require_file(path: Path) -> None:
    """Refuse what is not a file with something in it.

    Raises:
        MediaError: The path is missing, a folder, a device, empty, or not readable.
    """
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


def missing_at_its_end(num_bytes: int) -> str:
    """Return how a sentence about a truncated film goes on."""
    return f"at least {num_bytes:,} bytes are missing at its end; copy or download it again"


def _why_not_opened(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    if (scheme := encryption_in(path)) is not None:
        return f"{path} is encrypted ({scheme}); give a copy without encryption"
    if is_mp4_without_index(path):
        what = "truncated" if missing_bytes(path) else "damaged or was never finished"
        return f"{path} is {what}: its index (moov atom) is missing; copy or download it again"
    if missing := missing_bytes(path):
        return f"{path} is truncated: {missing_at_its_end(missing)}"
    return f"{path} is not a video that FFmpeg can read ({reason})"
