"""ELAN's annotation format, EAF 3.0: a tier a lane, in milliseconds, with exact frames beside."""

import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Interval, Lane, LaneRole
from mastershot.core.movie import Movie
from mastershot.core.time import FrameTimes, format_clock
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.lanes import Export, role_of
from mastershot.exports.formats.players.clock import PlayerClock, clock_of, player_clock
from mastershot.exports.formats.tiers import Annotation, annotations_of
from mastershot.exports.formats.xml_files import read_xml, write_xml, xml_text

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_TYPE = "mastershot"
_MIME_TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime",
               ".mpg": "video/mpeg", ".mpeg": "video/mpeg"}  # fmt: skip
# Times beyond the film's end that its sound may explain.
_SLACK_MS = 1000


def write_eaf(export: Export, path: Path) -> tuple[str, ...]:
    """Write the lanes as tiers; what overlaps within a lane goes to further tiers, as ELAN needs.

    Times are those that players show, rounded up to milliseconds. Properties of the header hold
    the film's digest, each tier's lane, and each annotation's exact frames and score.

    Raises:
        OutputError: The file cannot be written.
    """
    clock = player_clock(export.timeline.movie, export.times, export.film)
    tiers: dict[str, _Tier] = {}
    for tier in (tier for lane in export.lanes for tier in _tiers_of(lane)):
        name, number = tier.name, 2
        while name in tiers:  # Tiers need names of their own.
            name, number = f"{tier.name} ({number})", number + 1
        tiers[name] = tier
    order, document = Element("TIME_ORDER"), _document(export.timeline)
    header = _header(export, path)
    document.extend([header, order])
    exact: dict[str, list[object]] = {}
    for tier_id, tier in tiers.items():
        node = SubElement(document, "TIER", TIER_ID=tier_id, LINGUISTIC_TYPE_REF=_TYPE)
        for one in tier.intervals:
            name = f"a{len(exact) + 1}"
            exact[name] = _kept(one)
            times = _times_ms(clock, one.span.first_frame, one.span.end_frame)
            _add_annotation(node, order, name, times, xml_text(one.text))
    SubElement(
        document, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID=_TYPE, TIME_ALIGNABLE="true",
        GRAPHIC_REFERENCES="false",
    )  # fmt: skip
    properties = {
        "URN": f"urn:nl-mpi-tools-elan-eaf:{uuid5(NAMESPACE_URL, export.timeline.movie.id)}",
        "lastUsedAnnotationId": str(len(exact)),
        "mastershot.film": export.timeline.movie.content_hash,
        "mastershot.duration_ms": str(clock.end_ms),
        "mastershot.lanes": json.dumps(
            {name: [tier.lane, tier.role] for name, tier in tiers.items()}
        ),
        "mastershot.frames": json.dumps(exact, separators=(",", ":")),
    }
    for name, value in properties.items():
        SubElement(header, "PROPERTY", NAME=name).text = value
    write_xml(document, path)
    return clock.notes


@dataclass(frozen=True)
class _Tier:
    name: str
    lane: str
    role: LaneRole
    intervals: tuple[Interval, ...]


def _tiers_of(lane: Lane) -> Iterator[_Tier]:
    """Yield a lane's intervals as tiers within which none overlaps."""
    rows: list[list[Interval]] = []
    for one in sorted(lane.intervals, key=lambda one: one.span.first_frame):
        fitting = (row for row in rows if row[-1].span.end_frame <= one.span.first_frame)
        row = next(fitting, None)
        if row is None:
            rows.append(row := [])
        row.append(one)
    for row in rows:
        yield _Tier(xml_text(lane.name), lane.name, lane.role, tuple(row))


def _kept(one: Interval) -> list[object]:
    """Return an annotation's frames and, where it has one, its score with its text's checksum."""
    frames: list[object] = [one.span.first_frame, one.span.end_frame]
    return frames if one.score is None else [*frames, one.score, _checksum(xml_text(one.text))]


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _times_ms(clock: PlayerClock, first: int, end: int) -> tuple[int, int]:
    start_ms = clock.units_at(first)
    return start_ms, max(start_ms + 1, clock.units_at(end))


def _document(timeline: Timeline) -> Element:
    created = timeline.made_by.created
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", created):
        created = datetime.now(UTC).isoformat(timespec="seconds")
    return Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "",
            "DATE": created,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )


def _header(export: Export, path: Path) -> Element:
    header = Element("HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    film = export.film.absolute()
    relative = PurePath(os.path.relpath(film, path.absolute().parent)).as_posix()
    relative = relative if relative.startswith("../") else f"./{relative}"
    SubElement(
        header,
        "MEDIA_DESCRIPTOR",
        MEDIA_URL=film.as_uri(),
        RELATIVE_MEDIA_URL=quote(os.fsencode(relative)),
        MIME_TYPE=_MIME_TYPES.get(film.suffix.lower(), "video/*"),
        TIME_ORIGIN="0",
    )
    return header


def _add_annotation(
    tier: Element, order: Element, name: str, times_ms: Sequence[int], text: str
) -> None:
    slots = []
    for time_ms in times_ms:
        slots.append(f"ts{len(order) + 1}")
        SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slots[-1], TIME_VALUE=str(time_ms))
    outer = SubElement(tier, "ANNOTATION")
    inner = SubElement(
        outer, "ALIGNABLE_ANNOTATION", ANNOTATION_ID=name, TIME_SLOT_REF1=slots[0],
        TIME_SLOT_REF2=slots[1],
    )  # fmt: skip
    SubElement(inner, "ANNOTATION_VALUE").text = text


def read_eaf(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return a lane a tier of an ELAN file, ours or any; tiers without annotations are left out.

    A time is taken to the nearest start of a frame; where neither times nor text of one of our
    annotations were changed, its exact frames and its score are as they were. An annotation that
    refers to another has that one's time. Times are those that players show, as ELAN's are.

    Raises:
        EditsError: The file cannot be read, is no ELAN file or damaged, or is of another film.
    """
    root = read_xml(path, root="ANNOTATION_DOCUMENT", what="an ELAN file")
    header = root.find("HEADER")
    if header is None:
        raise EditsError(f"{path} has no HEADER; it is no whole ELAN file")
    if (unit := header.get("TIME_UNITS", "milliseconds")) != "milliseconds":
        raise EditsError(f"{path} counts in {unit}; save it with ELAN in milliseconds")
    known = {node.get("NAME"): node.text or "" for node in header.iter("PROPERTY")}
    clock = clock_of(timeline, times)
    origin_ms = _require_film(path, header, known, timeline.movie, clock)
    lanes, exact = _object(known.get("mastershot.lanes")), _object(known.get("mastershot.frames"))
    found: dict[tuple[str, LaneRole], list[Interval]] = {}
    for tier, annotations in annotations_of(path, root):
        name, role = _lane_of(tier, lanes)
        for one in annotations:
            interval = _interval(path, one, clock, exact.get(one.id), origin_ms)
            found.setdefault((name, role), []).append(interval)
    if not found:
        raise EditsError(f"{path} holds no annotation")
    return tuple(
        Lane(
            name,
            role,
            path.name,
            tuple(sorted(intervals, key=lambda one: one.span.first_frame)),
        )
        for (name, role), intervals in found.items()
    )


def _lane_of(tier: str, lanes: dict[str, Any]) -> tuple[str, LaneRole]:
    match lanes.get(tier):
        case [str(name), role] if name:
            return name, role_of(role)
    return tier or "notes", "notes"


def _interval(
    path: Path, one: Annotation, clock: PlayerClock, kept: object, origin_ms: int
) -> Interval:
    start_ms, end_ms = one.start_ms + origin_ms, one.end_ms + origin_ms
    if end_ms > clock.end_ms + _SLACK_MS:
        raise EditsError(
            f"{path}: annotation {one.id} ends at {format_clock(end_ms / 1000)}, and the film at "
            f"{format_clock(clock.end_ms / 1000)}; the file is of another film or cut"
        )
    match kept:
        case [int(first), int(end), *score] if 0 <= first < end <= clock.times.num_frames:
            if _times_ms(clock, first, end) == (start_ms, end_ms):
                span = clock.times.span(first, end)
                return Interval(span, one.text, _score(score, one.text))
    return Interval(clock.span(start_ms, end_ms), one.text)


def _score(kept: Sequence[object], text: str) -> float | None:
    match kept:
        case [int() | float() as score, int(checksum)] if checksum == _checksum(text):
            return float(score) if 0 <= score <= 1 else None
    return None


def _require_film(
    path: Path,
    header: Element,
    known: Mapping[str | None, str],
    film: Movie,
    clock: PlayerClock,
) -> int:
    """Return where in the film the file's time starts, in ms; refuse a file of another film."""
    media = header.findall("MEDIA_DESCRIPTOR")
    names = {_media_name(node): node for node in media}
    stem = PurePath(film.path).stem.casefold()
    ours = [node for name, node in names.items() if PurePath(name).stem.casefold() == stem]
    is_same = known.get("mastershot.film") == film.content_hash
    if media and not ours and not is_same:
        raise EditsError(
            f"{path} is of {' and '.join(filter(None, names)) or 'a film without a name'}, and the "
            f"timeline of {PurePath(film.path).name}; if that is one film under two names, link "
            "the second in ELAN (Edit, Linked Files)"
        )
    duration = known.get("mastershot.duration_ms", "")
    if duration.isdecimal() and abs(int(duration) - clock.end_ms) > _SLACK_MS:
        raise EditsError(
            f"{path} is of a film that ends at {format_clock(int(duration) / 1000)}, and "
            f"{PurePath(film.path).name} ends at {format_clock(clock.end_ms / 1000)}"
        )
    origin = (ours or media or [header])[0].get("TIME_ORIGIN", "0")
    if not re.fullmatch(r"[+-]?\d{1,12}", origin):
        raise EditsError(f"{path} has the TIME_ORIGIN {origin[:60]!r}, which is no whole number")
    return int(origin)


def _media_name(node: Element) -> str:
    url = node.get("RELATIVE_MEDIA_URL") or node.get("MEDIA_URL") or ""
    try:
        return PurePath(unquote(urlsplit(url).path).replace("\\", "/")).name
    except ValueError:
        return PurePath(url).name


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
