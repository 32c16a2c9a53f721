import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.factories.models import make_tiny_vit

from mastershot.core.errors import DatasetError, EncoderError, SettingError
from mastershot.core.movie import SCALES
from mastershot.datasets.movieshots import read_movieshots
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.frame_classifier import FrameClassifier
from mastershot.synthetic.scales import ANNOTATIONS, CLIPS, draw_scale_shots
from mastershot.training.shot_scale.features import frames_at_rate
from mastershot.training.shot_scale.settings import ScaleTrainingSettings, ShotScaleRecipe
from mastershot.training.shot_scale.train import train_shot_scale

TRAINING = ScaleTrainingSettings(hidden=8, epochs=3, batch_size=8)
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.training.shot_scale.test_train import tiny_recipe
from mastershot.training.shot_scale.train import train_shot_scale

def on_progress(stage, done, total, figures):
    if stage == "training" and done == 5:
        os.kill(os.getpid(), signal.SIGKILL)

train_shot_scale(tiny_recipe(Path(sys.argv[1])), Path(sys.argv[2]), on_progress)
"""


def tiny_recipe(data: Path, **changes: Any) -> ShotScaleRecipe:
    return replace(ShotScaleRecipe(data=str(data), encoder="vit", training=TRAINING), **changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    draw_scale_shots(folder, num_trailers=6)
    make_tiny_vit(folder / "vit")
    return folder


@pytest.fixture(scope="module")
def undisturbed(data: Path) -> Path:
    """The classifier of a run that nothing stopped."""
    return train_shot_scale(tiny_recipe(data), data / "undisturbed")


def weights_of(classifier: Path) -> dict[str, torch.Tensor]:
    return load_file(classifier / "classifier.safetensors")


def same(one: Path, other: Path) -> bool:
    first, second = weights_of(one), weights_of(other)
    return all(torch.equal(first[name], second[name]) for name in {**first, **second})


def test_a_run_leaves_a_classifier_that_states_how_it_was_made(
    data: Path, undisturbed: Path
) -> None:
    description = json.loads((undisturbed / "classifier.json").read_text())
    assert description["classes"] == list(SCALES)
    assert (description["task"], description["max_steps"]) == ("shot_scale", 20)
    assert description["rate_hz"] == 4.0
    assert description["encoder"] == str((data / "vit").resolve())
    assert description["trained_on"]["train"] == dict.fromkeys(SCALES, 4)
    assert description["training"]["learning_rate"] == 1e-3
    confusion = np.array(description["held_out"]["confusion"])
    assert confusion.sum(axis=1).tolist() == [1] * 5
    accuracy = description["held_out"]["accuracy"]
    assert accuracy["value"] == pytest.approx(np.trace(confusion) / 5)
    assert accuracy["num_items"] == 5
    log = [json.loads(line) for line in (data / "undisturbed/log.jsonl").read_text().splitlines()]
    assert [(entry["epoch"], entry["step"]) for entry in log] == [(1, 3), (2, 6), (3, 9)]


def test_what_is_loaded_scores_as_what_was_measured(data: Path, undisturbed: Path) -> None:
    classifier = FrameClassifier(undisturbed)
    encoder = load_frame_encoder(data / "vit", precision="float32")
    shots = read_movieshots(data / ANNOTATIONS)["test"]
    vectors = [
        encoder.encode_images(frames_at_rate(shot.path(data / CLIPS), rate_hz=4, max_frames=20))
        for shot in shots
    ]
    confusion = np.zeros((5, 5), int)
    for shot, row in zip(shots, classifier.scores(vectors), strict=True):
        confusion[shot.scale, row.argmax()] += 1
    description = json.loads((undisturbed / "classifier.json").read_text())
    assert confusion.tolist() == description["held_out"]["confusion"]


def test_a_run_that_was_killed_resumes_to_the_same_weights(data: Path, undisturbed: Path) -> None:
    out = data / "killed"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(data), str(out)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": f".{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (out / "classifier").exists()
    assert same(train_shot_scale(tiny_recipe(data), out), undisturbed)


def test_a_run_that_is_done_changes_nothing(
    data: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mastershot.training.shot_scale.train.fit_epochs", None)
    assert train_shot_scale(tiny_recipe(data), undisturbed.parent) == undisturbed


def test_training_ends_early_with_the_best_epoch_and_so_does_one_that_resumes(data: Path) -> None:
    training = replace(TRAINING, epochs=40, patience=2, learning_rate=1e-9)  # nothing is learnt
    recipe, out = tiny_recipe(data, training=training), data / "early"
    classifier = train_shot_scale(recipe, out)
    description = json.loads((classifier / "classifier.json").read_text())
    assert description["steps"] == 9  # the first epoch is the best; two more are not better
    first = weights_of(classifier)
    rmtree(classifier)
    train_shot_scale(recipe, out)
    assert json.loads((classifier / "classifier.json").read_text())["steps"] == 9
    assert all(torch.equal(first[name], tensor) for name, tensor in weights_of(classifier).items())


def test_an_encoder_that_is_not_known_is_reported(data: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="encoder 'clap' is neither a folder"):
        train_shot_scale(tiny_recipe(data, encoder="clap"), tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"annotations": "gone.json"}, r"annotations .*gone\.json do not exist"),
        ({"clips": "gone"}, "clips .*gone is no folder; it holds a folder a trailer"),
    ],
)
def test_what_is_missing_is_reported_before_anything_is_written(
    data: Path, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        train_shot_scale(tiny_recipe(data, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_split_whose_films_are_missing_is_reported(data: Path, tmp_path: Path) -> None:
    (tmp_path / "trailer").mkdir()
    recipe = tiny_recipe(data, clips=str(tmp_path / "trailer"))
    with pytest.raises(
        SettingError, match=r"no shot of split train in .*; the first problem: .*sh"
    ):
        train_shot_scale(recipe, tmp_path / "out")


def test_annotations_of_another_layout_are_reported(data: Path, tmp_path: Path) -> None:
    (tmp_path / "v2.json").write_text('{"tt001": {}}')
    recipe = tiny_recipe(data, annotations=str(tmp_path / "v2.json"))
    with pytest.raises(DatasetError, match="have no shot under 'train'"):
        train_shot_scale(recipe, tmp_path / "out")


def test_the_folder_of_another_recipe_is_refused(data: Path, undisturbed: Path) -> None:
    with pytest.raises(
        SettingError, match=r"begun with another recipe \(training.epochs is 3 there"
    ):
        train_shot_scale(
            tiny_recipe(data, training=replace(TRAINING, epochs=9)), undisturbed.parent
        )


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        (ScaleTrainingSettings, {"hidden": 0}, r"hidden is 0; it must be in \[1, 16,384\]"),
        (ScaleTrainingSettings, {"layers": 17}, r"layers is 17; it must be in \[1, 16\]"),
        (ScaleTrainingSettings, {"patience": 0}, "patience is 0"),
        (ScaleTrainingSettings, {"rate_hz": 0.0}, r"rate_hz is 0\.0; it must be in \(0, 1,000\)"),
        (ScaleTrainingSettings, {"learning_rate": float("nan")}, "learning_rate is nan"),
        (
            ScaleTrainingSettings,
            {"weight_decay": -1.0},
            r"weight_decay is -1\.0; it must be at least 0",
        ),
        (ScaleTrainingSettings, {"seed": -1}, "seed is -1"),
        (ShotScaleRecipe, {"encoder": ""}, "encoder is ''; it must not be empty"),
        (ShotScaleRecipe, {"drawn_trailers": 5}, "drawn_trailers is 5; 0 draws none"),
    ],
)
def test_a_setting_that_means_nothing_is_reported(
    kind: type, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        kind(**changes)


@pytest.mark.slow
def test_the_scale_of_drawn_people_is_learnt(tmp_path: Path) -> None:
    """From films to a classifier through the packaged encoder: well above one in five."""
    training = ScaleTrainingSettings(hidden=64, epochs=40, batch_size=16, patience=20)
    recipe = ShotScaleRecipe(
        data=str(tmp_path / "data"), encoder="starter", drawn_trailers=60, training=training
    )
    classifier = train_shot_scale(recipe, tmp_path / "out")
    held_out = json.loads((classifier / "classifier.json").read_text())["held_out"]
    assert held_out["accuracy"]["num_items"] == 50
    assert held_out["accuracy"]["low"] > 0.3
