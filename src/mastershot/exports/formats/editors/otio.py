"""OpenTimelineIO files, which most editors exchange, directly or through its adapters."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mastershot.core.errors import EditsError
from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane
from mastershot.core.text import utf8_text
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.editors.edits import (
    GOES_ON,
    Edit,
    Start,
    colour_of,
    cut_list,
    file_path,
    gradual_text,
    is_gradual,
)
from mastershot.exports.formats.editors.matching import in_film
from mastershot.exports.formats.editors.placing import (
    MARKERS,
    Event,
    Marker,
    kind_of,
    lanes_of_list,
    start_when_reading,
)
from mastershot.exports.formats.editors.sources import Number, Source, pieces_of
from mastershot.exports.formats.lanes import Export
from mastershot.exports.formats.texts import read_text
from mastershot.exports.formats.timecode import standard_rate

if TYPE_CHECKING:
    from opentimelineio.opentime import RationalTime, TimeRange
    from opentimelineio.schema import Timeline as OtioTimeline

_OURS = "mastershot"
_LATEST = 1e12  # frames
_DEEPEST = 500
_TIME_SCHEMAS = ("RationalTime", "TimeRange", "TimeTransform", "Box2d", "V2d")


def write_otio(export: Export, path: Path) -> tuple[str, ...]:
    """Write one track of clips with their transitions; other lanes as markers of the whole.

    Clips refer to the film's file, by its own time code; a shot that lies in several reels is a
    clip of each. Markers count from the timeline's start.
    Metadata ``mastershot`` has the exact frames, half-open, and scores.

    Returns:
        What the user should know.

    Raises:
        EditsError: Shots overlap.
        OutputError: The file cannot be written; what was there before stays.
        SettingError: The start time code does not exist at the film's rate.
    """
    import opentimelineio as otio

    made = cut_list(export)
    start, movie = made.start, export.timeline.movie
    number = start.clock.number
    timeline = otio.schema.Timeline(
        utf8_text(Path(movie.path).stem), global_start_time=_time(start.record, start)
    )
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    reached = 0
    for edit in made.edits:
        first, end = number(edit.span.first_frame), number(edit.span.end_frame)
        if first > reached:
            track.append(otio.schema.Gap(duration=_time(first - reached, start)))
        if is_gradual(edit.transition):
            track.append(_transition(edit, start))
        for place, piece in enumerate(pieces_of(first, end, start.sources)):
            track.append(_clip(edit, piece, start, goes_on=place > 0))
        reached = end
    for lane in made.lanes:
        timeline.tracks.markers.extend(_marker(lane, one, start) for one in lane.intervals)
    timeline.metadata[_OURS] = {"film": utf8_text(movie.id)}
    with written_whole(path) as file:
        file.write(timeline.to_json_string(indent=1) + "\n")
    return made.notes


def _time(number: int, start: Start) -> "RationalTime":
    from opentimelineio.opentime import RationalTime

    return RationalTime(number, float(start.clock.counting.rate))


def _range(first: int, length: int, start: Start) -> "TimeRange":
    from opentimelineio.opentime import TimeRange

    return TimeRange(_time(first, start), _time(length, start))


def _clip(edit: Edit, piece: tuple[Source, int, int], start: Start, *, goes_on: bool) -> Any:
    """Return a shot, or what of it lies in one reel."""
    from opentimelineio.schema import Clip, ExternalReference

    source, first, end = piece
    media = ExternalReference(
        Path(source.path).absolute().as_uri(),
        _range(source.start, source.end - source.first, start),
    )
    media.name = utf8_text(source.name)
    clip = Clip(utf8_text(edit.name), media, _range(source.own(first), end - first, start))
    clip.metadata[_OURS] = {"frames": [edit.span.first_frame, edit.span.end_frame]}
    if goes_on:
        clip.metadata[_OURS]["goes_on"] = True
    return clip


def _transition(edit: Edit, start: Start) -> Any:
    from opentimelineio.schema import Transition, TransitionTypes

    found, number = edit.transition, start.clock.number
    first = number(edit.span.first_frame)
    kind = TransitionTypes.SMPTE_Dissolve if found.kind == "dissolve" else TransitionTypes.Custom
    through = f" through {found.through}" if found.through else ""
    return Transition(
        f"{found.kind}{through}",
        kind,
        _time(first - number(found.start_frame), start),
        _time(number(found.end_frame) - first, start),
        {_OURS: {"transition": gradual_text(found)}},
    )


def _marker(lane: Lane, interval: Interval, start: Start) -> Any:
    from opentimelineio.schema import Marker as OtioMarker

    span = interval.span
    first, end = start.clock.number(span.first_frame), start.clock.number(span.end_frame)
    metadata: dict[str, Any] = {
        "lane": utf8_text(lane.name),
        "text": utf8_text(interval.text),
        "frames": [span.first_frame, span.end_frame],
    }
    if interval.score is not None:
        metadata["score"] = interval.score
    name = f"{lane.name}: {interval.text}" if interval.text else lane.name
    return OtioMarker(
        utf8_text(name), _range(first, end - first, start), colour_of(lane.name), {_OURS: metadata}
    )


def read_otio(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return the shots of the first track of picture, and the markers, in the film.

    Raises:
        EditsError: The file is no such timeline, of a schema that is not known, or does not fit
            the film.
    """
    import opentimelineio as otio

    start, value = start_when_reading(timeline, times), _parsed(path)
    try:
        events, markers = _Reader(path, _loaded(path, value), start).read()
    except EditsError:
        raise
    except (otio.exceptions.OTIOError, ValueError, TypeError, LookupError, RuntimeError) as error:
        strange = next(_strange_schemas(path, value), "")
        reason = " ".join(str(error).split())[:200]
        problem = strange or f"is no timeline that OpenTimelineIO reads: {reason}"
        raise EditsError(f"{path} {problem}") from error
    return lanes_of_list(events, markers, start, timeline, path)


def _parsed(path: Path) -> Any:
    """Return a file's JSON, which is not nested deeper than the library can read."""
    text, _ = read_text(path)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EditsError(f"{path} is no JSON, as OpenTimelineIO files are: {error}") from error
    for _ in _values(path, value):
        pass
    return value


def _loaded(path: Path, value: Any) -> "OtioTimeline":
    import opentimelineio as otio

    schema = value.get("OTIO_SCHEMA") if isinstance(value, dict) else None
    if not isinstance(schema, str):
        raise EditsError(f"{path} is JSON, but no OpenTimelineIO file: it has no OTIO_SCHEMA")
    root = otio.adapters.read_from_string(json.dumps(value), "otio_json")
    if isinstance(root, otio.schema.SerializableCollection):
        found = root.find_children(descended_from_type=otio.schema.Timeline)
        root = found[0] if found else root
    if not isinstance(root, otio.schema.Timeline):
        raise EditsError(f"{path} holds a {schema!r}; it should be a Timeline")
    return root


def _strange_schemas(path: Path, value: Any) -> Iterator[str]:
    """Yield what is to be said of schemas that the library does not know, or not so new."""
    from opentimelineio.core import type_version_map

    known = type_version_map()
    for one in _values(path, value):
        schema = one.get("OTIO_SCHEMA") if isinstance(one, dict) else None
        if not isinstance(schema, str):
            continue
        name, _, version = schema.rpartition(".")
        if name in known and version.isdecimal() and int(version) > known[name]:
            yield (
                f"was written by a newer OpenTimelineIO: {schema} in it is not known, but "
                f"{name}.{known[name]} is; save it for an older version"
            )
        elif name and name not in known and name not in _TIME_SCHEMAS:
            yield f"holds {schema[:60]!r}, a schema that is not known; save it without"


def _values(path: Path, value: Any) -> Iterator[Any]:
    """Yield the objects and lists in a value, level by level."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise EditsError(f"{path} is nested deeper than {_DEEPEST} levels; it is no timeline")
        yield from level
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for values in inner for one in values if isinstance(one, dict | list) and one]


class _Reader:
    """Reads a timeline's events and markers, in frames of the film's edit rate."""

    def __init__(self, path: Path, root: "OtioTimeline", start: Start) -> None:
        self._path, self._root, self._start = path, root, start

    def read(self) -> tuple[list[Event], list[Marker]]:
        """Return the events of the first track of picture, and all markers."""
        import opentimelineio as otio

        base: Number = 0
        if self._root.global_start_time is not None:
            base = self._number(self._root.global_start_time)
        tracks = [one for one in self._root.video_tracks() if one.enabled]
        tracks = [one for one in tracks if any(isinstance(c, otio.schema.Clip) for c in one)]
        events: list[Event] = []
        markers = [self._marker(one, base) for one in self._root.tracks.markers]
        for track in tracks[:1]:
            markers += [self._marker(one, base) for one in track.markers]
            for event, of_clip in self._events(track, base):
                if event is not None:
                    events.append(event)
                markers += of_clip
        return events, markers

    def _events(self, track: Any, base: Number) -> Iterator[tuple[Event | None, list[Marker]]]:
        import opentimelineio as otio

        transition = None
        for index, item in enumerate(track):
            if isinstance(item, otio.schema.Transition):
                transition = item
                continue
            lies = track.range_of_child_at_index(index)
            first = base + self._number(lies.start_time)
            end = first + self._number(lies.duration)
            inner = self._number(item.trimmed_range().start_time)
            markers = [self._marker(one, first - inner) for one in item.markers]
            is_blank = isinstance(item, otio.schema.Gap) or (
                isinstance(item, otio.schema.Clip)
                and isinstance(item.media_reference, otio.schema.GeneratorReference)
            )
            event = None if is_blank else self._event(item, (first, end), inner, index)
            if event is not None and transition is not None:
                event = self._begun(event, transition)
            transition = None
            yield event, markers

    def _event(self, item: Any, record: tuple[Number, Number], inner: Number, index: int) -> Event:
        import opentimelineio as otio

        where, names = f"clip {index + 1}", [item.name or ""]
        media_start: Number | None = None
        if isinstance(item, otio.schema.Clip):
            media = item.media_reference
            if isinstance(media, otio.schema.ExternalReference):
                names = [file_path(media.target_url or ""), media.name or ""]
            if media is not None and media.available_range is not None:
                media_start = self._number(media.available_range.start_time)

        def lies_in(source: Source) -> tuple[Number, Number]:
            first = inner - (source.start if media_start is None else media_start) + source.first
            return first, first + record[1] - record[0]

        named, lies = in_film(self._path, where, names, self._start, lies_in)
        if named is False and not _names_media(item):
            named = None
        ours = _ours(item.metadata)
        note = _frames(ours.get("frames"))
        return Event(
            where,
            named,
            PurePosixPath(names[0]).name,
            lies,
            record,
            note=f"{note}, {GOES_ON}" if note and ours.get("goes_on") is True else note,
            name=item.name or "",
        )

    def _begun(self, event: Event, transition: Any) -> Event:
        """Return an event with the transition that it begins with."""
        noted = _ours(transition.metadata).get("transition")
        kind, through = kind_of(f"{transition.transition_type} {transition.name}")
        return replace(
            event,
            kind=kind,
            through=through,
            before=self._number(transition.in_offset),
            after=self._number(transition.out_offset),
            note=f"{event.note}, {noted}" if event.note and isinstance(noted, str) else event.note,
        )

    def _marker(self, marker: Any, base: Number) -> Marker:
        lies, ours = marker.marked_range, _ours(marker.metadata)
        lane, text = ours.get("lane"), ours.get("text")
        note = _frames(ours.get("frames"))
        score = ours.get("score")
        if note and isinstance(score, float | int):
            note += f", score {score!r}"
        own = isinstance(lane, str) and isinstance(text, str) and bool(note)
        said = ": ".join(filter(None, (marker.name, getattr(marker, "comment", ""))))
        return Marker(
            base + self._number(lies.start_time),
            self._number(lies.duration),
            str(lane) if own else MARKERS,
            str(text) if own else said,
            note if own else "",
            is_range=True,
        )

    def _number(self, time: "RationalTime") -> Number:
        """Return a time in frames of the film's edit rate."""
        if not (math.isfinite(time.value) and math.isfinite(time.rate) and time.rate > 0):
            raise EditsError(f"{self._path} holds a time that is no number: {time}")
        if abs(time.value) > _LATEST:
            raise EditsError(f"{self._path} holds a time beyond any film: {time.value:g} frames")
        wanted = self._start.clock.counting.rate
        return Fraction(time.value) / standard_rate(time.rate) * wanted


def _names_media(item: Any) -> bool:
    return bool(getattr(getattr(item, "media_reference", None), "target_url", ""))


def _ours(metadata: Any) -> Mapping[str, Any]:
    found = metadata.get(_OURS)
    return found if isinstance(found, Mapping) else {}


def _frames(value: Any) -> str:
    """Return noted frames in the words of `frames_note`, or nothing where they are none."""
    try:
        first, end = map(int, value)
    except (TypeError, ValueError, OverflowError):
        return ""
    return f"frames {first}-{end}"
