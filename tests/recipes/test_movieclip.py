"""Every recipe of MovieCLIP says what the paper says, and its debug version trains on films."""

import json
from pathlib import Path

import pytest
from tests.factories.tagging import film_data

from mastershot.core.errors import SettingError
from mastershot.encoders.recogniser import TrainedRecogniser
from mastershot.recipes.load import load_recipe, recipe_text, shipped_recipes
from mastershot.training.engine.settings import no_progress
from mastershot.training.tagging.settings import TaggingRecipe

RECIPES = [
    name
    for name in shipped_recipes()
    if name.startswith("movieclip/") and isinstance(load_recipe(name).settings, TaggingRecipe)
]
# METHODS A7: network, optimiser, learning rate, weight decay, batch.
PUBLISHED = {
    "lstm-places": ("lstm", "adamw", 1e-3, 1e-3, 32),
    "lstm-vit": ("lstm", "adamw", 1e-3, 1e-3, 32),
    "slowfast": ("slowfast_r50", "sgd", 0.1, 1e-4, 16),
    "i3d": ("i3d_r50", "sgd", 0.1, 1e-4, 16),
    "r2plus1d": ("r2plus1d_r34", "adam", 1e-4, 0.0, 16),
    "timesformer": ("timesformer_b", "sgd", 5e-3, 1e-4, 8),
    "video-swin": ("video_swin_b", "adamw", 1e-4, 0.05, 32),
}
_TABLE_3 = {
    "lstm-places": "mAP 24.15, correlation 0.29",
    "lstm-vit": "mAP 43.10, correlation 0.42",
    "slowfast": "mAP 25.80, correlation 0.402",
    "i3d": "mAP 13.33, correlation 0.26",
    "r2plus1d": "mAP 26.73, correlation 0.40",
    "timesformer": "mAP 36.87, correlation 0.46",
    "video-swin": "mAP 44.4, correlation 0.497",
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_data(tmp_path_factory.mktemp("films"))


@pytest.mark.parametrize("name", PUBLISHED)
def test_recipes_hold_the_papers_settings(name: str) -> None:
    recipe = load_recipe(f"movieclip/{name}").settings
    training = recipe.training
    assert (
        recipe.network.name,
        training.optimizer,
        training.learning_rate,
        training.weight_decay,
        training.batch_size,
    ) == PUBLISHED[name]
    assert _TABLE_3[name] in recipe_text(f"movieclip/{name}")


def test_headers_say_what_is_not_from_the_paper() -> None:
    for name in RECIPES:
        text = " ".join(recipe_text(name).split("recipe:")[0].replace("\n# ", " ").split())
        training = load_recipe(name).settings.training
        assert "none" not in text.lower(), name
        if "lstm" in name:
            assert "length 1" in text
            continue
        assert "ours" in text.lower()
        assert f"stop after {training.patience} epochs" in text
        assert "half are mirrored" in text
        assert ("momentum 0.9" in text) == (training.optimizer == "sgd")


def test_the_lstms_have_the_papers_schedule() -> None:
    for name, epochs in {"lstm-places": 100, "lstm-vit": 50}.items():
        training = load_recipe(f"movieclip/{name}").settings.training
        assert (training.epochs, training.patience) == (epochs, 5)
        assert (training.schedule, training.step_epochs, training.factor) == ("step", 15, 0.5)
    assert load_recipe("movieclip/lstm-vit").settings.vectors.max_steps == 20


@pytest.mark.parametrize("name", RECIPES)
def test_a_debug_version_trains(name: str, films: Path, tmp_path: Path) -> None:
    changes = ["training.epochs=1", f"data={films}", "shots=shots.csv"]
    if "lstm" in name:
        changes += ["vectors.encoder=starter", "vectors.cache="]
    else:
        changes += [f"clips.cache={tmp_path}/clips", "network.size_px=32"]
    recipe = load_recipe(f"debug/{name.replace('/', '-')}", changes)
    assert recipe.kind.problems(recipe.settings) == []
    result = recipe.kind.run(recipe.settings, tmp_path / "run", no_progress)
    assert 0 <= result.figures["mean_precision"]["test"] <= 1
    trained = TrainedRecogniser(result.path)
    assert trained.card.classes == ("red", "green", "blue")
    assert json.loads((result.path / "recogniser.json").read_text())["unread"] == 0


def test_lstm_places_reads_the_features_of_a_frame_network(films: Path, tmp_path: Path) -> None:
    changes = ["training.epochs=1", f"data={films}", "shots=shots.csv"]
    frames = load_recipe("debug/movieclip-resnet18", [*changes, f"clips.cache={tmp_path}/clips"])
    encoder = frames.kind.run(frames.settings, tmp_path / "frames", no_progress).path
    recipe = load_recipe(
        "debug/movieclip-lstm-places",
        [*changes, f"vectors.encoder={encoder}", f"vectors.cache={tmp_path}/vectors"],
    )
    made = recipe.kind.run(recipe.settings, tmp_path / "run", no_progress).path
    card = TrainedRecogniser(made).card
    assert (card.input_width, card.encoder) == (128, str(encoder))


def test_unknown_networks_are_named_with_what_is_meant(films: Path, tmp_path: Path) -> None:
    recipe = load_recipe("movieclip/i3d", [f"data={films}", "network.name=i3d_50"])
    with pytest.raises(SettingError, match="'i3d_50' is unknown; did you mean 'i3d_r50'"):
        recipe.kind.run(recipe.settings, tmp_path / "run", no_progress)
