import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import EncoderError
from mastershot.encoders.scene_head import (
    CARD_FILE,
    CLASSES,
    SceneHead,
    SceneHeadCard,
    boundary_scores,
    build_scene_head,
    unit_features,
    windows_of_gaps,
    write_scene_head,
)

CARD = SceneHeadCard("tiny", CLASSES, ("one", "two"), ("1", "2"), (3, 2), 8, 0.5, 0.4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = build_scene_head(CARD)
    network.mean.fill_(0.1)
    network.scale.fill_(2.0)
    write_scene_head(tmp_path, CARD, network, figures={"steps": 7})
    return tmp_path


def test_a_window_has_two_shots_on_either_side_and_repeats_the_films_ends() -> None:
    assert windows_of_gaps(5).tolist() == [[0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 4]]
    assert windows_of_gaps(2).tolist() == [[0, 0, 1, 1]]
    assert windows_of_gaps(1).shape == (0, 4)


def test_a_head_scores_gaps_as_its_layers_do_by_hand(folder: Path) -> None:
    head = SceneHead(folder)
    rng = np.random.default_rng(0)
    features = rng.random((6, 5)).astype(np.float32)
    weights = {
        name: tensor.numpy().astype(np.float64)
        for name, tensor in build_loaded(folder).state_dict().items()
    }
    units = np.hstack(
        [
            part / np.linalg.norm(part, axis=1)[:, None]
            for part in (features[:, :3], features[:, 3:])
        ]
    )
    expected = []
    for gap in range(5):
        shots = [min(max(shot, 0), 5) for shot in range(gap - 1, gap + 3)]
        hidden = np.concatenate([(units[shot] - 0.1) * 2 for shot in shots])
        for layer in (0, 3):
            hidden = weights[f"layers.{layer}.weight"] @ hidden + weights[f"layers.{layer}.bias"]
            hidden = np.maximum(hidden, 0)
        logit = weights["layers.6.weight"] @ hidden + weights["layers.6.bias"]
        expected.append(float(1 / (1 + np.exp(-logit[0]))))
    assert head.scores(features) == pytest.approx(expected, abs=1e-5)
    starts = [0, *(gap + 1 for gap, score in enumerate(expected) if score >= CARD.threshold)]
    assert head.first_shots(features) == starts


def build_loaded(folder: Path) -> Any:
    from mastershot.encoders.checkpoint import load_fitted

    return load_fitted(folder / "scene_head.safetensors", lambda: build_scene_head(CARD))


@pytest.mark.parametrize("num_shots", [1, 2, 3])
def test_films_of_fewer_than_four_shots_have_a_score_for_each_gap(
    folder: Path, num_shots: int
) -> None:
    head = SceneHead(folder)
    features = np.zeros((num_shots, 5), np.float32)  # A black shot is zeros, not a number over 0.
    assert head.scores(features).shape == (num_shots - 1,)
    assert np.isfinite(head.scores(features)).all()
    assert head.first_shots(features)[0] == 0


def test_scores_leave_the_network_in_the_mode_it_was_in() -> None:
    network = build_scene_head(CARD).train()
    features = unit_features(np.ones((4, 5), np.float32), CARD.widths)
    first, second = (boundary_scores(network, features) for _ in range(2))
    assert network.training
    assert first.tolist() == second.tolist()  # Without dropout.


def test_a_card_says_in_which_spaces_and_how_it_was_made(folder: Path) -> None:
    assert SceneHead(folder).card == CARD
    assert CARD.spaces == (EmbeddingSpace("one", "1", 3), EmbeddingSpace("two", "2", 2))
    assert json.loads((folder / CARD_FILE).read_text())["steps"] == 7
    assert SceneHead(folder).weights_hash.startswith("sha256:")


def test_features_of_another_width_are_refused(folder: Path) -> None:
    with pytest.raises(EncoderError, match=r"shape \(2, 4\); the scene head tiny takes \(shots, 5"):
        SceneHead(folder).scores(np.zeros((2, 4), np.float32))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"classes": ["kitchen"]}, "classes are kitchen, not scene boundary"),
        ({"widths": [3]}, "should be as many, one or more"),
        ({"widths": [3, 0]}, r"widths are \[3, 0\]; each is from 1"),
        ({"widths": [3, True]}, "each is from 1"),
        ({"encoders": ["one", 2]}, "should be text"),
        ({"dropout": 1.0}, "dropout is 1; it is from 0 to below 1"),
        ({"threshold": 1.5}, "threshold is 1.5; it is from 0 to 1"),
        ({"hidden": 0}, "hidden is 0"),
    ],
)
def test_a_card_that_cannot_be_is_one_sentence(
    folder: Path, changes: dict[str, Any], reason: str
) -> None:
    card = json.loads((folder / CARD_FILE).read_text()) | changes
    (folder / CARD_FILE).write_text(json.dumps(card))
    with pytest.raises(EncoderError, match=f"does not describe a scene head: .*{reason}"):
        SceneHead(folder)


def test_weights_of_another_head_do_not_fit(folder: Path, tmp_path: Path) -> None:
    other = replace(CARD, hidden=4)
    write_scene_head(tmp_path / "other", other, build_scene_head(other), figures={})
    weights = folder / "scene_head.safetensors"
    weights.write_bytes((tmp_path / "other" / "scene_head.safetensors").read_bytes())
    with pytest.raises(EncoderError, match=r"scene_head\.safetensors"):
        SceneHead(folder)
