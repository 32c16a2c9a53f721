"""Exact time: a boundary is a frame ordinal and a presentation timestamp; seconds are derived."""

from dataclasses import dataclass
from fractions import Fraction


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


def format_clock(seconds: float) -> str:
    """Return seconds as ``H:MM:SS.mmm``, the form a person reads beside a player."""
    sign = "-" if seconds < 0 else ""
    total_ms = round(abs(seconds) * 1000)
    minutes, ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{ms // 1000:02}.{ms % 1000:03}"
