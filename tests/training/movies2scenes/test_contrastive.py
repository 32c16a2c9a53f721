import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.movies2scenes import FEATURE_NET, LOG, TRAINING, write_films

from mastershot.core.errors import DatasetError, MastershotError, SettingError
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.batches import SceneBatches
from mastershot.training.movies2scenes.contrastive import (
    length_of,
    train_contrastive,
)
from mastershot.training.movies2scenes.networks import SceneShape, projected, scene_network
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
    LogSettings,
    SceneContrastRecipe,
    ShotSource,
)


def recipe(data: Path, **changes: Any) -> SceneContrastRecipe:
    base = SceneContrastRecipe(
        ShotSource("features"), "pairs.parquet", FEATURE_NET, TRAINING, log=LOG, data=str(data)
    )
    return replace(base, **changes)


def train(data: Path, asked: SceneContrastRecipe) -> tuple[Any, dict[str, Any], list[Any]]:
    """Return the encoder after training, its metadata, and the entries of the log."""
    arrays, rows = ShotArrays(data / "features"), np.arange(16)
    batches = SceneBatches(arrays, (rows, rows + 20), window=3, batch_size=8, seed=0)
    encoder = projected(scene_network(asked.network, SceneShape(3, (6,))), 8, 8)
    length = length_of(asked.training, num_items=16, num_keys=32)
    metadata = train_contrastive(
        encoder, batches, asked, length, out=data, counts={"pairs": 16},
        on_progress=lambda *_: None,
    )  # fmt: skip
    lines = (data / "log.jsonl").read_text().splitlines()
    return encoder, metadata, [json.loads(line) for line in lines]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_films(tmp_path)
    return tmp_path


def test_training_ends_where_the_loss_is_not_finite_and_keeps_the_last_checkpoint(
    data: Path,
) -> None:
    rows = np.array(np.load(data / "features" / "c.npy"))
    rows[5] = np.nan
    write_movie(data / "features", "c", rows)
    log = replace(LOG, save_every=1)
    with pytest.raises(MastershotError, match=r"the loss of step \d+ is nan: .* not finite"):
        train_scene_encoder(
            recipe(data, log=log, training=replace(TRAINING, batch_size=2)), data / "run"
        )
    state = torch.load(data / "run" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(value.isfinite().all() for value in state.values())
    assert not (data / "run" / "scene_encoder").exists()


@pytest.mark.parametrize(
    ("max_steps", "steps", "warmup_steps"), [(0, 79, 32), (79, 79, 32), (500, 79, 32), (10, 10, 5)]
)
def test_a_run_is_as_long_as_its_epochs_and_a_shorter_one_warms_up_for_the_same_share(
    max_steps: int, steps: int, warmup_steps: int
) -> None:
    training = ContrastiveSettings(
        epochs=10, warmup_epochs=4.0, batch_size=128, queue=50, max_steps=max_steps
    )
    length = length_of(training, num_items=1000, num_keys=120)
    assert (length.steps, length.warmup_steps, length.queue.length) == (steps, warmup_steps, 30)
    with pytest.raises(SettingError, match="3 distinct key scenes are too few for a queue"):
        length_of(training, num_items=1000, num_keys=3)


@given(
    num_items=st.integers(1, 10**6), epochs=st.integers(1, 50), share=st.floats(0, 1),
    max_steps=st.integers(0, 1000),
)  # fmt: skip
def test_a_run_never_warms_up_for_longer_than_it_trains(
    num_items: int, epochs: int, share: float, max_steps: int
) -> None:
    training = ContrastiveSettings(epochs=epochs, warmup_epochs=share * epochs, max_steps=max_steps)
    length = length_of(training, num_items=num_items, num_keys=100)
    assert 0 <= length.warmup_steps <= length.steps
    assert 1 <= length.steps <= (max_steps or length.steps)


def test_figures_are_logged_at_every_report_and_at_the_end(data: Path) -> None:
    training = replace(TRAINING, max_steps=5, epochs=9)
    log = LogSettings(report_every=2, save_every=9)
    _, metadata, (first, *rest) = train(data, recipe(data, training=training, log=log, name="me"))
    assert (first["pairs"], first["steps"]) == (16, 5)
    assert "resumed" not in first
    assert [entry["step"] for entry in rest] == [2, 4, 5]
    assert (metadata["name"], metadata["steps"], metadata["queue"]) == ("me", 5, 8)
    assert metadata["recipe"]["training"]["max_steps"] == 5


def test_the_probe_changes_nothing_of_the_training_and_its_labels_are_read_first(
    data: Path,
) -> None:
    (data / "labels.csv").write_text(
        "movie,first_shot,label\n" + "".join(f"{m},{s},{s}\n" for m in "abcd" for s in (0, 9))
    )
    weights = []
    for labels in ("", "labels.csv"):
        (data / "last.ckpt").unlink(missing_ok=True)
        torch.manual_seed(0)
        log = replace(LOG, labels=labels, neighbours=2)
        encoder, _, entries = train(data, recipe(data, log=log))
        assert ("knn_accuracy" in entries[-1]) == bool(labels)
        assert encoder[0].training
        weights.append(encoder.state_dict())
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())
    (data / "labels.csv").write_text("movie,label\n")
    (data / "last.ckpt").unlink()
    with pytest.raises(DatasetError, match="has no column 'first_shot'"):
        train(data, recipe(data, log=replace(LOG, labels="labels.csv")))
    assert not (data / "last.ckpt").exists()
