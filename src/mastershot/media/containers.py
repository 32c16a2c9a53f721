"""What the structure of a container shows: missing bytes at its end, encryption.

Only headers are read, a few bytes each, whatever sizes a file claims. Sources: ISO/IEC
14496-12 (MP4) and 23001-7 (Common Encryption), RFC 8794 and 9559 (EBML, Matroska), Adobe's Video
File Format 10.1 (FLV), Microsoft's AVI RIFF reference and ASF specification 01.20, ISO/IEC 13818-1.
"""

import re
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BufferedReader, FileIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

_MAX_HEADER_BYTES = 1 << 20
_MAX_PARTS = 1 << 10  # Of Matroska's tracks, and of one track.
_MAX_CHAIN = 1 << 20  # Of boxes or elements in a row; a day of video in a cluster has as many.
_MAX_CLAIM = 1000  # Times the size of the file.
# Old QuickTime files have no ftyp; they start with the index, the pictures, or room for either.
_KINDS = re.compile(
    rb"(?s)(?P<mp4>....(?:ftyp|moov|styp|mdat)|\x00...(?:wide|free|skip))"
    rb"|(?P<matroska>\x1a\x45\xdf\xa3)|(?P<flv>FLV)|(?P<avi>RIFF....AVI )"
    rb"|(?P<asf>\x30\x26\xb2\x75\x8e\x66\xcf\x11)|(?P<program_stream>\x00\x00\x01\xba)"
)
_BOX_NAME = re.compile(rb"[ -~\xa9]{4}")
_MP4_PATH_TO_CODEC = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_STSD_FIELDS_BYTES = 8
_SEGMENT, _CLUSTER, _TRACKS = 0x18538067, 0x1F43B675, 0x1654AE6B
# What a segment holds, and what a cluster of unknown size, whose end is not known, does.
_IN_SEGMENT = frozenset({
    _CLUSTER, _TRACKS, 0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1043A770, 0x1941A469, 0x1254C367,
    0xEC, 0xBF, 0xE7, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, 0x5854,
})  # fmt: skip
_TRACK, _TRACK_TYPE, _VIDEO = 0xAE, 0x83, b"\1"
_PATH_TO_ENCRYPTION = (0x6D80, 0x6240, 0x5035)  # ContentEncodings, -Encoding, -Encryption.
_MAX_RIFF_INDEX_BYTES = 32 << 20
_RIFF_NO_SIZE = 0xFFFFFFFF
_RIFF_CHUNKS = (b"LIST", b"JUNK", b"idx1")
_FLV_HEADER_BYTES, _FLV_TAG_BYTES = 9, 11
_FLV_TAGS = (8, 9, 18)  # Sound, picture, data.
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_ENCRYPTION = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
_ASF_EXTENDED_ENCRYPTION = bytes.fromhex("14e68a2922264c17b935dae07ee9289c")
_TS_PACKET_BYTES = (188, 192, 204)  # Plain, with a time code, with error correction.
_TS_SYNC = 0x47


class _Part(NamedTuple):
    """A box, element, tag or chunk: its name, and where what is in it starts and ends."""

    name: Any
    start: int
    end: int


# Returns a part's name and the length of its header, of what is in it, and of what follows it, from
# the next 16 bytes and the room that is left; None where no part can be.
_ReadHeader: TypeAlias = Callable[[bytes, int], tuple[Any, int, int, int] | None]


class _Source(BufferedReader):
    """An open file, read in small pieces."""

    def __init__(self, path: Path) -> None:
        super().__init__(FileIO(path))
        self.size_bytes = path.stat().st_size
        match = _KINDS.match(self.read(16))
        self.kind = match.lastgroup if match else None

    def at(self, start: int, num_bytes: int) -> bytes:
        self.seek(start)
        return self.read(num_bytes)

    def parts(
        self, read: _ReadHeader, start: int = 0, end: int | None = None, most: int = _MAX_CHAIN
    ) -> Iterator[_Part]:
        """Yield the parts between two places; the last may claim to reach beyond."""
        end = self.size_bytes if end is None else min(end, self.size_bytes)
        for _ in range(most):
            header = read(self.at(start, 16), end - start) if start < end else None
            if header is None:
                return
            name, header_bytes, size_bytes, padding_bytes = header
            inside, start = start + header_bytes, start + header_bytes + size_bytes
            yield _Part(name, inside, start)
            start += padding_bytes


def missing_bytes(path: Path) -> int:
    """Return how many bytes the container's structure says should follow the end of the file.

    0 where nothing is missing, where this kind of file does not state its end, and where the end it
    states is so far away that the statement must be damaged.

    Raises:
        OSError: The file cannot be read.
    """
    with _Source(path) as source:
        end_of = _ENDS.get(source.kind)
        end, size_bytes = end_of(source) if end_of else 0, source.size_bytes
    return max(0, end - size_bytes) if end < _MAX_CLAIM * size_bytes else 0


def encryption_in(path: Path) -> str | None:
    """Return what a film's pictures are encrypted with, in words; None where they are not.

    Of a transport stream a part may be scrambled; see `is_scrambled_broadcast`.
    """
    with suppress(OSError, ValueError), _Source(path) as source:
        encryption_of = _ENCRYPTIONS.get(source.kind)
        return encryption_of(source) if encryption_of else None
    return None


def is_scrambled_broadcast(path: Path) -> bool:
    """Return True if a quarter of a transport stream's packets have their scrambling bits set.

    Its tables are never scrambled, and of a low rate they are half of it.
    """
    start = b""
    with suppress(OSError), _Source(path) as source:
        start = source.at(0, _MAX_HEADER_BYTES)
    for packet_bytes in _TS_PACKET_BYTES:
        for first in range(packet_bytes):
            signs = start[first::packet_bytes]
            if len(signs) > 4 and signs.count(_TS_SYNC) == len(signs):
                bits = start[first + 3 :: packet_bytes]
                return 4 * sum(byte >> 6 != 0 for byte in bits) > len(bits)
    return False


def is_mp4_without_index(path: Path) -> bool:
    """Return True for an MP4 file whose index, its moov box, is not there or not whole."""
    with suppress(OSError), _Source(path) as source:
        return source.kind == "mp4" and not any(
            box.name == b"moov" and box.end <= source.size_bytes for box in source.parts(_box)
        )
    return False


def is_fragmented_mp4(path: Path) -> bool:
    """Return True for an MP4 file of fragments, whose header does not know how long it is."""
    with _Source(path) as source:
        return source.kind == "mp4" and any(box.name == b"moof" for box in source.parts(_box))


def _box(data: bytes, room: int) -> tuple[Any, int, int, int] | None:
    """Return the header of an MP4 box."""
    if room < 8 or len(data) < 8:
        return None
    size, name = struct.unpack_from(">I4s", data)
    header_bytes = 8
    if size == 1 and len(data) == 16:
        (size,), header_bytes = struct.unpack_from(">Q", data, 8), 16
    if size == 0:
        size = room
    return (name, header_bytes, size - header_bytes, 0) if size >= header_bytes else None


def _element(data: bytes, _: int) -> tuple[Any, int, int, int] | None:
    """Return the header of an EBML element; one of unknown size is entered, as if it were empty."""
    if not data or not data[0]:
        return None
    id_bytes = 9 - data[0].bit_length()
    if id_bytes > 4 or len(data) <= id_bytes or not data[id_bytes]:
        return None
    size_length = 9 - data[id_bytes].bit_length()
    unknown = (1 << 7 * size_length) - 1
    size = int.from_bytes(data[id_bytes : id_bytes + size_length]) & unknown
    name = int.from_bytes(data[:id_bytes])
    return name, id_bytes + size_length, 0 if size == unknown else size, 0


def _flv_tag(data: bytes, room: int) -> tuple[Any, int, int, int] | None:
    """Return the header of an FLV tag, which is followed by its size."""
    if room < 4:
        return None
    return data[0] & 31, _FLV_TAG_BYTES, int.from_bytes(data[1:4]), 4


def _riff_chunk(data: bytes, room: int) -> tuple[Any, int, int, int] | None:
    """Return the header of a chunk of AVI; the list of pictures is named ``movi``."""
    if room < 12:
        return None
    name, size, kind = struct.unpack_from("<4sI4s", data)
    if name == b"RIFF" and size:
        return b"LIST", 12, 0, 0  # What is in it follows.
    return kind if (name, kind) == (b"LIST", b"movi") else name, 8, size, size % 2


def _end_of(parts: Iterator[_Part], is_known: Callable[[Any], Any], end: int = 0) -> int:
    """Return where the last part ends; 0 where damage breaks their chain."""
    for part in parts:
        if not is_known(part.name):
            return 0
        end = part.end
    return end


def _mp4_end(source: _Source) -> int:
    return _end_of(source.parts(_box), _BOX_NAME.fullmatch)


def _matroska_end(source: _Source) -> int:
    inside = next((part.start for part in source.parts(_element) if part.name == _SEGMENT), 0)
    return _end_of(source.parts(_element, inside), _IN_SEGMENT.__contains__)


def _flv_end(source: _Source) -> int:
    size_bytes = source.size_bytes
    tag_bytes = int.from_bytes(source.at(max(0, size_bytes - 4), 4))
    if (
        _FLV_TAG_BYTES <= tag_bytes <= size_bytes - 13
    ):  # The size behind the last tag shows it whole.
        tag = source.at(size_bytes - 4 - tag_bytes, 4)
        if tag[0] & 31 in _FLV_TAGS and int.from_bytes(tag[1:4]) == tag_bytes - _FLV_TAG_BYTES:
            return size_bytes
    tags = source.parts(_flv_tag, _FLV_HEADER_BYTES + 4, most=size_bytes)
    return _end_of(tags, _FLV_TAGS.__contains__, _FLV_HEADER_BYTES)


def _avi_end(source: _Source) -> int:
    """Return where the last list of pictures ends, unless the index that closes the film is there.

    A chunk that states no size, 0 or -1, was never finished.
    """
    size_bytes = source.size_bytes
    tail = source.at(max(0, size_bytes - _MAX_RIFF_INDEX_BYTES), _MAX_RIFF_INDEX_BYTES)
    if (place := tail.rfind(b"idx1")) >= 0:
        index_bytes = int.from_bytes(tail[place + 4 : place + 8], "little")
        if abs(len(tail) - (place + 8 + index_bytes)) < _MAX_HEADER_BYTES:
            return size_bytes
    end = 0
    for chunk in source.parts(_riff_chunk, most=size_bytes):
        if chunk.end - chunk.start == _RIFF_NO_SIZE:
            return 0
        if chunk.name == b"movi":
            end = chunk.end
        elif chunk.name not in _RIFF_CHUNKS:
            return end if end >= size_bytes else 0
    return end


def _asf_end(source: _Source) -> int:
    """Return the size of the file that its header states; a live stream states none."""
    properties = source.at(0, _MAX_HEADER_BYTES).partition(_ASF_FILE_PROPERTIES)[2]
    if len(properties) < 72 or properties[64] & 1:
        return 0
    return int.from_bytes(properties[24:32], "little")


def _mp4_encryption(source: _Source) -> str | None:
    parts = [_Part(b"", 0, source.size_bytes)]
    for name in _MP4_PATH_TO_CODEC:
        boxes = (box for part in parts for box in source.parts(_box, part.start, part.end))
        parts = [box for box in boxes if box.name == name]
    for part in parts:
        for entry in source.parts(_box, part.start + _STSD_FIELDS_BYTES, part.end):
            if entry.name == b"drmi":
                return "FairPlay"
            if entry.name == b"encv":
                data = source.at(entry.start, min(entry.end - entry.start, _MAX_HEADER_BYTES))
                scheme = data.partition(b"schm")[2][4:8].decode("ascii", "replace")
                return f"Common Encryption{', scheme ' + scheme if scheme else ''}"
    return None


def _matroska_encryption(source: _Source) -> str | None:
    def first(part: _Part) -> list[_Part]:
        return list(islice(source.parts(_element, part.start, part.end), _MAX_PARTS))

    place = _Part(0, 0, source.size_bytes)
    for name in (_SEGMENT, _TRACKS):
        elements = source.parts(_element, place.start, place.end)
        found = next((e for e in elements if e.name in (name, _CLUSTER)), None)
        if found is None or found.name != name:
            return None
        place = found if found.end > found.start else found._replace(end=source.size_bytes)
    for track in first(place):
        inside = first(track) if track.name == _TRACK else []
        if not any(e.name == _TRACK_TYPE and source.at(e.start, 1) == _VIDEO for e in inside):
            continue
        for name in _PATH_TO_ENCRYPTION:
            steps = [element for element in inside if element.name == name]
            within = (e for step in steps for e in source.parts(_element, step.start, step.end))
            inside = list(islice(within, _MAX_PARTS))
        if steps:
            return "Matroska content encryption"
    return None


def _asf_encryption(source: _Source) -> str | None:
    start = source.at(0, _MAX_HEADER_BYTES)
    found = _ASF_ENCRYPTION in start or _ASF_EXTENDED_ENCRYPTION in start
    return "Windows Media DRM" if found else None


def _program_stream_encryption(source: _Source) -> str | None:
    """Return that most packets of pictures have their scrambling bits set, if they do."""
    pieces = source.at(0, _MAX_HEADER_BYTES).split(b"\0\0\1\xe0")[1:]
    packets = [piece for piece in pieces if len(piece) > 2]
    scrambled = sum(piece[2] & 0xF0 in (0x90, 0xA0, 0xB0) for piece in packets)
    return "CSS, as DVDs are" if 2 * scrambled > len(packets) else None


_ENDS: dict[str | None, Callable[[_Source], int]] = {
    "mp4": _mp4_end,
    "matroska": _matroska_end,
    "flv": _flv_end,
    "avi": _avi_end,
    "asf": _asf_end,
}
_ENCRYPTIONS: dict[str | None, Callable[[_Source], str | None]] = {
    "mp4": _mp4_encryption,
    "matroska": _matroska_encryption,
    "asf": _asf_encryption,
    "program_stream": _program_stream_encryption,
}
