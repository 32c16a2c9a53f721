from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize(
    ("task", "refused"),
    [
        ("tagging", "--data --library --seeds --missing-labels --common --side-by-side"),
        ("scene-boundaries", "--truth --data --library --missing-labels"),
        ("retrieval", "--truth --seeds"),
        ("lvu/year", "--truth"),
        ("moderation", "--truth --missing-labels"),
        ("place-tags", "--truth --missing-labels"),
        ("lvu", "--truth"),
        ("all", "--truth"),
    ],
)
def test_no_option_that_a_task_does_not_take_is_passed_over(task: str, refused: str) -> None:
    options: dict[str, dict[str, Any]] = {
        "--truth": {"truth": Path("x")},
        "--data": {"data": Path("x")},
        "--library": {"library": Path("x")},
        "--seeds": {"num_seeds": 3},
        "--missing-labels": {"missing_labels": "drop"},
        "--common": {"common": True},
        "--side-by-side": {"side_by_side": True},
    }
    found = []
    for option, given in options.items():
        with pytest.raises(SettingError) as error:
            evaluate_task(task, Inputs(**given))
        if str(error.value).startswith(f"task {task} takes no {option}; it takes "):
            found.append(option)
        else:
            assert "nothing to evaluate was given" in str(error.value)
    assert " ".join(found) == refused
