"""SMPTE time codes, and the frame numbers that editors count a film in; exact, no floats."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import EditsError, SettingError
from mastershot.core.time import FrameTimes, Span

STANDARD_RATES = (
    Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30),
    Fraction(48000, 1001), Fraction(48), Fraction(50), Fraction(60000, 1001), Fraction(60),
    Fraction(100), Fraction(120000, 1001), Fraction(120),
)  # fmt: skip
"""Frames a second that editors count in; SMPTE ST 12-1 and 12-3."""

_CODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")
_DAY_HOURS = 24
_DROP_EVERY_MINUTES = 10
_ROUNDED = 0.005
_NEAR = Fraction(1, 1000)


@dataclass(frozen=True)
class Counting:
    """How time codes count frames.

    Attributes:
        rate: Frames a second.
        drop: True if codes drop numbers, as SMPTE ST 12-1 does for 29.97 and its multiples, so
            that they keep step with the clock: at each minute but every tenth, the numbers 0 and
            1 of its first second (at 59.94 the first four).
    """

    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.drop and not can_drop(self.rate):
            raise EditsError(
                f"drop-frame codes count 29.97 or 59.94 frames a second, not {rate_name(self.rate)}"
            )

    @cached_property
    def nominal(self) -> int:
        """Whole frames that a second of time code counts: 24 at 23.976."""
        return _nominal(self.rate)

    @property
    def frames_per_day(self) -> int:
        """Frames until codes start again at zero."""
        return self._number(_DAY_HOURS, 0, 0, 0)

    def code(self, number: int) -> str:
        """Return the code of a frame number counted from ``00:00:00:00``; it wraps at a day."""
        number %= self.frames_per_day
        if self.drop:
            number += self._dropped_before(number)
        seconds, frame = divmod(number, self.nominal)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        width = 2 if self.nominal <= 100 else 3
        return f"{hour:02}:{minute:02}:{second:02}{';' if self.drop else ':'}{frame:0{width}}"

    def number(self, code: str) -> int:
        """Return the frame number of a code, counted from ``00:00:00:00``.

        Raises:
            EditsError: It is no code, or one that this counting passes over.
        """
        if (match := _CODE.fullmatch(code.strip())) is None:
            raise EditsError(f"{code[:40]!r} is no time code; one is written HH:MM:SS:FF")
        hour, minute, second, frame = (int(match[group]) for group in (1, 2, 3, 5))
        if hour >= _DAY_HOURS or minute >= 60 or second >= 60:
            raise EditsError(f"time code {code} is past the end of a day, an hour or a minute")
        if frame >= self.nominal:
            raise EditsError(
                f"time code {code} names frame {frame}, but at {rate_name(self.rate)} frames a "
                f"second they count 0 to {self.nominal - 1}; it was made at another frame rate"
            )
        if self.drop and second == 0 and minute % _DROP_EVERY_MINUTES and frame < self._drops:
            raise EditsError(
                f"time code {code} does not exist: drop-frame codes pass over frames 0 to "
                f"{self._drops - 1} of minute {minute}"
            )
        return self._number(hour, minute, second, frame)

    @property
    def _drops(self) -> int:
        return self.nominal // 15

    def _number(self, hour: int, minute: int, second: int, frame: int) -> int:
        minutes = 60 * hour + minute
        number = (60 * minutes + second) * self.nominal + frame
        if self.drop:
            number -= self._drops * (minutes - minutes // _DROP_EVERY_MINUTES)
        return number

    def _dropped_before(self, number: int) -> int:
        """Return how many numbers were dropped until this frame."""
        minute = 60 * self.nominal - self._drops
        tens, rest = divmod(number, _DROP_EVERY_MINUTES * minute + self._drops)
        in_ten = max(0, rest - self._drops) // minute
        return self._drops * ((_DROP_EVERY_MINUTES - 1) * tens + in_ten)


@dataclass(frozen=True, eq=False)
class EditClock:
    """A film as an editor counts it.

    A frame's number is its time from the film's first frame times the edit rate, rounded; that is
    its ordinal under a constant rate without gaps. Numbers lead back to the frame that is nearest
    in time.

    Attributes:
        counting: The edit rate, and whether codes drop numbers.
        times: When each frame of the film is shown.
        numbers: The number of every frame and of the film's end, ascending, shape (T + 1,).
        is_exact: False if some frames share a number, or numbers lead back to other frames.
    """

    counting: Counting
    times: FrameTimes
    numbers: IntArray
    is_exact: bool

    @cached_property
    def origin(self) -> Fraction:
        """Time of the first frame, on the film's clock."""
        return int(self.times.pts[0]) * self.times.time_base

    @property
    def end(self) -> int:
        """The number at which the film ends."""
        return int(self.numbers[-1])

    def number(self, frame: int) -> int:
        """Return the number of a frame, or of the film's end."""
        return int(self.numbers[frame])

    def frame(self, number: int | Fraction) -> int:
        """Return the frame of a number; it may lie between two."""
        return self.times.frame_at(self.origin + number / self.counting.rate)

    def span(self, first: int | Fraction, end: int | Fraction) -> Span:
        """Return the frames between two numbers, at least one, within the film."""
        first_frame = min(self.frame(max(first, 0)), self.times.num_frames - 1)
        end_frame = self.frame(end) if end > 0 else 0
        return self.times.span(first_frame, max(first_frame + 1, end_frame))


def edit_clock(times: FrameTimes, rate: Fraction, *, drop: bool = False) -> EditClock:
    """Return how editors count a film: at its own rate if that is a standard one.

    A film at another rate, or at a variable one, is counted at a standard rate at which each frame
    has a number of its own that leads back to it. Where there is none, the finest is taken, and
    the clock is not exact.

    Args:
        times: When each frame is shown.
        rate: The film's frames a second; the mean, under a variable rate.
        drop: Whether codes drop numbers, where the rate allows that.
    """
    for edit_rate in _candidates(rate):
        numbers = _numbers(times, edit_rate)
        if is_exact := _leads_back(times, numbers, edit_rate):
            break
    return EditClock(Counting(edit_rate, drop and can_drop(edit_rate)), times, numbers, is_exact)


def clock_notes(clock: EditClock, rate: Fraction) -> tuple[str, ...]:
    """Return what a user should know of how a film at a rate is counted."""
    edit_rate, notes = rate_name(clock.counting.rate), []
    if abs(clock.counting.rate / rate - 1) > _NEAR:
        notes.append(
            f"the film's {rate_name(rate)} frames a second, or their uneven times, are counted at "
            f"{edit_rate}: work at that rate in the editor"
        )
    if not clock.is_exact:
        notes.append(
            f"some frames lie closer than a frame at {edit_rate}, the finest standard rate, and "
            "share a number; the exact frames are kept beside it"
        )
    if not clock.times.are_exact:
        notes.append(
            "the times of frames within shots are not known and are interpolated; analyse the film "
            "anew for them, or name the folder of its results"
        )
    return tuple(notes)


def stated_number(code: str, rate: Fraction) -> int:
    """Return the frame number of a time code that a user states for a film at an edit rate.

    Raises:
        SettingError: It is no code, or one that does not exist at the rate.
    """
    try:
        return Counting(rate, drop=is_drop(code)).number(code)
    except EditsError as error:
        raise SettingError(f"start time code: {error}") from error


def standard_rate(rate: float) -> Fraction:
    """Return the exact rate that a rounded one stands for: 24000/1001 for 23.976 or 23.98."""
    near = min(STANDARD_RATES, key=lambda one: abs(float(one) - rate))
    return near if abs(float(near) - rate) < _ROUNDED else Fraction(rate).limit_denominator(1001)


def can_drop(rate: Fraction) -> bool:
    """Return whether there are drop-frame codes at a rate: at 29.97 and its multiples."""
    return rate.denominator == 1001 and _nominal(rate) % 30 == 0


def is_drop(code: str) -> bool:
    """Return whether a code is written as a drop-frame one: with ``;`` before its frames."""
    match = _CODE.fullmatch(code.strip())
    return match is not None and match[4] in ";,."


def rate_name(rate: Fraction) -> str:
    """Return a rate as people say it, such as 23.976."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def _nominal(rate: Fraction) -> int:
    return int(rate + Fraction(1, 2))


def _candidates(rate: Fraction) -> Iterator[Fraction]:
    """Yield standard rates to count a film in, the likeliest first."""
    near = [one for one in STANDARD_RATES if abs(one / rate - 1) <= _NEAR]
    yield from sorted(near, key=lambda one: abs(one - rate))
    yield from (one for one in STANDARD_RATES if (one / rate).denominator == 1)
    yield from (one for one in STANDARD_RATES if one >= rate)
    yield STANDARD_RATES[-1]


def _numbers(times: FrameTimes, rate: Fraction) -> IntArray:
    """Return the number of each frame and of the end: times from the first, rounded, halves up."""
    step = times.time_base * rate
    from_start = (times.pts - times.pts[0]).astype(object if _is_large(times, step) else np.int64)
    numbers = (2 * from_start * step.numerator + step.denominator) // (2 * step.denominator)
    return np.asarray(numbers, np.int64)


def _leads_back(times: FrameTimes, numbers: IntArray, rate: Fraction) -> bool:
    """Return whether `EditClock.frame` of each frame's number is that frame."""
    step = times.time_base * rate
    kind = object if _is_large(times, step) else np.int64
    from_start = (times.pts - times.pts[0]).astype(kind)
    middles = (from_start[:-1] + from_start[1:]) * step.numerator
    doubled = 2 * numbers.astype(kind) * step.denominator
    return bool(np.all(doubled[:-1] <= middles) and np.all(doubled[1:] > middles))


def _is_large(times: FrameTimes, step: Fraction) -> bool:
    """Return whether products of times would not fit into 64 bits."""
    length = int(times.pts[-1] - times.pts[0]) + 1
    return 4 * length * step.numerator + 4 * step.denominator >= 1 << 63
