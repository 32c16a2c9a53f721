"""A script aligned with its film: which heading each run of shots was filmed from, and how sure."""
# S scenes of the script, F shots, L labels

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from os import PathLike
from pathlib import Path

import numpy as np

from mastershot.core.errors import ScriptError, SettingError, TimelineError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.curation.scripts import ScriptScene, read_script_scenes
from mastershot.curation.sluglines import Heading
from mastershot.pipeline.align.differences import (
    Difference,
    ScriptRun,
    differences_of,
    script_runs,
    written_on_one_line,
)
from mastershot.pipeline.align.evidence import script_evidence
from mastershot.pipeline.edits import lane_name
from mastershot.scenes.alignment import AlignmentCosts, align_runs
from mastershot.scenes.script_evidence import EvidenceWeights

_HEADING_LINES = 2
# Of 60 films simulated from their scripts, with labels, none was below 0.55 (docs/align.md).
_LEAST_SURE = 0.5


@dataclass(frozen=True)
class ScriptAlignment:
    """A script aligned with a film.

    Attributes:
        name: Name of its lane.
        source: The script's file name; empty where headings were given.
        runs: The runs of shots with a heading, in the order of film and script.
        differences: Where the two part, by place in the film.
        notes: What the alignment could not use, a sentence each.
    """

    name: str
    source: str
    runs: tuple[ScriptRun, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        """The headings as a lane of role ``script``, and the differences as one of notes."""
        headings = (
            Interval(run.span, written_on_one_line(run.heading), run.score) for run in self.runs
        )
        parted = (Interval(one.span, one.text, one.score) for one in self.differences)
        return (
            Lane(self.name, "script", self.source, tuple(headings)),
            Lane(f"{self.name} differences", "notes", self.source, tuple(parted)),
        )

    def onto(self, timeline: Timeline) -> Timeline:
        """Return the timeline with these lanes in place of earlier ones of their names."""
        lanes = {lane.name: lane for lane in (*timeline.lanes, *self.lanes)}
        return replace(timeline, lanes=tuple(lane for lane in lanes.values() if lane.intervals))


def align_script(
    timeline: Timeline,
    script: str | PathLike[str] | Sequence[Heading],
    *,
    name: str = "script",
    costs: AlignmentCosts | None = None,
    weights: EvidenceWeights | None = None,
) -> ScriptAlignment:
    """Return which heading of the script each run of a film's shots was filmed from.

    Places, settings and times of day of shots and scenes are held against the headings, lengths
    against those in the script, and subtitles, where the timeline has a lane of them, against its
    text; headings alone have no text.

    Args:
        timeline: The film, with its scenes.
        script: The script's file, or its headings in order.
        name: What the lane is called.
        costs: What the alignment pays for gaps and lengths; None takes the defaults.
        weights: How far what is seen and heard is believed, likewise.

    Raises:
        ScriptError: The script cannot be read, or there is no heading.
        TimelineError: The timeline has no scenes.
        SettingError: That is no name of a lane, or another kind of lane has it.
    """
    _check(timeline, name)
    if isinstance(script, str | PathLike):
        scenes, source = read_script_scenes(script), Path(script).name
    else:
        scenes, source = _scenes_of(script), ""
    weights = weights or EvidenceWeights()
    evidence, notes = script_evidence(timeline, scenes, weights)
    bounds_s = np.array([s.span.start_s for s in timeline.shots] + [timeline.shots[-1].span.end_s])
    lines = np.array([scene.num_lines + _HEADING_LINES for scene in scenes], np.float64)
    assert timeline.scenes is not None
    is_border = np.zeros(len(timeline.shots) + 1, np.bool_)
    is_border[[*(scene.first_shot for scene in timeline.scenes), -1]] = True
    found = align_runs(
        evidence,
        bounds_s=bounds_s,
        expected_s=lines / lines.sum() * (bounds_s[-1] - bounds_s[0]),
        is_border=is_border,
        costs=costs,
    )
    runs = script_runs(timeline, scenes, found)
    notes += _doubts(timeline, runs)
    return ScriptAlignment(
        name,
        source=source,
        runs=runs,
        differences=differences_of(timeline, scenes, runs, found),
        notes=tuple(notes),
    )


def _doubts(timeline: Timeline, runs: Sequence[ScriptRun]) -> list[str]:
    """Return a note where headings fit so ill that the script may be another film's."""
    if not runs:
        return ["no heading fits the film; is it the script of this film?"]
    lengths_s = [max(run.span.duration_s, 1e-3) for run in runs]
    sure = float(np.average([run.score for run in runs], weights=lengths_s))
    if sure >= _LEAST_SURE or not any(shot.labels for shot in timeline.shots):
        return []
    return [f"headings are only {sure:.0%} sure on average; is it the script of this film?"]


def _check(timeline: Timeline, name: str) -> None:
    if timeline.scenes is None:
        film = timeline.movie.path
        raise TimelineError(
            f"the timeline of {film} has no scenes, which a script is aligned with; make them by "
            f"`mastershot analyze {film} --steps shots,labels,scenes,headings`"
        )
    lane_name(name)
    taken = {lane.name: lane.role for lane in timeline.lanes}
    for wanted, role in ((name, "script"), (f"{name} differences", "notes")):
        if taken.get(wanted, role) != role:
            raise SettingError(
                f"the timeline has a lane {wanted!r} of {taken[wanted]}; give the script's lane "
                "another name"
            )


def _scenes_of(headings: Sequence[Heading]) -> list[ScriptScene]:
    if not headings:
        raise ScriptError("there is no heading to align; a script has one for each scene")
    lengths = [b.line - a.line - _HEADING_LINES for a, b in pairwise(headings)]
    last = int(np.median(lengths)) if lengths else 1
    counts = [max(length, 1) for length in (*lengths, last)]
    return [ScriptScene(one, "", count) for one, count in zip(headings, counts, strict=True)]
