import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.downstream import (
    clip_names,
    nearest_class_mean,
    write_clip_features,
    write_lvu,
)
from tests.factories.timelines import make_space
from tests.pipeline.search.test_similar import put_film

import mastershot as ms
from mastershot.core.errors import DatasetError, EmbeddingSpaceError, SettingError
from mastershot.datasets.lvu import CLASSIFICATION, REGRESSION
from mastershot.evaluation.downstream.tasks import GROUPS
from mastershot.evaluation.downstream.tasks import TASKS as DOWNSTREAM
from mastershot.pipeline.evaluation.inputs import Inputs
from mastershot.pipeline.evaluation.tasks import TASKS, evaluate_task
from mastershot.pipeline.search.vectors import SceneView


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    write_lvu(tmp_path / "data" / "lvu", "scene", "writer", "view_count")
    features = write_clip_features(tmp_path / "good.npz")
    return Inputs(features=(features,), data=tmp_path / "data", fit=nearest_class_mean, num_seeds=2)


def view(width: int = 6) -> SceneView:
    return SceneView("runs/one", lambda scenes: scenes.mean(axis=1), 9, width)


def test_a_report_is_written_in_three_forms(inputs: Inputs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = evaluate_task("lvu/place", replace(inputs, out=out))
    assert {path.name for path in out.iterdir()} == {
        "evaluation.json", "evaluation.md", "evaluation.html", "items.html",
    }  # fmt: skip
    facts = json.loads((out / "evaluation.json").read_text("utf-8"))
    assert facts == json.loads(json.dumps(done.facts))
    assert (facts["schema"], facts["task"]) == ("mastershot/evaluation/1", "lvu/place")
    assert facts["results"][0]["measured"][0]["figures"]["all"]["value"] == 1
    assert done.lines[-2:] == (f"→ {out / 'evaluation.html'}", f"→ {out / 'items.html'}")
    assert 'href="items.html"' in (out / "evaluation.html").read_text("utf-8")


def test_an_alias_is_the_task_and_a_run_is_a_row_beside_its_features(inputs: Inputs) -> None:
    done = evaluate_task("lvu/scene", replace(inputs, runs=(Path("one"),), views=(view(),)))
    (result,) = done.facts["results"]
    assert [row["name"] for row in result["measured"]] == ["good", "one"]
    assert result["measured"][1]["gains"]["all"]["value"] == 0


def test_all_passes_over_what_has_no_labels_and_says_so(inputs: Inputs) -> None:
    told: list[tuple[str, int, int]] = []
    done = evaluate_task("all", replace(inputs, on_task=lambda *one: told.append(one)))
    assert told[0] == ("lvu/relationship", 0, len(told))
    assert [one["task"] for one in done.facts["results"]] == [
        "lvu/place", "lvu/writer", "lvu/view_count", "retrieval",
    ]  # fmt: skip
    not_run = done.facts["not_run"]
    assert not_run.keys() | {one["task"] for one in done.facts["results"]} == DOWNSTREAM.keys()
    assert not_run["lvu/genre"].startswith("LVU split")
    assert not_run["scene-boundaries"].startswith("--features names no scene table, a folder that")
    sentences = [f"task {task} was not evaluated: {why}" for task, why in not_run.items()]
    assert done.lines[-len(not_run) :] == tuple(sentences) == tuple(done.facts["notes"])
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        evaluate_task("lvu", inputs)


def test_nine_tasks_of_lvu_are_one_report(inputs: Inputs) -> None:
    assert inputs.data is not None
    rest = {*CLASSIFICATION, *REGRESSION} - {"scene", "writer", "view_count", "like_ratio"}
    folder = write_lvu(inputs.data / "lvu", *sorted(rest))
    (folder / "like_ratio").mkdir()
    for split in ("train", "val", "test"):
        rows = [f"{n + 1} 3 {name} tt1" for n, name in enumerate(clip_names()) if split in name]
        text = "\n".join(["like_count dislike_count youtube_id imdb_id", *rows])
        (folder / "like_ratio" / f"{split}.csv").write_text(text)
    assert len(evaluate_task("lvu", inputs).facts["results"]) == 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_seeds": 0}, "seeds is 0; it must be from 1 to 1000"),
        (
            {"truth": Path("x.csv")},
            "task lvu/place takes no --truth; it takes --run or --feat",
        ),
        ({"fit": None}, r"task lvu/place trains probes; give what trains them \(fit\)"),
        ({"encoder": "starter"}, "an encoder's vectors are those that a library of the clips"),
        ({"library": Path("x")}, "with --library, name the encoder of its vectors"),
        ({"views": (view(),), "features": (), "runs": (Path("x"),)}, "and 0 files are given; name"),
        ({"features": ()}, "nothing to evaluate was given; task lvu/place takes --run or --feat"),
        ({"split": "human-verified"}, "split is 'human-verified'; tasks are evaluated on val or"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    inputs: Inputs, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        evaluate_task("lvu/place", replace(inputs, **changes))  # type: ignore[arg-type]


def test_a_run_of_another_width_is_refused(inputs: Inputs) -> None:
    with pytest.raises(EmbeddingSpaceError, match="vectors of 8 numbers, and those of good have 6"):
        evaluate_task("lvu/place", replace(inputs, views=(view(8),)))


def test_features_of_no_clip_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", someone=np.ones(4))
    other = replace(inputs, features=(tmp_path / "other.npz",))
    with pytest.raises(SettingError, match="other has none of the 40 items of train, such as 'tra"):
        evaluate_task("lvu/place", other)
    with pytest.raises(SettingError, match="no task of 'all' could be evaluated; task lvu/"):
        evaluate_task("all", other)


def test_the_vectors_of_a_library_are_those_of_its_films(inputs: Inputs, tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    for name in ("train0", "train1", "val0", "val1", "test0", "test1"):
        put_film(library, f"clips/{name}.mp4")
    held = replace(inputs, features=(), library=library.path, encoder="toy")
    (result,) = evaluate_task("lvu/place", held).facts["results"]
    (row,) = result["measured"]
    assert (row["name"], row["width"]) == ("toy", 8)
    assert result["items"] == {"train": 2, "val": 2, "test": 2}
    assert row["made_by"]["space"]["model"] == "toy"
    space = make_space(8)
    fitting = SceneView("run", lambda scenes: scenes[:, 0], 2, 8, "mean", None)
    both = evaluate_task("lvu/place", replace(held, views=(fitting,), runs=(Path("run"),)))
    assert [one["name"] for one in both.facts["results"][0]["measured"]] == ["toy", "run"]
    assert asdict(space)["width"] == 8


def test_files_or_runs_side_by_side_are_one_more_row(inputs: Inputs, tmp_path: Path) -> None:
    other = write_clip_features(tmp_path / "other.npz", seed=1, width=4)
    files = replace(inputs, features=(*inputs.features, other), side_by_side=True)
    (result,) = evaluate_task("lvu/place", files).facts["results"]
    rows = [(row["name"], row["width"]) for row in result["measured"]]
    assert rows == [("good", 6), ("other", 4), ("good + other", 10)]
    views = (view(), replace(view(), name="runs/two"))
    runs = replace(inputs, runs=(Path("one"), Path("two")), views=views, side_by_side=True)
    (result,) = evaluate_task("lvu/place", runs).facts["results"]
    assert [row["name"] for row in result["measured"]] == ["good", "one", "two", "one + two"]


def test_one_row_or_rows_of_other_items_are_not_put_side_by_side(
    inputs: Inputs, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="of two runs or more, or of two files; 1 is given"):
        evaluate_task("lvu/place", replace(inputs, side_by_side=True))
    fewer = write_clip_features(tmp_path / "fewer.npz", skip=1)
    asked = replace(inputs, features=(*inputs.features, fewer), side_by_side=True)
    with pytest.raises(SettingError, match="good has 'test19' and fewer has not, one of 1 such"):
        evaluate_task("lvu/place", asked)
    (result,) = evaluate_task("lvu/place", replace(asked, common=True)).facts["results"]
    assert [row["name"] for row in result["measured"]] == ["good", "fewer", "good + fewer"]


def test_every_row_of_the_table_can_be_evaluated() -> None:
    assert set(TASKS) == {"tagging", *GROUPS, *DOWNSTREAM}
    for name in DOWNSTREAM:
        with pytest.raises(SettingError, match=f"nothing to evaluate was given; task {name} takes"):
            evaluate_task(name, Inputs())
