"""Another threshold for a film's shots, from the kept scores of its frames: nothing is decoded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from mastershot.core.errors import SettingError
from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Shot, Transition, shot_id
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.pipeline.edits import Changes, cut_changes, timeline_file
from mastershot.pipeline.evaluation.shot_scores import decider_of, scores_of
from mastershot.shots.settings import ShotSettings
from mastershot.shots.transitions import LIGHT, PROBABILITIES, boundary, typed_cuts
from mastershot.store.frames import frame_times_of

_SHARES = (0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6)
"""Thresholds that are tried where none is named, as shares of the one in force."""


@dataclass(frozen=True)
class Tuned:
    """A film's shots at some threshold.

    Attributes:
        threshold: The threshold.
        shots: The lane of its shots.
        transitions: How each shot begins, the first included.
        kinds: How many transitions there are of each kind.
        changes: How cuts differ from the timeline's.
    """

    threshold: float
    shots: Lane
    transitions: tuple[Transition, ...]
    kinds: Mapping[str, int]
    changes: Changes


def tune_shots(
    timeline: str | Path, thresholds: Sequence[float] | None = None, *, detector: str | None = None
) -> list[Tuned]:
    """Return a film's shots at several thresholds.

    Args:
        timeline: The film's ``timeline.json``, or its folder, where the scores of frames are.
        thresholds: The thresholds; None tries some around the one in force.
        detector: The detector whose scores decide; None takes that which made the timeline.

    Raises:
        SettingError: A threshold means nothing, or the detector has none.
        TimelineError: The timeline or the scores cannot be read.
    """
    file = timeline_file(timeline)
    film = Timeline.load(file)
    name, decider = decider_of(film, detector)
    times = frame_times_of(film, file.parent)
    scores = scores_of(film, file.parent, decider)
    decide = decider.make(film, times)
    if thresholds is None:
        now = film.made_by.steps.get("shots", {}).get("threshold")
        if now is None or detector is not None:
            now = ShotSettings(name).score_threshold  # type: ignore[arg-type]
        tried = sorted({round(share * now, 4) for share in _SHARES})
        thresholds = [one for one in tried if name not in _NETWORKS or one < 1]
    for threshold in thresholds:
        if not 0 < threshold < (1 if name in _NETWORKS else float("inf")):
            limit = "a probability, above 0 and below 1" if name in _NETWORKS else "above 0"
            raise SettingError(f"threshold {threshold:g} of {name} means nothing; it is {limit}")
    tuned = []
    for threshold in thresholds:
        found = decide(scores, threshold)
        cuts = [boundary(one) for one in found]
        if name in _NETWORKS or PROBABILITIES not in scores:
            start = film.shots[0].transition_in
            transitions = [start, *found]
        else:
            rows, light = (np.asarray(scores[key], np.float32) for key in (PROBABILITIES, LIGHT))
            transitions = typed_cuts(cuts, rows, light)
        tuned.append(_tuned(film, times, threshold, cuts, transitions))
    return tuned


_NETWORKS = ("temporal", "learned", "cascade")


def _tuned(
    film: Timeline,
    times: FrameTimes,
    threshold: float,
    cuts: Sequence[int],
    transitions: Sequence[Transition],
) -> Tuned:
    ends = pairwise([0, *cuts, times.num_frames])
    shots = Lane("shots", "shots", "", tuple(Interval(times.span(*each)) for each in ends))
    kinds = Counter[str](one.kind for one in transitions[1:])
    changes = cut_changes(film, shots, times)
    return Tuned(threshold, shots, tuple(transitions), kinds, changes)


def write_tuned(timeline: str | Path, tuned: Tuned) -> Timeline:
    """Put the shots of a threshold into a timeline, and return it.

    A shot that is as before keeps all that is known of it; the others have what only their frames
    tell left out, and so have scenes. ``mastershot analyze`` with the same threshold adds it.

    Raises:
        OutputError: The timeline cannot be written; what was there before stays.
    """
    file = timeline_file(timeline)
    film = Timeline.load(file)
    known = {shot.span: shot for shot in film.shots}
    shots = []
    for index, (interval, change) in enumerate(
        zip(tuned.shots.intervals, tuned.transitions, strict=True)
    ):
        name = shot_id(film.movie.id, index)
        shot = known.get(interval.span) or Shot(name, interval.span, change)
        shots.append(replace(shot, id=name, transition_in=change))
    is_same = [shot.span for shot in shots] == [shot.span for shot in film.shots]
    steps = {**film.made_by.steps}
    steps["shots"] = {**steps.get("shots", {}), "threshold": tuned.threshold}
    if not is_same:
        steps = {
            name: made for name, made in steps.items() if name in ("reading", "shots", "marks")
        }
    made = replace(film, shots=tuple(shots), made_by=replace(film.made_by, steps=steps))
    made = made if is_same else replace(made, scenes=None)
    with written_whole(file) as out:
        out.write(made.to_json())
    return made
