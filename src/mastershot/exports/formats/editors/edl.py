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
    cut_list,
    frames_note,
    interval_note,
    is_gradual,
)
from mastershot.exports.formats.editors.sources import Source, pieces_of
from mastershot.exports.formats.lanes import Export

BLACK = ("BL", "BLACK")
OURS = "MASTERSHOT"
"""What comments begin with that are of this package."""

_MOST_EVENTS = 999


@dataclass(frozen=True)
class _Line:
    """An event to be written: from where to where, in frames from the film's first.

    It is of black where it has no source.
    """

    source: Source | None
    effect: str
    duration: int
    first: int
    end: int
    edit: Edit | None = None
    from_black: bool = False
    note: str = ""


def write_edl(export: Export, path: Path) -> tuple[str, ...]:
    """Write shots as the events of an edit decision list; other lanes as locators.

    Sources have the time code of the film's file, records that which was asked for. A dissolve or
    wipe is an effect on the incoming shot; a fade goes to or comes from the reel ``BL``. A shot
    that lies in several reels is an event of each. What the form cannot hold (where a shot starts
    within its transition) is in a comment.

    Returns:
        What the user should know.

    Raises:
        EditsError: Shots overlap.
        OutputError: The file cannot be written; what was there before stays.
        SettingError: The start time code does not exist at the film's rate.
    """
    made = cut_list(export)
    start, notes = made.start, made.notes
    whole, shortened = _lines(made.edits, start)
    lines = list(_in_reels(whole, start))
    if shortened:
        notes += (f"{shortened} transitions run into others and are shortened",)
    if len(lines) > _MOST_EVENTS:
        notes += (f"the list has {len(lines)} events; some systems read {_MOST_EVENTS} at most",)
    markers = sorted(
        ((one.span.first_frame, lane.name, one) for lane in made.lanes for one in lane.intervals),
        key=lambda marker: marker[:2],
    )
    with written_whole(path) as file:
        drop = "DROP" if start.clock.counting.drop else "NON-DROP"
        title = printable(Path(export.timeline.movie.path).stem)
        file.write(f"TITLE: {title}\nFCM: {drop} FRAME\n\n")
        file.writelines(_event_texts(lines, markers, start))
    return notes


def _lines(edits: Sequence[Edit], start: Start) -> tuple[list[_Line], int]:
    """Return the events of shots, and how many of their transitions had to be shortened."""
    number, lines, shortened, free = start.clock.number, list[_Line](), 0, 0
    any_file = start.sources[0]
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
                lines.append(_Line(None, "D", first - begins, begins, first))
            effect = "D" if whole > first else "C"
            from_black = effect == "D"
            lines.append(_Line(any_file, effect, whole - first, first, end, edit, from_black))
        elif whole > begins:
            effect = "W001" if edit.transition.kind == "wipe" else "D"
            lines.append(_Line(any_file, effect, whole - begins, begins, end, edit))
        else:
            lines.append(_Line(any_file, "C", 0, first, end, edit))
    return lines, shortened


def _in_reels(lines: Sequence[_Line], start: Start) -> Iterator[_Line]:
    """Yield events with the file that each is of; one that lies in several becomes several."""
    for line in lines:
        if line.source is None or line.edit is None:
            yield line
            continue
        pieces = list(pieces_of(line.first, line.end, start.sources))
        exact = len(pieces) == 1 and start.clock.is_exact
        note = "" if exact and not is_gradual(line.edit.transition) else frames_note(line.edit)
        for place, (source, first, end) in enumerate(pieces):
            if not place:
                yield replace(line, source=source, end=end, note=note)
            else:
                note = frames_note(line.edit, goes_on=True)
                yield _Line(source, "C", 0, first, end, note=note)


def _event_texts(
    lines: Sequence[_Line], markers: list[tuple[int, str, Interval]], start: Start
) -> Iterator[str]:
    waiting = list(reversed(markers))
    for index, line in enumerate(lines):
        source, outgoing = line.source, lines[max(0, index - 1)].source
        outgoing = None if line.from_black else outgoing
        if line.effect != "C":
            yield _row(index + 1, outgoing, "C", 0, line.first, line.first, start)
        yield _row(index + 1, source, line.effect, line.duration, line.first, line.end, start)
        shown = source if line.effect == "C" else outgoing
        if shown is not None:
            yield f"* FROM CLIP NAME: {printable(shown.name)}\n"
        if line.effect != "C" and source is not None:
            yield f"* TO CLIP NAME: {printable(source.name)}\n"
        yield from _comments(line)
        is_last = index + 1 == len(lines)
        while waiting and (is_last or start.clock.number(waiting[-1][0]) < line.end):
            _, lane, interval = waiting.pop()
            yield _locator(lane, interval, start)


def _row(
    number: int, source: Source | None, effect: str, duration: int, first: int, end: int,
    start: Start,
) -> str:  # fmt: skip
    code = start.clock.counting.code
    own = [one - first if source is None else source.own(one) for one in (first, end)]
    record = start.record_code(first), start.record_code(end)
    length = f"{duration:03}" if effect != "C" else ""
    codes = " ".join([*map(code, own), *record])
    reel = BLACK[0] if source is None else source.reel
    return f"{number:03}  {reel:8} V     {effect:4} {length:3} {codes}\n"


def _comments(line: _Line) -> Iterator[str]:
    if line.edit is not None:
        if line.edit.name and not re.fullmatch(r"shot \d+", line.edit.name):
            yield f"* COMMENT: {printable(line.edit.name)}\n"
        if line.edit.transition.through == "white":
            yield "* FADE THROUGH WHITE\n"
    if line.note:
        yield f"* {OURS}: {line.note}\n"


def _locator(lane: str, interval: Interval, start: Start) -> str:
    code = start.record_code(start.clock.number(interval.span.first_frame))
    text = f"{lane}: {printable(interval.text)} [{interval_note(interval)}]"
    return f"* LOC: {code} {colour_of(lane):7} {text}\n"
