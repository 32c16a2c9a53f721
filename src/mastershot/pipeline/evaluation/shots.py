"""Shots of timelines evaluated against true lists, and a detector's threshold swept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from mastershot import __version__
from mastershot.core.errors import SettingError, ShotListError
from mastershot.core.files import make_folder, written_whole
from mastershot.evaluation.shot_sweep import SweepPoint, best_point, sweep_thresholds, thresholds_of
from mastershot.evaluation.shots import FilmBoundaries, Measure, evaluate_boundaries
from mastershot.exports.plots import draw_sweep
from mastershot.exports.shot_evaluation import shot_facts, shot_table, sweep_facts, sweep_lines
from mastershot.pipeline.evaluation.inputs import SCHEMA, Evaluated
from mastershot.pipeline.evaluation.shot_scores import decider_of, scores_of
from mastershot.pipeline.evaluation.shot_truth import Compared, TruthSettings, read_compared


@dataclass(frozen=True)
class ShotInputs:
    """What is evaluated and how.

    Attributes:
        timelines: Files, or the folders that hold one.
        truth: How the truth is read.
        measure: When a boundary counts.
        sweeps: Whether the detector's threshold is swept, too.
        detector: The detector to sweep; None takes that of the timelines.
        out: Folder of the report; None to write none.
        seed: Settles the intervals.
    """

    timelines: tuple[Path, ...]
    truth: TruthSettings = field(default_factory=TruthSettings)
    measure: Measure = field(default_factory=Measure)
    sweeps: bool = False
    detector: str | None = None
    out: Path | None = None
    seed: int = 0


def evaluate_shots(inputs: ShotInputs) -> Evaluated:
    """Evaluate the shots of timelines against true lists.

    With ``out``, write ``shots.json`` there, and of a sweep ``sweep.svg``.

    Raises:
        SettingError: A setting means nothing.
        TimelineError: A timeline or its table of frames cannot be read.
        ShotListError: A true list cannot be read, or does not fit its film.
        OutputError: The report cannot be written.
    """
    _check(inputs)
    films = read_compared(inputs.timelines, inputs.truth)
    figures = evaluate_boundaries(
        [film.with_found() for film in films], inputs.measure, seed=inputs.seed
    )
    notes = [note for film in films for note in film.true.notes]
    truth = inputs.truth.path
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "task": "shots",
        "version": __version__,
        "seed": inputs.seed,
        "truth": "lane" if truth is None else str(truth),
        "timelines": [str(path) for path in inputs.timelines],
        "notes": notes,
        **shot_facts(figures),
    }
    lines = [*shot_table(figures), *notes]
    plot = None
    if inputs.sweeps:
        detector, points = _sweep(films, inputs)
        best = best_point(points)
        facts["sweep"] = {"detector": detector, **sweep_facts(points, best)}
        lines += ["", *sweep_lines(points, best, detector)]
        plot = draw_sweep(points, best, title=f"Thresholds of the {detector} detector")
    if inputs.out is not None:
        lines += _write(facts, plot, inputs.out)
    return Evaluated(facts, tuple(lines))


def _check(inputs: ShotInputs) -> None:
    measure = inputs.measure
    if not inputs.timelines:
        raise SettingError("name at least one timeline, or the folder that `analyze` made")
    if not (isfinite(measure.tolerance) and measure.tolerance >= 0):
        raise SettingError(f"tolerance is {measure.tolerance}; it must be 0 frames or more")
    if not 0 <= measure.least_overlap <= 1:
        raise SettingError(f"overlap is {measure.least_overlap}; it must be from 0 to 1")
    if inputs.truth.rate is not None and inputs.truth.rate <= 0:
        raise SettingError(f"truth rate is {inputs.truth.rate}; it must be above 0")


def _sweep(films: Sequence[Compared], inputs: ShotInputs) -> tuple[str, list[SweepPoint]]:
    num_true = sum(len(film.true.boundaries) for film in films)
    if not num_true:
        raise ShotListError("the true lists hold no boundary, so that no threshold is best")
    rows = [decider_of(film.timeline, inputs.detector) for film in films]
    names = sorted({name for name, _ in rows})
    if len(names) > 1:
        raise SettingError(f"shots are by {', '.join(names)}; name one with --detector")
    decider = rows[0][1]
    scores = [scores_of(film.timeline, film.folder, decider) for film in films]
    deciding = [decider.make(film.timeline, film.times) for film in films]

    def films_at(threshold: float) -> list[FilmBoundaries]:
        return [
            film.with_found(decide(some, threshold))
            for film, decide, some in zip(films, deciding, scores, strict=True)
        ]

    thresholds = decider.thresholds or tuple(
        thresholds_of([some[decider.scores[0]] for some in scores], num_true).tolist()
    )
    if not thresholds:
        raise ShotListError("no frame has a score that is a number; analyse the films again")
    tolerance = inputs.measure.tolerance
    return names[0], sweep_thresholds(films_at, thresholds, tolerance=tolerance)


def _write(facts: dict[str, Any], plot: str | None, out: Path) -> list[str]:
    make_folder(out)
    with written_whole(out / "shots.json") as file:
        json.dump(facts, file, indent=1, ensure_ascii=False)
        file.write("\n")
    if plot is None:
        return [f"→ {out / 'shots.json'}"]
    with written_whole(out / "sweep.svg") as file:
        file.write(plot)
    return [f"→ {out / 'shots.json'}, {out / 'sweep.svg'}"]
