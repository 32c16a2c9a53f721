"""The one decoding pass: every frame once, in order, with its exact time."""

import os
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.embeddings import ImageArray, IntArray
from mastershot.core.errors import MediaError
from mastershot.core.movie import Movie
from mastershot.media.pictures import PointSampler, Upright, bgr_as_opencv_reads
from mastershot.media.probe import FilmFile, end_of_packets_s, open_film, probe

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

# PySceneDetect gives up after as many packets in a row that cannot be decoded.
_MAX_BAD_PACKETS_IN_A_ROW = 100
# Timestamps that fall by less are frames out of order; by more, a clock that began anew.
_MAX_REORDERED_FRAMES = 16
# A container may round its end, or end with a sound that outlasts the picture.
_END_TOLERANCE_S = 2.0


class Frame:
    """One decoded frame; a picture of it is made only when asked for.

    Attributes:
        index: Ordinal of the frame in presentation order, from 0.
        pts: Presentation timestamp, in units of the film's time base.
    """

    __slots__ = ("_film", "_picture", "index", "pts")

    def __init__(self, film: "Film", picture: "VideoFrame", index: int, pts: int) -> None:
        self._film = film
        self._picture = picture
        self.index = index
        self.pts = pts

    @property
    def size_bytes(self) -> int:
        """Memory the frame holds on to."""
        return sum(plane.buffer_size for plane in self._picture.planes)

    def points_bgr(self) -> ImageArray:
        """Return the frame at the film's grid of points, BGR; see `PointSampler`."""
        return self._film.sampler.sample(self._picture)

    def exact_bgr(self) -> ImageArray:
        """Return the whole frame with the pixels OpenCV's reader gives, BGR (H, W, 3)."""
        return bgr_as_opencv_reads(self._picture)

    def rgb(self, *, longest_side_px: int | None = None) -> ImageArray:
        """Return the frame as a viewer sees it, RGB (H, W, 3), scaled down if asked."""
        return self._film.upright.rgb(self._picture, longest_side_px=longest_side_px)


class Film:
    """A film file, decoded once from start to end; it remembers when each frame is shown.

    Usage: iterate over `frames`, then ask for `movie`.
    """

    def __init__(self, file: FilmFile, *, points_px: int = 128, threads: int = 0) -> None:
        """Prepare to decode; ``threads`` 0 takes two more than cores, so that none waits for us."""
        self.file = file
        self.upright = Upright(file.sample_aspect_ratio)
        self.sampler = PointSampler(**_points(file.width_px, file.height_px, points_px))
        self._threads = threads or min(16, 2 + (os.cpu_count() or 1))
        self._pts = array("q")
        self._last_duration = 0
        self._shift = 0
        self._rotation_deg = 0

    def frames(self) -> Iterator[Frame]:
        """Yield every frame in presentation order, holding none back.

        Packets that cannot be decoded are passed over, as players do.

        Raises:
            MediaError: No frame can be decoded, or the film ends long before it says it does.
        """
        del self._pts[:]
        self._shift = 0
        with open_film(self.file.path) as (_, stream):
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = self._threads
            for picture in _pictures(self.file.path, stream):
                pts = self._timestamp(picture)
                self._pts.append(pts)
                self._last_duration = picture.duration or 0
                self._rotation_deg = picture.rotation
                yield Frame(self, picture, len(self._pts) - 1, pts)
        self._require_whole()

    @property
    def pts(self) -> IntArray:
        """Timestamp of every frame, and last the time at which the film ends, shape (T + 1,)."""
        return np.append(np.array(self._pts, dtype=np.int64), self._pts[-1] + self._step())

    def movie(self) -> Movie:
        """Return what the decoded film turned out to be; call it after `frames` has ended."""
        file = self.file
        turned = round(self._rotation_deg / 90) % 2 == 1
        pixel = file.sample_aspect_ratio
        variable = is_variable_rate(self.pts)
        return Movie(
            id=file.id,
            path=str(file.path),
            content_hash=file.content_hash,
            frame_rate=self._frame_rate(variable),
            time_base=file.time_base,
            start_pts=self._pts[0],
            end_pts=self._pts[-1] + self._step(),
            num_frames=len(self._pts),
            width_px=file.height_px if turned else file.width_px,
            height_px=file.width_px if turned else file.height_px,
            sample_aspect_ratio=1 / pixel if turned else pixel,
            has_audio=file.has_audio,
            variable_frame_rate=variable,
        )

    def _timestamp(self, picture: "VideoFrame") -> int:
        """Return the frame's timestamp; where a broken file gives none or an earlier one, the next.

        A clock that starts anew in the middle, as in joined captures, goes on from where it was.
        """
        if not self._pts:
            return picture.pts if picture.pts is not None else 0
        previous = self._pts[-1]
        if picture.pts is None:
            return previous + self._step()
        pts = picture.pts + self._shift
        if pts < previous - _MAX_REORDERED_FRAMES * self._step():
            self._shift += previous + self._step() - pts  # Joined captures: the clock began anew.
            return previous + self._step()
        return max(pts, previous + 1)

    def _step(self) -> int:
        """Return how long the latest frame is shown, in timestamp units."""
        if self._last_duration > 0:
            return self._last_duration
        if len(self._pts) > 1:
            return self._pts[-1] - self._pts[-2]
        rate = self.file.nominal_rate or Fraction(25)
        return max(1, round(1 / (rate * self.file.time_base)))

    def _frame_rate(self, variable: bool) -> Fraction:
        nominal = self.file.nominal_rate
        span = int(self.pts[-1] - self.pts[0])
        mean = Fraction(len(self._pts)) / (span * self.file.time_base)
        if nominal and not variable and abs(nominal / mean - 1) < Fraction(1, 100):
            return nominal
        if nominal and len(self._pts) == 1:
            return nominal
        return mean.limit_denominator(1001)

    def _require_whole(self) -> None:
        path = self.file.path
        if not self._pts:
            raise MediaError(f"{path} holds a video stream but no frame that can be decoded")
        stated_s = self.file.stated_end_s
        end_s = float((self._pts[-1] + self._step()) * self.file.time_base)
        slack_s = max(_END_TOLERANCE_S, 0.01 * (stated_s or 0))
        if stated_s is None or end_s >= stated_s - slack_s:
            return
        # The picture ends early; the film is whole if its sound goes on to the stated end.
        end_s = max(end_s, end_of_packets_s(path))
        if end_s < stated_s - slack_s:
            raise MediaError(
                f"{path} is truncated: it states {stated_s:.1f} s but ends at {end_s:.1f} s; "
                "copy or download it again"
            )


def open_video(path: str | Path, *, threads: int = 0) -> Film:
    """Return the film at a path, ready to be decoded.

    Raises:
        MediaError: It is not a film that can be read; see `probe`.
    """
    return Film(probe(path), threads=threads)


def is_variable_rate(pts: IntArray) -> bool:
    """Return True if frames are not evenly spaced, beyond rounding to the time base."""
    steps = np.diff(pts)[:-1]
    if len(steps) < 2:
        return False
    return bool(steps.max() - steps.min() > max(2, 0.02 * float(np.median(steps))))


def _points(width_px: int, height_px: int, points_px: int) -> dict[str, int]:
    shrink = max(1.0, max(width_px, height_px) / points_px)
    return {
        "width_px": max(1, round(width_px / shrink)),
        "height_px": max(1, round(height_px / shrink)),
    }


def _pictures(path: Path, stream: "VideoStream") -> "Iterator[VideoFrame]":
    """Yield decoded pictures, passing over packets that cannot be decoded."""
    from av.error import EOFError as EndOfFile
    from av.error import FFmpegError

    bad_in_a_row = 0
    packets = stream.container.demux(stream)  # type: ignore[attr-defined]
    while True:
        try:
            packet = next(packets)
            pictures = packet.decode()
        except (StopIteration, EndOfFile):
            return
        except FFmpegError as error:
            bad_in_a_row += 1
            if bad_in_a_row > _MAX_BAD_PACKETS_IN_A_ROW:
                raise MediaError(f"{path} is damaged: {error.strerror}") from error
            continue
        bad_in_a_row = 0
        yield from pictures
