"""The one decoding pass: every frame once, in order, with its exact time."""

import os
from array import array
from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av import VideoFrame

from mastershot.core.embeddings import ImageArray, IntArray
from mastershot.core.errors import MediaError
from mastershot.core.movie import DamagedSpan, Movie
from mastershot.core.time import format_clock
from mastershot.media.clock import Clock, Timed, step_of
from mastershot.media.decoding import Decoding
from mastershot.media.gaps import Gaps
from mastershot.media.opening import end_of_packets_s, size_bytes
from mastershot.media.pictures import PointSampler, Upright, bgr_as_opencv_reads, is_transposed
from mastershot.media.probe import FilmFile, ends_early, no_frame, probe
from mastershot.media.sound import SoundPiece, SoundTrack

READING_REVISION = 2
"""Rises when frames or their times may come out otherwise than before; older timelines are made
anew."""

# Frames whose time is doubtful are held in about this much memory.
_MAX_HELD_BYTES = 96 << 20


class Frame:
    """One decoded frame; a picture of it is made only when asked for.

    Attributes:
        index: Ordinal of the frame in presentation order, from 0.
        pts: Presentation timestamp, in units of the film's time base.
    """

    __slots__ = ("__weakref__", "_film", "_picture", "index", "pts")

    def __init__(self, film: "Film", picture: VideoFrame, index: int, pts: int) -> None:
        self._film = film
        self._picture = picture
        self.index = index
        self.pts = pts

    def moved(self, index: int, pts: int) -> "Frame":
        """Return the frame with another ordinal and time, those it has in a longer film."""
        return Frame(self._film, self._picture, index, pts)

    @property
    def size_bytes(self) -> int:
        """Memory the frame holds on to."""
        return size_bytes(self._picture)

    @property
    def picture(self) -> VideoFrame:
        """The frame as it is stored, neither turned upright nor scaled."""
        return self._picture

    def points_bgr(self) -> ImageArray:
        """Return the frame at the film's grid of points, BGR; see `PointSampler`."""
        return self._film.sampler.sample(self._picture)

    def exact_bgr(self) -> ImageArray:
        """Return the whole frame with the pixels OpenCV's reader gives, BGR (H, W, 3)."""
        return bgr_as_opencv_reads(self._picture)

    def rgb(self, *, longest_side_px: int | None = None) -> ImageArray:
        """Return the frame as a viewer sees it, RGB (H, W, 3), scaled down if asked."""
        return self._film.upright.rgb(self._picture, longest_side_px=longest_side_px)

    def square(self, size_px: int) -> ImageArray:
        """Return the whole frame squeezed into a square, RGB (S, S, 3); see `Upright.square`."""
        return self._film.upright.square(self._picture, size_px)


class Film:
    """A film file, decoded once from start to end; it remembers when each frame is shown.

    Usage: iterate over `frames`, then ask for `movie`, `damaged` and `notes`.
    """

    def __init__(self, file: FilmFile, *, points_px: int = 128, threads: int = 0) -> None:
        """Prepare to decode; ``threads`` 0 takes four a core, since they wait for each other."""
        self.file = file
        self.upright = Upright(file.sample_aspect_ratio)
        shrink = max(1.0, max(file.width_px, file.height_px) / points_px)
        self.sampler = PointSampler(
            width_px=max(1, round(file.width_px / shrink)),
            height_px=max(1, round(file.height_px / shrink)),
        )
        self._threads = threads or min(16, 4 * (os.cpu_count() or 1))
        self._start()

    def _start(self, hear: Callable[[SoundPiece], None] | None = None) -> None:
        file = self.file
        self._sound = SoundTrack(hear) if hear is not None and file.has_audio else None
        self._decoding = Decoding(file, self._threads, self._sound)
        self._clock: Clock[VideoFrame] = Clock(step_of(file.nominal_rate, file.time_base))
        self._gaps = Gaps(file.time_base)
        self._pts = array("q")
        self._replaced: set[int] = set()
        self._last_duration = 0
        self._end_pts = 0
        self._is_transposed = False

    def frames(self, hear: Callable[[SoundPiece], None] | None = None) -> Iterator[Frame]:
        """Yield every frame in presentation order; `Clock` says when one is held back.

        Packets that cannot be decoded are passed over, as players do.

        Args:
            hear: Called with the film's sound, piece by piece, while it is decoded; None leaves
                it unread.

        Raises:
            MediaError: No frame can be decoded, or the file changed meanwhile.
        """
        self._start(hear)
        for picture, time in self._decoding.pictures():
            fitting = _MAX_HELD_BYTES // size_bytes(picture)
            settled = self._clock.take(picture, time, decoding_time=picture.dts, max_held=fitting)
            yield from map(self._frame, settled)
        yield from map(self._frame, self._clock.finish())
        if not self._pts:
            raise MediaError(no_frame(self.file.path))
        self.file.require_unchanged()
        self._finish()

    @property
    def pts(self) -> IntArray:
        """Timestamp of every frame, and last the time at which the film ends, shape (T + 1,)."""
        return np.append(np.array(self._pts, dtype=np.int64), self._end_pts)

    @property
    def sound_shifts_s(self) -> tuple[float, ...]:
        """What to add to the times of the sound of each joined recording; see `SoundPiece`."""
        return tuple(float(shift * self.file.time_base) for shift in self._clock.shifts)

    @property
    def sound_bounds_s(self) -> tuple[tuple[float, float], ...]:
        """Nothing: all sound of a file may be heard; see `JoinedFilm.sound_bounds_s`."""
        return ()

    @property
    def damaged(self) -> tuple[DamagedSpan, ...]:
        """The spans of which frames could not be decoded."""
        return self._gaps.spans

    def movie(self) -> Movie:
        """Return what the decoded film turned out to be; call it after `frames` has ended."""
        file = self.file
        pixel = file.sample_aspect_ratio
        holes = {span.end_pts for span in self.damaged}
        variable = is_variable_rate(self.pts, doubtful=self._replaced | holes)
        return Movie(
            id=file.id,
            path=str(file.path),
            content_hash=file.content_hash,
            frame_rate=self._frame_rate(variable),
            time_base=file.time_base,
            start_pts=self._pts[0],
            end_pts=self._end_pts,
            num_frames=len(self._pts),
            width_px=file.height_px if self._is_transposed else file.width_px,
            height_px=file.width_px if self._is_transposed else file.height_px,
            sample_aspect_ratio=1 / pixel if self._is_transposed else pixel,
            has_audio=file.has_audio,
            variable_frame_rate=variable,
            copyright=file.copyright,
            timecode=file.timecode,
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a user should know about how the film was read; call it after `frames`."""
        return tuple(self._notes())

    def _frame(self, timed: Timed[VideoFrame]) -> Frame:
        """Return the next frame of the film, and record its time."""
        picture, clock = timed.frame, self._clock
        self._gaps.add_frame(
            timed.pts,
            self._decoding.damage,
            own_pts=picture.pts,
            step=clock.exact_step,
            shift=clock.shift,
            is_corrupt=picture.is_corrupt,
        )
        if not self._pts:
            self._is_transposed = is_transposed(picture)
        self._pts.append(timed.pts)
        if not timed.is_own:
            self._replaced.add(timed.pts)
        self._last_duration = picture.duration or 0
        return Frame(self, picture, len(self._pts) - 1, timed.pts)

    def _finish(self) -> None:
        """Determine when the last frame stops being shown, and what is missing after it."""
        step = self._last_duration if self._last_duration > 0 else self._clock.step
        end = self._end_pts = self._pts[-1] + step
        shift = self._clock.shift
        self._gaps.finish(end, self._decoding.damage, step=self._clock.exact_step, shift=shift)
        file = self.file
        if file.held_until_s is None or self.damaged or shift:
            return
        held = round(file.held_until_s / file.time_base)
        agreed = abs(file.held_until_s - (file.stated_end_s or 0)) < 1
        if agreed and held > end + self._clock.step:
            self._end_pts = held  # A slide that stays.

    def _frame_rate(self, variable: bool) -> Fraction:
        nominal = self.file.nominal_rate
        missing = sum(
            hole.end_pts - hole.start_pts for hole in self.damaged if hole.end_pts <= self._pts[-1]
        )
        num_frames, end = len(self._pts), self._end_pts
        if num_frames > 1 and not variable:  # The last may be held longer.
            num_frames, end = num_frames - 1, self._pts[-1]
        mean = num_frames / ((end - self._pts[0] - missing) * self.file.time_base)
        if nominal and not variable and abs(nominal / mean - 1) < Fraction(1, 100):
            return nominal
        if nominal and len(self._pts) == 1:
            return nominal
        if mean < 1:
            return 1 / (1 / mean).limit_denominator(1001)
        return mean.limit_denominator(1001)

    def _notes(self) -> Iterator[str]:
        file, clock, damage = self.file, self._clock, self._decoding.damage
        yield from file.notes
        if self._sound is not None:
            yield from self._sound.notes()
        if damage.num_leading:
            yield (
                "packets before its first picture could not be decoded, as where a recording "
                "starts between keyframes"
            )
        if damage.num_silent:
            yield f"its last {_count(damage.num_silent, 'packet')} gave no picture"
        if self.damaged:
            missing_s = sum(span.end_s - span.start_s for span in self.damaged)
            num_frames = sum(span.frames_missing for span in self.damaged)
            yield (
                f"it is damaged: {_count(num_frames, 'frame')}, {missing_s:.2f} s, could not be "
                f"decoded, in {_count(len(self.damaged), 'span')}, the first at "
                f"{format_clock(self.damaged[0].start_s)}"
            )
        if clock.num_repaired:
            yield f"{_count(clock.num_repaired, 'frame')} had a damaged timestamp, replaced here"
        if clock.num_restarts:
            yield (
                f"its clock restarts {_count(clock.num_restarts, 'time')}, as in joined "
                "recordings; times go on from where they were"
            )
        end_s = float(self._end_pts * file.time_base)
        if damage.stopped is not None:
            yield f"it could not be read beyond {format_clock(end_s)}: {damage.stopped}"
        elif self._ends_before_it_says(end_s):
            yield (
                f"it states {file.stated_end_s:.1f} s but its last frame ends at {end_s:.1f} s; "
                "nothing shows that it was cut off"
            )

    def _ends_before_it_says(self, end_s: float) -> bool:
        """Return True if neither picture nor sound go on to the end that the container states."""
        stated_s = self.file.stated_end_s
        if stated_s is None or not ends_early(end_s, stated_s):
            return False
        return ends_early(end_of_packets_s(self.file.path), stated_s)


def open_video(path: str | Path, *, stream: int | None = None, threads: int = 0) -> Film:
    """Return the film at a path, ready to be decoded; the arguments are those of `probe`, `Film`.

    Raises:
        MediaError: It is not a film that can be read; see `probe`.
    """
    return Film(probe(path, stream=stream), threads=threads)


def is_variable_rate(pts: IntArray, *, doubtful: Collection[int] = ()) -> bool:
    """Return True if frames are not evenly spaced, beyond rounding to the time base.

    The distances from and to a frame whose timestamp is one of the doubtful ones do not count.
    """
    doubted = np.isin(pts, np.fromiter(doubtful, np.int64))
    steps = np.diff(pts)[:-1][~(doubted[:-2] | doubted[1:-1])]
    if len(steps) < 2:
        return False
    return bool(steps.max() - steps.min() > max(2, 0.02 * float(np.median(steps))))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
