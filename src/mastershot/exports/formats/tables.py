"""Lanes as tables: a row an interval, as CSV or Parquet; and CSV that others made, read back."""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

from mastershot.core.errors import EditsError
from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane, LaneRole
from mastershot.core.time import FrameTimes, Span, format_clock
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.lanes import Export, role_of
from mastershot.exports.formats.texts import read_text
from mastershot.exports.tables import as_text
from mastershot.store.lane_table import LaneRow, read_lane_table, write_lane_table

_NAMES = (
    "lane", "role", "text", "score", "first_frame", "end_frame", "start_pts", "end_pts", "start_s",
    "end_s", "start_clock", "end_clock",
)  # fmt: skip
# What other tools call a column, the best first, and what to add to count from 0, ends exclusive.
# PySceneDetect counts frames from 1 and, under a variable rate, computes them from the mean rate:
# so its seconds come before its frames.
_START_FRAMES = {"first_frame": 0, "start_frame": 0, "start frame": -1}
_END_FRAMES = {"end_frame": 0, "last_frame": 1, "end frame": 0}
_START_TIMES = (
    "start_s", "start time (seconds)", "start_seconds", "start_time_s", "start", "start_time",
    "begin", "begin_s", "onset", "from",
)  # fmt: skip
_END_TIMES = (
    "end_s", "end time (seconds)", "end_seconds", "end_time_s", "end", "end_time", "stop",
    "offset", "to",
)  # fmt: skip
_TEXTS = ("text", "label", "name", "title", "value", "annotation", "comment", "note", "description")
_LANES = ("lane", "tier", "track", "layer")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)$")


def write_csv(export: Export, path: Path) -> tuple[str, ...]:
    """Write one row an interval, as RFC 4180 in UTF-8 under a header.

    Frames are half-open; seconds and clock are the film's own, and numbers read back to the same
    value. A text that a spreadsheet would run as a formula gets an apostrophe in front.

    Raises:
        OutputError: The file cannot be written.
    """
    with written_whole(path, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_NAMES)
        for row in _rows(export):
            cells = {name: "" if value is None else value for name, value in vars(row).items()}
            cells |= {name: as_text(str(cells[name])) for name in ("lane", "text")}
            writer.writerow([cells[name] for name in _NAMES])
    return ()


def write_parquet(export: Export, path: Path) -> tuple[str, ...]:
    """Write the rows of `write_csv` as a Parquet file, compressed.

    Raises:
        OutputError: The file cannot be written.
    """
    write_lane_table(list(_rows(export)), path, film=export.timeline.movie.id)
    return ()


def _rows(export: Export) -> Iterator[LaneRow]:
    for lane in export.lanes:
        for one in lane.intervals:
            span = one.span
            yield LaneRow(
                lane.name, lane.role, one.text, one.score, span.first_frame, span.end_frame,
                span.start_pts, span.end_pts, span.start_s, span.end_s,
                format_clock(span.start_s), format_clock(span.end_s),
            )  # fmt: skip


def read_parquet(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return the lanes that `write_parquet` wrote.

    Raises:
        EditsError: The file cannot be read, is no such table, or names frames the film has not.
    """
    rows, film = read_lane_table(path)
    if film != timeline.movie.id:
        raise EditsError(f"{path} is of film {film}, and this timeline of {timeline.movie.id}")
    placed = []
    for number, row in enumerate(rows, start=1):
        span = _span_of_frames(f"{path}, row {number}", times, row.first_frame, row.end_frame)
        placed.append((row.lane, row.role, Interval(span, row.text, row.score)))
    return _lanes(path, placed)


def read_csv(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return the lanes of a table: ours, or any with a column where things start and end.

    Columns are known by the usual names, in any order. Frames count from 0, ends are exclusive,
    but for ``last_frame``; times are seconds or ``H:MM:SS.mmm``, and mean the nearest start of a
    frame. Times that start before the film does on its own clock count from its first frame. Cells
    may be split by commas, semicolons or tabs. Where a row has both frames and times, they must
    agree. Without a column of ends each row ends where the next starts; and rows without a lane
    that follow each other without a gap are shots.

    Raises:
        EditsError: The file cannot be read, has no such columns, or a row is damaged or lies
            beyond the film.
    """
    text, _ = read_text(path)
    header, rows = _table(path, text)
    columns = _columns(path, header)
    cells = [[cell.strip() for cell in row] for _, row in rows]
    origin = _origin(path, columns, cells, [number for number, _ in rows], times)
    wheres = [f"{path}, line {number}" for number, _ in rows]
    if columns.has_ends:
        spans = [_span(*row, columns, times, origin) for row in zip(wheres, cells, strict=True)]
    else:
        spans = _spans_of_starts(wheres, cells, columns, times, origin)
    is_tiled = len(spans) > 1 and all(a.end_frame == b.first_frame for a, b in pairwise(spans))
    if columns.lane is None and is_tiled:
        found = (
            Interval(one, _unguarded(_cell(row, columns.text)))
            for one, row in zip(spans, cells, strict=True)
        )
        return (Lane("shots", "shots", path.name, tuple(found)),)
    placed = []
    for where, row, span in zip(wheres, cells, spans, strict=True):
        name = _unguarded(_cell(row, columns.lane)) or path.stem
        score = _score(where, _cell(row, columns.score))
        interval = Interval(span, _unguarded(_cell(row, columns.text)), score)
        placed.append((name, _cell(row, columns.role), interval))
    return _lanes(path, placed)


def _lanes(path: Path, placed: Sequence[tuple[str, str, Interval]]) -> tuple[Lane, ...]:
    lanes: dict[str, list[Interval]] = {}
    roles: dict[str, LaneRole] = {}
    for name, role, interval in placed:
        lanes.setdefault(name, []).append(interval)
        roles[name] = role_of(role)
    return tuple(
        Lane(
            name,
            roles[name],
            path.name,
            tuple(sorted(intervals, key=lambda one: one.span.first_frame)),
        )
        for name, intervals in lanes.items()
    )


@dataclass(frozen=True)
class _Columns:
    """Where each thing stands in a row, None where nowhere; ``add`` makes frames half-open."""

    start_frame: int | None
    end_frame: int | None
    start_time: int | None
    end_time: int | None
    lane: int | None
    text: int | None
    score: int | None
    role: int | None
    add_first: int = 0
    add_end: int = 0

    @property
    def has_ends(self) -> bool:
        """True if it can be said where things end."""
        by_frames = self.start_frame is not None and self.end_frame is not None
        return by_frames or (self.start_time is not None and self.end_time is not None)


_Rows = list[tuple[int, list[str]]]


def _table(path: Path, text: str) -> tuple[list[str], _Rows]:
    """Return the header of a table in lower case, and its rows with their lines."""
    head = "\n".join(text.splitlines()[:3])
    mark = max((",", ";", "\t"), key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=mark)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise EditsError(f"{path} is no table: {error}") from error
    for place, (_, row) in enumerate(rows[:3]):  # PySceneDetect may write its cut list first.
        header = [cell.strip().lower() for cell in row]
        if {*_START_FRAMES, *_START_TIMES} & set(header):
            if not rows[place + 1 :]:
                raise EditsError(f"{path} has a header but no row below it")
            return header, rows[place + 1 :]
    raise EditsError(
        f"{path} has no column that says where something starts; name one "
        f"{', '.join([*_START_FRAMES, *_START_TIMES])}"
    )


def _columns(path: Path, header: list[str]) -> _Columns:
    def first_of(names: Sequence[str] | Mapping[str, int]) -> int | None:
        return next((header.index(name) for name in names if name in header), None)

    found = _Columns(
        first_of(_START_FRAMES), first_of(_END_FRAMES), first_of(_START_TIMES),
        first_of(_END_TIMES), first_of(_LANES), first_of(_TEXTS),
        first_of(("score", "confidence", "probability")), first_of(("role",)),
        add_first=next((add for name, add in _START_FRAMES.items() if name in header), 0),
        add_end=next((add for name, add in _END_FRAMES.items() if name in header), 0),
    )  # fmt: skip
    if not found.has_ends and found.lane is not None:
        raise EditsError(
            f"{path} has a column where things start but none where they end; name one "
            f"{', '.join([*_END_FRAMES, *_END_TIMES])}"
        )
    return found


def _spans_of_starts(
    wheres: list[str],
    rows: list[list[str]],
    columns: _Columns,
    times: FrameTimes,
    origin: Fraction,
) -> list[Span]:
    """Return spans of which each ends where the next starts, the last with the film."""
    starts = []
    for where, row in zip(wheres, rows, strict=True):
        start, frame = _cell(row, columns.start_time), _cell(row, columns.start_frame)
        if not start and not frame:
            raise EditsError(f"{where} does not say where it starts")
        by_time = bool(start) and (not frame or columns.add_first != 0)
        if by_time:
            begin = _seconds(where, start) + origin
            _require_begun(where, start, begin, times)
            starts.append(times.frame_at(begin))
        else:
            starts.append(_frame(where, frame) + columns.add_first)
    ends = [*starts[1:], times.num_frames]
    return [
        _span_of_frames(where, times, first, end)
        for where, first, end in zip(wheres, starts, ends, strict=True)
    ]


def _span(
    where: str, row: list[str], columns: _Columns, times: FrameTimes, origin: Fraction
) -> Span:
    """Return where a row lies, by its frames, its times, or both."""
    by_frames = by_times = None
    first, end = _cell(row, columns.start_frame), _cell(row, columns.end_frame)
    start, stop = _cell(row, columns.start_time), _cell(row, columns.end_time)
    counts_from_one = columns.add_first != 0
    if first and end and not (counts_from_one and start and stop):
        frames = _frame(where, first) + columns.add_first, _frame(where, end) + columns.add_end
        by_frames = _span_of_frames(where, times, *frames)
    if start and stop:
        by_times = _span_of_times(where, times, origin, start, stop)
    if by_frames is None and by_times is None:
        raise EditsError(f"{where} does not say where it starts and ends")
    agree = by_frames is None or by_times is None or by_frames == by_times
    if not agree and not _is_at(cast(Span, by_frames), origin, start, stop):
        raise EditsError(
            f"{where} says frames {first} to {end}, but {start} to {stop}, where other frames are; "
            "change both, or leave one empty"
        )
    return cast(Span, by_frames or by_times)


def _is_at(span: Span, origin: Fraction, start: str, stop: str) -> bool:
    """Return True if a span is at times to the millisecond; frames may be nearer to each other."""
    written = (_seconds("", text) + origin for text in (start, stop))
    exact = (span.start, span.end)
    return all(abs(a - b) < Fraction(1, 1000) for a, b in zip(written, exact, strict=True))


def _span_of_frames(where: str, times: FrameTimes, first: int, end: int) -> Span:
    if not 0 <= first < end <= times.num_frames:
        raise EditsError(
            f"{where} says frames {first:,} to {end:,}, the latter exclusive; a run of the film's "
            f"{times.num_frames:,} frames starts at 0 or later and ends after it starts"
        )
    return times.span(first, end)


def _span_of_times(where: str, times: FrameTimes, origin: Fraction, start: str, stop: str) -> Span:
    begin, end = (_seconds(where, text) + origin for text in (start, stop))
    film_end = int(times.pts[-1]) * times.time_base
    _require_begun(where, start, begin, times)
    if not begin <= end or begin >= film_end or end > film_end + 1:
        raise EditsError(
            f"{where} says {start} to {stop}; a run of the film ends after it starts, and before "
            f"the film's end at {float(film_end - origin):.3f} s"
        )
    first = min(times.frame_at(begin), times.num_frames - 1)
    return times.span(first, max(first + 1, times.frame_at(end)))


def _origin(
    path: Path, columns: _Columns, rows: list[list[str]], lines: list[int], times: FrameTimes
) -> Fraction:
    """Return what to add to times: tables count on the film's own clock, or from its first frame.

    They count from the first frame where one starts before the film does.
    """
    first = int(times.pts[0]) * times.time_base
    starts = [
        _seconds(f"{path}, line {line}", text)
        for line, row in zip(lines, rows, strict=True)
        if (text := _cell(row, columns.start_time))
    ]
    return first if starts and min(starts) < _earliest(times) else Fraction(0)


def _earliest(times: FrameTimes) -> Fraction:
    """Return half a frame before the film's first."""
    return (3 * int(times.pts[0]) - int(times.pts[1])) * times.time_base / 2


def _require_begun(where: str, start: str, begin: Fraction, times: FrameTimes) -> None:
    if begin < _earliest(times):
        raise EditsError(f"{where} starts at {start}, before the film's first frame")


def _cell(row: list[str], column: int | None) -> str:
    return row[column] if column is not None and column < len(row) else ""


def _frame(where: str, text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,12}(?:\.0*)?", text):
        raise EditsError(f"{where}: {text[:60]!r} is no number of a frame")
    return int(text.partition(".")[0])


def _seconds(where: str, text: str) -> Fraction:
    clock = _CLOCK.match(text)
    if clock:
        hours, minutes, seconds = (part or "0" for part in clock.groups())
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds.replace(",", "."))
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not -1e7 < value < 1e7:
        raise EditsError(f"{where}: {text[:60]!r} is no time; one is 12.345 or 0:00:12.345")
    return Fraction(value)


def _score(where: str, text: str) -> float | None:
    if not text:
        return None
    try:
        score = float(text.replace(",", "."))
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        raise EditsError(f"{where}: {text[:60]!r} is no score; one is a number from 0 to 1")
    return score


def _unguarded(text: str) -> str:
    """Return a cell without the apostrophe of `as_text`."""
    return text[1:] if text.startswith("'") and as_text(text[1:]) == text else text
