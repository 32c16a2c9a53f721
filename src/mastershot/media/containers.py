"""What a container's own structure says: that bytes are missing at its end, that it is encrypted.

Only headers are read, a few bytes each; whatever a file claims, nothing large is. Sources: ISO/IEC
14496-12 (MP4) and 23001-7 (Common Encryption), RFC 8794 and 9559 (EBML, Matroska), Adobe's Video
File Format 10.1 (FLV), Microsoft's AVI RIFF reference and ASF specification 01.20, ISO/IEC 13818-1.
"""

import struct
from collections.abc import Callable, Iterator
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

_MAX_HEADER_BYTES = 1 << 20
_MAX_PARTS = 1 << 10  # Of Matroska's tracks, and of one track.
_MAX_CHAIN = 1 << 20  # Of boxes or elements in a row; a day of video in a cluster has as many.
_MAX_CLAIM = 1000  # Times the size of the file.
_MP4_PATH_TO_CODEC = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_STSD_FIELDS_BYTES = 8
# Old QuickTime files have no ftyp; they start with the index, the pictures, or room for either.
_MP4_FIRST_BOXES = (b"ftyp", b"moov", b"styp", b"mdat")
_MP4_PADDING = (b"wide", b"free", b"skip")
_SEGMENT, _CLUSTER, _TRACKS = 0x18538067, 0x1F43B675, 0x1654AE6B
# What a segment holds, and what a cluster of unknown size, whose end is not known, does.
_IN_SEGMENT = frozenset({
    _CLUSTER, _TRACKS, 0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1043A770, 0x1941A469, 0x1254C367,
    0xEC, 0xBF, 0xE7, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, 0x5854,
})  # fmt: skip
_TRACK, _TRACK_TYPE, _VIDEO_TRACK = 0xAE, 0x83, 1
_PATH_TO_ENCRYPTION = (0x6D80, 0x6240, 0x5035)  # ContentEncodings, -Encoding, -Encryption.
_MAX_RIFF_INDEX_BYTES = 32 << 20
_RIFF_NO_SIZE = 0xFFFFFFFF
_RIFF_CHUNKS = (b"LIST", b"JUNK", b"idx1")
_FLV_TAGS = (8, 9, 18)  # Sound, picture, data.
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_ENCRYPTION = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
_ASF_EXTENDED_ENCRYPTION = bytes.fromhex("14e68a2922264c17b935dae07ee9289c")
_TS_PACKET_BYTES = (188, 192, 204)  # Plain, with a time code, with error correction.
_TS_SYNC = 0x47


Name = TypeVar("Name", bytes, int)


class _Part(NamedTuple, Generic[Name]):
    """A box, element or chunk: its name, and where what is in it starts and ends."""

    name: Name
    start: int
    end: int


def missing_bytes(path: Path) -> int:
    """Return how many bytes the container's structure says should follow the end of the file.

    0 where nothing is missing, where this kind of file says nothing of its end, and where the end
    it claims is so far away that the claim is damaged.

    Raises:
        OSError: The file cannot be read.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        for is_kind, end_of in _ENDS:
            if is_kind(head):
                end = end_of(file, size_bytes)
                return max(0, end - size_bytes) if end < _MAX_CLAIM * size_bytes else 0
    return 0


def encryption_in(path: Path) -> str | None:
    """Return what a film's pictures are encrypted with, in words; None where they are not.

    Of a transport stream a part may be scrambled; see `is_scrambled_broadcast`.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
            if _is_mp4(head):
                return _mp4_encryption(file, path.stat().st_size)
            if _is_matroska(head):
                return _matroska_encryption(file, path.stat().st_size)
            file.seek(0)
            start = file.read(_MAX_HEADER_BYTES)
    except (OSError, ValueError):
        return None
    if _is_asf(head):
        found = _ASF_ENCRYPTION in start or _ASF_EXTENDED_ENCRYPTION in start
        return "Windows Media DRM" if found else None
    if start.startswith(b"\0\0\1\xba"):
        return "CSS, as DVDs are" if _is_scrambled_program_stream(start) else None
    return None


def is_scrambled_broadcast(path: Path) -> bool:
    """Return True if a quarter of a transport stream's packets have their scrambling bits set.

    Its tables are never scrambled, and of a low rate they are half of it.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_MAX_HEADER_BYTES)
    except OSError:
        return False
    for packet_bytes in _TS_PACKET_BYTES:
        for first in range(packet_bytes):
            signs = start[first::packet_bytes]
            if len(signs) > 4 and signs.count(_TS_SYNC) == len(signs):
                bits = start[first + 3 :: packet_bytes]
                return 4 * sum(byte >> 6 != 0 for byte in bits) > len(bits)
    return False


def is_mp4_without_index(path: Path) -> bool:
    """Return True for an MP4 file whose index, its moov box, is not there or not whole."""
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            if not _is_mp4(file.read(12)):
                return False
            boxes = _boxes(file, 0, size_bytes)
            has_index = any(box.name == b"moov" and box.end <= size_bytes for box in boxes)
    except OSError:
        return False
    return not has_index


def _is_mp4(head: bytes) -> bool:
    """Return True for the first bytes of an MP4 or QuickTime file."""
    kind = head[4:8]
    return kind in _MP4_FIRST_BOXES or (head.startswith(b"\0") and kind in _MP4_PADDING)


def is_fragmented_mp4(path: Path) -> bool:
    """Return True for an MP4 file of fragments, whose header does not know how long it is."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        if not _is_mp4(file.read(12)):
            return False
        return any(box.name == b"moof" for box in _boxes(file, 0, size_bytes))


def _boxes(file: BufferedReader, start: int, end: int) -> Iterator[_Part[bytes]]:
    """Yield the boxes between two places; the last may claim to reach beyond."""
    for _ in range(_MAX_CHAIN):
        if start + 8 > end:
            return
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        size, name = struct.unpack(">I4s", header[:8])
        header_bytes = 8
        if size == 1 and len(header) == 16:
            size, header_bytes = struct.unpack(">Q", header[8:])[0], 16
        if size == 0:
            size = end - start
        if size < header_bytes:
            return
        yield _Part(name, start + header_bytes, start + size)
        start += size


def _mp4_end(file: BufferedReader, size_bytes: int) -> int:
    """Return where the last box ends; 0 where damage breaks their chain."""
    end = 0
    for box in _boxes(file, 0, size_bytes):
        if not all(32 <= letter < 127 or letter == 0xA9 for letter in box.name):
            return 0
        end = box.end
    return end


def _mp4_encryption(file: BufferedReader, size_bytes: int) -> str | None:
    parts = [_Part(b"", 0, size_bytes)]
    for name in _MP4_PATH_TO_CODEC:
        parts = [
            box for part in parts for box in _boxes(file, part.start, min(part.end, size_bytes))
            if box.name == name
        ]  # fmt: skip
    for part in parts:
        for entry in _boxes(file, part.start + _STSD_FIELDS_BYTES, min(part.end, size_bytes)):
            if entry.name == b"drmi":
                return "FairPlay"
            if entry.name == b"encv":
                file.seek(entry.start)
                data = file.read(min(entry.end - entry.start, _MAX_HEADER_BYTES))
                scheme = data.partition(b"schm")[2][4:8].decode("ascii", "replace")
                return f"Common Encryption{', scheme ' + scheme if scheme else ''}"
    return None


def _is_matroska(head: bytes) -> bool:
    return head.startswith(b"\x1a\x45\xdf\xa3")


def _elements(file: BufferedReader, start: int, end: int) -> Iterator[_Part[int]]:
    """Yield EBML elements; one of unknown size has its end where it starts, and is entered."""
    for _ in range(_MAX_CHAIN):
        if start >= end:
            return
        file.seek(start)
        header = file.read(12)
        if not header or not header[0]:
            return
        id_bytes = 9 - header[0].bit_length()
        if id_bytes > 4 or len(header) <= id_bytes or not header[id_bytes]:
            return
        size_length = 9 - header[id_bytes].bit_length()
        name = int.from_bytes(header[:id_bytes])
        coded = header[id_bytes : id_bytes + size_length]
        size = int.from_bytes(coded) & ((1 << 7 * size_length) - 1)
        start += id_bytes + size_length
        if size == (1 << 7 * size_length) - 1:
            yield _Part(name, start, start)
            continue
        yield _Part(name, start, start + size)
        start += size


def _matroska_end(file: BufferedReader, size_bytes: int) -> int:
    """Return where the last element ends; 0 where damage breaks their chain."""
    end = 0
    inside = next((e.start for e in _elements(file, 0, size_bytes) if e.name == _SEGMENT), 0)
    for element in _elements(file, inside, size_bytes):
        if element.name not in _IN_SEGMENT:
            return 0
        end = element.end
    return end


def _matroska_encryption(file: BufferedReader, size_bytes: int) -> str | None:
    place = _Part(0, 0, size_bytes)
    for name in (_SEGMENT, _TRACKS):
        for element in _elements(file, place.start, min(place.end, size_bytes)):
            if element.name == name:
                unsized = element.end == element.start
                place = element._replace(end=size_bytes) if unsized else element
                break
            if element.name == _CLUSTER:
                return None
        else:
            return None
    for track in islice(_elements(file, place.start, min(place.end, size_bytes)), _MAX_PARTS):
        if track.name != _TRACK:
            continue
        inside = list(islice(_elements(file, track.start, min(track.end, size_bytes)), _MAX_PARTS))
        if not any(_is_video_track(file, element) for element in inside):
            continue
        for name in _PATH_TO_ENCRYPTION:
            found = [element for element in inside if element.name == name]
            within = (e for f in found for e in _elements(file, f.start, min(f.end, size_bytes)))
            inside = list(islice(within, _MAX_PARTS))
        if found:
            return "Matroska content encryption"
    return None


def _is_video_track(file: BufferedReader, element: _Part[int]) -> bool:
    if element.name != _TRACK_TYPE:
        return False
    file.seek(element.start)
    return file.read(1) == bytes([_VIDEO_TRACK])


def _flv_end(file: BufferedReader, size_bytes: int) -> int:
    """Return where the last tag ends; the size that stands behind it shows that it is whole."""
    file.seek(max(0, size_bytes - 4))
    tag_bytes = int.from_bytes(file.read(4))
    if 11 <= tag_bytes <= size_bytes - 13:
        file.seek(size_bytes - 4 - tag_bytes)
        tag = file.read(4)
        if tag[0] & 31 in _FLV_TAGS and int.from_bytes(tag[1:4]) == tag_bytes - 11:
            return size_bytes
    start = 13
    while start + 4 <= size_bytes:
        file.seek(start)
        tag = file.read(4)
        if tag[0] & 31 not in _FLV_TAGS:
            return 0  # Damaged here, so that nothing is known of the end.
        start += 11 + int.from_bytes(tag[1:4]) + 4
    return start - 4


def _riff_end(file: BufferedReader, size_bytes: int) -> int:
    """Return where the last list of pictures ends, unless the index that closes the film is there.

    A chunk that states no size, 0 or -1, was never finished.
    """
    file.seek(max(0, size_bytes - _MAX_RIFF_INDEX_BYTES))
    tail = file.read()
    if (place := tail.rfind(b"idx1")) >= 0:
        index_bytes = int.from_bytes(tail[place + 4 : place + 8], "little")
        if abs(len(tail) - (place + 8 + index_bytes)) < _MAX_HEADER_BYTES:
            return size_bytes
    start = end = 0
    while start + 12 <= size_bytes:
        file.seek(start)
        name, chunk_bytes, kind = struct.unpack("<4sI4s", file.read(12))
        if name == b"RIFF" and chunk_bytes:
            start += 12  # What is in it follows.
            continue
        if chunk_bytes == _RIFF_NO_SIZE:
            return 0
        if name == b"LIST" and kind == b"movi":
            end = start + 8 + chunk_bytes
        elif name not in _RIFF_CHUNKS:
            return end if end >= size_bytes else 0
        start += 8 + chunk_bytes + chunk_bytes % 2
    return end


def _is_asf(head: bytes) -> bool:
    return head.startswith(bytes.fromhex("3026b2758e66cf11"))


def _asf_end(file: BufferedReader, size_bytes: int) -> int:
    """Return the size of the file that its header states; a live stream states none."""
    file.seek(0)
    properties = file.read(_MAX_HEADER_BYTES).partition(_ASF_FILE_PROPERTIES)[2]
    if len(properties) < 72:
        return 0
    stated_bytes, flags = int.from_bytes(properties[24:32], "little"), properties[64]
    return 0 if flags & 1 else stated_bytes


def _is_scrambled_program_stream(start: bytes) -> bool:
    """Return True if most packets of pictures have their scrambling bits set."""
    packets = [piece for piece in start.split(b"\0\0\1\xe0")[1:] if len(piece) > 2]
    scrambled = sum(piece[2] & 0xF0 in (0x90, 0xA0, 0xB0) for piece in packets)
    return 2 * scrambled > len(packets)


_ENDS: tuple[tuple[Callable[[bytes], bool], Callable[[BufferedReader, int], int]], ...] = (
    (_is_mp4, _mp4_end),
    (_is_matroska, _matroska_end),
    (lambda head: head.startswith(b"FLV"), _flv_end),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"AVI ", _riff_end),
    (_is_asf, _asf_end),
)
