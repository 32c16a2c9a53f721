"""When each frame is shown: FFmpeg's best effort, with what no player could follow repaired.

A file's timestamps can be wrong in three ways that cannot be distinguished at once: one is damaged,
frames are missing, or another recording begins. The following frames decide which, so a frame whose
time is doubtful is held until then.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Generic, TypeVar

T = TypeVar("T")

# A player's buffer of frames out of order is as long.
_MAX_REORDERED_FRAMES = 16
# How many frames may be held; a picture group of broadcast MPEG-2, within which one bad timestamp
# spreads, has 12 or 15.
_MAX_HELD_FRAMES = 20
_REMEMBERED_STEPS = 15
_NEVER = -(1 << 63)


class BestEffort:
    """Chooses between the two timestamps of a decoded frame, as FFmpeg's ``best_effort_timestamp``.

    The presentation timestamp counts, unless those of the film so far fell more often than the
    decoding timestamps did (libavcodec, ``guess_correct_pts``).
    """

    def __init__(self) -> None:
        self._faulty_pts = self._faulty_dts = 0
        self._last_pts = self._last_dts = _NEVER

    def __call__(self, pts: int | None, dts: int | None) -> int | None:
        """Return the best timestamp of the next frame; None where it has neither."""
        if dts is not None:
            self._faulty_dts += dts <= self._last_dts
            self._last_dts = dts
        elif pts is not None:
            self._last_dts = pts
        if pts is not None:
            self._faulty_pts += pts <= self._last_pts
            self._last_pts = pts
        elif dts is not None:
            self._last_pts = dts
        pts_is_sound = self._faulty_pts <= self._faulty_dts
        return pts if pts is not None and (pts_is_sound or dts is None) else dts


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """A frame and the time it is shown.

    Attributes:
        frame: The frame.
        pts: Its presentation timestamp, above that of every frame before.
        is_own: False if it is not the one that the file gives it.
    """

    frame: T
    pts: int
    is_own: bool


class Clock(Generic[T]):
    """Gives each frame a time, above that of the frame before.

    - A time that rises is taken as it is: a hole keeps its length.
    - A single time, or a short run, that leaves the clock to which the following frames keep is
      damaged; those frames lie between their neighbours, evenly, before the next one.
    - Where the times fall by more than `_MAX_REORDERED_FRAMES` and the following frames keep to the
      new clock, another recording begins: it goes on where the one before ended.
    - A frame without a time comes one step after the one before.

    Attributes:
        step: How long a frame is shown: the median of the latest.
        shift: What is added to the file's timestamps since its clock last restarted.
        shifts: The shifts so far: of the first recording, 0, and since each restart.
        num_repaired: How many frames had a time that was replaced.
        num_restarts: How often the clock restarted.
    """

    def __init__(self, step: Fraction | int) -> None:
        """Take how long a frame of the film is shown, as far as its container knows."""
        self.shift = 0
        self.shifts = [0]
        self.num_repaired = 0
        self.num_restarts = 0
        self._stated_step = Fraction(step)
        self.step = max(1, round(step))
        self._steps: deque[int] = deque(maxlen=_REMEMBERED_STEPS)
        self._last: int | None = None
        self._last_stated = _NEVER
        self._last_decoding_time: int | None = None
        self._held: deque[tuple[T, int | None]] = deque()

    @property
    def exact_step(self) -> Fraction:
        """How long a frame is shown, not rounded to units where the container's rate fits."""
        stated = self._stated_step  # In whole numbers, since this is asked for each frame.
        fits = abs(stated.numerator - self.step * stated.denominator) <= stated.denominator
        return stated if fits else Fraction(self.step)

    def take(
        self,
        frame: T,
        time: int | None,
        *,
        decoding_time: int | None = None,
        max_held: int = _MAX_HELD_FRAMES,
    ) -> Iterator[Timed[T]]:
        """Yield the frames whose times are settled, now that the next one of the film is known.

        At most ``max_held`` frames, at least two, are held back. The decoding time decides where no
        frame follows.
        """
        self._last_decoding_time = decoding_time
        if not self._held and time is not None and self._goes_on(time + self.shift):
            yield self._settle(frame, time + self.shift)
            return
        self._held.append((frame, time))
        while self._held and self._is_decided(min(max(2, max_held), _MAX_HELD_FRAMES)):
            yield from self._release()

    def finish(self) -> Iterator[Timed[T]]:
        """Yield the frames that are still held, now that none follows."""
        while self._held:
            if len(self._held) == 1 and self._is_contradicted(self._times()[0]):
                assert self._last is not None
                yield self._repair(self._last + self.step)
            else:
                yield from self._release()

    def _is_contradicted(self, time: int | None) -> bool:
        """Return True if the film's last frame is decoded on the clock that its time leaves."""
        if self._last is None or time is None or self._last_decoding_time is None:
            return False
        reach = self._last + (1 + _MAX_REORDERED_FRAMES) * self.step
        return self._last < self._last_decoding_time + self.shift <= reach < time

    def _goes_on(self, time: int) -> bool:
        """Return True for a time that no following frame could make doubtful."""
        return self._last is not None and 0 < 2 * (time - self._last) <= 3 * self.step

    def _times(self) -> list[int | None]:
        return [None if time is None else time + self.shift for _, time in self._held]

    def _is_decided(self, max_held: int) -> bool:
        """Return True if the held frames decide the time of the first of them."""
        times = self._times()
        if len(times) >= max_held:
            return True
        if self._last is None:
            return len(times) > 1 and times[0] is not None and _rise(times) == len(times)
        if times[0] is None or self._goes_on(times[0]):
            return True
        return self._rejoining(times) is not None

    def _rejoining(self, times: list[int | None]) -> int | None:
        """Return the place of the first held frame that is back on the clock the first one left.

        Back is within `_MAX_REORDERED_FRAMES` of where the clock would be, and before the first.
        """
        assert self._last is not None
        first = times[0]
        assert first is not None
        for place, time in enumerate(times[1:], start=1):
            reach = self._last + (place + 1 + _MAX_REORDERED_FRAMES) * self.step
            if time is None or not self._last + place < time <= reach:
                continue
            if first <= self._last or time < first:
                return place
        return None

    def _release(self) -> Iterator[Timed[T]]:
        """Yield one held frame, or a run of them whose times are damaged."""
        times = self._times()
        if self._last is None:
            yield self._start(times)
            return
        first = times[0]
        if first is None:
            yield self._repair(self._last + self.step)
        elif self._goes_on(first):
            yield self._settle(self._held.popleft()[0], first)
        elif (place := self._rejoining(times)) is not None:
            yield from self._spread(place, times[place])
        elif first > self._last:
            yield self._settle(self._held.popleft()[0], first)
        elif first >= self._last_stated - _MAX_REORDERED_FRAMES * self.step:
            self._last_stated = first  # Where times stand still, ours run ahead of the file's.
            yield self._repair(self._last + 1)
        elif len(times) > 1 and _rise(times) > len(times) // 2:
            self.num_restarts += 1
            self.shift += self._last + self.step - first
            self.shifts.append(self.shift)
            yield self._settle(self._held.popleft()[0], self._last + self.step)
        else:
            yield self._repair(self._last + self.step)

    def _start(self, times: list[int | None]) -> Timed[T]:
        """Return the film's first frame; its time is checked against the following frames."""
        first, step = times[0], self.step
        if first is None:
            known = [time - place * step for place, time in enumerate(times) if time is not None]
            return self._repair(known[0] if known else 0)
        followers = [time for time in times[1:] if time is not None]
        alone = len(followers) > 1 and all(
            time < first - _MAX_REORDERED_FRAMES * step for time in followers
        )
        if alone:
            return self._repair(followers[0] - step)
        return self._settle(self._held.popleft()[0], first)

    def _spread(self, place: int, time: int | None) -> Iterator[Timed[T]]:
        """Yield the held frames before a place: a step apart up to there, or evenly if closer."""
        assert self._last is not None
        assert time is not None
        start = max(self._last, time - (place + 1) * self.step)
        for number in range(1, place + 1):
            yield self._repair(start + (time - start) * number // (place + 1))

    def _repair(self, pts: int) -> Timed[T]:
        """Return the first held frame at a time that is not its own."""
        frame, time = self._held.popleft()
        self.num_repaired += time is not None
        return self._settle(frame, pts, is_own=False)

    def _settle(self, frame: T, pts: int, *, is_own: bool = True) -> Timed[T]:
        if self._last is not None:
            self._steps.append(pts - self._last)
            if pts - self._last != self.step and len(self._steps) > 2:
                self.step = max(1, round(median(self._steps)))
        self._last = pts
        if is_own:
            self._last_stated = pts
        return Timed(frame, pts, is_own)


def step_of(rate: Fraction | None, time_base: Fraction) -> Fraction:
    """Return how many units a frame is shown at a rate; 25 frames a second where none is known."""
    return 1 / ((rate or Fraction(25)) * time_base)


def _rise(times: list[int | None]) -> int:
    """Return how many of the times are above the one before; the first counts."""
    known = [time for time in times if time is not None]
    return 1 + sum(after > before for before, after in pairwise(known))
