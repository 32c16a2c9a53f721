import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.tables.feature_table import read_features
from mastershot.datasets.tables.tag_scores import read_tag_scores
from mastershot.encoders.probe import TrainedProbe
from mastershot.evaluation.precision import average_precisions
from mastershot.evaluation.tagging import precision_gains
from mastershot.synthetic.labelled_videos import HVU_SCENES
from mastershot.training.probes.fusion import fuse_runs
from mastershot.training.probes.settings import (
    FusionRecipe,
    ProbeNetworkSettings,
    ProbeRecipe,
    ProbeTrainingSettings,
)
from mastershot.training.probes.train import train_probe

TRAINING = ProbeTrainingSettings(epochs=12, batch_size=16, learning_rate=0.01)


class StoppedError(Exception):
    """Raised in the middle of an epoch; like a kill it leaves only the last checkpoint."""


def tiny_recipe(data: Path, features: str = "movieclip", **changes: Any) -> ProbeRecipe:
    recipe = ProbeRecipe(
        data=str(data),
        features=f"features/{features}",
        validation_share=0.2,
        drawn_videos=400,
        network=ProbeNetworkSettings(hidden=32, layers=1),
        training=TRAINING,
    )
    return replace(recipe, **changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def undisturbed(data: Path) -> Path:
    """The folder of a run that nothing stopped."""
    return train_probe(tiny_recipe(data), data / "undisturbed").parent


@pytest.fixture(scope="module")
def other(data: Path, undisturbed: Path) -> Path:
    """The folder of a run on the other set of features of the same videos."""
    return train_probe(tiny_recipe(data, "kinetics"), data / "other").parent


def test_a_run_leaves_a_probe_that_states_how_it_was_made(data: Path, undisturbed: Path) -> None:
    description = json.loads((undisturbed / "probe" / "probe.json").read_text())
    assert description["network"] == "mlp"
    assert (description["dataset"], description["features"]["drawn"]) == ("hvu", "movieclip")
    assert sum(description["videos"].values()) == 400
    assert description["without_features"] == {"train": 0, "val": 0, "test": 0}
    log = [json.loads(line) for line in (undisturbed / "log.jsonl").read_text().splitlines()]
    best = max(entry["val_map"] for entry in log)
    assert description["mean_precision"]["val"] == pytest.approx(best, abs=1e-4)
    assert [entry["epoch"] for entry in log] == list(range(1, len(log) + 1))


def test_the_scores_are_those_of_the_probe_that_is_loaded(data: Path, undisturbed: Path) -> None:
    probe = TrainedProbe(undisturbed / "probe")
    table = read_features(data / "features" / "movieclip")
    description = json.loads((undisturbed / "probe" / "probe.json").read_text())
    for split in ("val", "test"):
        scores = read_tag_scores(undisturbed / "scores" / f"{split}.npz")
        places = table.places(scores.files, what="videos")
        loaded = probe.scores([table.rows(place) for place in places.tolist()])
        np.testing.assert_allclose(scores.scores, loaded, atol=1e-5)
        precision = np.mean(average_precisions(scores.scores, scores.truth))
        assert description["mean_precision"][split] == pytest.approx(precision)
        assert scores.films == scores.videos
        assert scores.made_by["split"] == split


def test_a_probe_learns_what_its_features_show(undisturbed: Path, other: Path) -> None:
    for place, run in enumerate((undisturbed, other)):
        scores = read_tag_scores(run / "scores" / "test.npz")
        precisions = average_precisions(scores.scores, scores.truth)
        chance = scores.truth.mean(axis=0)
        assert (precisions[place::2] - chance[place::2]).min() > 0.3
        assert precisions[place::2].min() > precisions[1 - place :: 2].max()


def test_the_gain_of_each_class_from_one_run_to_the_other_is_read_from_their_scores(
    undisturbed: Path, other: Path
) -> None:
    before, after = (read_tag_scores(run / "scores" / "test.npz") for run in (other, undisturbed))
    gains = precision_gains(before, after).per_class
    assert [gain.name for gain in gains] == list(HVU_SCENES)
    assert all(gain.gain.value > 0.1 for gain in gains[::2])
    assert all(gain.gain.value < -0.1 for gain in gains[1::2])


def test_runs_whose_features_show_different_classes_gain_by_fusion(
    data: Path, undisturbed: Path, other: Path
) -> None:
    recipe = FusionRecipe(runs=(str(undisturbed), str(other)))
    made = fuse_runs(recipe, data / "fused")
    assert made == fuse_runs(recipe, data / "fused")
    precisions = []
    for folder in (undisturbed / "scores", other / "scores", made):
        scores = read_tag_scores(folder / "test.npz")
        precisions.append(float(np.mean(average_precisions(scores.scores, scores.truth))))
    assert precisions[2] > max(precisions[:2]) + 0.05
    logged = json.loads((data / "fused" / "log.jsonl").read_text().splitlines()[-1])
    assert logged["test_map"] == pytest.approx(precisions[2], abs=1e-4)


def test_a_run_that_was_stopped_in_an_epoch_resumes_to_the_same_weights(
    data: Path, undisturbed: Path
) -> None:
    out, steps = data / "stopped", []

    def stop(stage: str, done: int, total: int | None, figures: Mapping[str, float]) -> None:
        if done == 50:
            raise StoppedError

    with pytest.raises(StoppedError):
        train_probe(tiny_recipe(data), out, stop)
    assert not (out / "probe").exists()
    train_probe(tiny_recipe(data), out, lambda stage, done, *_: steps.append(done))
    assert 34 < steps[0] < 50
    ours, theirs = (load_file(run / "probe/probe.safetensors") for run in (out, undisturbed))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    for split in ("val", "test"):
        one, another = (read_tag_scores(run / f"scores/{split}.npz") for run in (out, undisturbed))
        np.testing.assert_array_equal(one.scores, another.scores)


def test_a_run_that_is_done_changes_nothing(
    data: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mastershot.training.probes.train.fit_epochs", None)
    assert train_probe(tiny_recipe(data), undisturbed) == undisturbed / "probe"


def test_missing_inputs_and_a_folder_of_another_recipe_are_one_sentence(
    data: Path, undisturbed: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=r"annotations .* do not exist; docs/downstream.md"):
        train_probe(ProbeRecipe(data=str(tmp_path)), tmp_path / "out")
    with pytest.raises(SettingError, match="was begun with another recipe"):
        train_probe(tiny_recipe(data, name="other"), undisturbed)
    with pytest.raises(SettingError, match=r"scores .*nowhere/scores/val.npz do not exist"):
        fuse_runs(FusionRecipe(runs=("nowhere", str(undisturbed))), tmp_path / "fused")


def test_runs_of_other_videos_cannot_be_fused(data: Path, undisturbed: Path) -> None:
    recipe = tiny_recipe(
        data / "trailers", dataset="moviescope", drawn_videos=60,
        training=replace(TRAINING, epochs=1),
    )  # fmt: skip
    trailers = train_probe(recipe, data / "trailers" / "run").parent
    with pytest.raises(DatasetError, match="only one of them has"):
        fuse_runs(FusionRecipe(runs=(str(undisturbed), str(trailers))), data / "mixed")
