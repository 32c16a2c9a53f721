import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.factories.commands import invoke
from tests.factories.scene_tables import SPACES, toy_film, write_toy_table

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import EmbeddingSpaceError, SettingError
from mastershot.datasets.tables.scene_table import SceneTable, write_scene_table
from mastershot.evaluation.downstream.boundaries import BoundaryAnswers
from mastershot.evaluation.scene_boundaries import boundaries_of
from mastershot.pipeline.evaluation.inputs import Inputs
from mastershot.pipeline.evaluation.tasks import evaluate_task
from mastershot.training.scene_boundaries.data import labelled_films
from mastershot.training.scene_boundaries.settings import (
    BoundaryTrainingSettings,
    SceneBoundaryRecipe,
)
from mastershot.training.scene_boundaries.train import train_scene_head

TASK = "scene-boundaries"


def knows_the_truth(
    table: Any, probe: Any, seeds: tuple[int, ...], split: str, on_probe: Any
) -> tuple[BoundaryAnswers, ...]:
    """Answer with the truth, and with noise on top for later seeds."""
    answers = []
    for place, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        truths = [
            boundaries_of(film.first_shots, len(film.features))
            for film in table.films
            if film.split == split
        ]
        scores = [(truth + 9 * seed * rng.random(len(truth))) / (1 + 9 * seed) for truth in truths]
        on_probe(place)("training", probe.epochs, probe.epochs, {})
        answers.append(BoundaryAnswers(tuple(map(np.float32, scores)), 0.5, 1.0))
    return tuple(answers)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_table(tmp_path_factory.mktemp("scenes") / "toy")


@pytest.fixture
def inputs(table: Path) -> Inputs:
    return Inputs(features=(table,), fit_boundaries=knows_the_truth, num_seeds=2)


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    training = BoundaryTrainingSettings(
        epochs=10, batch_size=32, learning_rate=0.1, hidden=32, dropout=0.2
    )
    recipe = SceneBoundaryRecipe(data=str(table), training=training)
    return train_scene_head(recipe, tmp_path_factory.mktemp("run")).parent


def test_the_command_trains_probes_of_a_table_and_reports_them(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = invoke(
        "evaluate", "--task", TASK, "--features", table, "--seeds", 1, "--out", out, "--json"
    )
    assert done.exit_code == 0, done.output
    (result,) = json.loads(done.stdout)["results"]
    probe = result["probe"]
    assert (probe["learning_rate"], probe["batch_size"], probe["epochs"]) == (0.03, 4096, 800)
    (row,) = result["measured"]
    assert set(row["figures"]) == {"all", "f1", "miou", "recall_3s"}
    chance, found = result["constant"]["value"], row["figures"]["all"]
    assert chance == pytest.approx(33 / (result["contents"]["test"]["shots"] - 3))
    assert found["value"] > 1.5 * chance
    assert row["validation"][0] > 1.5 * chance
    page = (out / "evaluation.md").read_text("utf-8")
    assert "| vectors | AP | F1 | mIoU | recall@3s |" in page
    assert page.index("### Measured here") < page.index("### Published") < page.index("ShotCoL")


def test_films_shots_and_boundaries_are_counted_and_progress_is_of_all_probes(
    inputs: Inputs,
) -> None:
    told: list[tuple[str, int, int]] = []
    done = evaluate_task(TASK, replace(inputs, on_task=lambda *one: told.append(one)))
    assert told == [(TASK, 0, 1), ("probe 1 of 2", 800, 800), ("probe 2 of 2", 800, 800)]
    (result,) = done.facts["results"]
    assert result["items"] == {"train": 16, "val": 3, "test": 3}
    assert result["contents"]["test"]["boundaries"] == 33
    (row,) = result["measured"]
    assert row["by_seed"][0] == 1 > row["by_seed"][1]
    text = "\n".join(done.lines)
    assert "3 films, " in text
    assert "33 boundaries; asked: test; 2 seeds, whose mean is given" in text
    assert "(equal scores)" in text


def test_a_finished_head_is_scored_without_training(table: Path, run: Path) -> None:
    done = evaluate_task(TASK, Inputs(features=(table,), runs=(run, run)))
    (result,) = done.facts["results"]
    card = json.loads((run / "head" / "scene_head.json").read_text("utf-8"))
    first, second = result["measured"]
    assert first["figures"]["all"]["value"] == pytest.approx(card["figures"]["test"]["ap"])
    assert first["figures"]["f1"]["value"] == pytest.approx(card["figures"]["test"]["f1"])
    assert second["gains"]["all"]["value"] == 0
    assert result["seeds"] == []


def test_a_head_of_another_space_is_refused(run: Path, tmp_path: Path) -> None:
    others = (EmbeddingSpace("ours", "new", 6), SPACES[1])
    write_scene_table(tmp_path / "other", [toy_film("one", "test", 1)], others)
    with pytest.raises(EmbeddingSpaceError, match=r"of ours \(hash\) and .* are of ours \(new\)"):
        evaluate_task(TASK, Inputs(features=(tmp_path / "other",), runs=(run,)))


def test_tables_of_one_list_are_compared_and_others_refused(inputs: Inputs, tmp_path: Path) -> None:
    same = write_toy_table(tmp_path / "same", noise=0.5)
    done = evaluate_task(TASK, replace(inputs, features=(*inputs.features, same)))
    names = [row["name"] for row in done.facts["results"][0]["measured"]]
    assert names == ["toy", "same"]
    fewer = write_toy_table(tmp_path / "fewer", num_test=2)
    with pytest.raises(SettingError, match="list other films, splits, shots or scenes than") as no:
        evaluate_task(TASK, replace(inputs, features=(*inputs.features, fewer)))
    assert str(no.value).endswith(": --common keeps the films that all have")


def test_films_that_not_all_tables_have_are_left_out_if_wanted_and_named(
    inputs: Inputs, tmp_path: Path
) -> None:
    fewer = write_toy_table(tmp_path / "fewer", num_test=2)
    both = replace(inputs, features=(*inputs.features, fewer), common=True)
    done = evaluate_task(TASK, both)
    (result,) = done.facts["results"]
    assert (result["items"]["test"], result["labelled"]["test"]) == (2, 3)
    assert result["contents"]["test"]["films"] == 2
    assert result["without_vectors"] == {"train": [], "val": [], "test": ["film-21"]}
    assert "left out of test: film-21" in "\n".join(done.lines)
    alone = evaluate_task(TASK, replace(inputs, features=(fewer,))).facts["results"][0]
    assert alone["fingerprint"] == result["fingerprint"]
    other = [toy_film("another", "test", 1)]
    write_scene_table(tmp_path / "other", other, SPACES)
    with pytest.raises(SettingError, match="no film is in all of the 2 scene tables"):
        evaluate_task(TASK, replace(both, features=(fewer, tmp_path / "other")))
    write_scene_table(tmp_path / "cut", [toy_film("film-19", "test", 1)], SPACES)
    with pytest.raises(SettingError, match=r"figures of different ones are not compared$"):
        evaluate_task(TASK, replace(both, features=(fewer, tmp_path / "cut")))


def test_the_order_of_films_in_a_table_does_not_matter(inputs: Inputs, tmp_path: Path) -> None:
    (table,) = inputs.features
    header, *films = (table / "scenes.csv").read_text().splitlines()
    shutil.copytree(table, tmp_path / "backwards")
    (tmp_path / "backwards" / "scenes.csv").write_text("\n".join([header, *films[::-1]]) + "\n")
    both = replace(inputs, features=(table, tmp_path / "backwards"), num_seeds=1)
    rows = evaluate_task(TASK, both).facts["results"][0]["measured"]
    assert [row["by_seed"] for row in rows] == [[1], [1]]


def test_tables_side_by_side_are_one_more_row(inputs: Inputs, tmp_path: Path) -> None:
    seen: dict[str, SceneTable] = {}

    def fit(table: SceneTable, *rest: Any) -> tuple[BoundaryAnswers, ...]:
        seen[str(len(seen))] = table
        return knows_the_truth(table, *rest)

    same = write_toy_table(tmp_path / "same", noise=0.5)
    told: list[str] = []
    both = replace(
        inputs, features=(*inputs.features, same), side_by_side=True, fit_boundaries=fit,
        on_task=lambda stage, *_: told.append(stage),
    )  # fmt: skip
    rows = evaluate_task(TASK, both).facts["results"][0]["measured"]
    assert [(row["name"], row["width"]) for row in rows] == [
        ("toy", 10), ("same", 10), ("toy + same", 20),
    ]  # fmt: skip
    assert set(rows[2]["made_by"]["side_by_side"]) == {"toy", "same"}
    assert told[-1] == "probe 6 of 6"
    for one, other, joined in zip(*(table.films for table in seen.values()), strict=True):
        assert (joined.features == np.hstack([one.features, other.features])).all()
    assert seen["2"].spaces == (*SPACES, *SPACES)
    assert len(labelled_films(seen["2"]).films["train"]) == 16


def test_without_times_of_shots_the_report_says_what_is_missing(
    inputs: Inputs, tmp_path: Path
) -> None:
    untimed = write_toy_table(tmp_path / "untimed", timed=False)
    done = evaluate_task(TASK, replace(inputs, features=(untimed,)))
    assert set(done.facts["results"][0]["measured"][0]["figures"]) == {"all", "f1"}
    assert "without mIoU and recall@3s, because not all films" in "\n".join(done.lines)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_seeds": 0}, "seeds is 0; it must be from 1 to 1000"),
        (
            {"data": Path("x")},
            "takes no --data; it takes --features or --run, and --seeds, --common, --side-by-side; "
            "--features names the folder of a scene table, which holds features and scenes.csv",
        ),
        ({"missing_labels": "drop"}, "task scene-boundaries takes no --missing-labels; it takes"),
        ({"side_by_side": True}, "of two scene tables or more, named with --features; 1 is given"),
        ({"runs": (Path("x"),), "num_seeds": 2}, "where heads are named with --run, so it takes"),
        (
            {"runs": (Path("x"),), "side_by_side": True, "num_seeds": 5},
            "heads of runs are scored as they are, so nothing stands side by side",
        ),
        ({"truth": Path("x")}, "takes no --truth"),
        ({"library": Path("x")}, "takes no --library"),
        ({"encoder": "clip"}, "does not take --encoder; it takes --features or --run"),
        ({"fit_boundaries": None}, r"trains probes; give what trains them \(fit_boundaries\)"),
        ({"split": "train"}, "split is 'train'; tasks are evaluated on val or test"),
        (
            {"runs": (Path("x"),), "features": (), "num_seeds": 5},
            "on one scene table, and 0 are given; name one",
        ),
        ({"runs": (Path("none"),), "num_seeds": 5}, "none holds no scene head"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    inputs: Inputs, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        evaluate_task(TASK, replace(inputs, **changes))


def test_a_split_without_a_boundary_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    none = write_toy_table(tmp_path / "none", num_test=0)
    with pytest.raises(SettingError, match="split test has 0 films and no boundary between two"):
        evaluate_task(TASK, replace(inputs, features=(none,)))
