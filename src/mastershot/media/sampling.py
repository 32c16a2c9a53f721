"""Which frames of a shot are sampled, chosen while the film is decoded, in bounded memory."""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

from mastershot.core.errors import SettingError
from mastershot.media.video import Frame

SamplingKind: TypeAlias = Literal["uniform", "rate", "every"]
# Frames held back while a shot's end is not yet known: so many, or twice those wanted of a shot,
# in about this much memory, but never so few that a shot could not be sampled.
_HELD_FRAMES = 32
_MAX_HELD_BYTES = 96 << 20
_MIN_HELD_FRAMES = 6
# Beside them, the latest frames, for shots whose start is reported late: all, or in about this much
# memory every so many, and those of them with which the picture changed.
_MAX_LATEST_BYTES = 96 << 20
_MAX_CHANGED_FRAMES = 16


class Holdable(Protocol):
    """A frame, or what is kept of one."""

    @property
    def index(self) -> int:
        """Ordinal of the frame."""
        ...

    @property
    def size_bytes(self) -> int:
        """Memory it takes."""
        ...


Held = TypeVar("Held", bound=Holdable)


@dataclass(frozen=True)
class Sampling:
    """Which frames of each shot an encoder sees.

    Attributes:
        kind: ``uniform`` takes ``amount`` frames a shot, evenly spaced, both ends inset;
            ``rate`` takes ``amount`` frames a second; ``every`` takes all.
        amount: Frames a shot, or frames a second; 0 for ``every``.
    """

    kind: SamplingKind = "uniform"
    amount: float = 3

    def __str__(self) -> str:
        return self.kind if self.kind == "every" else f"{self.kind}:{self.amount:g}"


def parse_sampling(text: str) -> Sampling:
    """Return the sampling that ``uniform:N``, ``rate:HZ`` or ``every`` names.

    Raises:
        SettingError: The text is not one of these, or its number is not above 0.
    """
    kind, colon, number = text.partition(":")
    if text == "every":
        return Sampling("every", 0)
    try:
        amount = float(number)
    except ValueError:
        amount = 0.0
    if kind == "uniform" and colon and 1 <= amount <= 50 and amount.is_integer():
        return Sampling("uniform", amount)
    if kind == "rate" and colon and 0 < amount < math.inf:
        return Sampling("rate", amount)
    raise SettingError(
        f"sampling {text!r} means nothing; write uniform:N (frames a shot, 1 to 50), "
        "rate:HZ (frames a second) or every"
    )


def uniform_frames(first_frame: int, end_frame: int, count: int) -> list[int]:
    """Return evenly spaced ordinals in a half-open run, both ends inset, each once."""
    return sorted(set(clip_frames(first_frame, end_frame, count)))


def clip_frames(first_frame: int, end_frame: int, count: int) -> list[int]:
    """Return the ordinals of `uniform_frames`, as many as are asked for: a short run repeats some.

    Networks of clips see a shot at these.
    """
    length = end_frame - first_frame
    return [first_frame + (2 * i + 1) * length // (2 * count) for i in range(count)]


class HeldFrames(Generic[Held]):
    """Evenly spaced frames of the current shot, thinned out as it grows longer.

    A short shot keeps all its frames; one longer than the capacity keeps at least half as many,
    so that the one nearest to any place in the shot is within a capacity-th of its length. The
    latest frames are held, too, for the shot that begins where a cut is reported late: where they
    do not fit, every so many of them.

    Attributes:
        capacity: How many frames are held; 0 before the first, which says how many fit.
    """

    def __init__(self, at_least: int, max_lag_frames: int = 0, *, whole_lag: bool = False) -> None:
        """Hold as many frames as choosing ``at_least`` of them asks, but no more than fit.

        With ``whole_lag`` each frame that may come between a cut and its report is held beyond the
        capacity, so that the `grid_frames` of every shot are held when it is cut.
        """
        self._held: list[Held] = []
        self._stride = 1
        self.capacity = 0
        self._wanted = max(_HELD_FRAMES, 2 * at_least)
        self._num_late, self._whole_lag = 1 + max_lag_frames, whole_lag
        self._beyond = self._num_late if whole_lag else 0
        self._latest_stride = 1
        self._latest: deque[Held] = deque(maxlen=self._num_late)
        self._changed: deque[Held] = deque(maxlen=_MAX_CHANGED_FRAMES)
        self._newest: Held | None = None
        self._before: Held | None = None  # the last one of the shot before

    def add(self, frame: Held, *, changed: bool = False) -> bool:
        """Take the next frame of the film; return False if it is held only while it is new.

        A frame with which the picture has changed is held until its shot is known.
        """
        if not self.capacity:
            self._measure(frame.size_bytes)
        self._newest = frame
        if frame.index % self._latest_stride == 0:
            self._latest.append(frame)
        elif changed:
            self._changed.append(frame)
        if self._held and frame.index - self._held[-1].index < self._stride:
            return False
        self._held.append(frame)
        if len(self._held) > self.capacity + self._beyond:
            self._held = self._held[::2]
            self._stride *= 2
        return True

    def cut(self, end_frame: int) -> list[Held]:
        """Return the held frames of the shot that ends here; keep those after it.

        Of a shot so short that none of it is held, that is the nearest frame before or after it.
        """
        newest = () if self._newest is None else (self._newest,)
        held = (*self._held, *self._latest, *self._changed, *newest)
        by_index = {frame.index: frame for frame in held}
        frames = [by_index[index] for index in sorted(by_index)]
        shot = [frame for frame in frames if frame.index < end_frame]
        self._held = frames[len(shot) :]
        for late in (self._latest, self._changed):
            while late and late[0].index < end_frame:
                late.popleft()
        self._stride = 1
        if not shot:
            beside = [*([] if self._before is None else [self._before]), *self._held[:1]]
            return [nearest_frame(beside, end_frame - 1)]
        self._before = shot[-1]
        return shot

    def _measure(self, size_bytes: int) -> None:
        """Fix how many frames are held, by the size of the first one."""
        fitting = _MAX_HELD_BYTES // max(1, size_bytes)
        self.capacity = max(_MIN_HELD_FRAMES, min(self._wanted, fitting))
        if not self._whole_lag:
            fitting = max(_MIN_HELD_FRAMES, _MAX_LATEST_BYTES // max(1, size_bytes))
            self._latest_stride = math.ceil(self._num_late / fitting)
            self._latest = deque(maxlen=math.ceil(self._num_late / self._latest_stride))


def grid_frames(first_frame: int, end_frame: int, capacity: int) -> range:
    """Return every frame of a shot, every other, every fourth, …: at most as many as fit."""
    stride = 1
    while len(range(first_frame, end_frame, stride)) > capacity:
        stride *= 2
    return range(first_frame, end_frame, stride)


def nearest_frame(held: Sequence[Held], wanted: int) -> Held:
    """Return the held frame nearest to an ordinal, the earlier of two."""
    return min(held, key=lambda frame: (abs(frame.index - wanted), frame.index))


def nearest_frames(held: Sequence[Held], wanted: Iterable[int]) -> list[Held]:
    """Return the held frame nearest to each wanted ordinal, each once, in order."""
    chosen = {nearest_frame(held, ordinal).index for ordinal in wanted}
    return [frame for frame in held if frame.index in chosen]


class RateClock:
    """Chooses frames at a rate, whatever the frame rate of the film."""

    def __init__(self, rate_hz: float, time_base: Fraction) -> None:
        self._ticks_per_unit = Fraction(rate_hz).limit_denominator(10_000) * time_base
        self._first_pts: int | None = None
        self._due = 0

    def takes(self, frame: Frame) -> bool:
        """Return True for the first frame at or after each multiple of the period."""
        if self._first_pts is None:
            self._first_pts = frame.pts
        tick = math.floor((frame.pts - self._first_pts) * self._ticks_per_unit)
        if tick < self._due:
            return False
        self._due = tick + 1
        return True
