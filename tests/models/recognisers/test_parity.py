"""Each network gives what its published definition gives on the same weights.

The definitions are the plain functions of `tests/factories/published_networks.py`, whose weights
have the published names, so the translation of names is tested with the networks; for ViT,
transformers' own network.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from tests.factories import published_networks as published
from torch import Tensor
from transformers import ViTConfig, ViTForImageClassification

from mastershot.encoders.recogniser import start_from
from mastershot.models.recognisers.build import build_recogniser
from mastershot.models.recognisers.published import load_published

CLASSES = 5
Network = Callable[[published.Weights, Tensor, int], Tensor]
NETWORKS: dict[str, tuple[Network, int, int]] = {  # with frames and pixels
    "i3d_r50": (published.i3d_r50, 8, 64),
    "slowfast_r50": (published.slowfast_r50, 16, 64),
    "r2plus1d_r34": (published.r2plus1d_vmz, 8, 32),
    "r2plus1d_r34_mmaction2": (published.r2plus1d_mmaction2, 8, 64),
    "i3d_inception": (published.inception_i3d, 20, 50),
    "r3d_18": (published.r3d_18, 8, 32),
    "resnet18": (partial(published.resnet, layers=18), 0, 64),
    "resnet50": (partial(published.resnet, layers=50), 0, 64),
    "senet154": (published.senet154, 0, 64),
}


def draw(frames: int, size_px: int) -> Tensor:
    shape = (2, 3, frames, size_px, size_px) if frames else (2, 3, size_px, size_px)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_published_weights_give_the_published_logits(name: str) -> None:
    reference, frames, size_px = NETWORKS[name]
    weights, inputs = published.Weights(), draw(frames, size_px)
    expected = reference(weights, inputs, CLASSES)
    assert expected.std() > 0.1
    assert (expected[0] - expected[1]).abs().max() > 0.01
    network = build_recogniser(
        name, num_classes=CLASSES, width=1 / published.SCALE, frames=frames, size_px=size_px
    )
    assert load_published(network, name, weights, "file")
    found = network.eval()(inputs)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    features = network.features(inputs)  # type: ignore[operator]
    assert features.shape == (2, network.feature_width)
    torch.testing.assert_close(network.head(features), found)  # type: ignore[operator]


@torch.inference_mode()
def test_the_vit_gives_what_transformers_gives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = ViTConfig(**shape, intermediate_size=512, image_size=32, num_labels=CLASSES)
    theirs = ViTForImageClassification(config).eval()
    for weights in theirs.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    network = build_recogniser("vit_b16", num_classes=CLASSES, width=1 / 6, depth=1 / 6, size_px=32)
    theirs.save_pretrained(tmp_path)  # with the names that are published
    assert start_from(network, "vit_b16", tmp_path / "model.safetensors")
    frames = draw(0, 32)
    expected = theirs(frames).logits
    assert (expected[0] - expected[1]).abs().max() > 0.01
    torch.testing.assert_close(network.eval()(frames), expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_names_of_several_gpus_and_checkpoints_without_counts_are_taken() -> None:
    # As resnet18_places365.pth.tar has them.
    weights, frames = published.Weights(), draw(0, 64)
    expected = published.resnet(weights, frames, CLASSES, 18)
    places = {f"module.{k}": v for k, v in weights.items() if "num_batches" not in k}
    network = build_recogniser("resnet18", num_classes=CLASSES, width=1 / 8)
    assert load_published(network, "resnet18", places, "file")
    torch.testing.assert_close(network.eval()(frames), expected, atol=1e-4, rtol=1e-4)
