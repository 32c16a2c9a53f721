import json
from pathlib import Path

import pytest
from tests.factories.tag_scores import drawn_scores

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.tables.tag_scores import write_tag_scores
from mastershot.pipeline.evaluation.inputs import Inputs
from mastershot.pipeline.evaluation.tagging import evaluate_tagging_files, scores_of_run


def make_run(folder: Path, *splits: str, skill: float = 0.4) -> Path:
    (folder / "scores").mkdir(parents=True)
    for split in splits:
        write_tag_scores(folder / "scores" / f"{split}.npz", drawn_scores(60, skill=skill))
    return folder


def test_the_verified_split_is_evaluated_before_the_test_split(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "val", "test")
    assert scores_of_run(run).name == "test.npz"
    assert scores_of_run(run, "val").name == "val.npz"
    with pytest.raises(DatasetError, match=r"no scores of train; it has test, val: name one"):
        scores_of_run(run, "train")
    assert (
        scores_of_run(make_run(tmp_path / "2", "human-verified", "test")).stem == "human-verified"
    )
    with pytest.raises(DatasetError, match="no scores of human-verified or test; it has val"):
        scores_of_run(make_run(tmp_path / "3", "val"))
    with pytest.raises(DatasetError, match=r"holds no scores; a finished one has .*/<split>\.npz"):
        scores_of_run(tmp_path)


def test_runs_and_files_are_compared_in_one_report(tmp_path: Path) -> None:
    run = make_run(tmp_path / "lstm", "test")
    file = make_run(tmp_path / "other", "test", skill=0.7) / "scores" / "test.npz"
    out = tmp_path / "report"
    done = evaluate_tagging_files(Inputs(runs=(run,), features=(file,), out=out))
    assert [one["name"] for one in done.facts["results"]] == ["lstm", "test"]
    assert done.facts["results"][0]["made_by"] == {"recipe": "drawn <at> random"}
    assert json.loads((out / "evaluation.json").read_text("utf-8")) == done.facts
    assert "gain in mAP" in (out / "evaluation.md").read_text("utf-8")
    assert "Tagging: lstm, test" in (out / "evaluation.html").read_text("utf-8")
    assert done.lines[-1] == f"→ {out / 'evaluation.html'}"
    again = evaluate_tagging_files(Inputs(runs=(run,), features=(file,)))
    assert again.facts == done.facts
    other = evaluate_tagging_files(Inputs(runs=(run,), features=(file,), seed=1))
    assert other.facts["results"] != done.facts["results"]


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name / "run", "test") for name in ("a", "b")]
    done = evaluate_tagging_files(Inputs(runs=tuple(runs)))
    assert [one["name"] for one in done.facts["results"]] == [str(run) for run in runs]
    with pytest.raises(SettingError, match="is given twice"):
        evaluate_tagging_files(Inputs(runs=(runs[0], runs[0])))


def test_other_true_labels_replace_those_of_the_scores(tmp_path: Path) -> None:
    run, truth = make_run(tmp_path / "run", "test"), tmp_path / "truth.csv"
    truth.write_text("video,file,labels\nv0,shot.mp4,b\nv9,shot.mp4,c\nx,shot.mp4,c\n")
    done = evaluate_tagging_files(Inputs(runs=(run,), truth=truth))
    assert done.facts["results"][0]["num_samples"] == 2
    assert done.facts["results"][0]["num_classes_counted"] == 2
    assert done.facts["notes"] == [
        "run: 2 samples have true labels in truth.csv; 58 scored samples have none, and 1 "
        "labelled samples have no scores"
    ]
