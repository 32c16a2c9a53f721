"""``mastershot evaluate --task all``: every downstream task whose data are there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from mastershot.core.errors import MastershotError, SettingError
from mastershot.datasets.tables.scene_table import FEATURES, SCENES, is_scene_table
from mastershot.evaluation.downstream.results import TaskResult
from mastershot.evaluation.downstream.tasks import DownstreamTask
from mastershot.pipeline.analysis.trained import holds_scene_head
from mastershot.pipeline.evaluation.downstream.boundaries import (
    BoundariesResult,
    boundaries_result,
)
from mastershot.pipeline.evaluation.downstream.evaluate import (
    check_seeds,
    not_run_notes,
    report,
    task_measurer,
)
from mastershot.pipeline.evaluation.downstream.measure import asked_split
from mastershot.pipeline.evaluation.inputs import Evaluated, Inputs

NAME = "all"
Found = TaskResult | BoundariesResult


class NothingRunError(SettingError):
    """No task could be evaluated.

    Attributes:
        notes: A sentence for each task.
    """

    def __init__(self, notes: Sequence[str]) -> None:
        super().__init__(f"no task of {NAME!r} could be evaluated; {notes[0]}")
        self.notes = tuple(notes)


def evaluate_all(tasks: Sequence[DownstreamTask], inputs: Inputs) -> Evaluated:
    """Evaluate all tasks that can be, and say of the others why not.

    Scene tables among the features are for scene boundaries, and so are heads among the runs; all
    else is for the other tasks.

    Raises:
        NothingRunError: None can be evaluated.
        MastershotError: The inputs are not usable for any task.
    """
    check_seeds(inputs)
    asked_split(inputs.split, "test")
    measure = _measurer(inputs)
    found: list[Found] = []
    not_run: dict[str, str] = {}
    for done, task in enumerate(tasks):
        inputs.on_task(task.name, done, len(tasks))
        try:
            found.append(measure(task))
        except MastershotError as error:
            not_run[task.name] = str(error).removeprefix(f"task {task.name}: ")
    if not found:
        raise NothingRunError(not_run_notes(not_run))
    results = [one.result if isinstance(one, BoundariesResult) else one for one in found]
    drawn = next((one for one in found if isinstance(one, BoundariesResult)), None)
    if drawn is None:
        return report(NAME, results, inputs, not_run=not_run)
    strips, threshold = drawn.strips, drawn.threshold
    return report(NAME, results, inputs, not_run=not_run, strips=strips, threshold=threshold)


def _measurer(inputs: Inputs) -> Callable[[DownstreamTask], Found]:
    """Return what measures any task with those of the inputs that are for it."""
    tables = tuple(path for path in inputs.features if is_scene_table(path))
    heads = tuple(run for run in inputs.runs if holds_scene_head(run))
    clips = replace(
        inputs,
        features=tuple(path for path in inputs.features if path not in tables),
        runs=tuple(run for run in inputs.runs if run not in heads),
    )
    has_clips = bool(clips.features or clips.runs or clips.encoder or clips.library)
    of_clips = task_measurer(NAME, clips) if has_clips else _lacks_vectors
    of_films: Callable[[DownstreamTask], Found] = _lacks_table
    if tables:
        of_films = partial(boundaries_result, inputs=replace(inputs, features=tables, runs=heads))
    return lambda task: (of_films if task.head == "boundaries" else of_clips)(task)


def _lacks_vectors(task: DownstreamTask) -> TaskResult:
    raise SettingError(
        f"--features names no vectors of its items ({task.inputs}), and no --library is named"
    )


def _lacks_table(task: DownstreamTask) -> BoundariesResult:
    raise SettingError(
        f"--features names no scene table, a folder that holds {FEATURES} and {SCENES}"
    )
