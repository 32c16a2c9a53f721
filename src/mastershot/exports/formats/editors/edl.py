"""CMX 3600 edit decision lists, which Resolve, Premiere and Avid read; `edl_reading` reads them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval
from mastershot.core.text import printable
from mastershot.exports.formats.editors.edits import (
    Edit,
    Start,
    colour_of,
    edits_of,
    frames_note,
    interval_note,
    is_gradual,
    reel_name,
    start_of,
    whole_film,
)
from mastershot.exports.formats.lanes import Export

BLACK = ("BL", "BLACK")
OURS = "MASTERSHOT"
"""What comments begin with that are of this package."""

_MOST_EVENTS = 999


@dataclass(frozen=True)
class _Line:
    """An event to be written: from where to where, in frames from the film's first."""

    reel: str
    effect: str
    duration: int
    first: int
    end: int
    edit: Edit | None = None
    from_black: bool = False


def write_edl(export: Export, path: Path) -> tuple[str, ...]:
    """Write shots as the events of an edit decision list; other lanes as locators.

    Sources have the time code of the film's file, records that which was asked for. A dissolve or
    wipe is an effect on the incoming shot; a fade goes to or comes from the reel ``BL``. What the
    form cannot hold (where a shot starts within its transition) is in a comment.

    Returns:
        What the user should know.

    Raises:
        EditsError: Shots overlap.
        OutputError: The file cannot be written; what was there before stays.
        SettingError: The start time code does not exist at the film's rate.
    """
    start, notes = start_of(export)
    edits, lanes = edits_of(export)
    reel, clip = reel_name(export.timeline.movie), Path(export.timeline.movie.path).name
    fitting = [edit for edit in edits if _length(edit, start) > 0]
    if len(fitting) < len(edits):
        notes += (f"{len(edits) - len(fitting)} shots have no length at this rate: left out",)
    lines, shortened = _lines(fitting or [whole_film(export)], start, reel)
    if shortened:
        notes += (f"{shortened} transitions run into others and are shortened",)
    if len(lines) > _MOST_EVENTS:
        notes += (f"the list has {len(lines)} events; some systems read {_MOST_EVENTS} at most",)
    markers = sorted(
        ((one.span.first_frame, lane.name, one) for lane in lanes for one in lane.intervals),
        key=lambda marker: marker[:2],
    )
    with written_whole(path) as file:
        drop = "DROP" if start.clock.counting.drop else "NON-DROP"
        title = printable(Path(export.timeline.movie.path).stem)
        file.write(f"TITLE: {title}\nFCM: {drop} FRAME\n\n")
        file.writelines(_event_texts(lines, markers, start, printable(clip)))
    return notes


def _length(edit: Edit, start: Start) -> int:
    return start.clock.number(edit.span.end_frame) - start.clock.number(edit.span.first_frame)


def _lines(edits: Sequence[Edit], start: Start, reel: str) -> tuple[list[_Line], int]:
    """Return the events of shots, and how many of their transitions had to be shortened."""
    number, lines, shortened, free = start.clock.number, list[_Line](), 0, 0
    for edit in edits:
        first, end = number(edit.span.first_frame), number(edit.span.end_frame)
        begins, whole = number(edit.transition.start_frame), number(edit.transition.end_frame)
        if not is_gradual(edit.transition):
            begins = whole = first
        wanted = begins, whole
        begins, whole = min(max(begins, free), first), min(max(whole, first), end)
        shortened += (begins, whole) != wanted
        free = max(whole, begins + 1)
        if lines and lines[-1].end > begins:
            lines[-1] = replace(lines[-1], end=begins)
        from_black = edit.transition.kind == "fade" and edit.transition.through != "white"
        if from_black:
            if begins < first:
                lines.append(_Line(BLACK[0], "D", first - begins, begins, first))
            effect = "D" if whole > first else "C"
            from_black = effect == "D"
            lines.append(_Line(reel, effect, whole - first, first, end, edit, from_black))
        elif whole > begins:
            effect = "W001" if edit.transition.kind == "wipe" else "D"
            lines.append(_Line(reel, effect, whole - begins, begins, end, edit))
        else:
            lines.append(_Line(reel, "C", 0, first, end, edit))
    return lines, shortened


def _event_texts(
    lines: Sequence[_Line],
    markers: list[tuple[int, str, Interval]],
    start: Start,
    clip: str,
) -> Iterator[str]:
    waiting = list(reversed(markers))
    for index, line in enumerate(lines):
        from_reel = BLACK[0] if line.from_black else lines[max(0, index - 1)].reel
        if line.effect != "C":
            yield _row(index + 1, from_reel, "C", 0, line.first, line.first, start)
        yield _row(index + 1, line.reel, line.effect, line.duration, line.first, line.end, start)
        if line.effect == "C" or from_reel not in BLACK:
            yield f"* FROM CLIP NAME: {clip}\n"
        if line.effect != "C" and line.reel not in BLACK:
            yield f"* TO CLIP NAME: {clip}\n"
        if line.edit is not None:
            yield from _comments(line.edit, start)
        is_last = index + 1 == len(lines)
        while waiting and (is_last or start.clock.number(waiting[-1][0]) < line.end):
            _, lane, interval = waiting.pop()
            yield _locator(lane, interval, start)


def _row(
    number: int, reel: str, effect: str, duration: int, first: int, end: int, start: Start
) -> str:
    black = reel in BLACK
    source = [
        start.clock.counting.code(one - first) if black else start.source_code(one)
        for one in (first, end)
    ]
    record = start.record_code(first), start.record_code(end)
    length = f"{duration:03}" if effect != "C" else ""
    codes = " ".join([*source, *record])
    return f"{number:03}  {reel:8} V     {effect:4} {length:3} {codes}\n"


def _comments(edit: Edit, start: Start) -> Iterator[str]:
    if edit.name and not re.fullmatch(r"shot \d+", edit.name):
        yield f"* COMMENT: {printable(edit.name)}\n"
    if edit.transition.through == "white":
        yield "* FADE THROUGH WHITE\n"
    if is_gradual(edit.transition) or not start.clock.is_exact:
        yield f"* {OURS}: {frames_note(edit)}\n"


def _locator(lane: str, interval: Interval, start: Start) -> str:
    code = start.record_code(start.clock.number(interval.span.first_frame))
    text = f"{lane}: {printable(interval.text)} [{interval_note(interval)}]"
    return f"* LOC: {code} {colour_of(lane):7} {text}\n"
