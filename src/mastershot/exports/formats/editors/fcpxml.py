"""FCPXML 1.10, which Final Cut Pro, Resolve and Premiere's converters read and write."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

from mastershot.core.errors import EditsError
from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Movie, Transition
from mastershot.core.text import printable
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.editors.edits import (
    Edit,
    Start,
    cut_list,
    file_path,
    frames_note,
    interval_note,
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

_VERSION = "1.10"
_FORMAT = "r1"
_TIME = re.compile(r"(-?\d{1,18})(?:/(\d{1,18}))?s|(-?\d{1,12}\.\d{1,9})s", re.ASCII)
_SHOT_NOTE = re.compile(r"mastershot (frames .*)")
_MARKER_NOTE = re.compile(r"mastershot lane (.*?); (frames .*)")
_EFFECTS = {"dissolve": "Cross Dissolve", "fade": "Fade To Color", "wipe": "Wipe", "cut": ""}
_CLIPS = ("asset-clip", "clip", "video", "ref-clip", "sync-clip", "mc-clip")
_MARKS = ("marker", "chapter-marker")


def write_fcpxml(export: Export, path: Path) -> tuple[str, ...]:
    """Write one spine of clips with their transitions; other lanes as markers in the clips.

    A shot that lies in several reels is a clip of each. All times are whole frames, as rational
    seconds. The clips' notes, and those of the markers,
    have the exact frames, half-open, and scores.

    Returns:
        What the user should know.

    Raises:
        EditsError: Shots overlap.
        OutputError: The file cannot be written; what was there before stays.
        SettingError: The start time code does not exist at the film's rate.
    """
    made = cut_list(export)
    start, movie, number = made.start, export.timeline.movie, made.start.clock.number
    root = Element("fcpxml", version=_VERSION)
    _add_resources(SubElement(root, "resources"), movie, start)
    library = SubElement(root, "library")
    event = SubElement(library, "event", name="Mastershot")
    project = SubElement(event, "project", name=printable(Path(movie.path).stem))
    tc_format = "DF" if start.clock.counting.drop else "NDF"
    sequence = SubElement(
        project,
        "sequence",
        format=_FORMAT,
        duration=_time(start.clock.end, start),
        tcStart=_time(start.record, start),
        tcFormat=tc_format,
    )
    spine = SubElement(sequence, "spine")
    items = _add_clips(spine, made.edits, movie, start)
    marks = [
        (number(one.span.first_frame), lane, one) for lane in made.lanes for one in lane.intervals
    ]
    _add_markers(items, sorted(marks, key=lambda mark: mark[0]), start)
    indent(root)
    with written_whole(path) as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n\n')
        file.write(tostring(root, encoding="unicode") + "\n")
    return made.notes


def _time(number: int, start: Start) -> str:
    """Return frames as rational seconds, such as ``1001/24000s``."""
    rate = start.clock.counting.rate
    return f"{number * rate.denominator}/{rate.numerator}s" if number else "0s"


def _add_resources(resources: Element, movie: Movie, start: Start) -> None:
    SubElement(
        resources,
        "format",
        id=_FORMAT,
        frameDuration=_time(1, start),
        width=str(movie.width_px),
        height=str(movie.height_px),
    )
    for number, source in enumerate(start.sources):
        asset = SubElement(
            resources,
            "asset",
            id=_asset(number),
            name=printable(source.name),
            start=_time(source.start, start),
            duration=_time(source.end - source.first, start),
            hasVideo="1",
            format=_FORMAT,
            videoSources="1",
            hasAudio="1" if movie.has_audio else "0",
        )
        if movie.has_audio:
            asset.attrib |= {"audioSources": "1"}
        url = Path(source.path).absolute().as_uri()
        SubElement(asset, "media-rep", kind="original-media", src=url)


def _asset(number: int) -> str:
    return f"r{number + 2}"


def _add_clips(
    spine: Element, edits: Sequence[Edit], movie: Movie, start: Start
) -> list[tuple[int, int, Element]]:
    """Add clips, transitions and gaps; return where clips and gaps start, theirs, and them."""
    number, items, reached = start.clock.number, list[tuple[int, int, Element]](), 0
    for edit in edits:
        first, end = number(edit.span.first_frame), number(edit.span.end_frame)
        if first > reached:
            length = _time(first - reached, start)
            offset = _time(start.record + reached, start)
            gap = SubElement(spine, "gap", name="Gap", offset=offset, start="0s", duration=length)
            items.append((reached, 0, gap))
        if is_gradual(edit.transition):
            _add_transition(spine, edit.transition, start)
        for place, piece in enumerate(pieces_of(first, end, start.sources)):
            source, begins, _ = piece
            clip = _clip(spine, edit.name or Path(source.path).stem, piece, movie, start)
            note = frames_note(edit, goes_on=place > 0)
            SubElement(clip, "note").text = f"mastershot {note}"
            items.append((begins, source.own(begins), clip))
        reached = end
    return items


def _clip(
    spine: Element, name: str, piece: tuple[Source, int, int], movie: Movie, start: Start
) -> Element:
    source, first, end = piece
    clip = SubElement(
        spine,
        "asset-clip",
        ref=_asset(start.sources.index(source)),
        offset=_time(start.record + first, start),
        name=printable(name),
        start=_time(source.own(first), start),
        duration=_time(end - first, start),
        format=_FORMAT,
        tcFormat="DF" if start.clock.counting.drop else "NDF",
        videoRole="video",
    )
    if movie.has_audio:
        clip.set("audioRole", "dialogue")
    return clip


def _add_transition(spine: Element, transition: Transition, start: Start) -> None:
    begins = start.clock.number(transition.start_frame)
    length = start.clock.number(transition.end_frame) - begins
    colour = f" ({transition.through})" if transition.through else ""
    SubElement(
        spine,
        "transition",
        name=_EFFECTS[transition.kind] + colour,
        offset=_time(start.record + begins, start),
        duration=_time(length, start),
    )


def _add_markers(
    items: Sequence[tuple[int, int, Element]],
    marks: Sequence[tuple[int, Lane, Interval]],
    start: Start,
) -> None:
    place = 0
    for at, lane, interval in marks:
        while place + 1 < len(items) and items[place + 1][0] <= at:
            place += 1
        first, own, element = items[place]
        length = start.clock.number(interval.span.end_frame) - at
        SubElement(
            element,
            "marker",
            start=_time(own + at - first, start),
            duration=_time(max(1, length), start),
            value=printable(interval.text or lane.name),
            note=f"mastershot lane {printable(lane.name)}; {interval_note(interval)}",
        )


def read_fcpxml(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return the clips of the first sequence's spine as shots, and the markers in them.

    Raises:
        EditsError: The file is no FCPXML, holds entities, or does not fit the film.
    """
    root = _root(path)
    start = start_when_reading(timeline, times)
    reader = _Reader(path, root, start)
    reader.read()
    return lanes_of_list(reader.events, reader.markers, start, timeline, path)


def _root(path: Path) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", read_text(path)[0], count=1)
    try:
        root = fromstring(text)
    except DefusedXmlException as error:
        raise EditsError(f"{path} defines entities, which no FCPXML does; it is refused") from error
    except (ParseError, ValueError) as error:
        raise EditsError(f"{path} is no well-formed XML: {error}") from error
    if root.tag != "fcpxml":
        raise EditsError(f"{path} is XML, but its root is {root.tag[:40]!r}, not fcpxml")
    if not root.get("version", "").startswith("1."):
        version = root.get("version")
        raise EditsError(f"{path} is FCPXML of version {version!r}; versions 1.x are read")
    return root


@dataclass
class _Reader:
    """Reads a spine, in frames of the film's edit rate."""

    path: Path
    root: Element
    start: Start
    events: list[Event] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    _assets: dict[str, Element] = field(default_factory=dict)

    def read(self) -> None:
        """Read the first sequence with a spine into `events` and `markers`."""
        found = (one for one in self.root.iter("sequence") if one.find("./spine") is not None)
        if (sequence := next(found, None)) is None:
            raise EditsError(f"{self.path} has no sequence with a spine; export a project")
        spine = sequence.findall("./spine/*")
        self._assets = {one.get("id", ""): one for one in self.root.iter("asset")}
        reached = self._number(sequence, "tcStart", 0)
        transition: Element | None = None
        for index, item in enumerate(spine):
            if item.tag == "transition":
                transition = item
                continue
            if "duration" not in item.attrib:
                continue
            first = self._number(item, "offset", reached)
            end = first + self._number(item, "duration", 0)
            media = self._media(item)
            own = self._number(item, "start", media[1])
            self._add_markers(item, first - own)
            if item.tag in _CLIPS:
                event = self._event(item, (first, end), media, own, f"clip {index + 1}")
                if transition is not None:
                    event = self._begun(event, transition, first)
                self.events.append(event)
            transition, reached = None, end

    def _media(self, item: Element) -> tuple[list[str], Number, Number]:
        """Return the names of what a clip is of, where that starts, and where it is in the clip."""
        inner = item
        if item.tag in {"clip", "sync-clip"}:
            found = item.find("./video")
            inner = item if found is None else found
        ref = inner.get("ref", "")
        if (asset := self._assets.get(ref)) is None:
            return [item.get("name", "")] if ref else [], 0, 0
        source = asset.get("src") or ""
        if not source and (rep := asset.find("./media-rep")) is not None:
            source = rep.get("src") or ""
        names = [name for name in (file_path(source), asset.get("name", "")) if name]
        asset_start = self._number(asset, "start", 0)
        shift: Number = 0
        if inner is not item:
            shift = self._number(inner, "start", asset_start) - self._number(inner, "offset", 0)
        return names, asset_start, shift

    def _event(
        self,
        item: Element,
        record: tuple[Number, Number],
        media: tuple[list[str], Number, Number],
        own: Number,
        where: str,
    ) -> Event:
        names, asset_start, shift = media

        def lies_in(source: Source) -> tuple[Number, Number]:
            first = own + shift - asset_start + source.first
            return first, first + record[1] - record[0]

        of_film, lies = in_film(self.path, where, names, self.start, lies_in)
        said = item.findtext("./note") or ""
        note = _SHOT_NOTE.fullmatch(said.strip())
        return Event(
            where,
            of_film,
            PurePosixPath(names[0]).name if names else "",
            lies,
            record,
            note=note[1] if note else "",
            name=item.get("name", ""),
        )

    def _begun(self, event: Event, transition: Element, first: Number) -> Event:
        """Return an event with the transition that it begins with."""
        begins = self._number(transition, "offset", first)
        whole = begins + self._number(transition, "duration", 0)
        kind, through = kind_of(transition.get("name", ""))
        before, after = max(first - begins, 0), max(whole - first, 0)
        return replace(event, kind=kind, through=through, before=before, after=after)

    def _add_markers(self, item: Element, shift: Number) -> None:
        self.markers += (self._marker(one, shift) for one in _marks(item))

    def _marker(self, marker: Element, shift: Number) -> Marker:
        value, note = marker.get("value", ""), marker.get("note", "")
        first = shift + self._number(marker, "start", 0)
        length = self._number(marker, "duration", 1)
        if (own := _MARKER_NOTE.fullmatch(note)) is None:
            return Marker(first, length, MARKERS, ": ".join(filter(None, (value, note))))
        text = "" if value == own[1] else value
        return Marker(first, length, own[1], text, own[2], is_range=True)

    def _number(self, element: Element, name: str, default: Number) -> Number:
        """Return an attribute's time in frames of the film's edit rate."""
        if (text := element.get(name)) is None:
            return default
        match = _TIME.fullmatch(text)
        if match is None or (match[2] is not None and int(match[2]) == 0):
            raise EditsError(
                f"{self.path}: {name}={text[:40]!r} of a {element.tag} is no time; one is written "
                "1001/24000s"
            )
        seconds = Fraction(match[3]) if match[3] else Fraction(int(match[1]), int(match[2] or 1))
        return seconds * self.start.clock.counting.rate


def _marks(item: Element) -> Iterator[Element]:
    for tag in _MARKS:
        yield from item.findall(f"./{tag}")
