"""The table of what can be evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mastershot.core.errors import SettingError
from mastershot.pipeline.evaluation.inputs import Evaluated, Inputs
from mastershot.pipeline.evaluation.tagging import evaluate_tagging_files


@dataclass(frozen=True)
class Task:
    """A row of the table.

    Attributes:
        about: What is measured.
        takes: Which inputs can be given: ``runs``, ``features``, ``encoder``.
        evaluate: Evaluates.
    """

    about: str
    takes: tuple[str, ...]
    evaluate: Callable[[Inputs], Evaluated]


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "tagging": Task(
            about="how well a recogniser's scores tag samples with several classes each",
            takes=("runs", "features"),
            evaluate=evaluate_tagging_files,
        ),
    }
)
_OPTIONS = {"runs": "--run", "features": "--features", "encoder": "--encoder"}


def evaluate_task(name: str, inputs: Inputs) -> Evaluated:
    """Evaluate inputs on a task of the table.

    Raises:
        SettingError: There is no such task, or it does not take what was given.
        MastershotError: The inputs cannot be evaluated.
    """
    if name not in TASKS:
        raise SettingError(f"task {name!r} is not known; known are {', '.join(TASKS)}")
    task = TASKS[name]
    options = " or ".join(_OPTIONS[kind] for kind in task.takes)
    given = [kind for kind in _OPTIONS if getattr(inputs, kind)]
    for kind in given:
        if kind not in task.takes:
            raise SettingError(f"task {name} does not take {_OPTIONS[kind]}; it takes {options}")
    if not given:
        raise SettingError(f"nothing to evaluate was given; task {name} takes {options}")
    return task.evaluate(inputs)
