import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.commands import invoke
from tests.factories.downstream import (
    SIZES,
    nearest_class_mean,
    write_clip_features,
    write_lvu,
)
from tests.factories.scene_tables import write_toy_table
from tests.pipeline.evaluation.downstream.test_boundaries import knows_the_truth

from mastershot.core.errors import DatasetError, SettingError
from mastershot.evaluation.downstream.tasks import TASKS
from mastershot.pipeline.evaluation.downstream.all_tasks import NothingRunError
from mastershot.pipeline.evaluation.inputs import Inputs
from mastershot.pipeline.evaluation.tasks import evaluate_task
from mastershot.training.scene_boundaries.settings import (
    BoundaryTrainingSettings,
    SceneBoundaryRecipe,
)
from mastershot.training.scene_boundaries.train import train_scene_head


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Clips of LVU with labels of two tasks, and a table of scenes."""
    write_lvu(tmp_path / "data" / "lvu", "scene", "writer")
    clips, table = write_clip_features(tmp_path / "clips.npz"), write_toy_table(tmp_path / "toy")
    return Inputs(
        features=(clips, table),
        data=tmp_path / "data",
        fit=nearest_class_mean,
        fit_boundaries=knows_the_truth,
        num_seeds=1,
    )


def results(inputs: Inputs) -> dict[str, list[str]]:
    """Return the names of the rows of each task that was evaluated."""
    found = evaluate_task("all", inputs).facts["results"]
    return {one["task"]: [row["name"] for row in one["measured"]] for one in found}


def test_each_file_of_features_is_for_the_tasks_that_it_holds_the_items_of(
    inputs: Inputs, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert results(replace(inputs, out=out)) == {
        "lvu/place": ["clips"], "lvu/writer": ["clips"], "scene-boundaries": ["toy"],
        "retrieval": ["clips"],
    }  # fmt: skip
    page = (out / "evaluation.html").read_text("utf-8")
    assert "4 tasks" in page
    assert "2 rows" in page
    assert page.index("<h3><bdi>clips</bdi></h3>") < page.index("<h3><bdi>toy</bdi></h3>")
    assert "boundaries" in (out / "items.html").read_text("utf-8")


def test_a_table_alone_is_enough_and_so_are_clips(inputs: Inputs) -> None:
    clips, table = inputs.features
    done = evaluate_task("all", replace(inputs, features=(table,)))
    assert [one["task"] for one in done.facts["results"]] == ["scene-boundaries"]
    why = done.facts["not_run"]
    assert why["moderation"] == (
        "--features names no vectors of its items (a clip, by its name in the list), and no "
        "--library is named"
    )
    assert set(results(replace(inputs, features=(clips,)))) == {
        "lvu/place", "lvu/writer", "retrieval",
    }  # fmt: skip


def test_heads_of_runs_are_scored_on_the_table_and_no_encoder_is_asked_of_them(
    tmp_path: Path,
) -> None:
    write_lvu(tmp_path / "data" / "lvu", "scene")
    clips, table = write_clip_features(tmp_path / "clips.npz"), write_toy_table(tmp_path / "toy")
    training = BoundaryTrainingSettings(epochs=2, batch_size=32, hidden=8)
    run = train_scene_head(
        SceneBoundaryRecipe(data=str(table), training=training), tmp_path / "run"
    )
    done = invoke(
        "evaluate", "--task", "all", "--features", clips, "--features", table,
        "--run", run.parent, "--data", tmp_path / "data", "--seeds", 1, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["results"]
    assert [(one["task"], one["seeds"]) for one in found] == [
        ("lvu/place", [0]), ("scene-boundaries", []), ("retrieval", []),
    ]  # fmt: skip


def one_class(inputs: Inputs) -> None:
    assert inputs.data is not None
    for split, size in SIZES.items():
        lines = ["class_id class_name youtube_id imdb_id"]
        lines += [f"0 office {split}{n} tt{n}" for n in range(size)]
        (inputs.data / "lvu" / "scene" / f"{split}.csv").write_text("\n".join(lines) + "\n")


def small_gallery(inputs: Inputs) -> None:
    assert inputs.data is not None
    file = inputs.data / "lvu" / "scene" / "train.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:9]))


def no_list_of_scenes(inputs: Inputs) -> None:
    (inputs.features[1] / "scenes.csv").write_text("film,split\n")


def damaged_label(inputs: Inputs) -> None:
    assert inputs.data is not None
    (inputs.data / "lvu" / "writer" / "val.csv").write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("spoil", "task", "reason"),
    [
        (one_class, "lvu/place", "all 40 training items that have vectors are of one class"),
        (small_gallery, "retrieval", "the gallery holds 8 items, fewer than the 10 to retrieve"),
        (no_list_of_scenes, "scene-boundaries", "scenes.csv"),
        (damaged_label, "lvu/writer", "val.csv"),
    ],
)
def test_a_task_that_cannot_be_evaluated_does_not_stop_the_others(
    inputs: Inputs, spoil: object, task: str, reason: str
) -> None:
    could = set(results(inputs))
    assert callable(spoil)
    spoil(inputs)
    done = evaluate_task("all", inputs)
    assert {one["task"] for one in done.facts["results"]} == could - {task}
    why = done.facts["not_run"][task]
    assert reason in why
    assert not why.startswith("task ")
    alone = replace(inputs, features=inputs.features[:1], num_seeds=Inputs.num_seeds)
    if task == "scene-boundaries":
        alone = replace(inputs, features=inputs.features[1:], data=None)
    with pytest.raises((SettingError, DatasetError), match=reason):
        evaluate_task(task, alone)


def test_if_no_task_can_be_evaluated_the_command_says_why_of_each_and_fails(
    tmp_path: Path,
) -> None:
    clips = write_clip_features(tmp_path / "clips.npz")
    done = invoke(
        "evaluate", "--task", "all", "--features", clips, "--data", tmp_path / "none", "--json"
    )
    assert done.exit_code == 2
    assert done.stdout == ""
    *notes, last = done.stderr.splitlines()
    assert [note.split(" was not evaluated: ")[0] for note in notes] == [
        f"mastershot: task {name}" for name in TASKS
    ]
    assert last.startswith("mastershot: no task of 'all' could be evaluated; task lvu/relationship")


def test_what_no_task_can_take_is_refused_at_once(inputs: Inputs, tmp_path: Path) -> None:
    for changes, message in (
        ({"num_seeds": 0}, "seeds is 0"),
        ({"truth": tmp_path}, "task all takes no --truth"),
        ({"split": "train"}, "split is 'train'"),
        ({"features": (tmp_path / "none.npz",)}, "none.npz cannot be read"),
    ):
        with pytest.raises((SettingError, DatasetError), match=message) as raised:
            evaluate_task("all", replace(inputs, **changes))  # type: ignore[arg-type]
        assert not isinstance(raised.value, NothingRunError)
