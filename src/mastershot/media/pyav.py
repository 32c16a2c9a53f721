"""What every use of PyAV here has in common."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from av import Packet, VideoFrame

# The whitelist keeps playlists from the network; a title may be in any encoding.
OPEN_SAFELY: Final[dict[str, Any]] = {
    "options": {"protocol_whitelist": "file"},
    "metadata_errors": "replace",
}


def is_flush(packet: "Packet[Any]") -> bool:
    """Return True for the empty packet that PyAV yields for each stream after the last one.

    What follows it must not be asked for: where a stream has appeared in mid-file, PyAV fails.
    """
    return not packet.size and packet.pts is None and packet.dts is None and packet.pos is None


def size_bytes(picture: "VideoFrame") -> int:
    """Return how much memory a decoded picture takes; at least 1."""
    return max(1, sum(plane.buffer_size for plane in picture.planes))
