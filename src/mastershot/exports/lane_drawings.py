"""The lanes that were brought in or aligned, drawn along a film's time axis."""

from dataclasses import dataclass

from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.exports.drawings import Scale


@dataclass(frozen=True)
class LanePiece:
    """One interval of a lane: left and width in per cent of the film, and the interval."""

    left: float
    width: float
    interval: Interval


@dataclass(frozen=True)
class LaneRow:
    """A lane along the film.

    Attributes:
        lane: The lane.
        pieces: Its intervals with their texts, in a lane of a script; else empty.
        path: SVG path with one bar an interval, in every other lane.
    """

    lane: Lane
    pieces: tuple[LanePiece, ...]
    path: str


def draw_lanes(timeline: Timeline) -> tuple[LaneRow, ...]:
    """Return the drawing of each lane that the timeline has beside what analysis made."""
    time = Scale(timeline.shots[0].span.start_s, timeline.shots[-1].span.end_s)

    def piece(interval: Interval) -> LanePiece:
        left, right = time.at(interval.span.start_s), time.at(interval.span.end_s)
        return LanePiece(left, right - left, interval)

    rows = []
    for lane in timeline.lanes:
        pieces = tuple(map(piece, lane.intervals))
        is_script = lane.role == "script"
        path = (
            ""
            if is_script
            else "".join(
                f"M{one.left:.3f} 0h{one.width:.3f}V100h-{one.width:.3f}Z" for one in pieces
            )
        )
        rows.append(LaneRow(lane, pieces if is_script else (), path))
    return tuple(rows)
