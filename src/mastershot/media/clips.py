"""Clips of films by random access: the frames of a shot, without decoding what is before it.

A clip's frames are those that one decoding pass gives (`mastershot.media.video`), to the bit. The
reader seeks to a keyframe before the span and decodes on from there, if nothing can make the times
or the frames of the pass differ from those in the file:

- The clock cannot restart or stand still: an MP4 file has one index of times. Of other files, and
  of fragmented MP4, all packets are read once, without decoding: each needs a time of its own, in
  rising order of decoding.
- The keyframe is a whole picture, which it is not in a stream with intra refresh.
- From the keyframe on, each packet of the span has a time of its own, and the decoder gives just
  the frames that the packets announce, in order, with no error.

Otherwise the film is decoded from its start, by the pass itself: slow, but never wrong.
"""
# T frames of a clip, S side of a square in pixels

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from av import FFmpegError, Packet, VideoFrame
from av.video.frame import PictureType
from av.video.stream import VideoStream

from mastershot.core.embeddings import ImageArray, IntArray
from mastershot.core.errors import MediaError
from mastershot.media.containers import is_fragmented_mp4
from mastershot.media.opening import is_flush, open_container, stream_at
from mastershot.media.pictures import Upright
from mastershot.media.probe import describe
from mastershot.media.sampling import clip_frames
from mastershot.media.video import Film

# Tables may round times to milliseconds.
_ROUNDING_S = 0.0006
# A span may end later than its last frame by as much.
_END_TOLERANCE_S = 1.0
# The last frame of a film may come so many times later than others before its time is doubtful.
_MAX_LAST_STEP = 8
_NEVER = -(1 << 63)


@dataclass(frozen=True)
class Clip:
    """A span of a film.

    Attributes:
        path: The film.
        start_s: When its first frame is shown, on the film's own clock; None where the film starts.
        end_s: When its last frame stops being shown; None where the film ends.
    """

    path: Path
    start_s: float | None = None
    end_s: float | None = None

    def __str__(self) -> str:
        if self.start_s is None and self.end_s is None:
            return str(self.path)
        end = "its end" if self.end_s is None else f"{self.end_s:.3f} s"
        return f"{self.path} from {self.start_s or 0:.3f} s to {end}"


class ClipReader:
    """Reads clips, with the latest films kept open; each worker of a loader has its own.

    Attributes:
        num_clips: How many clips it has read.
        num_from_start: Of how many of these the film had to be decoded from its start.
    """

    def __init__(self, *, max_open: int = 8) -> None:
        self._max_open = max_open
        self._films: OrderedDict[Path, _OpenFilm] = OrderedDict()
        self.num_clips = 0
        self.num_from_start = 0

    def read(self, clip: Clip, *, num_frames: int, size_px: int) -> ImageArray:
        """Return evenly spaced frames of a clip as squares, RGB uint8 (T, S, S, 3).

        The frames are those of `clip_frames`; a clip of fewer repeats some.

        Raises:
            MediaError: The film cannot be read, changed meanwhile, or ends before the clip does.
        """
        film = self._film(clip.path)
        span = film.span_of(clip)
        self.num_clips += 1
        try:
            return film.seek_clip(span, num_frames, size_px)
        except (_DoubtError, FFmpegError):
            self.num_from_start += 1
            return film.decode_clip(clip, span, num_frames, size_px)

    def close(self) -> None:
        """Close all films."""
        while self._films:
            self._films.popitem()[1].close()

    def _film(self, path: Path) -> "_OpenFilm":
        film = self._films.pop(path, None)
        if film is None:
            film = _OpenFilm(path)
        else:
            film.file.require_unchanged()
        self._films[path] = film
        while len(self._films) > self._max_open:
            self._films.popitem(last=False)[1].close()
        return film


class _DoubtError(Exception):
    """The frames of a span cannot be determined without decoding all before it."""


@dataclass(frozen=True)
class _Span:
    """A half-open span in units of a film's time base; None is open."""

    start: int | None
    end: int | None

    def __contains__(self, pts: int) -> bool:
        return (self.start is None or self.start <= pts) and not self.is_before(pts)

    def is_before(self, pts: int) -> bool:
        return self.end is not None and self.end <= pts


class _OpenFilm:
    """A film that is kept open."""

    def __init__(self, path: Path) -> None:
        self.file = describe(path)
        self._upright = Upright(self.file.sample_aspect_ratio)
        self._opened = ExitStack()
        self._open()
        self._second = math.ceil(1 / self.file.time_base)

    def close(self) -> None:
        self._opened.close()

    def span_of(self, clip: Clip) -> _Span:
        start, end = (
            None if time is None else math.ceil((time - _ROUNDING_S) / self.file.time_base)
            for time in (clip.start_s, clip.end_s)
        )
        return _Span(start, end)

    def seek_clip(self, span: _Span, num_frames: int, size_px: int) -> ImageArray:
        """Return the frames of a span, decoded from the keyframe before it."""
        if not self._is_sound:
            raise _DoubtError
        times = self._times_in(span)
        wanted = [times[i] for i in clip_frames(0, len(times), num_frames)]
        squares: dict[int, ImageArray] = {}
        due = iter(times)
        for pts, picture in self._pictures_from(span):
            if pts < times[0]:
                continue
            if pts != next(due):
                break
            if pts in wanted:
                squares[pts] = self._upright.square(picture, size_px)
            if pts == times[-1]:  # Were one missing, the others would be chosen otherwise.
                return np.stack([squares[pts] for pts in wanted])
        raise _DoubtError

    def decode_clip(self, clip: Clip, span: _Span, num_frames: int, size_px: int) -> ImageArray:
        """Return the frames of a span, decoded from the start of the film."""
        pts, end_pts = self._pass[:-1], int(self._pass[-1])
        span = self._exact(clip, span)
        inside = [index for index, time in enumerate(pts.tolist()) if time in span]
        late = span.end is not None and span.end > end_pts + _END_TOLERANCE_S * self._second
        if not inside or late:
            raise MediaError(
                f"{clip} is no span of the film, whose frames are shown from "
                f"{float(pts[0] * self.file.time_base):.3f} s to "
                f"{float(end_pts * self.file.time_base):.3f} s"
            )
        wanted = clip_frames(inside[0], inside[-1] + 1, num_frames)
        squares: dict[int, ImageArray] = {}
        for frame in Film(self.file, threads=1).frames():
            if frame.index in wanted:
                squares[frame.index] = frame.square(size_px)
            if frame.index == wanted[-1]:
                break
        return np.stack([squares[index] for index in wanted])

    def _exact(self, clip: Clip, span: _Span) -> _Span:
        """Return the span without allowance for rounding, where it meets a frame's own time.

        Of damaged films, frames may be shown closer than that to each other.
        """
        known = set(self._pass.tolist())
        times = [(clip.start_s, span.start), (clip.end_s, span.end)]
        met = [None if time is None else round(time / self.file.time_base) for time, _ in times]
        return _Span(*(one if one in known else b for one, (_, b) in zip(met, times, strict=True)))

    @cached_property
    def _pass(self) -> IntArray:
        """When each frame is shown, by the decoding pass, and last the film's end, (T + 1,)."""
        film = Film(self.file, threads=1)
        for _ in film.frames():
            pass
        return film.pts

    @cached_property
    def _is_sound(self) -> bool:
        """True if nothing in the file can make the clock of the pass differ from the file's."""
        is_mp4 = "mov" in self._container.format.name.split(",")
        if is_mp4 and not is_fragmented_mp4(self.file.path):
            return True
        times, last_dts = list[int](), _NEVER
        try:
            for packet in self._packets_from(_Span(None, None)):
                pts, last_dts = _checked(packet, last_dts)
                times.append(pts)
        except (_DoubtError, FFmpegError):
            return False
        return len(set(times)) == len(times)

    def _open(self) -> None:
        self._opened.close()
        self._container = self._opened.enter_context(open_container(self.file.path))
        self._stream = stream_at(self.file.path, self._container, self.file.stream_index)
        context = self._stream.codec_context
        context.thread_count = 1

    def _times_in(self, span: _Span) -> list[int]:
        """Return when the frames of a span are shown, by their packets, in order."""
        times: list[int] = []
        last_dts, end = _NEVER, 0
        for packet in self._packets_from(span):
            pts, last_dts = _checked(packet, last_dts)
            if not packet.is_discard and pts in span:
                times.append(pts)
                end = max(end, pts + (packet.duration or 0))
            if span.is_before(last_dts):
                break
        else:
            if span.end is not None and span.end > end + _END_TOLERANCE_S * self._second:
                raise _DoubtError
            if _ends_late(sorted(times)):
                raise _DoubtError
        if not times or len(set(times)) < len(times):
            raise _DoubtError
        return sorted(times)

    def _pictures_from(self, span: _Span) -> Iterator[tuple[int, VideoFrame]]:
        """Yield the pictures from a keyframe at or before a span, and when they are shown."""
        packets, last = self._packets_from(span), _NEVER
        keyframe = next(packets, None)
        if keyframe is None or keyframe.pts is None:
            raise _DoubtError
        for packet in chain([keyframe], packets, [None]):
            for picture in self._stream.codec_context.decode(packet):
                pts = picture.pts
                if pts is None or pts <= last or picture.is_corrupt:
                    raise _DoubtError
                # With intra refresh, "keyframes" are not whole pictures.
                if last < keyframe.pts <= pts and picture.pict_type != PictureType.I:
                    raise _DoubtError
                last = pts
                yield pts, picture

    def _packets_from(self, span: _Span) -> Iterator["Packet[VideoStream]"]:
        """Yield the packets from a keyframe at or before a span."""
        first, back = self._stream.start_time, 0
        while span.start is not None and first is not None and span.start - back > first:
            self._container.seek(span.start - back, stream=self._stream)
            packets = self._packets()
            for packet in packets:
                if packet.is_keyframe and packet.pts is not None:
                    if packet.pts <= span.start:
                        yield from chain([packet], packets)
                        return
                    break
            back = max(2 * back, self._second)
        self._open()
        yield from self._packets()

    def _packets(self) -> Iterator["Packet[VideoStream]"]:
        for packet in self._container.demux(self._stream):
            if is_flush(packet):
                return
            if packet.size:
                yield packet


def _ends_late(times: list[int]) -> bool:
    """Return True if the last frame's distance might be taken for damage; see `Clock.finish`."""
    steps = np.diff(times)
    return len(steps) < 2 or bool(steps[-1] > _MAX_LAST_STEP * np.median(steps[-16:-1]))


def _checked(packet: "Packet[VideoStream]", last_dts: int) -> tuple[int, int]:
    """Return when a packet is shown and decoded, if its times can be right.

    Matroska has no times of decoding; where a film begins, FFmpeg cannot know them.
    """
    pts, dts = packet.pts, packet.dts
    if dts is None and last_dts == _NEVER and pts is not None and not packet.is_corrupt:
        return pts, last_dts
    if pts is None or dts is None or packet.is_corrupt or not last_dts < dts <= pts:
        raise _DoubtError
    return pts, dts
