"""Edit lists: shots and the transitions between them, as editors' formats write and read them."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Movie, Transition, TransitionKind
from mastershot.core.time import Span
from mastershot.exports.formats.editors.sources import Source, sources_of
from mastershot.exports.formats.lanes import Export
from mastershot.exports.formats.timecode import (
    EditClock,
    clock_notes,
    edit_clock,
    is_drop,
    stated_number,
)

SHOTS = "shots"
GOES_ON = "goes on"
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
        sources: The files that it lies in, with their own time codes.
        record: Number of the film's first frame in the list.
    """

    clock: EditClock
    sources: tuple[Source, ...]
    record: int

    @property
    def source(self) -> int:
        """Number of the film's first frame by the time code of its file."""
        return self.sources[0].own(0)

    def record_code(self, number: int) -> str:
        """Return the time code in the list of a number counted from the film's first frame."""
        return self.clock.counting.code(self.record + number)

    def source_code(self, number: int) -> str:
        """Return the time code in the file that shows that frame likewise."""
        begun = [source for source in self.sources if source.begin <= number]
        source = begun[-1] if begun else self.sources[0]
        return self.clock.counting.code(source.own(number))


@dataclass(frozen=True)
class CutList:
    """What an edit list is made of.

    Attributes:
        start: Where film and list begin to count.
        edits: The shots, in order, at least one; each has a length at the edit rate.
        lanes: The lanes beside them.
        notes: What the user should know.
    """

    start: Start
    edits: tuple[Edit, ...]
    lanes: tuple[Lane, ...]
    notes: tuple[str, ...]


def cut_list(export: Export) -> CutList:
    """Return the edit list of an export; the film as one shot where no shots were asked for.

    Raises:
        EditsError: Shots of a lane that was brought in overlap.
        SettingError: The time code that was asked for does not exist at the film's edit rate.
    """
    start, notes = start_of(export)
    edits, lanes = edits_of(export)
    number = start.clock.number
    fitting = [e for e in edits if number(e.span.end_frame) > number(e.span.first_frame)]
    if len(fitting) < len(edits):
        notes += (f"{len(edits) - len(fitting)} shots have no length at this rate: left out",)
    within = [_within_reels(edit, export.timeline.movie) for edit in fitting]
    if shortened := sum(one != edit for one, edit in zip(within, fitting, strict=True)):
        notes += (f"{shortened} transitions run over the join of two reels and are shortened",)
    return CutList(start, tuple(within or [whole_film(export)]), tuple(lanes), notes)


def _within_reels(edit: Edit, movie: Movie) -> Edit:
    """Return a shot with what of its transition lies in one reel."""
    found, first = edit.transition, edit.span.first_frame
    joins = [reel.first_frame for reel in movie.reels[1:]]
    begins = max([found.start_frame, *(join for join in joins if join <= first)])
    whole = min([found.end_frame, *(join for join in joins if join > first)])
    if (begins, whole) == (found.start_frame, found.end_frame) or not is_gradual(found):
        return edit
    if begins >= whole:
        return replace(edit, transition=Transition("cut" if first else "start", first, first))
    return replace(edit, transition=replace(found, start_frame=begins, end_frame=whole))


def start_of(export: Export) -> tuple[Start, tuple[str, ...]]:
    """Return how an export is counted, and what the user should know of that.

    Raises:
        SettingError: The time code that was asked for does not exist at the film's edit rate.
    """
    movie, asked = export.timeline.movie, export.start_timecode
    clock = edit_clock(export.times, movie.frame_rate, drop=is_drop(asked or movie.timecode))
    notes = clock_notes(clock, movie.frame_rate)
    sources, source_notes = sources_of(clock, movie)
    record = stated_number(asked, clock.counting.rate) if asked else sources[0].own(0)
    return Start(clock, sources, record), notes + source_notes


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


def frames_note(edit: Edit, *, goes_on: bool = False) -> str:
    """Return the exact frames of a shot and of its transition, for a comment in a file.

    Of a shot that lies in several reels, the events after the first are noted as going on.
    """
    gradual = f", {gradual_text(edit.transition)}" if is_gradual(edit.transition) else ""
    gradual = f", {GOES_ON}" if goes_on else gradual
    return f"frames {edit.span.first_frame}-{edit.span.end_frame}{gradual}"


def goes_on(note: str, before: str) -> bool:
    """Return whether a note is of an event that goes on with the shot of the one before it."""
    own, other = (_FRAMES.fullmatch(text.strip()) for text in (note, before))
    same = own is not None and other is not None and own.group(1, 2) == other.group(1, 2)
    return same and own is not None and own[3] == GOES_ON


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


def file_path(url: str) -> str:
    """Return the path of the file that an address or a path leads to."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    return unquote(path.replace("\\", "/"))
