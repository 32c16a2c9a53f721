"""Encoders that start from a published ViT or CLIP, here small ones with random weights."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.factories.movies2scenes import LOG, PIXEL_NET, TRAINING, write_films
from tests.factories.mvit import drawn, torchvision_shapes
from transformers import CLIPVisionConfig, CLIPVisionModel, ViTConfig, ViTModel

from mastershot.core.errors import EncoderError
from mastershot.models.mvit.network import MViT
from mastershot.models.vit import resized_positions
from mastershot.recipes.load import load_recipe
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.checkpoints import load_scene_encoder, load_shot_encoder
from mastershot.training.movies2scenes.networks import SceneShape, scene_network, started_from
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.settings.encoders import (
    NetworkSettings,
    SceneContrastRecipe,
    ShotContrastRecipe,
    ShotSource,
)
from mastershot.training.movies2scenes.shot_encoder import train_shot_encoder

SHAPE = {
    "hidden_size": 12,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "patch_size": 4,
}
# So slow that a step leaves the weights as they were, to the precision of the comparison.
STILL = replace(TRAINING, max_steps=1, learning_rate=1e-12, weight_decay=0.0)
KEYFRAMES = ShotSource("keyframes", "keyframes", image_px=16)


def published(folder: Path, kind: str, image_px: int) -> Any:
    torch.manual_seed(1)
    config = {**SHAPE, "image_size": image_px}
    model = ViTModel(ViTConfig(**config)) if kind == "vit" else CLIPVisionModel(
        CLIPVisionConfig(**config)
    )  # fmt: skip
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    model.save_pretrained(folder)
    return model.eval()


def class_tokens(model: Any, frames: np.ndarray, mean: object, std: object) -> torch.Tensor:
    pixels = (torch.from_numpy(np.array(frames)).movedim(-1, 1) - mean) / std  # type: ignore[operator]
    with torch.inference_mode():
        answer = model(pixels, interpolate_pos_encoding=True)
    pooled = isinstance(model, CLIPVisionModel)
    return answer.pooler_output if pooled else answer.last_hidden_state[:, 0]


@pytest.mark.parametrize("image_px", [16, 24])
@pytest.mark.parametrize("kind", ["vit", "clip"])
def test_both_encoders_start_as_the_checkpoint_of_another_shape_and_grid(
    tmp_path: Path, kind: str, image_px: int
) -> None:
    write_films(tmp_path)
    model = published(tmp_path / "weights", kind, image_px)
    network = replace(PIXEL_NET, init="weights")
    recipe = SceneContrastRecipe(
        KEYFRAMES, "pairs.parquet", network, STILL, log=LOG, data=str(tmp_path)
    )  # fmt: skip
    scenes = load_scene_encoder(train_scene_encoder(recipe, tmp_path / "scenes"))
    shots = load_shot_encoder(
        train_shot_encoder(
            ShotContrastRecipe(KEYFRAMES, network, training=STILL, log=LOG, data=str(tmp_path)),
            tmp_path / "shots",
        )
    )
    frames = ShotArrays(tmp_path / "keyframes").movie(0)[:5]
    vit = scenes.network.vit
    theirs = class_tokens(model, frames[:, 0], vit.pixel_mean, vit.pixel_std)
    assert theirs.std() > 0.1
    ours = torch.from_numpy(scenes.encode(frames[:, None]))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert (scenes.width, scenes.metadata["network"]["depth"], vit.settings.grid) == (12, 2, (4, 4))
    before_head = shots.network.vit(torch.from_numpy(np.array(frames[:, 0])).movedim(-1, 1))
    torch.testing.assert_close(before_head, theirs, rtol=1e-5, atol=1e-5)


def test_positions_of_a_scene_are_those_of_the_checkpoint_stretched_along_its_height(
    tmp_path: Path,
) -> None:
    write_films(tmp_path)
    published(tmp_path / "weights", "vit", 16)
    network = replace(PIXEL_NET, init="weights")
    recipe = SceneContrastRecipe(
        KEYFRAMES, "pairs.parquet", network, STILL, log=LOG, data=str(tmp_path)
    )
    scenes = load_scene_encoder(train_scene_encoder(recipe, tmp_path / "scenes"))
    vit, frames = scenes.network.vit, ShotArrays(tmp_path / "keyframes").movie(0)[:3]
    pictures = torch.from_numpy(np.array(frames[:, 0])).movedim(-1, 1)
    tokens = vit.patch_tokens(pictures).reshape(1, 48, 12)
    stretched = torch.nn.functional.interpolate(
        vit.positions.T.reshape(1, 12, 4, 4), (12, 4), mode="bicubic"
    )
    expected = vit.read(tokens, stretched[0].flatten(1).T)
    assert torch.equal(resized_positions(vit.positions, (4, 4), (12, 4)), stretched[0].flatten(1).T)
    torch.testing.assert_close(torch.from_numpy(scenes.encode(frames[None])), expected)


def test_a_checkpoint_that_is_not_there_or_does_not_fit_is_said(tmp_path: Path) -> None:
    write_films(tmp_path)
    settings = [f"data={tmp_path}", "shots.path=keyframes", "network.init=gone", "log.labels=no"]
    recipe = load_recipe("debug/movies2scenes-augmentation", settings)
    problems = recipe.kind.problems(recipe.settings)
    assert f"network.init {tmp_path / 'gone'} does not exist" in problems
    assert f"log.labels {tmp_path / 'no'} does not exist" in problems
    published(tmp_path / "weights", "vit", 16)
    (tmp_path / "weights" / "model.safetensors").write_bytes(b"cut short")
    network = replace(PIXEL_NET, init="weights")
    recipe = SceneContrastRecipe(
        KEYFRAMES, "pairs.parquet", network, STILL, log=LOG, data=str(tmp_path)
    )
    with pytest.raises(EncoderError, match=r"model\.safetensors cannot be loaded"):
        train_scene_encoder(recipe, tmp_path / "scenes")


def mvit_recipe(data: Path, **network: Any) -> SceneContrastRecipe:
    """One step on scenes of three shots, which an MViTv2-S of a twelfth of its width sees."""
    frames = np.random.default_rng(0).integers(0, 256, (20, 1, 32, 32, 3), np.uint8)
    for name in "abcd":
        write_movie(data / "keyframes", name, frames)
    return SceneContrastRecipe(
        ShotSource("keyframes", "keyframes", image_px=32), "pairs.parquet",
        NetworkSettings(backbone="mvit_v2_s", width=64, **network), STILL, log=LOG, data=str(data),
    )  # fmt: skip


def test_mvit_v2_s_is_a_scene_encoder_that_is_trained_and_loads_again(tmp_path: Path) -> None:
    write_films(tmp_path)
    made = train_scene_encoder(mvit_recipe(tmp_path), tmp_path / "scenes")
    encoder = load_scene_encoder(made)
    assert isinstance(encoder.network, MViT)
    sizes = encoder.network.settings
    assert (sizes.width, sizes.num_frames, sizes.image_px, encoder.width) == (8, 3, 32, 64)
    frames = np.array(ShotArrays(tmp_path / "keyframes").movie(0))
    assert encoder.encode_film(frames).shape == (6, 64)
    assert encoder.encode(frames[None, :1]).shape == (1, 64)
    kept = json.loads((made / "scene_encoder.json").read_text())
    for sizes_of in ({"width": 16}, {"depths": [1, 1]}, {"num_frames": 0}, {"image_px": 33}):
        broken = {**kept, "mvit": {**kept["mvit"], **sizes_of}}
        (made / "scene_encoder.json").write_text(json.dumps(broken))
        with pytest.raises(EncoderError, match="does not describe an encoder"):
            load_scene_encoder(made)


def test_mvit_v2_s_starts_from_a_file_of_published_names(tmp_path: Path) -> None:
    write_films(tmp_path)
    weights = drawn(torchvision_shapes(num_classes=4))
    save_file(weights, tmp_path / "mvit.safetensors")
    recipe = mvit_recipe(tmp_path, init="mvit.safetensors")
    shape = SceneShape(3, (1, 32, 32, 3))
    settings = started_from(recipe.network, recipe.data, shape)
    assert settings.width == 768
    network = scene_network(settings, shape)
    assert torch.equal(network.blocks[2].attention.offsets_t, weights["blocks.2.attn.rel_pos_t"])
    (tmp_path / "mvit.safetensors").write_bytes(b"cut short")
    with pytest.raises(EncoderError, match=r"mvit\.safetensors cannot be loaded"):
        scene_network(settings, shape)
