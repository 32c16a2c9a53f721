"""What every use of PyAV here has in common."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from av import FFmpegError, Packet, VideoFrame
from av.container import InputContainer

# The whitelist keeps playlists from the network; a title may be in any encoding.
OPEN_SAFELY: Final[dict[str, Any]] = {
    "options": {"protocol_whitelist": "file"},
    "metadata_errors": "replace",
}


def read_packets(container: InputContainer, *stream_indices: int) -> Iterator["Packet[Any]"]:
    """Yield the packets of some streams, or of all, as far as the file can be read."""
    with suppress(FFmpegError):
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
