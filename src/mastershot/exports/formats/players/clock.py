"""The clock of players: it shows 0 where a film's file starts, and counts in whole units."""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mastershot.core.errors import MediaError
from mastershot.core.movie import Movie
from mastershot.core.time import FrameTimes, Span
from mastershot.core.timeline import Timeline
from mastershot.media.opening import start_of_file_s

MILLISECOND = Fraction(1, 1000)
NANOSECOND = Fraction(1, 1_000_000_000)


@dataclass(frozen=True)
class PlayerClock:
    """Frames by a player's clock.

    Attributes:
        times: When each frame is shown, on the film's own clock.
        origin: What a player shows as 0, in seconds on the film's own clock.
        notes: What a user should know of the origin.
    """

    times: FrameTimes
    origin: Fraction
    notes: tuple[str, ...] = ()

    def units_at(self, frame: int, unit: Fraction = MILLISECOND) -> int:
        """Return the first whole unit at which a frame is on screen; T stands for the end.

        It is rounded up: at a time rounded down, a player still shows the frame before.
        """
        shown = int(self.times.pts[frame]) * self.times.time_base - self.origin
        return max(0, math.ceil(shown / unit))

    def frame_at(self, units: int, unit: Fraction = MILLISECOND) -> int:
        """Return the frame whose start is nearest to a time, in [0, T]."""
        return self.times.frame_at(self.origin + units * unit)

    def span(self, start: int, end: int, unit: Fraction = MILLISECOND) -> Span:
        """Return the frames from one time to another, at least one."""
        first = min(self.frame_at(start, unit), self.times.num_frames - 1)
        return self.times.span(first, max(first + 1, self.frame_at(end, unit)))

    @property
    def end_ms(self) -> int:
        """When the film ends."""
        return self.units_at(self.times.num_frames)


def player_clock(movie: Movie, times: FrameTimes, film: Path) -> PlayerClock:
    """Return the clock that players of a film's file show.

    Where the file cannot be opened, and where the film lies in several, its first frame is taken
    to be at 0.
    """
    first = int(times.pts[0]) * times.time_base
    if movie.reels:
        note = f"the film lies in {len(movie.reels)} files; times are those of all joined to one"
        return PlayerClock(times, first, (note,))
    try:
        return PlayerClock(times, min(start_of_file_s(film), first))
    except MediaError:
        note = (
            f"{film} cannot be opened, so players are taken to show its first frame at 0, though "
            f"it is at {float(first):.3f} s on the film's own clock"
        )
        return PlayerClock(times, first, (note,) if first else ())


def clock_of(timeline: Timeline, times: FrameTimes) -> PlayerClock:
    """Return the clock of players of a timeline's film."""
    return player_clock(timeline.movie, times, Path(timeline.movie.path))
