"""``mastershot evaluate --task scene-boundaries``: probes of scene tables, or finished heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.errors import EmbeddingSpaceError, SettingError
from mastershot.datasets.tables.scene_table import SPLITS, SceneTable
from mastershot.encoders.scene_head import SceneHead
from mastershot.evaluation.downstream.boundaries import (
    AskedFilm,
    BoundaryAnswers,
    OnStep,
    chance_precision,
    measure_boundaries,
)
from mastershot.evaluation.downstream.figures import gain_over
from mastershot.evaluation.downstream.results import RowResult, TaskResult
from mastershot.evaluation.downstream.tasks import DownstreamTask
from mastershot.evaluation.scene_boundaries import boundaries_of
from mastershot.exports.boundaries import BoundaryStrip
from mastershot.pipeline.analysis.trained import scene_head_folder
from mastershot.pipeline.evaluation.downstream.evaluate import check_seeds, report
from mastershot.pipeline.evaluation.downstream.measure import asked_split
from mastershot.pipeline.evaluation.downstream.tables import (
    distinct_names,
    fingerprint,
    read_tables,
)
from mastershot.pipeline.evaluation.inputs import Evaluated, Inputs


@dataclass(frozen=True, eq=False)
class BoundariesResult:
    """What was found of boundaries.

    Attributes:
        result: The figures.
        strips: The first row's mean scores along films.
        threshold: Score from which on the first row finds a boundary.
    """

    result: TaskResult
    strips: Sequence[BoundaryStrip]
    threshold: float


def evaluate_boundaries(task: DownstreamTask, inputs: Inputs) -> Evaluated:
    """Measure boundaries as `boundaries_result` does, and report them.

    Raises:
        MastershotError: The inputs cannot be evaluated.
    """
    if inputs.runs and inputs.num_seeds != Inputs.num_seeds:
        raise SettingError(
            f"task {task.name} trains no probes where heads are named with --run, so it takes no "
            "--seeds"
        )
    found = boundaries_result(task, inputs)
    return report(task.name, [found.result], inputs, strips=found.strips, threshold=found.threshold)


def boundaries_result(task: DownstreamTask, inputs: Inputs) -> BoundariesResult:
    """Train probes on tables of scenes and score them; or with runs, score their heads on a table.

    Each of ``inputs.features`` is the folder of a scene table; rows are compared with the first.

    Raises:
        SettingError: Tables are of other films or scenes, heads are to stand side by side, or the
            films asked have no boundary.
        EmbeddingSpaceError: A head was trained on other spaces than the table's.
        MastershotError: The inputs cannot be evaluated.
    """
    check_seeds(inputs)
    split = asked_split(inputs.split, "test")
    if inputs.runs and len(inputs.features) != 1:
        raise SettingError(
            f"heads of runs are scored on one scene table, and {len(inputs.features)} are given; "
            "name one with --features"
        )
    if inputs.runs and inputs.side_by_side:
        raise SettingError(
            "heads of runs are scored as they are, so nothing stands side by side; without --run, "
            "probes are trained on the vectors of two scene tables or more"
        )
    inputs.on_task(task.name, 0, 1)
    compared = read_tables(inputs.features, common=inputs.common, side_by_side=inputs.side_by_side)
    tables = compared.tables
    films = _asked(tables[0], split)
    answered: list[tuple[BoundaryAnswers, ...]]
    names: Sequence[str]
    made_by: Sequence[Mapping[str, Any]]
    if inputs.runs:
        answered = [(_head_answers(run, tables[0], split),) for run in inputs.runs]
        names, made_by = distinct_names(inputs.runs), [{"head": str(run)} for run in inputs.runs]
        of_row = tables * len(inputs.runs)
    else:
        answered = [
            _probe_answers(task, table, split, inputs, (place, len(tables)))
            for place, table in enumerate(tables)
        ]
        names, made_by, of_row = compared.names, [dict(one.made_by) for one in tables], tables
    measured = [measure_boundaries(one, films, seed=inputs.seed) for one in answered]
    rows = tuple(
        RowResult(
            name,
            sum(space.width for space in table.spaces),
            found,
            gain_over(found, measured[0], (), seed=inputs.seed) if place else {},
            (),
            () if inputs.runs else tuple(one.validation for one in answers),
            (),
            made,
            (),
        )
        for place, (name, table, found, answers, made) in enumerate(
            zip(names, of_row, measured, answered, made_by, strict=True)
        )
    )
    counts = _contents(tables[0])
    sizes = {name: held["films"] for name, held in counts.items()}
    result = TaskResult(
        task=task,
        split=split,
        seeds=() if inputs.runs else tuple(range(inputs.num_seeds)),
        rows=rows,
        constant=chance_precision(films, seed=inputs.seed),
        sizes=sizes,
        labelled={name: sizes[name] + len(left) for name, left in compared.left_out.items()},
        without_vectors=compared.left_out,
        missing_labels={},
        are_missing_kept=True,
        counts={},
        fingerprint=fingerprint(tables[0]),
        contents=counts,
    )
    threshold = float(np.mean([one.threshold for one in answered[0]]))
    return BoundariesResult(result, _strips(films, answered[0]), threshold)


def _strips(films: Sequence[AskedFilm], answers: Sequence[BoundaryAnswers]) -> list[BoundaryStrip]:
    """Return the first row's mean scores along each film of which the times of shots are known."""
    return [
        BoundaryStrip(
            film.name,
            film.shot_edges_s[-1] - film.shot_edges_s[0],
            np.array(film.shot_edges_s[1:-1]) - film.shot_edges_s[0],
            np.mean([one.scores[place] for one in answers], axis=0),
            film.truth,
        )
        for place, film in enumerate(films)
        if film.shot_edges_s
    ]


def _probe_answers(
    task: DownstreamTask, table: SceneTable, split: str, inputs: Inputs, row: tuple[int, int]
) -> tuple[BoundaryAnswers, ...]:
    if inputs.fit_boundaries is None:
        raise SettingError(
            f"task {task.name} trains probes; give what trains them (fit_boundaries)"
        )
    assert task.probe is not None
    place, num_rows = row
    all_probes = inputs.num_seeds * num_rows

    def on_probe(number: int) -> OnStep:
        stage = f"probe {place * inputs.num_seeds + number + 1} of {all_probes}"
        return lambda _stage, done, total, _figures: inputs.on_task(stage, done, total or done)

    seeds = tuple(range(inputs.num_seeds))
    return inputs.fit_boundaries(table, task.probe, seeds, split, on_probe)


def _head_answers(run: Path, table: SceneTable, split: str) -> BoundaryAnswers:
    head = SceneHead(scene_head_folder(run))
    if head.card.spaces != table.spaces:
        there, here = (
            " and ".join(f"{space.model} ({space.weights_hash})" for space in spaces)
            for spaces in (head.card.spaces, table.spaces)
        )
        raise EmbeddingSpaceError(
            f"the scene head of {run} was trained on vectors of {there}, and those of "
            f"{table.scenes.parent} are of {here}; they are other spaces"
        )
    scores = tuple(head.scores(film.features) for film in table.films if film.split == split)
    return BoundaryAnswers(scores, head.card.threshold)


def _asked(table: SceneTable, split: str) -> list[AskedFilm]:
    films = [
        AskedFilm(film.name, boundaries_of(film.first_shots, len(film.features)), film.shot_edges_s)
        for film in table.films
        if film.split == split
    ]
    if not any(film.truth.any() for film in films):
        raise SettingError(
            f"scenes {table.scenes}: split {split} has {len(films)} films and no boundary between "
            "two scenes; it needs one"
        )
    return films


def _contents(table: SceneTable) -> dict[str, dict[str, int]]:
    """Return how many films, shots and boundaries each split has."""
    held: dict[str, dict[str, int]] = {}
    for split in SPLITS:
        films = [film for film in table.films if film.split == split]
        held[split] = {
            "films": len(films),
            "shots": sum(len(film.features) for film in films),
            "boundaries": sum(len(film.first_shots) - 1 for film in films),
        }
    return held
