"""A timeline as lanes of intervals: what every format of editors and annotators writes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from mastershot.core.errors import SettingError
from mastershot.core.labels import LabelScore
from mastershot.core.lanes import Interval, Lane, LaneRole
from mastershot.core.movie import Shot
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.moderation import policy_name, uncovered_classes


@dataclass(frozen=True)
class Export:
    """What a format writes.

    Attributes:
        timeline: The film.
        times: When each of its frames is shown.
        lanes: The lanes that were asked for, in order.
        start_timecode: Time code of the first frame, as the user wrote it; empty takes the
            film's own, or zero.
        film: The film's file, where a format links or reads it.
        folder: Where the timeline lies, with its pictures; None where it lies nowhere.
    """

    timeline: Timeline
    times: FrameTimes
    lanes: tuple[Lane, ...]
    start_timecode: str
    film: Path
    folder: Path | None = None


def role_of(name: object) -> LaneRole:
    """Return the role of that name; ``notes`` where there is none."""
    known = (role for role in get_args(LaneRole) if role == name)
    return next(known, "notes")


def leading_lane(export: Export) -> Lane:
    """Return the shots if they were asked for, else the first lane that was.

    Raises:
        SettingError: There is none.
    """
    by_shots = sorted(export.lanes, key=lambda lane: lane.name != "shots")
    if not by_shots:
        raise SettingError("there is no lane to export; name one that the timeline has")
    return by_shots[0]


def lanes_of(
    timeline: Timeline,
    times: FrameTimes,
    names: Sequence[str] | None = None,
    *,
    min_score: float = 0.0,
) -> tuple[Lane, ...]:
    """Return lanes of a timeline: those made by analysis, then those brought in.

    Args:
        timeline: The film.
        times: When each of its frames is shown.
        names: Which lanes, in order; None takes all that are not empty but `ONLY_IF_NAMED`.
        min_score: What is scored lower is left out; what has no score stays.

    Raises:
        SettingError: A name means no lane of the timeline.
    """
    made = (
        Lane(name, "shots" if name == "shots" else "notes", "", tuple(intervals(timeline, times)))
        for name, intervals in _MADE.items()
    )
    lanes = {lane.name: lane for lane in (*made, *timeline.lanes) if lane.intervals}
    unknown = [name for name in names or () if name not in lanes]
    if unknown:
        raise SettingError(
            f"lane {unknown[0]!r} is not in this timeline, or is empty; it has {', '.join(lanes)}"
        )
    chosen = names or [name for name in lanes if name not in ONLY_IF_NAMED]
    return tuple(_scored(lanes[name], min_score) for name in chosen)


def _scored(lane: Lane, min_score: float) -> Lane:
    kept = tuple(one for one in lane.intervals if one.score is None or one.score >= min_score)
    return replace(lane, intervals=kept)


def _shots(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    for index, shot in enumerate(timeline.shots):
        yield Interval(shot.span, f"shot {index}")


def _transitions(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    """Yield what is gradual; a cut lies between two frames, and takes none."""
    for shot in timeline.shots:
        found = shot.transition_in
        if found.end_frame > found.start_frame:
            through = f" through {found.through}" if found.through else ""
            yield Interval(times.span(found.start_frame, found.end_frame), found.kind + through)


def _scenes(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    for index, scene in enumerate(timeline.scenes or ()):
        sure = next((one for one in scene.labels or () if not one.unsure), None)
        yield Interval(
            scene.span,
            f"scene {index}" + (f": {sure.name}" if sure else ""),
            None if sure is None else sure.score,
        )


def _headings(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    for scene in timeline.scenes or ():
        if scene.heading:
            yield Interval(scene.span, scene.heading)


def _labels(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    for shot in timeline.shots:
        for label in shot.labels or ():
            if label.name in shot.kept:
                yield Interval(shot.span, label.name, label.score)


def _scale(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    for shot in timeline.shots:
        if shot.scale is not None and shot.likeliest_scale is not None:
            yield Interval(shot.span, shot.likeliest_scale, shot.scale[shot.likeliest_scale])


def _people(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    for shot in timeline.shots:
        if shot.people is not None and (shot.people.faces or shot.people.persons):
            counts = f"faces {shot.people.faces}, persons {shot.people.persons}"
            yield Interval(shot.span, counts)


def _moments(moment: Callable[[Shot], LabelScore | None]) -> "_Intervals":
    def intervals(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
        for shot in timeline.shots:
            if (found := moment(shot)) is not None and not found.unsure:
                yield Interval(shot.span, found.name, found.score)

    return intervals


def _audio(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    """Yield what is heard, from the frame on screen where it starts to that where it ends."""
    for event in timeline.audio or ():
        first, last = times.frame_shown_at(event.start_s), times.frame_shown_at(event.end_s)
        yield Interval(times.span(first, last + 1), event.name, event.score)


def _marks(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    for mark in timeline.marks or ():
        yield Interval(mark.span, mark.kind)


def _moderation(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    """Yield what a policy asks to be reviewed, with its source, model and severity.

    What is seen starts and ends with frames; of what is heard, those on screen are taken.
    """
    policy = policy_name(timeline)
    for one in timeline.moderation or ():
        if one.source == "seen":
            first, end = times.frame_at(one.start_s), times.frame_at(one.end_s)
        else:
            first, end = times.frame_shown_at(one.start_s), times.frame_shown_at(one.end_s) + 1
        text = f"{one.name} ({one.source}, {one.model}, severity {one.severity}, policy {policy})"
        yield Interval(times.span(first, end), text, one.score)


def _uncovered(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    """Yield the whole film with what was not looked or listened for in it."""
    missing = uncovered_classes(timeline)
    if missing:
        text = f"not covered: {', '.join(missing)} (policy {policy_name(timeline)})"
        yield Interval(times.span(0, times.num_frames), text)


def _genres(timeline: Timeline, times: FrameTimes) -> Iterator[Interval]:
    """Yield each genre that the film is given, over all of it."""
    for genre in timeline.genres or ():
        if genre.chosen:
            yield Interval(times.span(0, times.num_frames), genre.name, genre.score)


_Intervals = Callable[[Timeline, FrameTimes], Iterator[Interval]]
_MADE: Mapping[str, _Intervals] = {
    "shots": _shots,
    "transitions": _transitions,
    "scenes": _scenes,
    "headings": _headings,
    "labels": _labels,
    "setting": _moments(lambda shot: shot.setting),
    "time": _moments(lambda shot: shot.time_of_day),
    "scale": _scale,
    "people": _people,
    "audio": _audio,
    "marks": _marks,
    "moderation": _moderation,
    "not covered": _uncovered,
    "genres": _genres,
}

MADE_LANES = tuple(_MADE)
"""The names of lanes that analysis makes; what is brought in has others."""
ONLY_IF_NAMED = ("genres",)
"""Those that lie over the whole film."""
