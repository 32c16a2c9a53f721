"""Films at any rate, with shots, transitions and notes, to be sent to editors and back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from tests.factories.timelines import make_movie

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import MastershotError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Reel, Shot, Transition, shot_id
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import MadeBy, Timeline
from mastershot.exports.formats.catalogue import Format
from mastershot.exports.formats.lanes import Export, lanes_of
from mastershot.exports.formats.timecode import Counting, can_drop, edit_clock

EDITORS = ("edl", "otio", "fcpxml")
TEXTS = (
    "",
    "INT. KITCHEN - DAY",
    "Tür",
    "a: b [frames 1-2]",
    "<b>&\"'",
    "line\nbreak",
    "日本",
    "1 2",
)
RATES = {
    "23.976": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "47.952": Fraction(48000, 1001),
    "48": Fraction(48),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
    "60": Fraction(60),
    "15": Fraction(15),
    "12.5": Fraction(25, 2),
}


@dataclass(frozen=True)
class Case:
    """A film to be exported, and how."""

    timeline: Timeline
    times: FrameTimes
    start_timecode: str

    def export(self, lanes: Sequence[str] | None = None) -> Export:
        chosen = lanes_of(self.timeline, self.times, lanes)
        return Export(self.timeline, self.times, chosen, self.start_timecode, Path("film.mp4"))


def even(rate: Fraction, time_base: Fraction, num_frames: int, start_pts: int) -> IntArray:
    """Return evenly spaced times, rounded to the time base."""
    step = 1 / rate / time_base
    frames = np.arange(num_frames + 1, dtype=np.int64)
    ticks = (2 * frames * step.numerator + step.denominator) // (2 * step.denominator)
    return ticks + start_pts


def _constant(rate: Fraction) -> Callable[[Random, float], tuple[FrameTimes, Fraction, bool]]:
    def times(random: Random, seconds: float) -> tuple[FrameTimes, Fraction, bool]:
        bases = [1 / rate, Fraction(1, rate.numerator), Fraction(1, 90000), Fraction(1, 1000)]
        base, num_frames = random.choice(bases), max(2, int(seconds * rate))
        start_pts = random.choice([0, 1, -3, round(random.uniform(0, 5) / base)])
        return FrameTimes(even(rate, base, num_frames, start_pts), base), rate, False

    return times


def _variable(least_ms: int, most_ms: int) -> Callable[..., tuple[FrameTimes, Fraction, bool]]:
    def times(random: Random, seconds: float) -> tuple[FrameTimes, Fraction, bool]:
        base = random.choice([Fraction(1, 90000), Fraction(1, 1000)])
        per_ms = int(Fraction(1, 1000) / base)
        num_frames = max(2, int(seconds * 2000 / (least_ms + most_ms)))
        steps = np.random.default_rng(random.getrandbits(32)).integers(
            least_ms * per_ms, most_ms * per_ms + 1, num_frames
        )
        pts = np.concatenate([[0], np.cumsum(steps)]) + random.choice([0, 7 * per_ms])
        mean = Fraction(num_frames, int(pts[-1] - pts[0])) / base
        return FrameTimes(pts.astype(np.int64), base), mean.limit_denominator(1001), True

    return times


KINDS: dict[str, Callable[[Random, float], tuple[FrameTimes, Fraction, bool]]] = {
    **{name: _constant(rate) for name, rate in RATES.items()},
    "phone": _variable(25, 45),
    "screen": _variable(9, 120),
    "dense": _variable(2, 60),  # No standard rate has a number for each frame.
}


def make_case(random: Random, kind: str, *, seconds: float, num_shots: int = 12) -> Case:
    """Return a film of a kind: cuts, dissolves, wipes and fades anywhere, notes that overlap."""
    times, rate, variable = KINDS[kind](random, seconds)
    num_frames = times.num_frames
    movie = make_movie(
        "Der Film (1).mp4",
        num_frames=num_frames,
        frame_rate=rate,
        time_base=times.time_base,
        start_pts=int(times.pts[0]),
        end_pts=int(times.pts[-1]),
        variable_frame_rate=variable,
        timecode=_code(random, times, rate) if random.random() < 0.3 else "",
    )
    cuts = {random.randrange(1, num_frames) for _ in range(num_shots)}
    starts = [0, *sorted(cuts), num_frames]
    shots, free = [], 0
    for index, (first, end) in enumerate(pairwise(starts)):
        transition = _transition(random, first, end, free)
        free = transition.end_frame + 1
        shots.append(Shot(shot_id(movie.id, index), times.span(first, end), transition))
    shots = _numbered_apart(shots, times, rate)
    notes = tuple(
        Interval(times.span(first, end), random.choice(TEXTS), random.choice([None, 0.5, 0.8125]))
        for first, end in sorted(_run(random, num_frames) for _ in range(6))
    )
    timeline = Timeline(
        movie, MadeBy("0.1.0", ""), tuple(shots), lanes=(Lane("look", "notes", "", notes),)
    )
    start = _code(random, times, rate) if random.random() < 0.7 else ""
    return Case(timeline, times, start)


def cut_at(case: Case, starts: Sequence[int]) -> Case:
    """Return the film with shots that start at these frames, each by a cut."""
    movie, times = case.timeline.movie, case.times
    shots = tuple(
        Shot(
            shot_id(movie.id, index),
            times.span(first, end),
            Transition("cut" if first else "start", first, first),
        )
        for index, (first, end) in enumerate(pairwise([*starts, times.num_frames]))
    )
    return replace(case, timeline=replace(case.timeline, shots=shots))


def in_reels(case: Case, random: Random) -> Case:
    """Return a film that lies in two to four files, of any lengths, with time codes of their own.

    Its transitions lie in one reel each, since edit lists cannot hold others.
    """
    movie, times = case.timeline.movie, case.times
    count = min(random.randint(2, 4), times.num_frames)
    starts = [0, *sorted(random.sample(range(1, times.num_frames), count - 1)), times.num_frames]
    reels = tuple(
        Reel(
            f"Der Film, reel {number + 1}.mp4", "", first, end, int(times.pts[first]),
            int(times.pts[end]), 0, times.time_base,
            _code(random, times, movie.frame_rate) if random.random() < 0.5 else "",
        )
        for number, (first, end) in enumerate(pairwise(starts))
    )  # fmt: skip
    shots = tuple(_of_one_reel(shot, starts[1:-1]) for shot in case.timeline.shots)
    movie = replace(movie, path=reels[0].path, timecode=reels[0].timecode, reels=reels)
    return replace(case, timeline=replace(case.timeline, movie=movie, shots=shots))


def _of_one_reel(shot: Shot, joins: Sequence[int]) -> Shot:
    found, first = shot.transition_in, shot.span.first_frame
    if not any(
        found.start_frame < join <= first or first < join < found.end_frame for join in joins
    ):
        return shot
    return replace(shot, transition_in=Transition("cut" if first else "start", first, first))


def _numbered_apart(shots: list[Shot], times: FrameTimes, rate: Fraction) -> list[Shot]:
    """Return shots, transitions cut where frames share an editor's number."""
    clock = edit_clock(times, rate)
    if clock.is_exact:
        return shots
    return [
        replace(s, transition_in=Transition("cut", s.span.first_frame, s.span.first_frame))
        if s.span.first_frame
        else replace(s, transition_in=Transition("start", 0, 0))
        for s in shots
    ]


def _run(random: Random, num_frames: int) -> tuple[int, int]:
    first = random.randrange(num_frames)
    return first, random.randint(first + 1, min(num_frames, first + 1000))


def _transition(random: Random, first: int, end: int, free: int) -> Transition:
    kind = random.choice(["cut", "cut", "dissolve", "wipe", "fade"])
    begins = random.randint(max(free, first - 30), first) if free <= first else first
    whole = random.randint(first, min(first + 30, end - 1))
    if kind == "cut" or whole <= begins:
        return Transition("cut" if first else "start", first, first)
    if kind == "fade":
        return Transition("fade", begins, whole, random.choice(["black", "white"]))
    return Transition("dissolve" if kind == "dissolve" else "wipe", begins, whole)


def _code(random: Random, times: FrameTimes, rate: Fraction) -> str:
    edit_rate = edit_clock(times, rate).counting.rate
    counting = Counting(edit_rate, can_drop(edit_rate) and random.random() < 0.5)
    hour = counting.frames_per_day // 24
    number = random.choice([0, hour, random.randrange(24 * hour), 24 * hour - 50])
    return counting.code(number)


def lanes_after(case: Case, known: Format, folder: Path) -> dict[str, Lane]:
    """Return a case's lanes, by name, after they went through a format's file."""
    assert known.read is not None
    path = folder / f"film{known.suffix}"
    known.write(case.export(), path)
    if known.name == "webvtt":  # Its lanes lie beside its chapters.
        path = folder / "film.metadata.vtt"
    return {lane.name: lane for lane in known.read(path, case.timeline, case.times)}


def differences(case: Case, known: Format, folder: Path) -> list[str]:
    """Return how what came back from a format's file differs from what went there.

    Lists of edits hold shots, transitions and notes; SubRip the spans of one lane; all else every
    lane, with its texts and scores.
    """
    try:
        lanes = lanes_after(case, known, folder)
    except MastershotError as error:
        return [f"{known.name}: {error}"]
    if known.name in EDITORS:
        problems = [*_in_edits(case, lanes), *_in_notes(case, lanes)]
    elif known.name == "srt":
        problems = _in_spans(case, lanes)
    else:
        problems = _in_lanes(case, lanes)
    return [f"{known.name}: {problem}" for problem in problems]


def _in_edits(case: Case, lanes: dict[str, Lane]) -> Iterator[str]:
    clock = edit_clock(case.times, case.timeline.movie.frame_rate)
    shots = {
        shot.span: shot.transition_in
        for shot in case.timeline.shots
        if clock.number(shot.span.first_frame) < clock.number(shot.span.end_frame)
    }  # What has no length at the finest rate is left out, with a note.
    found = {one.span: one.text for one in lanes["shots"].intervals}
    if list(found) != list(shots):
        gone, new = shots.keys() - found, found.keys() - shots
        yield f"shots {sorted(gone)[:3]} came back as {sorted(new)[:3]}"
    for span, transition in shots.items():
        text = found.get(span, "")
        if transition.end_frame > transition.start_frame:
            frames = f"{transition.kind}", f"{transition.start_frame}-{transition.end_frame}"
            if not all(part in text for part in frames):
                yield f"{transition} came back as {text!r}"


def _in_notes(case: Case, lanes: dict[str, Lane]) -> Iterator[str]:
    went = sorted(one.span for one in case.timeline.lanes[0].intervals)
    came = sorted(one.span for one in lanes["look"].intervals) if "look" in lanes else []
    if went != came:
        yield f"notes {went[:3]} came back as {came[:3]}"


def _in_spans(case: Case, lanes: dict[str, Lane]) -> Iterator[str]:
    went = [shot.span for shot in case.timeline.shots]
    came = [one.span for one in lanes["subtitles"].intervals]
    if went != came:
        yield f"shots {went[:3]} came back as {came[:3]}"


def _in_lanes(case: Case, lanes: dict[str, Lane]) -> Iterator[str]:
    went = {lane.name: lane for lane in case.export().lanes}
    if went.keys() != lanes.keys():
        yield f"lanes {sorted(went)} came back as {sorted(lanes)}"
    for name in went.keys() & lanes.keys():
        pairs = zip(went[name].intervals, lanes[name].intervals, strict=False)
        other = [(one, back) for one, back in pairs if one != back]
        if other or len(went[name].intervals) != len(lanes[name].intervals):
            yield f"lane {name} came back with other intervals: {other[:2]}"
        if went[name].role != lanes[name].role:
            yield f"lane {name} of {went[name].role} came back as {lanes[name].role}"
