"""Edit decision lists read back, as Resolve, Premiere and Avid write them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Lane
from mastershot.core.movie import TransitionKind
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.editors.edits import Start, noted_frames
from mastershot.exports.formats.editors.edl import BLACK, OURS
from mastershot.exports.formats.editors.matching import in_film
from mastershot.exports.formats.editors.placing import (
    MARKERS,
    Event,
    Marker,
    lanes_of_list,
    start_when_reading,
)
from mastershot.exports.formats.editors.sources import Number, Source
from mastershot.exports.formats.texts import read_text
from mastershot.exports.formats.timecode import Counting, can_drop, is_drop, rate_name

_LONGEST_LINE = 10_000
_CODE = r"(\d{1,2}:\d{2}:\d{2}[:;.,]\d{2,3})"
_EVENT = re.compile(
    r"(\d+)\s+(\S.*?)\s+(NONE|[AVB][\w/]*)\s+(C|D|W\d{1,3}|K[BO]?)(?:\s+(\d{1,5}))?"
    rf"\s+{_CODE}\s+{_CODE}\s+{_CODE}\s+{_CODE}",
    re.ASCII,
)
_LOCATOR = re.compile(rf"\*\s*LOC:\s*{_CODE}\s+(\w+)\s*(.*)")
_OUR_LOCATOR = re.compile(r"([^:]+): (.*?) ?\[(frames [^\]]*)\]")
_RESOLVE_MARKER = re.compile(r"(.*?)\s*\|C:\w+\s*\|M:(.*?)\s*\|D:(\d{1,9})\s*")


@dataclass
class _Row:
    """An event as it is read; a transition's outgoing half has no length in the record."""

    where: str
    number: str
    reel: str
    effect: str
    duration: int
    source: tuple[int, int]
    record: tuple[int, int]
    comments: list[str] = field(default_factory=list)

    @property
    def is_black(self) -> bool:
        return self.reel.upper() in BLACK

    def comment(self, *names: str) -> str:
        """Return what the first comment says that has one of these names."""
        for name in names:
            for text in self.comments:
                if text.upper().startswith(f"{name}:"):
                    return text[len(name) + 1 :].strip()
        return ""


def read_edl(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return the shots and the markers of an edit decision list, in the film.

    Read are events of picture, with dissolves, wipes and black; locators (``* LOC:``) as Avid and
    Premiere write them; and lists of markers as Resolve writes them.

    Raises:
        EditsError: The file is no such list, or does not fit the film.
    """
    rows, markers, drop = _parsed(path, timeline, times)
    start = start_when_reading(timeline, times, drop=drop)
    events = _events(path, rows, start)
    return lanes_of_list(events, markers, start, timeline, path)


def _parsed(
    path: Path, timeline: Timeline, times: FrameTimes
) -> tuple[list[_Row], list[Marker], bool]:
    """Return the rows and markers of a file, and whether it counts drop-frame."""
    rate = start_when_reading(timeline, times).clock.counting.rate
    rows, markers, counts = list[_Row](), list[Marker](), _Counts(path, Counting(rate))
    current: _Row | None = None
    for place, line in enumerate(read_text(path)[0].splitlines(), start=1):
        line = line.strip()
        counts.line = place
        if len(line) > _LONGEST_LINE:
            raise EditsError(f"{path}, line {place} is longer than {_LONGEST_LINE} letters: no EDL")
        if line.upper().startswith("FCM:"):
            counts.state(line)
        elif line[:1].isdigit() and len(line.split()) > 4:
            current = _row_of(line, counts)
            if current is not None:
                rows.append(current)
        elif (found := _LOCATOR.match(line)) is not None:
            markers.append(_locator_of(found[3], counts.record(found[1])))
        elif (found := _RESOLVE_MARKER.fullmatch(line)) is not None and current is not None:
            text = ": ".join(filter(None, (found[2].strip(), found[1].strip())))
            markers.append(Marker(current.record[0], int(found[3]), MARKERS, text))
            if rows and rows[-1] is current:
                rows.pop()  # It stood for the marker.
        elif line and current is not None:
            current.comments.append(line.lstrip("* "))
    return rows, markers, counts.drop


class _Counts:
    """How a list counts: as it states, else as its codes are written."""

    def __init__(self, path: Path, counting: Counting) -> None:
        self.path, self.line, self.drop = path, 0, False
        self.rate, self._stated, self._latest = counting.rate, False, 0

    def state(self, text: str) -> None:
        """Take a line that states it: ``FCM: NON-DROP FRAME``."""
        self.drop, self._stated = "NON" not in text.upper(), True
        if self.drop and not can_drop(self.rate):
            raise EditsError(
                f"{self.path}, line {self.line} says that it counts drop-frame, but the film has "
                f"{rate_name(self.rate)} frames a second; drop-frame is for 29.97 and 59.94"
            )

    def number(self, code: str) -> int:
        """Return the frame number of a code."""
        if is_drop(code) and not self.drop:
            if self._stated:
                raise EditsError(
                    f"{self.path}, line {self.line}: {code} is a drop-frame code, but the list "
                    "says FCM: NON-DROP FRAME; correct one of them"
                )
            self.drop = True
        try:
            return Counting(self.rate, self.drop).number(code)
        except EditsError as error:
            raise EditsError(f"{self.path}, line {self.line}: {error}") from error

    def record(self, code: str) -> int:
        """Return the frame number of a code of the edited list, which may pass midnight."""
        number, day = self.number(code), Counting(self.rate, self.drop).frames_per_day
        while number < self._latest - day // 2:
            number += day
        self._latest = number
        return number


def _row_of(line: str, counts: _Counts) -> _Row | None:
    """Return an event of picture; None for one of sound alone, or of a further track."""
    if (match := _EVENT.fullmatch(line)) is None:
        raise EditsError(
            f"{counts.path}, line {counts.line}: {line[:60]!r} is no event; one has a number, a "
            "reel, a track, an effect and four time codes"
        )
    number, reel, track, effect, duration, *codes = match.groups()
    if (track not in {"V", "V1", "B"} and "/V" not in track) or effect.startswith("K"):
        return None
    if effect != "C" and duration is None:
        raise EditsError(
            f"{counts.path}, line {counts.line}: event {number} has the effect {effect} without "
            "its length in frames"
        )
    first, end = map(counts.number, codes[:2])
    record, record_end = map(counts.record, codes[2:])
    day = Counting(counts.rate, counts.drop).frames_per_day
    return _Row(
        f"event {number}", number, reel, effect, int(duration or 0),
        (first, end + day if first - end > day // 2 else end), (record, record_end),
    )  # fmt: skip


def _locator_of(text: str, number: int) -> Marker:
    match = _OUR_LOCATOR.fullmatch(text.strip())
    if match is None:
        return Marker(number, 1, MARKERS, text.strip())
    return Marker(number, 1, match[1], match[2], match[3])


def _events(path: Path, rows: Sequence[_Row], start: Start) -> list[Event]:
    """Return the shots that rows make: halves of transitions joined, black within its fade."""
    events: list[Event] = []
    outgoing: _Row | None = None
    black: _Row | None = None
    for row in rows:
        if row.record[0] == row.record[1]:
            outgoing = row
            continue
        from_black = outgoing is not None and outgoing.number == row.number and outgoing.is_black
        if row.is_black:
            black = row
            if events and events[-1].record[1] == row.record[0]:
                events[-1] = _longer(events[-1], row.record[1] - row.record[0])
        else:
            event = _event(path, row, black, from_black, start)
            follows = events and events[-1].record[1] == row.record[0]
            if follows and row.effect != "C" and black is None:
                events[-1] = _longer(events[-1], event.record[0] - row.record[0])
            if black is not None and not events:
                event = _with_leader(event, black)
            events.append(event)
            black = None
        outgoing = None
    return events


def _longer(event: Event, by: Number) -> Event:
    (first, end), (record, record_end) = event.source, event.record
    return replace(event, source=(first, end + by), record=(record, record_end + by))


def _with_leader(event: Event, black: _Row) -> Event:
    """Return the first shot with the black before it."""
    length = event.record[0] - black.record[0]
    if black.record[1] != event.record[0] or event.source[0] < length:
        return event
    before, after = event.before - length, event.after + length
    event = replace(event, before=before, after=after)
    return replace(
        event,
        source=(event.source[0] - length, event.source[1]),
        record=(event.record[0] - length, event.record[1]),
    )


def _event(path: Path, row: _Row, black: _Row | None, from_black: bool, start: Start) -> Event:
    clip = row.comment("TO CLIP NAME", "FROM CLIP NAME", "SOURCE FILE", "FROM FILE")
    lies_in = partial(_lies_in, row, start)
    of_film, source = in_film(path, row.where, [row.reel, clip], start, lies_in)
    event = Event(
        row.where, of_film, clip or row.reel, source, row.record, note=row.comment(OURS),
        name=row.comment("COMMENT"),
    )  # fmt: skip
    event = replace(event, name=event.name or ("" if of_film is not False else event.media))
    faded = black is not None and black.effect != "C" and black.record[1] == row.record[0]
    if from_black or faded:
        before = black.record[1] - black.record[0] if faded and black is not None else 0
        return replace(event, kind="fade", through="black", before=before, after=row.duration)
    if row.effect == "C":
        return event
    within = _start_within(row, event, start)
    kind: TransitionKind = "dissolve" if row.effect == "D" else "wipe"
    through: Literal["white"] | None = None
    if "FADE THROUGH WHITE" in row.comments:
        kind, through = "fade", "white"
    event = replace(event, kind=kind, through=through, before=within, after=row.duration - within)
    (first, end), (record, record_end) = event.source, event.record
    return replace(event, source=(first + within, end), record=(record + within, record_end))


def _lies_in(row: _Row, start: Start, source: Source) -> tuple[Number, Number]:
    """Return where in the film an event lies if it is of a file."""
    first, day = row.source[0] - source.start, start.clock.counting.frames_per_day
    if first < 0 and first % day < source.end - source.first:
        first %= day  # The file's codes may pass midnight.
    first += source.first
    return first, first + row.source[1] - row.source[0]


def _start_within(row: _Row, event: Event, start: Start) -> int:
    """Return after how many frames of its transition a shot starts: noted, else in the middle."""
    number, last = start.clock.number, start.clock.times.num_frames
    noted = noted_frames(event.note)
    if noted is not None and (transition := noted[2]) is not None:
        begins, whole = transition.start_frame, transition.end_frame
        first = event.source[0]
        if begins <= noted[0] <= whole <= last and (number(begins), number(whole)) == (
            first, first + row.duration,
        ):  # fmt: skip
            return number(noted[0]) - number(begins)
    return min(row.duration, row.record[1] - row.record[0] - 1) // 2
