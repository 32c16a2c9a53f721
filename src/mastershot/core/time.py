"""Exact time: a boundary is a frame ordinal and a presentation timestamp; seconds are derived."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mastershot.core.embeddings import IntArray


@dataclass(frozen=True, order=True)
class Span:
    """A half-open run of frames of one film, exact in frames and in time.

    Attributes:
        first_frame: Ordinal of the first frame, counted from 0 in presentation order.
        end_frame: Ordinal one past the last frame.
        start_pts: Presentation timestamp of the first frame, in units of ``time_base``.
        end_pts: Timestamp at which the last frame stops being shown, same units.
        time_base: Seconds per timestamp unit.
    """

    first_frame: int
    end_frame: int
    start_pts: int
    end_pts: int
    time_base: Fraction

    def __post_init__(self) -> None:
        assert 0 <= self.first_frame < self.end_frame, (self.first_frame, self.end_frame)
        assert self.start_pts <= self.end_pts, (self.start_pts, self.end_pts)

    @property
    def num_frames(self) -> int:
        return self.end_frame - self.first_frame

    @property
    def start(self) -> Fraction:
        """Exact presentation time of the first frame, in seconds."""
        return self.start_pts * self.time_base

    @property
    def end(self) -> Fraction:
        """Exact time at which the span ends, in seconds."""
        return self.end_pts * self.time_base

    @property
    def start_s(self) -> float:
        return float(self.start)

    @property
    def end_s(self) -> float:
        return float(self.end)

    @property
    def duration_s(self) -> float:
        return float(self.end - self.start)


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """When each frame of a film is shown.

    Attributes:
        pts: Timestamp of every frame, ascending, and last that of the film's end, shape (T + 1,).
        time_base: Seconds per timestamp unit.
        are_exact: False where times between known frames were interpolated.
    """

    pts: IntArray
    time_base: Fraction
    are_exact: bool = True

    @property
    def num_frames(self) -> int:
        return len(self.pts) - 1

    def span(self, first_frame: int, end_frame: int) -> Span:
        """Return the span of a half-open run of frames."""
        start, end = int(self.pts[first_frame]), int(self.pts[end_frame])
        return Span(first_frame, end_frame, start, end, self.time_base)

    def frame_at(self, seconds: Fraction | float) -> int:
        """Return the frame whose start is nearest to a time, the earlier of two.

        The time is on the film's clock. Its end counts as a start: the result is in [0, T].
        """
        wanted = Fraction(seconds) / self.time_base
        after = int(np.searchsorted(self.pts, float(wanted)))
        near = range(max(0, after - 2), min(len(self.pts), after + 2))
        return min(near, key=lambda frame: (abs(int(self.pts[frame]) - wanted), frame))

    def frame_shown_at(self, seconds: Fraction | float) -> int:
        """Return the frame that is on screen at a time, the first or last one beyond the film."""
        wanted = Fraction(seconds) / self.time_base
        shown = int(np.searchsorted(self.pts, float(wanted), side="right")) - 1
        while shown + 1 < len(self.pts) and int(self.pts[shown + 1]) <= wanted:
            shown += 1
        while shown > 0 and int(self.pts[shown]) > wanted:
            shown -= 1
        return min(max(shown, 0), self.num_frames - 1)


def format_clock(seconds: float) -> str:
    """Return seconds as ``H:MM:SS.mmm``, the form a person reads beside a player."""
    sign = "-" if seconds < 0 else ""
    total_ms = round(abs(seconds) * 1000)
    minutes, ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{ms // 1000:02}.{ms % 1000:03}"
