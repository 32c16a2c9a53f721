from pathlib import Path

import pytest

from mastershot.core.errors import SettingError
from mastershot.pipeline.evaluation.inputs import Inputs
from mastershot.pipeline.evaluation.tasks import TASKS, evaluate_task


def test_every_task_takes_something() -> None:
    assert "tagging" in TASKS
    for task in TASKS.values():
        assert set(task.takes) <= {"runs", "features", "encoder"}
        assert task.takes


@pytest.mark.parametrize(
    ("task", "inputs", "message"),
    [
        ("tags", Inputs(), "task 'tags' is not known; known are tagging"),
        ("tagging", Inputs(), "nothing to evaluate was given; task tagging takes --run or --feat"),
        (
            "tagging",
            Inputs(runs=(Path("run"),), encoder="starter"),
            "task tagging does not take --encoder; it takes --run or --features",
        ),
    ],
)
def test_what_a_task_cannot_take_is_one_sentence(task: str, inputs: Inputs, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        evaluate_task(task, inputs)
