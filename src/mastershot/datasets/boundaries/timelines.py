"""The boundaries of a timeline, and of a lane in it that somebody calls the truth."""

from collections.abc import Iterable
from typing import cast, get_args

from mastershot.core.errors import ShotListError
from mastershot.core.lanes import Lane
from mastershot.core.movie import Transition
from mastershot.core.timeline import Timeline
from mastershot.datasets.boundaries.boundary import (
    Boundary,
    BoundaryKind,
    BoundaryList,
    boundaries_between,
)


def boundaries_of(timeline: Timeline) -> BoundaryList:
    """Return the boundaries between a timeline's shots.

    How the first shot begins, such as by a fade from black, is no boundary between two shots.
    """
    found = between_shots(shot.transition_in for shot in timeline.shots[1:])
    movie = timeline.movie
    rate = None if movie.variable_frame_rate else movie.frame_rate
    return BoundaryList(f"timeline of {movie.path}", found, movie.num_frames, rate)


def between_shots(transitions: Iterable[Transition]) -> tuple[Boundary, ...]:
    """Return transitions as boundaries; how the film starts is none."""
    return tuple(
        Boundary(cast(BoundaryKind, how.kind), how.start_frame, how.end_frame)
        for how in transitions
        if how.kind != "start"
    )


def truth_lane(timeline: Timeline) -> BoundaryList:
    """Return the boundaries in a timeline's lane of role ``truth``, in the film's frames.

    Where the text of every interval starts with a kind of transition (``dissolve``, ``cut`` …), the
    intervals are transitions, and a cut is the first frame of its; else they are shots, and frames
    between them a gradual transition.

    Raises:
        ShotListError: There is no such lane, or several, or it contradicts itself.
    """
    lanes = [lane for lane in timeline.lanes if lane.role == "truth"]
    if len(lanes) != 1:
        names = ", ".join(lane.name for lane in lanes) or "none"
        raise ShotListError(
            f"the timeline of {timeline.movie.path} should hold one lane of role truth; it holds "
            f"{names}: give the true boundaries with --truth"
        )
    name = f"lane {lanes[0].name} of {timeline.movie.path}"
    return BoundaryList(name, _boundaries(lanes[0], name), timeline.movie.num_frames)


def _boundaries(lane: Lane, name: str) -> tuple[Boundary, ...]:
    kinds = [interval.text.lower().split()[:1] for interval in lane.intervals]
    if kinds and all(words and words[0] in get_args(BoundaryKind) for words in kinds):
        return tuple(
            Boundary(
                cast(BoundaryKind, kind),
                one.span.first_frame,
                one.span.first_frame if kind == "cut" else one.span.end_frame,
            )
            for one, (kind,) in zip(lane.intervals, kinds, strict=True)
        )
    shots = [(one.span.first_frame, one.span.end_frame - 1) for one in lane.intervals]
    where = [f"interval {number}" for number in range(1, len(shots) + 1)]
    return boundaries_between(shots, where, name=name)
