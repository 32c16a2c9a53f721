"""Where a script and its film part."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

import numpy as np

from mastershot.core.labels import LabelScore
from mastershot.core.movie import Shot
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline, span_of_shots
from mastershot.curation.scripts import ScriptScene
from mastershot.curation.sluglines import Heading
from mastershot.pipeline.align.evidence import times_of
from mastershot.scenes.alignment import Alignment

DifferenceKind: TypeAlias = Literal["not in film", "not in script", "setting", "time of day"]

_CONTRARY, _SURE_TIME = 2 / 3, 0.5


@dataclass(frozen=True)
class ScriptRun:
    """A run of shots that was filmed from one scene of the script.

    Attributes:
        scene: Index of the scene in the script.
        heading: Its heading.
        first_shot: Index of the run's first shot.
        end_shot: Index one past its last shot.
        span: Where it lies, exact.
        score: How likely that is by the model, the mean over its time, in [0, 1].
    """

    scene: int
    heading: Heading
    first_shot: int
    end_shot: int
    span: Span
    score: float


@dataclass(frozen=True)
class Difference:
    """Where film and script part.

    Attributes:
        kind: A scene of the script that is ``not in film``, shots that are ``not in script``, or a
            run in which the film is sure of another ``setting`` or ``time of day``.
        text: What parts them, to be read beside the film.
        span: The run; of a scene that is not in the film, the shot before which it would be, or
            the last one.
        heading: The script's; None for what is not in it.
        score: How sure that is; None where nothing says so.
    """

    kind: DifferenceKind
    text: str
    span: Span
    heading: Heading | None
    score: float | None


def written_on_one_line(heading: Heading) -> str:
    """Return a heading as written, with one blank where scripts have tabs or several."""
    return " ".join(heading.text.split())


def script_runs(
    timeline: Timeline, scenes: Sequence[ScriptScene], found: Alignment
) -> tuple[ScriptRun, ...]:
    """Return the runs of shots that have a heading."""
    runs = []
    for scene, first, end in _equal_runs(found.scene.tolist()):
        if scene >= 0:
            score = _mean(found, timeline.shots, first, end)
            span = span_of_shots(timeline.shots, first, end)
            runs.append(ScriptRun(scene, scenes[scene].heading, first, end, span, score))
    return tuple(runs)


def _equal_runs(values: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return value, first place and end of each run of equal values."""
    runs, first = [], 0
    for value, group in groupby(values):
        end = first + len(list(group))
        runs.append((value, first, end))
        first = end
    return runs


def _mean(found: Alignment, shots: Sequence[Shot], first: int, end: int) -> float:
    lengths_s = [max(shot.span.duration_s, 1e-3) for shot in shots[first:end]]
    return round(float(np.average(found.probability[first:end], weights=lengths_s)), 4)


def differences_of(
    timeline: Timeline, scenes: Sequence[ScriptScene], runs: Sequence[ScriptRun], found: Alignment
) -> tuple[Difference, ...]:
    """Return where film and script part, by place in the film."""
    shots = timeline.shots
    differences = []
    for scene, first, end in _equal_runs(found.scene.tolist()):
        if scene < 0:
            span, score = span_of_shots(shots, first, end), _mean(found, shots, first, end)
            differences.append(Difference("not in script", "not in the script", span, None, score))
    filmed = {run.scene for run in runs}
    for index in sorted(set(range(len(scenes))) - filmed):
        heading = scenes[index].heading
        place = next((run.first_shot for run in runs if run.scene > index), len(shots) - 1)
        text = f"not in the film: {written_on_one_line(heading)} (line {heading.line})"
        score = round(1 - float(found.presence[index]), 4)
        differences.append(Difference("not in film", text, shots[place].span, heading, score))
    times = times_of([scene.heading for scene in scenes])
    for run in runs:
        own = shots[run.first_shot : run.end_shot]
        states: tuple[tuple[DifferenceKind, str | None, list[LabelScore | None]], ...] = (
            ("setting", run.heading.setting, [shot.setting for shot in own]),
            ("time of day", times[run.scene], [shot.time_of_day for shot in own]),
        )
        for kind, written, seen in states:
            other = _contrary(written, seen, [shot.span.duration_s for shot in own])
            if other:
                where = f"{written_on_one_line(run.heading)} (line {run.heading.line})"
                text = f"{kind} is {other[0]}: {where}"
                differences.append(Difference(kind, text, run.span, run.heading, other[1]))
    return tuple(sorted(differences, key=lambda one: (one.span.first_frame, one.kind, one.text)))


def _contrary(
    written: str | None, seen: Sequence[LabelScore | None], lengths_s: Sequence[float]
) -> tuple[str, float] | None:
    """Return the state that a run is in against its heading, and the mean score; None if it agrees.

    It must be sure for half of the run's time, and another than is written for two thirds of that.
    """
    if written is None or "/" in written:
        return None
    pairs = zip(seen, lengths_s, strict=True)
    sure = [(one, length) for one, length in pairs if one is not None and not one.unsure]
    other = [(one, length) for one, length in sure if one.name != written]
    sure_s, other_s = sum(length for _, length in sure), sum(length for _, length in other)
    if sure_s < _SURE_TIME * sum(lengths_s) or other_s <= _CONTRARY * sure_s:
        return None
    return other[0][0].name, round(sum(one.score * s for one, s in other) / other_s, 4)
