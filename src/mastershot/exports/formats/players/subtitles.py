"""Subtitles: SubRip and WebVTT files, and a film's own tracks, as a lane of what is said."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from pathlib import Path

from mastershot.core.errors import EditsError
from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane
from mastershot.core.time import FrameTimes, format_clock
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.lanes import Export, leading_lane
from mastershot.exports.formats.players.clock import PlayerClock, clock_of, player_clock
from mastershot.exports.formats.texts import read_text
from mastershot.media.packets.subtitles import read_subtitle_track

_STAMP = r"(?P<{0}>-?(?:\d+\s*:\s*)?-?\d+\s*:\s*-?\d+(?:\s*[.,]\s*\d+)?)"
_TIMING = re.compile(
    r"^\s*" + _STAMP.format("start") + r"\s*-->\s*" + _STAMP.format("end") + r"(?:\s.*)?$"
)
_MARKUP = re.compile(r"</?[A-Za-z\d][^<>]*>|\{\\[^{}]*\}|\{[/]?[A-Za-z]:[^{}]*\}|</>")
_NUMBER = re.compile(r"\s*\d+\s*$")


@dataclass(frozen=True)
class Cue:
    """A text with its times, as a file has it.

    Attributes:
        start_ms: When it appears, on the clock of players.
        end_ms: When it goes, at least ``start_ms``.
        raw: Its text with its markup.
        name: Its number or identifier; empty without one.
    """

    start_ms: int
    end_ms: int
    raw: str
    name: str = ""

    @property
    def where(self) -> str:
        """Its time as a person reads it."""
        return format_clock(self.start_ms / 1000)

    @property
    def text(self) -> str:
        """Its text without markup, on one line."""
        return plain_text(self.raw)

    def require_within(self, path: Path, clock: PlayerClock) -> None:
        """Raise `EditsError` if it starts after the film has ended."""
        if self.start_ms >= clock.end_ms:
            raise EditsError(
                f"{path}: the cue at {self.where} starts after the film has ended, at "
                f"{format_clock(clock.end_ms / 1000)}; the file is of another film or cut"
            )


def read_subtitles(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return the subtitles of a SubRip file as a lane, markup stripped; each cue is an interval.

    Text may be UTF-8, UTF-16 or, where it is neither, Windows-1252, which the lane's source says
    then. Cues may overlap and be out of order; a number before a cue does not count.

    Raises:
        EditsError: The file cannot be read, holds no cue, a cue's times are no times or end
            before they start, or a cue starts after the film has ended.
    """
    text, encoding = read_text(path)
    clock = clock_of(timeline, times)
    return (subtitle_lane(path, cues_of(path, text), clock, encoding=encoding),)


def write_subtitles(export: Export, path: Path) -> tuple[str, ...]:
    """Write the lanes of subtitles as SubRip, or the first lane asked for where there are none.

    Raises:
        OutputError: The file cannot be written.
        SettingError: There is no lane.
    """
    clock = player_clock(export.timeline.movie, export.times, export.film)
    lanes = [lane for lane in export.lanes if lane.role == "subtitles"] or [leading_lane(export)]
    lines = sorted(
        (one for lane in lanes for one in lane.intervals), key=lambda one: one.span.first_frame
    )
    with written_whole(path) as file:
        for number, one in enumerate(lines, start=1):
            start_ms = clock.units_at(one.span.first_frame)
            end_ms = max(start_ms + 1, clock.units_at(one.span.end_frame))
            text = " ".join(one.text.split()).replace("-->", "->") or "-"
            file.write(f"{number}\n{timing_text(start_ms, end_ms).replace('.', ',')}\n{text}\n\n")
    return clock.notes


def subtitles_of(
    film: Path, timeline: Timeline, times: FrameTimes, *, track: int | None = None
) -> tuple[Lane, ...]:
    """Return a film's own subtitles as a lane; cues after its last frame are left out.

    Args:
        film: The film's file.
        timeline: Its timeline.
        times: When each of its frames is shown.
        track: Index of the track, as ffprobe counts streams; None takes the default one, or the
            first one of text.

    Raises:
        MediaError: The film cannot be read, or has no subtitles, or none that are text.
    """
    found = read_subtitle_track(film, track=track)
    end = int(times.pts[-1]) * times.time_base
    intervals = []
    for start, stop, raw in found.cues:
        first = min(times.frame_at(start), times.num_frames - 1)
        if start < end and (text := plain_text(raw)):
            last = max(first + 1, times.frame_at(stop))
            intervals.append(Interval(times.span(first, last), text))
    source = f"{film.name}, track {found.index}" + (f" ({found.language})" * bool(found.language))
    return (Lane("subtitles", "subtitles", source, _by_start(intervals)),)


def subtitle_lane(
    path: Path,
    cues: Sequence[Cue],
    clock: PlayerClock,
    *,
    name: str = "subtitles",
    encoding: str = "",
) -> Lane:
    """Return cues as a lane; those without text are left out.

    Raises:
        EditsError: A cue starts after the film has ended.
    """
    intervals = []
    for cue in cues:
        cue.require_within(path, clock)
        if text := cue.text:
            intervals.append(Interval(clock.span(cue.start_ms, cue.end_ms), text))
    source = path.name + (f" (read as {encoding})" if encoding else "")
    return Lane(name, "subtitles" if name == "subtitles" else "notes", source, _by_start(intervals))


def cues_of(path: Path, text: str) -> list[Cue]:
    """Return the cues of a SubRip or WebVTT text, by start.

    Raises:
        EditsError: There is none, or one has times that are no times or end before they start.
    """
    cues = list(_cues(path, text.splitlines()))
    if not cues:
        raise EditsError(
            f"{path} holds no cue; one starts with a line such as "
            "00:00:01,000 --> 00:00:02,500, and its text follows"
        )
    return sorted(cues, key=lambda cue: cue.start_ms)


def _cues(path: Path, lines: list[str]) -> Iterator[Cue]:
    starts = [place for place, line in enumerate(lines) if "-->" in line]
    for place, after in pairwise([*starts, len(lines) + 1]):
        timing = _TIMING.match(lines[place])
        if timing is None:
            raise EditsError(
                f"{path}, line {place + 1}: {lines[place].strip()[:60]!r} should be two times such "
                "as 00:00:01,000 --> 00:00:02,500"
            )
        start_ms, end_ms = (_milliseconds(path, place + 1, timing[key]) for key in ("start", "end"))
        if end_ms < start_ms:
            raise EditsError(
                f"{path}, line {place + 1}: a cue ends at {timing['end']}, before it starts at "
                f"{timing['start']}"
            )
        name = lines[place - 1].strip() if place else ""
        yield Cue(start_ms, end_ms, "\n".join(_text_lines(lines, place + 1, after)), name)


def _text_lines(lines: list[str], first: int, next_timing: int) -> list[str]:
    """Return the lines of a cue's text: up to a blank one, or to the next cue or its number."""
    block = lines[first : next_timing if next_timing <= len(lines) else None]
    if next_timing <= len(lines) and block and _NUMBER.match(block[-1]) and "" not in block:
        block = block[:-1]
    blank = next((place for place, line in enumerate(block) if not line.strip()), len(block))
    return block[:blank]


def _milliseconds(path: Path, line: int, stamp: str) -> int:
    *hours, minutes, seconds = (part.strip() for part in stamp.split(":"))
    whole, _, part = (one.strip() for one in seconds.replace(",", ".").partition("."))
    values = [int(hours[0]) if hours else 0, int(minutes), int(whole)]
    if "-" in stamp or values[1] > 59 or values[2] > 59 or values[0] > 99:
        raise EditsError(
            f"{path}, line {line}: {stamp.strip()!r} is no time of a film; one is "
            "HH:MM:SS,mmm, from 00:00:00,000 on"
        )
    return (values[0] * 3600 + values[1] * 60 + values[2]) * 1000 + int(part.ljust(3, "0")[:3])


def timing_text(start_ms: int, end_ms: int) -> str:
    """Return a cue's times as WebVTT writes them."""
    return f"{_stamp(start_ms)} --> {_stamp(end_ms)}"


def _stamp(time_ms: int) -> str:
    seconds, rest = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def plain_text(raw: str) -> str:
    """Return a cue's text without tags of HTML, WebVTT and SubStation, on one line."""
    return " ".join(unescape(_MARKUP.sub("", raw)).replace("\\N", " ").split())


def _by_start(intervals: list[Interval]) -> tuple[Interval, ...]:
    return tuple(sorted(intervals, key=lambda one: one.span.first_frame))
