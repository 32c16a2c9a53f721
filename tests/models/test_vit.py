from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.factories.reference import interpolated_rows
from tests.factories.shapes import TINY_VIT
from transformers import CLIPVisionConfig, CLIPVisionModel, ViTConfig, ViTModel

from mastershot.core.errors import EncoderError, SettingError
from mastershot.models.vit import (
    VisionTransformer,
    ViTSettings,
    published_settings,
    published_weights,
    resized_positions,
)

TINY = {
    "hidden_size": 8,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "patch_size": 8,
    "image_size": 32,
}


def tiny_vit(settings: ViTSettings = TINY_VIT) -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(settings)


def published(kind: str, folder: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    """Return a random network of transformers whose weights all matter, and those it stores."""
    torch.manual_seed(1)
    network, config = {"vit": (ViTModel, ViTConfig), "clip": (CLIPVisionModel, CLIPVisionConfig)}[
        kind
    ]
    model = network(config(**TINY))
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.4)
    model.save_pretrained(folder)
    return model.eval(), load_file(folder / "model.safetensors")


@pytest.mark.parametrize("kind", ["vit", "clip"])
def test_published_weights_give_what_transformers_gives(kind: str, tmp_path: Path) -> None:
    model, stored = published(kind, tmp_path)
    settings = published_settings(model.config.to_dict(), image_px=32)
    ours = VisionTransformer(settings)
    ours.load_state_dict(published_weights(stored, settings))
    bytes_B3HW = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    pixels = (bytes_B3HW - ours.pixel_mean) / ours.pixel_std
    with torch.inference_mode():
        answer = model(pixels)
        theirs = answer.last_hidden_state[:, 0] if kind == "vit" else answer.pooler_output
        torch.testing.assert_close(ours(bytes_B3HW), theirs, rtol=1e-5, atol=1e-5)
    assert theirs.std() > 0.1


def test_weights_under_a_classifier_or_beside_a_text_tower_are_found(tmp_path: Path) -> None:
    _, stored = published("vit", tmp_path / "vit")
    classifier = {f"vit.{name}": tensor for name, tensor in stored.items()}
    _, stored = published("clip", tmp_path / "clip")
    two_towers = {**stored, "text_model.embeddings.token_embedding.weight": torch.zeros(3, 8)}
    for config, weights in (
        ({"model_type": "vit", **TINY}, classifier),
        ({"model_type": "clip", "vision_config": TINY}, two_towers),
    ):
        settings = published_settings(config, image_px=32)
        names = set(VisionTransformer(settings).state_dict())
        assert set(published_weights(weights, settings)) == names


def test_positions_of_another_size_are_interpolated(tmp_path: Path) -> None:
    _, stored = published("vit", tmp_path)
    settings = published_settings({"model_type": "vit", **TINY}, image_px=48)
    weights = published_weights(stored, settings)
    assert weights["positions"].shape == (36, 8)
    assert torch.equal(weights["class_position"], stored["embeddings.position_embeddings"][0, 0])
    VisionTransformer(settings).load_state_dict(weights)


def test_a_missing_weight_is_named(tmp_path: Path) -> None:
    _, stored = published("vit", tmp_path)
    settings = published_settings({"model_type": "vit", **TINY}, image_px=32)
    with pytest.raises(
        EncoderError,
        match=r"missing weights: 16, such as encoder\.layer\.2\.layernorm_before\.weight",
    ):
        published_weights(stored, replace(settings, depth=3))
    with pytest.raises(EncoderError, match="no class token of a ViT"):
        published_weights({}, settings)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    _, stored = published("vit", tmp_path)
    settings = published_settings({"model_type": "vit", **TINY}, image_px=32)
    with pytest.raises(EncoderError, match=r"widen\.weight of \(32, 8\) instead of \(16, 8\)"):
        published_weights(stored, replace(settings, mlp_ratio=2))
    stored["embeddings.position_embeddings"] = torch.zeros(1, 16, 8)
    with pytest.raises(
        EncoderError, match="16 positional embeddings are not those of a class token"
    ):
        published_weights(stored, settings)


def test_a_checkpoint_of_another_kind_is_refused() -> None:
    with pytest.raises(EncoderError, match="type 'bert' is no vision transformer"):
        published_settings({"model_type": "bert"})
    with pytest.raises(EncoderError, match="config lacks 'hidden_size'"):
        published_settings({"model_type": "vit"})
    with pytest.raises(EncoderError, match="config states no shape"):
        published_settings({"model_type": "vit", **TINY, "hidden_size": "wide"})


def test_the_defaults_are_vit_b_16_at_128_pixels() -> None:
    with torch.device("meta"):
        network = VisionTransformer(ViTSettings())
    assert network.positions.shape == (64, 768)
    # Width 768, 12 blocks: 85.05 M, patches 0.59 M, positions and class token 0.05 M.
    assert round(sum(weights.numel() for weights in network.parameters()) / 1e5) == 857


def test_a_frame_becomes_one_vector_with_a_gradient_to_every_weight() -> None:
    network = tiny_vit()
    vectors = network(torch.rand(3, 3, 32, 32) * 255)
    assert vectors.shape == (3, 8)
    (vectors * torch.randn(3, 8)).sum().backward()
    assert all(weights.grad is not None and weights.grad.any() for weights in network.parameters())


def test_bytes_and_floats_are_the_same_picture() -> None:
    frames = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(tiny_vit()(frames), tiny_vit()(frames.float()))


def test_positions_are_interpolated_as_a_plain_loop_does() -> None:
    positions = torch.randn(6, 3)
    resized = resized_positions(positions, (3, 2), (9, 2)).view(9, 2, 3)
    for column in range(2):
        rows = positions.view(3, 2, 3)[:, column].numpy()
        expected = interpolated_rows(rows, 9)
        np.testing.assert_allclose(resized[:, column], expected, rtol=1e-5, atol=1e-5)


def test_the_same_grid_keeps_its_positions_untouched() -> None:
    positions = torch.randn(6, 3)
    assert resized_positions(positions, (3, 2), (3, 2)) is positions


@pytest.mark.parametrize("shape", [(2, 3, 32, 16), (2, 1, 32, 32), (3, 32, 32)])
def test_frames_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match=r"do not fit a network for \(batch, 3, 32, 32\)"):
        tiny_vit()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"patch_px": 15}, "patches of 15 pixels do not tile a frame of 32"),
        ({"patch_px": 0}, "patch_px is 0; it must be 1 or more"),
    ],
)
def test_a_shape_that_cannot_be_says_why(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        replace(TINY_VIT, **changes)
