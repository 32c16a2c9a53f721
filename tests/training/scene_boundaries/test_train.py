import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file
from tests.factories.scene_tables import SPACES, toy_film, write_toy_table

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.tables.scene_table import write_scene_table
from mastershot.encoders.scene_head import SceneHead
from mastershot.evaluation.scene_boundaries import boundaries_of, gap_precision
from mastershot.recipes.load import load_recipe
from mastershot.training.scene_boundaries.data import read_boundary_data
from mastershot.training.scene_boundaries.settings import (
    BoundaryTrainingSettings,
    SceneBoundaryRecipe,
)
from mastershot.training.scene_boundaries.train import (
    HEAD,
    fit_head,
    head_card,
    train_scene_head,
)

TRAINING = BoundaryTrainingSettings(
    epochs=30, batch_size=32, learning_rate=0.1, hidden=32, dropout=0.2
)


class StoppedError(Exception):
    """Raised in the middle of a run; like a kill it leaves only the last checkpoint."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_table(tmp_path_factory.mktemp("scenes"))


def recipe_of(data: Path, **changes: Any) -> SceneBoundaryRecipe:
    return SceneBoundaryRecipe(**{"data": str(data), "training": TRAINING, **changes})


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_scene_head(recipe_of(data), tmp_path_factory.mktemp("run")).parent


def test_a_trained_head_finds_the_scenes_of_films_it_did_not_see(undisturbed: Path) -> None:
    head = SceneHead(undisturbed / HEAD)
    assert head.card.spaces == SPACES
    film = toy_film("unseen", "test", 99)
    truth = boundaries_of(film.first_shots, len(film.features))
    chance = float(truth.mean())
    assert gap_precision(head.scores(film.features), truth) > 2.5 * chance
    found = boundaries_of(head.first_shots(film.features), len(film.features))
    assert (found == truth).mean() > 0.8


def test_a_card_says_what_the_head_was_trained_on_and_how_well_it_does(
    data: Path, undisturbed: Path
) -> None:
    card = json.loads((undisturbed / HEAD / "scene_head.json").read_text())
    assert card["num_films"] == {"train": 16, "val": 3, "test": 3}
    assert card["features"]["toy"] is True
    log = [json.loads(line) for line in (undisturbed / "log.jsonl").read_text().splitlines()]
    assert card["figures"]["val"]["ap"] == pytest.approx(max(e["val_ap"] for e in log), abs=1e-4)
    head, films = SceneHead(undisturbed / HEAD), read_boundary_data(recipe_of(data)).films["test"]
    scores = np.concatenate([head.scores(film.features) for film in films])
    truth = np.concatenate([film.boundaries for film in films])
    assert card["figures"]["test"]["ap"] == pytest.approx(gap_precision(scores, truth), abs=1e-4)


def test_a_stopped_run_resumes_to_the_same_weights(
    data: Path, undisturbed: Path, tmp_path: Path
) -> None:
    def stop(stage: str, done: int, total: int | None, figures: object) -> None:
        if stage == "training" and done == 25:
            raise StoppedError

    with pytest.raises(StoppedError):
        train_scene_head(recipe_of(data), tmp_path, stop)
    assert not (tmp_path / HEAD).exists()
    resumed = load_file(train_scene_head(recipe_of(data), tmp_path) / "scene_head.safetensors")
    whole = load_file(undisturbed / HEAD / "scene_head.safetensors")
    assert all((resumed[name] == whole[name]).all() for name in whole)
    again = (tmp_path / HEAD / "scene_head.safetensors").stat().st_mtime_ns
    train_scene_head(recipe_of(data), tmp_path)
    assert (tmp_path / HEAD / "scene_head.safetensors").stat().st_mtime_ns == again


def test_a_step_in_bfloat16_leads_to_other_weights(data: Path, tmp_path: Path) -> None:
    films, training = read_boundary_data(recipe_of(data)), replace(TRAINING, epochs=1)
    card, weights = head_card("toy", films, training), {}
    for precision in ("32-true", "bf16-mixed"):
        out = tmp_path / precision
        out.mkdir()
        network = fit_head(card, films, training, out, precision=precision)
        weights[precision] = network.state_dict()
    full, half = weights.values()
    for name in ("layers.0.weight", "layers.3.weight"):
        assert half[name].dtype == full[name].dtype
        assert not half[name].equal(full[name])
        np.testing.assert_allclose(half[name], full[name], atol=0.01)


def test_a_folder_of_another_recipe_is_refused(data: Path, undisturbed: Path) -> None:
    other = recipe_of(data, training=replace(TRAINING, hidden=8))
    with pytest.raises(SettingError, match=r"another recipe \(training.hidden is 32 there and 8"):
        train_scene_head(other, undisturbed)


def test_what_a_recipe_lacks_is_listed(tmp_path: Path) -> None:
    recipe = load_recipe("scenes/boundaries", [f"data={tmp_path}"])
    scenes, features = recipe.kind.problems(recipe.settings)
    assert scenes.startswith(f"scenes {tmp_path}/scenes.csv do not exist; it is a CSV with")
    assert features.startswith(f"features {tmp_path}/features are no folder; it is a feature table")
    with pytest.raises(SettingError, match=r"scenes\.csv do not exist"):
        train_scene_head(recipe.settings, tmp_path / "out")


def test_the_papers_settings_are_the_defaults() -> None:
    training = load_recipe("scenes/boundaries").settings.training
    assert (training.hidden, training.dropout, training.learning_rate) == (512, 0.8, 0.03)
    assert (training.epochs, training.batch_size, training.patience) == (800, 4096, 0)


def test_validation_without_a_boundary_is_one_sentence(tmp_path: Path) -> None:
    films = [toy_film("one", "train", 0), replace(toy_film("two", "val", 1), first_shots=(0,))]
    write_scene_table(tmp_path, films, SPACES)
    with pytest.raises(DatasetError, match="split val has 1 films and no boundary"):
        read_boundary_data(recipe_of(tmp_path))


def test_too_few_drawn_films_are_refused() -> None:
    with pytest.raises(SettingError, match="drawn_films is 4; 0 draws none"):
        SceneBoundaryRecipe(drawn_films=4)


def test_the_debug_recipe_draws_films_and_takes_two_steps(tmp_path: Path) -> None:
    overrides = [f"data={tmp_path}", "drawn_films=5", "training.epochs=2"]
    recipe = load_recipe("debug/scene_boundaries", overrides)
    assert recipe.kind.problems(recipe.settings) == []
    stages: list[str] = []
    result = recipe.kind.run(
        recipe.settings, tmp_path / "out", lambda stage, *_: stages.append(stage)
    )
    assert set(stages) == {"drawing films", "training"}
    assert result.figures["num_films"] == {"train": 3, "val": 1, "test": 1}
    assert 0 < result.figures["figures"]["test"]["ap"] <= 1
    assert SceneHead(result.path).card.encoders == ("mastershot/starter",)
