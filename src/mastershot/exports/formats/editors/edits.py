"""Edit lists: shots and the transitions between them, as editors' formats write and read them."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from mastershot.core.errors import EditsError, SettingError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Movie, Transition, TransitionKind
from mastershot.core.time import Span
from mastershot.exports.formats.lanes import Export
from mastershot.exports.formats.timecode import (
    Counting,
    EditClock,
    clock_notes,
    edit_clock,
    is_drop,
)

SHOTS = "shots"
_FRAMES = re.compile(r"frames (\d+)-(\d+)(?:, (.+))?")
_GRADUAL = re.compile(
    r"(?:^|, )(dissolve|wipe|fade)(?: through (black|white))? (\d+)-(\d+)$", re.ASCII
)
_COLOURS = {
    "scenes": "BLUE", "headings": "GREEN", "labels": "CYAN", "setting": "GREEN", "time": "YELLOW",
    "scale": "MAGENTA", "people": "MAGENTA", "audio": "YELLOW", "marks": "RED", "shots": "WHITE",
}  # fmt: skip
_OTHER_COLOURS = ("RED", "GREEN", "BLUE", "CYAN", "MAGENTA", "YELLOW")


@dataclass(frozen=True)
class Edit:
    """A shot of a film as an edit list has it.

    Attributes:
        span: Where it lies in the film.
        transition: How it begins, in frames of the film.
        name: What it is called; may be empty.
    """

    span: Span
    transition: Transition
    name: str = ""


@dataclass(frozen=True)
class Start:
    """Where a film and a list made of it begin to count.

    Attributes:
        clock: How the film is counted.
        source: Number of the film's first frame by the file's own time code.
        record: Number of the film's first frame in the list that is written.
    """

    clock: EditClock
    source: int
    record: int

    def record_code(self, number: int) -> str:
        """Return the time code in the list of a number counted from the film's first frame."""
        return self.clock.counting.code(self.record + number)

    def source_code(self, number: int) -> str:
        """Return the time code in the file likewise."""
        return self.clock.counting.code(self.source + number)


def start_of(export: Export) -> tuple[Start, tuple[str, ...]]:
    """Return how an export is counted, and what the user should know of that.

    Raises:
        SettingError: The time code that was asked for does not exist at the film's edit rate.
    """
    movie, asked = export.timeline.movie, export.start_timecode
    clock = edit_clock(export.times, movie.frame_rate, drop=is_drop(asked or movie.timecode))
    notes = clock_notes(clock, movie.frame_rate)
    source, source_notes = own_start(clock.counting, movie)
    try:
        if asked and is_drop(asked) != clock.counting.drop:
            Counting(clock.counting.rate, drop=True)  # Says at which rates there is drop-frame.
        record = clock.counting.number(asked) if asked else source
    except EditsError as error:
        raise SettingError(f"start time code: {error}") from error
    return Start(clock, source, record), notes + source_notes


def own_start(counting: Counting, movie: Movie) -> tuple[int, tuple[str, ...]]:
    """Return the number of the first frame by the file's own time code."""
    if not movie.timecode:
        return 0, ()
    own = counting
    if is_drop(movie.timecode) != own.drop:
        own = Counting(own.rate, drop=False)
    try:
        if is_drop(movie.timecode) and not own.drop:
            own = Counting(own.rate, drop=True)
        number = own.number(movie.timecode)
    except EditsError as error:
        return 0, (f"the film's own time code is passed over: {error}",)
    if own.drop == counting.drop:
        return number, ()
    note = (
        f"the film's own time code, {movie.timecode}, is counted {_mode(own)}, and the list is "
        f"{_mode(counting)}: sources start at {counting.code(number)}, the same frame number"
    )
    return number, (note,)


def _mode(counting: Counting) -> str:
    return "drop-frame" if counting.drop else "non-drop"


def edits_of(export: Export) -> tuple[list[Edit], list[Lane]]:
    """Return the shots that an export is made of, and the lanes beside them.

    Shots are those of the first lane of shots that was asked for; where it is that of the analysis,
    with their transitions, for which the lane of transitions is then left out.

    Raises:
        EditsError: Shots of a lane that was brought in overlap.
    """
    lanes = list(export.lanes)
    shots = next((lane for lane in lanes if lane.role == "shots"), None)
    if shots is None:
        return [], lanes
    lanes.remove(shots)
    if shots.name == SHOTS:
        lanes = [lane for lane in lanes if lane.name != "transitions"]
        found = zip(export.timeline.shots, shots.intervals, strict=True)
        return [Edit(shot.span, shot.transition_in, one.text) for shot, one in found], lanes
    edits = sorted(map(_edit_of, shots.intervals), key=lambda edit: edit.span)
    for before, after in pairwise(edits):
        if after.span.first_frame < before.span.end_frame:
            raise EditsError(
                f"lane {shots.name!r} has shots that overlap at frame {after.span.first_frame}; "
                "an edit list has one after the other"
            )
    return edits, lanes


def whole_film(export: Export) -> Edit:
    """Return the whole film as one shot, to carry markers where no shots were asked for."""
    return Edit(export.times.span(0, export.times.num_frames), Transition("start", 0, 0))


def _edit_of(interval: Interval) -> Edit:
    transition, name = read_gradual(interval.text), interval.text
    if transition is None:
        first = interval.span.first_frame
        return Edit(interval.span, Transition("cut" if first else "start", first, first), name)
    return Edit(interval.span, transition, _GRADUAL.sub("", name))


def is_gradual(transition: Transition) -> bool:
    """Return whether a transition takes time."""
    return transition.end_frame > transition.start_frame


def gradual_text(transition: Transition) -> str:
    """Return a gradual transition in words, such as ``fade through black 110-130``."""
    through = f" through {transition.through}" if transition.through else ""
    return f"{transition.kind}{through} {transition.start_frame}-{transition.end_frame}"


def read_gradual(text: str) -> Transition | None:
    """Return the transition that a text ends with in the words of `gradual_text`; None without."""
    if (match := _GRADUAL.search(text)) is None:
        return None
    kind, through, start, end = match.groups()
    if int(end) <= int(start):
        return None
    colour = cast("Literal['black', 'white'] | None", through)
    return Transition(cast(TransitionKind, kind), int(start), int(end), colour)


def frames_note(edit: Edit) -> str:
    """Return the exact frames of a shot and of its transition, for a comment in a file."""
    gradual = f", {gradual_text(edit.transition)}" if is_gradual(edit.transition) else ""
    return f"frames {edit.span.first_frame}-{edit.span.end_frame}{gradual}"


def interval_note(interval: Interval) -> str:
    """Return the exact frames of an interval likewise, with its score."""
    score = "" if interval.score is None else f", score {interval.score:.6g}"
    return f"frames {interval.span.first_frame}-{interval.span.end_frame}{score}"


def read_interval_note(note: str, clock: EditClock) -> tuple[Span | None, float | None]:
    """Return the frames and the score that `interval_note` wrote; None for what it did not."""
    if (match := _FRAMES.fullmatch(note.strip())) is None:
        return None, None
    score = None
    with_score = re.fullmatch(r"score (\d(?:\.\d+)?(?:e-\d+)?)", match[3] or "")
    if with_score is not None and float(with_score[1]) <= 1:
        score = float(with_score[1])
    return _span(match[1], match[2], clock), score


def _span(first: str, end: str, clock: EditClock) -> Span | None:
    """Return the frames that are written, unless the film does not have them."""
    if len(first) > 12 or not int(first) < int(end) <= clock.times.num_frames:
        return None
    return clock.times.span(int(first), int(end))


def noted_frames(note: str) -> tuple[int, int, Transition | None] | None:
    """Return the first frame, the end and the transition that `frames_note` wrote, if it did."""
    if (match := _FRAMES.fullmatch(note.strip())) is None or len(note) > 200:
        return None
    return int(match[1]), int(match[2]), read_gradual(match[3] or "")


def colour_of(lane: str) -> str:
    """Return the colour of a lane's markers, which OpenTimelineIO, Avid and Resolve all have."""
    return _COLOURS.get(lane) or _OTHER_COLOURS[sum(lane.encode()) % len(_OTHER_COLOURS)]


def file_name(url: str) -> str:
    """Return the name of the file that an address or a path leads to."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    return PurePosixPath(unquote(path.replace("\\", "/"))).name


def reel_name(movie: Movie) -> str:
    """Return a name for the film of at most eight capitals and digits, as CMX 3600 has it."""
    letters = re.sub(r"[^A-Z0-9]", "", Path(movie.path).stem.upper())[:8] or movie.id[:8].upper()
    return letters if letters not in {"AX", "BL", "BLACK", "BARS"} else f"{letters}FILM"[:8]
