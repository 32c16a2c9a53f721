import json
from pathlib import Path

import pytest
from tests.factories.commands import invoke
from tests.factories.tag_scores import drawn_scores

from mastershot.datasets.tables.tag_scores import write_tag_scores


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    for name, skill in (("lstm", 0.4), ("swin", 0.6)):
        (tmp_path / name / "scores").mkdir(parents=True)
        write_tag_scores(tmp_path / name / "scores" / "test.npz", drawn_scores(60, skill=skill))
    return tmp_path / "lstm", tmp_path / "swin"


def test_runs_are_compared_and_a_report_is_written(runs: tuple[Path, Path], tmp_path: Path) -> None:
    one, other = runs
    out = tmp_path / "out"
    done = invoke("evaluate", "--task", "tagging", "--run", one, "--run", other, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith("scores  gain in mAP")
    assert {path.name for path in out.iterdir()} == {
        "evaluation.json", "evaluation.md", "evaluation.html",
    }  # fmt: skip
    file = other / "scores" / "test.npz"
    alone = invoke("evaluate", "--task", "tagging", "--features", file, "--json")
    value = json.loads(alone.stdout)
    assert value["schema"] == "mastershot/evaluation/1"
    assert [result["name"] for result in value["results"]] == ["test"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--run", "none"], 2, "name what is measured with --task: tagging"),
        (["--task", "tagging"], 2, "nothing to evaluate was given"),
        (["--task", "tagging", "--encoder", "starter"], 2, "does not take --encoder"),
        (["--task", "tagging", "--run", "none"], 1, "run none holds no scores"),
        (["--task", "tagging", "--features", "none.npz"], 1, "none.npz cannot be read: No such"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    arguments: list[str], code: int, message: str
) -> None:
    done = invoke("evaluate", *arguments)
    assert done.exit_code == code, done.output
    assert done.stderr.startswith("mastershot: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
