"""The table of what can be evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from mastershot.core.errors import SettingError
from mastershot.datasets.tables.scene_table import FEATURES, SCENES
from mastershot.evaluation.downstream.tasks import ALIASES, GROUPS, tasks_named
from mastershot.evaluation.downstream.tasks import TASKS as DOWNSTREAM
from mastershot.pipeline.evaluation.downstream.all_tasks import NAME as EVERY
from mastershot.pipeline.evaluation.downstream.all_tasks import evaluate_all
from mastershot.pipeline.evaluation.downstream.boundaries import evaluate_boundaries
from mastershot.pipeline.evaluation.downstream.evaluate import evaluate_downstream
from mastershot.pipeline.evaluation.inputs import Evaluated, Inputs
from mastershot.pipeline.evaluation.tagging import evaluate_tagging_files


@dataclass(frozen=True)
class Task:
    """A row of the table.

    Attributes:
        about: What is measured.
        takes: Which inputs can be given: ``runs``, ``features``, ``encoder``.
        options: Which of `_FURTHER` can be given, too.
        evaluate: Evaluates.
        hint: What a message on other options adds.
    """

    about: str
    takes: tuple[str, ...]
    options: tuple[str, ...]
    evaluate: Callable[[Inputs], Evaluated]
    hint: str = ""


_ALL = ("runs", "features", "encoder")
_OF_CLIPS = ("data", "library", "num_seeds", "missing_labels", "common", "side_by_side")
_ABOUT_GROUPS = {
    "lvu": "the nine tasks of LVU",
    EVERY: "every downstream task whose data are there",
}


def _downstream() -> dict[str, Task]:
    """Return groups and downstream tasks."""
    rows = {
        name: Task(
            _ABOUT_GROUPS[name],
            _ALL,
            _OF_CLIPS,
            partial(evaluate_downstream, name, tasks_named(name)),
        )
        for name in GROUPS
    }
    rows[EVERY] = replace(rows[EVERY], evaluate=partial(evaluate_all, tasks_named(EVERY)))
    for name, task in DOWNSTREAM.items():
        if task.head == "boundaries":
            rows[name] = Task(
                task.about,
                ("features", "runs"),
                ("num_seeds", "common", "side_by_side"),
                partial(evaluate_boundaries, task),
                f"; --features names the folder of a scene table, which holds {FEATURES} and "
                f"{SCENES}",
            )
        else:
            lacks = [] if task.probe else ["num_seeds"]
            lacks += [] if task.dataset == "lvu" else ["missing_labels"]
            options = tuple(option for option in _OF_CLIPS if option not in lacks)
            evaluate = partial(evaluate_downstream, name, (task,))
            rows[name] = Task(task.about, _ALL, options, evaluate)
    return rows


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "tagging": Task(
            about="how well a recogniser's scores tag samples with several classes each",
            takes=("runs", "features"),
            options=("truth",),
            evaluate=evaluate_tagging_files,
        ),
        **_downstream(),
    }
)
_OPTIONS = {"runs": "--run", "features": "--features", "encoder": "--encoder"}
_FURTHER = {
    "truth": "--truth",
    "data": "--data",
    "library": "--library",
    "num_seeds": "--seeds",
    "missing_labels": "--missing-labels",
    "common": "--common",
    "side_by_side": "--side-by-side",
}
"""Options that only some tasks take; all take ``--split``, ``--out`` and ``--seed``."""


def evaluate_task(name: str, inputs: Inputs) -> Evaluated:
    """Evaluate inputs on a task of the table.

    Raises:
        SettingError: There is no such task, or it does not take what was given.
        MastershotError: The inputs cannot be evaluated.
    """
    name = ALIASES.get(name, name)
    if name not in TASKS:
        tasks_named(name, others=("tagging",))
    task = TASKS[name]
    options = " or ".join(_OPTIONS[kind] for kind in task.takes)
    given = [kind for kind in _OPTIONS if getattr(inputs, kind)]
    for kind in given:
        if kind not in task.takes:
            raise SettingError(f"task {name} does not take {_OPTIONS[kind]}; it takes {options}")
    for field, option in _FURTHER.items():
        if field not in task.options and getattr(inputs, field) != getattr(Inputs, field):
            taken = ", ".join(_FURTHER[one] for one in task.options)
            raise SettingError(
                f"task {name} takes no {option}; it takes {options}, and {taken}{task.hint}"
            )
    if not given:
        raise SettingError(f"nothing to evaluate was given; task {name} takes {options}")
    return task.evaluate(inputs)
