"""Where the events of a list from elsewhere lie in the film."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal, cast

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Transition, TransitionKind
from mastershot.core.time import FrameTimes, Span
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.editors.edits import (
    SHOTS,
    Edit,
    Start,
    goes_on,
    gradual_text,
    is_gradual,
    noted_frames,
    read_interval_note,
)
from mastershot.exports.formats.editors.sources import Number, own_number, sources_of
from mastershot.exports.formats.timecode import EditClock, edit_clock

MARKERS = "markers"
"""The lane of markers that were not written here."""

_HOUR = "01:00:00:00"


@dataclass(frozen=True)
class Event:
    """A shot as a file states it, in frames of the edit rate.

    Attributes:
        where: Which it is, as a sentence names it: ``event 003``.
        of_film: Whether the file says that it is of this film; None where it does not say.
        media: What it is of, as the file names it.
        source: From where to where in its source, counted from the film's first frame.
        record: From where to where in the edited list, counted as the list does.
        kind: How it begins.
        before: How long before its start the transition begins.
        after: How long after its start it ends.
        through: The colour of a fade.
        note: What `frames_note` wrote; empty in a file from elsewhere.
        name: What it is called; may be empty.
    """

    where: str
    of_film: bool | None
    media: str
    source: tuple[Number, Number]
    record: tuple[Number, Number]
    kind: TransitionKind = "cut"
    before: Number = 0
    after: Number = 0
    through: Literal["black", "white"] | None = None
    note: str = ""
    name: str = ""


@dataclass(frozen=True)
class Marker:
    """A marker as a file states it.

    Attributes:
        first: Where it is in the edited list, counted as the list does.
        length: How long it is, in frames of the edit rate.
        lane: The lane that it was written from; `MARKERS` in a file from elsewhere.
        text: What it says.
        note: What `interval_note` wrote; empty in a file from elsewhere.
        is_range: Whether the file holds its length, which may have been edited.
    """

    first: Number
    length: Number
    lane: str
    text: str
    note: str = ""
    is_range: bool = False


def start_when_reading(timeline: Timeline, times: FrameTimes, *, drop: bool = False) -> Start:
    """Return how the film of a list is counted that is read."""
    movie = timeline.movie
    clock = edit_clock(times, movie.frame_rate, drop=drop)
    sources, _ = sources_of(clock, movie)
    record = sources[0].own(0)
    if movie.reels:  # Its time code may be stated; those of the reels are their own.
        record = own_number(clock.counting, movie.timecode)[0] or 0
    return Start(clock, sources, record)


def kind_of(name: str) -> tuple[TransitionKind, Literal["black", "white"] | None]:
    """Return the kind of a transition by what an editor calls it, and the colour of a fade."""
    words = name.lower()
    if "wipe" in words or "push" in words or "slide" in words:
        return "wipe", None
    if "fade" in words or "dip" in words:
        return "fade", "white" if "white" in words else "black" if "black" in words else None
    return "dissolve", None


def joined(events: Sequence[Event]) -> list[Event]:
    """Return events with those joined that are of one shot which lies in several reels."""
    found: list[Event] = []
    for event in events:
        before = found[-1] if found else event
        ends = before.source[1], before.record[1]
        if goes_on(event.note, before.note) and ends == (event.source[0], event.record[0]):
            source = before.source[0], event.source[1]
            found[-1] = replace(before, source=source, record=(before.record[0], event.record[1]))
        else:
            found.append(event)
    return found


def lane_of_events(events: Sequence[Event], start: Start, timeline: Timeline, path: Path) -> Lane:
    """Return the shots of a list as a lane, placed in the film.

    Events of this film lie where their sources do; those of a list of many sources, as an editor
    made the film, where they are recorded.

    Raises:
        EditsError: Events are of another film, outside of this one, or overlap.
    """
    placed = list(_placed(events, start, timeline, path))
    placed.sort(key=lambda one: one[1])
    for (before, _, end), (after, first, _) in pairwise(placed):
        if first < end:
            raise EditsError(
                f"{path}: {before.where} and {after.where} overlap by {float(end - first):g} "
                f"frames at {start.source_code(int(first))}"
            )
    edits = [_edit_at(event, first, end, start.clock) for event, first, end in placed]
    intervals = tuple(Interval(edit.span, _text(edit)) for edit in edits)
    return Lane(SHOTS, "shots", path.name, intervals)


def _text(edit: Edit) -> str:
    gradual = gradual_text(edit.transition) if is_gradual(edit.transition) else ""
    return ", ".join(filter(None, (edit.name, gradual)))


def lanes_of_list(
    events: Sequence[Event],
    markers: Sequence[Marker],
    start: Start,
    timeline: Timeline,
    path: Path,
) -> tuple[Lane, ...]:
    """Return what a list holds, in the film: its shots, and its markers as lanes of notes.

    One event over the whole film carries the markers, and is no list of shots, unless the film is
    one shot.

    Raises:
        EditsError: It holds nothing, is of another film, lies outside of this one, or overlaps.
    """
    if not events and not markers:
        raise EditsError(f"{path} has no event of picture and no marker in it")
    events = joined(events)
    shots = lane_of_events(events, start, timeline, path) if events else None
    if shots is not None and markers and len(events) == 1 and len(timeline.shots) > 1:
        span = shots.intervals[0].span
        shots = None if span.num_frames == start.clock.times.num_frames else shots
    notes = marker_lanes(markers, events, start, timeline, path)
    return notes if shots is None else (shots, *notes)


def record_offset(events: Sequence[Event], start: Start, timeline: Timeline, path: Path) -> Number:
    """Return where in the list the film's first frame is recorded.

    Raises:
        EditsError: Events are of another film.
    """
    first = events[0]
    if _are_by_source(events, start, path):
        return first.record[0] - first.source[0]
    if timeline.movie.timecode:
        end = max(event.record[1] for event in events) - start.record
        if min(event.record[0] for event in events) >= start.record and end <= start.clock.end + 1:
            return start.record
    return min(event.record[0] for event in events)


def _placed(
    events: Sequence[Event], start: Start, timeline: Timeline, path: Path
) -> Iterator[tuple[Event, Number, Number]]:
    by_source = _are_by_source(events, start, path)
    offset = 0 if by_source else record_offset(events, start, timeline, path)
    for event in events:
        first, end = (at - offset for at in (event.source if by_source else event.record))
        require_within(path, event.where, first, end, start)
        yield event, first, end


def require_within(path: Path, where: str, first: Number, end: Number, start: Start) -> None:
    """Refuse what lies outside of the film, or has no length.

    Raises:
        EditsError: It does; a frame past the end is let pass, as some editors write it.
    """
    if first < 0:
        raise EditsError(
            f"{path}: {where} starts at {start.source_code(int(first))}, before the film's first "
            f"frame at {start.source_code(0)}; if the film starts at another time code, say so "
            "with --start-timecode"
        )
    if end > start.clock.end + 1:
        raise EditsError(
            f"{path}: {where} ends at {start.source_code(int(end))}, but the film ends at "
            f"{start.source_code(start.clock.end)}; the list is of another film or frame rate"
        )
    if end <= first:
        raise EditsError(f"{path}: {where} ends at or before its start; an event takes time")


def _are_by_source(events: Sequence[Event], start: Start, path: Path) -> bool:
    """Return whether events are of this film, by the names of what they are of.

    Raises:
        EditsError: Some are and some are not, or all are of one other film.
    """
    film = " and ".join(source.name for source in start.sources)
    others = [event for event in events if event.of_film is False]
    if not others:
        offsets = {event.record[0] - event.source[0] for event in events}
        return any(event.of_film for event in events) or len(offsets) == 1
    if len(others) < len(events):
        raise EditsError(
            f"{path}: {others[0].where} is of {others[0].media!r}, but others are of this film, "
            f"{film}; leave out what is not of it"
        )
    if len({event.media for event in others}) == 1:
        raise EditsError(
            f"{path} is a list of {others[0].media!r}, and this film is {film}; if they are the "
            f"same, name it {start.sources[0].reel} in the list"
        )
    return False


def _edit_at(event: Event, first: Number, end: Number, clock: EditClock) -> Edit:
    """Return an event as a shot of the film, by the exact frames it notes if they are still so."""
    noted = _noted(event, first, end, clock)
    if noted is not None:
        return noted
    span = clock.span(first, end)
    if event.before + event.after > 0:
        around = clock.span(first - event.before, first + event.after)
        frames = around.first_frame, around.end_frame
        return Edit(span, Transition(event.kind, *frames, event.through), event.name)
    frame = span.first_frame
    return Edit(span, Transition("cut" if frame else "start", frame, frame), event.name)


def _noted(event: Event, first: Number, end: Number, clock: EditClock) -> Edit | None:
    if (noted := noted_frames(event.note)) is None:
        return None
    first_frame, end_frame, transition = noted
    if not first_frame < end_frame <= clock.times.num_frames:
        return None
    span = clock.times.span(first_frame, end_frame)
    if not agrees(span, first, end, clock):
        return None
    if transition is None or transition.end_frame > clock.times.num_frames:
        if event.before + event.after > 0:
            return None
        cut = "cut" if span.first_frame else "start"
        transition = Transition(cast(TransitionKind, cut), span.first_frame, span.first_frame)
    elif (
        clock.number(transition.start_frame) != first - event.before
        or clock.number(transition.end_frame) != first + event.after
    ):
        return None
    return Edit(span, transition, event.name)


def agrees(span: Span, first: Number, end: Number, clock: EditClock) -> bool:
    """Return whether noted frames are still where their numbers are."""
    return (clock.number(span.first_frame), clock.number(span.end_frame)) == (first, end)


def marker_lanes(
    markers: Sequence[Marker],
    events: Sequence[Event],
    start: Start,
    timeline: Timeline,
    path: Path,
) -> tuple[Lane, ...]:
    """Return markers as lanes of notes, by the names that were written with them.

    Without events, the list starts at the film's own time code; where the film has none, at zero
    or the hour at which editors start, whichever has all markers within the film.

    Raises:
        EditsError: A marker lies outside of the film, or it is not known where the list starts.
    """
    lanes: dict[str, list[Interval]] = {}
    in_film = _in_film(markers, events, start, timeline, path) if markers else None
    for marker in markers:
        assert in_film is not None
        first, clock = in_film(marker.first), start.clock
        require_within(path, f"marker {marker.text[:40]!r}", first, first + 1, start)
        span, score = read_interval_note(marker.note, clock)
        length = marker.length
        if span is not None:
            length = clock.number(span.end_frame) - clock.number(span.first_frame)
        if span is None or clock.number(span.first_frame) != first:
            span = clock.span(first, min(first + max(length, 1), clock.end))
        elif marker.is_range and max(marker.length, 1) != max(length, 1):
            span = clock.span(first, min(first + max(marker.length, 1), clock.end))
        lanes.setdefault(marker.lane, []).append(Interval(span, marker.text, score))
    return tuple(
        Lane(name, "notes", path.name, tuple(sorted(found, key=lambda one: one.span)))
        for name, found in lanes.items()
    )


def _in_film(
    markers: Sequence[Marker],
    events: Sequence[Event],
    start: Start,
    timeline: Timeline,
    path: Path,
) -> Callable[[Number], Number]:
    """Return what turns a time in the list into one from the film's first frame."""
    if not events:
        offset = _offset_of_markers(markers, start, timeline, path)
        return lambda number: number - offset
    general = record_offset(events, start, timeline, path)
    if not _are_by_source(events, start, path):
        return lambda number: number - general
    ordered = sorted(events, key=lambda event: event.record)
    starts = [event.record[0] for event in ordered]

    def in_film(number: Number) -> Number:
        event = ordered[max(0, bisect_right(starts, number) - 1)]
        if event.record[0] <= number < event.record[1]:
            return event.source[0] + number - event.record[0]
        return number - general

    return in_film


def _offset_of_markers(
    markers: Sequence[Marker], start: Start, timeline: Timeline, path: Path
) -> int:
    """Return where in a list of markers alone the film's first frame is.

    Raises:
        EditsError: Both do.
    """
    if timeline.movie.timecode:
        return start.record
    hour = start.clock.counting.number(_HOUR)
    earliest, latest = min(one.first for one in markers), max(one.first for one in markers)
    if not hour <= earliest <= latest < hour + start.clock.end:
        return 0
    if latest < start.clock.end:
        raise EditsError(
            f"{path} holds markers alone, and does not say whether the film starts at 00:00:00:00 "
            f"or {_HOUR}; say so with --start-timecode"
        )
    return hour
