"""A film cut into pieces, exact to the frame, with their sound.

A piece is copied where nothing need be compressed anew: its first frame is a keyframe, and its
packets stand together in the file, none of another piece's frames among them. Else its pictures are
decoded, in the one pass that counts the film's frames, and compressed as H.264.
"""

import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import av
from av import Packet
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import OutputError
from mastershot.core.time import Span
from mastershot.media.opening import open_container, read_packets
from mastershot.media.packets.encoding import encode_pieces
from mastershot.media.probe import FilmFile, describe


@dataclass(frozen=True)
class Piece:
    """A run of frames and the file it goes to."""

    span: Span
    path: Path


@dataclass(frozen=True)
class CutPiece:
    """A piece that was written.

    Attributes:
        piece: The piece.
        is_copy: True if its pictures were copied, False if they were compressed anew.
    """

    piece: Piece
    is_copy: bool


def suffix_of_pieces(film: Path) -> str:
    """Return the ending of a film's pieces: its own kind if that is MP4 or QuickTime, else MKV."""
    suffix = film.suffix.lower()
    return suffix if suffix in {".mp4", ".mov"} else ".mp4" if suffix == ".m4v" else ".mkv"


def cut_pieces(film: Path, pieces: Sequence[Piece], pts: IntArray) -> tuple[CutPiece, ...]:
    """Write pieces of a film, each with just its frames, and return how each was made.

    Sound is copied packet by packet: those that start within the piece. At either end, less than
    a packet (of AAC, 21 ms at 48 kHz) may be missing.

    Args:
        film: The film's file.
        pieces: What to write; they may overlap.
        pts: When each frame is shown, shape (T + 1,), as the film's table of frames has it.

    Raises:
        MediaError: The film cannot be read, or is not the one that the times are of.
        OutputError: A piece cannot be written.
    """
    file = describe(film)
    with open_container(film) as container:
        index = _Index.of(container, file.stream_index)
    runs = [index.run_of(piece.span, pts) for piece in pieces]
    outputs = [_Output(piece, run) for piece, run in zip(pieces, runs, strict=True)]
    try:
        encoded = [one for one in outputs if one.run is None]
        encode_pieces(file, [(one.piece.span, one.pictures) for one in encoded], pts)
        _distribute(file, outputs)
    except (OSError, av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"a piece of {film} cannot be written: {reason}") from error
    finally:
        for one in outputs:
            one.clean()
    return tuple(CutPiece(one.piece, one.run is not None) for one in outputs)


@dataclass(frozen=True)
class _Run:
    """Packets that stand together: the place of the first in the file, and one past the last."""

    first: int
    end: int


@dataclass(frozen=True)
class _Index:
    """When the packets of the pictures are shown, in the order of the file, and the keyframes."""

    pts: list[int | None]
    keys: dict[int, int]

    @staticmethod
    def of(container: InputContainer, stream_index: int) -> "_Index":
        pts: list[int | None] = []
        keys = {}
        for packet in read_packets(container, stream_index):
            if not packet.size:
                continue
            if packet.is_keyframe and packet.pts is not None and not packet.is_corrupt:
                keys[packet.pts] = len(pts)
            pts.append(None if packet.is_corrupt else packet.pts)
        return _Index(pts, keys)

    def run_of(self, span: Span, pts: IntArray) -> _Run | None:
        """Return the packets of just a span's frames, from a keyframe on; None if there are none.

        None of an earlier frame may stand among them, as after an open group of pictures.
        """
        wanted = pts[span.first_frame : span.end_frame].tolist()
        place = self.keys.get(wanted[0])
        if place is None:
            return None
        run = self.pts[place : place + len(wanted)]
        if None in run or sorted(cast("list[int]", run)) != wanted:
            return None
        return _Run(place, place + len(wanted))


class _Output:
    """A piece that is being written, open from its first packet to its last.

    Attributes:
        piece: The piece.
        run: The packets of its pictures in the film; None where they are encoded.
        pictures: Where the encoded pictures wait for their sound.
        start: When it starts, in seconds on the film's own clock.
        end: When it ends.
    """

    def __init__(self, piece: Piece, run: _Run | None) -> None:
        self.piece, self.run = piece, run
        self.start, self.end = piece.span.start, piece.span.end
        name = f".{piece.path.stem}.{os.getpid()}"
        self.pictures = piece.path.with_name(f"{name}.pictures{piece.path.suffix}")
        self._partial = piece.path.with_name(f"{name}.part{piece.path.suffix}")
        self._copy: OutputContainer | None = None
        self._encoded: InputContainer | None = None
        self._waiting: deque[Packet[Any]] = deque()
        self._streams: dict[int, Stream] = {}

    def open(self, video: Stream, audio: Sequence[Stream]) -> None:
        """Open the file, unless it is open, with the film's streams of sound."""
        if self._copy is not None:
            return
        self._copy = av.open(str(self._partial), "w")
        source = video
        if self.run is None:
            self._encoded = av.open(f"file:{self.pictures}")
            source = self._encoded.streams.video[0]
            self._waiting.extend(p for p in self._encoded.demux(source) if p.size)
        self._streams[video.index] = self._copy.add_stream_from_template(source)
        for stream in audio:
            self._streams[stream.index] = self._copy.add_stream_from_template(stream)
        self._video = self._streams[video.index]

    def take(self, packet: "Packet[Any]") -> None:
        """Write a packet of the film; those of encoded pictures that come before it go first."""
        assert packet.time_base is not None
        shift = round(self.start / packet.time_base)
        pts = None if packet.pts is None else packet.pts - shift
        dts = None if packet.dts is None else packet.dts - shift
        if dts is not None:
            self._write_encoded(float(dts * packet.time_base))
        self._write(packet, self._streams[packet.stream_index], pts, dts)

    def close(self) -> None:
        """Write what waits, and give the file its name."""
        if self._copy is not None:
            self._write_encoded(float("inf"))
            self._copy.close()
            self._partial.replace(self.piece.path)
        self.clean()

    def clean(self) -> None:
        """Close and remove what is left of an attempt."""
        for container in (self._copy, self._encoded):
            if container is not None:
                with suppress(av.FFmpegError, OSError, ValueError):
                    container.close()
        self._copy = self._encoded = None
        for path in (self._partial, self.pictures):
            with suppress(OSError):
                path.unlink()

    def _write_encoded(self, until_s: float) -> None:
        while self._waiting:
            packet = self._waiting[0]
            time = packet.dts if packet.dts is not None else packet.pts
            if time is not None and packet.time_base and time * packet.time_base > until_s:
                return
            self._waiting.popleft()
            self._write(packet, self._video, packet.pts, packet.dts)

    def _write(
        self, packet: "Packet[Any]", stream: Stream, pts: int | None, dts: int | None
    ) -> None:
        """Write a packet as another: the film's own may go to several pieces."""
        assert self._copy is not None
        copy = Packet(bytes(packet))
        copy.pts, copy.dts, copy.duration = pts, dts, packet.duration
        copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
        copy.stream = stream
        self._copy.mux(copy)


def _distribute(file: FilmFile, outputs: Sequence[_Output]) -> None:
    """Read the film's packets once, and give each to the pieces that it belongs to."""
    with open_container(file.path) as container:
        video = container.streams[file.stream_index]
        audio = [one for one in container.streams.audio if one.codec_context is not None]
        routes = _Routes(outputs, [one.index for one in audio])
        place = 0
        for packet in read_packets(container, video.index, *(one.index for one in audio)):
            if not packet.size:
                continue
            if packet.stream_index == video.index:
                found = routes.of_picture(place)
                place += 1
            else:
                found = routes.of_sound(packet)
            for output in found:
                output.open(video, audio)
                output.take(packet)
            for output in routes.finished():
                output.open(video, audio)
                output.close()
        for output in routes.left():
            output.open(video, audio)
            output.close()


class _Routes:
    """Which pieces are being passed, as the packets of the film go by."""

    def __init__(self, outputs: Sequence[_Output], audio: Sequence[int]) -> None:
        by_start = sorted(outputs, key=lambda one: one.start)
        copied = [one for one in outputs if one.run is not None]
        self._coming = deque(sorted(copied, key=lambda one: one.run.first if one.run else 0))
        self._copied: list[_Output] = []
        self._ahead = {index: deque(by_start) for index in audio}
        self._heard: dict[int, list[_Output]] = {index: [] for index in audio}
        # What each piece still waits for: its pictures, and the end of each track of sound.
        self._due = {id(one): len(audio) + (one.run is not None) for one in outputs}
        self._unfinished = {id(one): one for one in outputs}
        self._done: list[_Output] = [one for one in outputs if not self._due[id(one)]]

    def of_picture(self, place: int) -> list[_Output]:
        """Return the pieces that copy the picture at a place."""
        while self._coming and (run := self._coming[0].run) and run.first <= place:
            self._copied.append(self._coming.popleft())
        found = self._copied
        self._copied = [one for one in found if one.run and one.run.end > place + 1]
        for one in found:
            if one.run and one.run.end == place + 1:
                self._count_down(one)
        return found

    def of_sound(self, packet: "Packet[Any]") -> list[_Output]:
        """Return the pieces that a packet of sound starts within."""
        if packet.pts is None or packet.time_base is None:
            return []
        index, time = packet.stream_index, packet.pts * packet.time_base
        ahead, heard = self._ahead[index], self._heard[index]
        while ahead and ahead[0].start <= time:
            heard.append(ahead.popleft())
        for one in heard:
            if one.end <= time:
                self._count_down(one)
        self._heard[index] = [one for one in heard if one.end > time]
        return self._heard[index]

    def finished(self) -> list[_Output]:
        """Return, once, the pieces that wait for nothing more."""
        done, self._done = self._done, []
        for one in done:
            del self._unfinished[id(one)]
        return done

    def left(self) -> list[_Output]:
        """Return the pieces that the film's end finishes."""
        return [*self.finished(), *self._unfinished.values()]

    def _count_down(self, one: _Output) -> None:
        self._due[id(one)] -= 1
        if not self._due[id(one)]:
            self._done.append(one)
