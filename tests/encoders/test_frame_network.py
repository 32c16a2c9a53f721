"""Networks of frames are told apart by the names of their weights."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.factories import published_networks as published

from mastershot.core.errors import EncoderError
from mastershot.encoders.experts.published import LOCAL_NETWORKS
from mastershot.encoders.frame_network import FrameNetworkEncoder
from mastershot.models.recognisers.build import build_recogniser
from mastershot.models.recognisers.published import load_published

FRAME = torch.zeros(1, 3, 32, 32)


def senet_names() -> dict[str, tuple[int, ...]]:
    """Return names and shapes of Cadene's senet154, as pretrainedmodels/models/senet.py has them.

    Counts of batches are left out: the published file, of 2017, has none.
    """
    found: dict[str, tuple[int, ...]] = {}

    def conv(name: str, *shape: int) -> None:
        found[f"{name}.weight"] = shape

    def norm(name: str, width: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = (width,)

    for number, (num_in, out) in enumerate(((3, 64), (64, 64), (64, 128)), 1):
        conv(f"layer0.conv{number}", out, num_in, 3, 3)
        norm(f"layer0.bn{number}", out)
    num_in = 128
    for stage, depth in enumerate((3, 8, 36, 3)):
        inner, out = 128 << stage, 256 << stage
        for block in range(depth):
            name = f"layer{stage + 1}.{block}"
            conv(f"{name}.conv1", inner, num_in, 1, 1)
            conv(f"{name}.conv2", out, inner // 64, 3, 3)
            conv(f"{name}.conv3", out, out, 1, 1)
            for number, width in enumerate((inner, out, out), 1):
                norm(f"{name}.bn{number}", width)
            for layer, shape in (("fc1", (out // 16, out)), ("fc2", (out, out // 16))):
                conv(f"{name}.se_module.{layer}", *shape, 1, 1)
                found[f"{name}.se_module.{layer}.bias"] = shape[:1]
            if block == 0:
                size = 3 if stage else 1
                conv(f"{name}.downsample.0", out, num_in, size, size)
                norm(f"{name}.downsample.1", out)
            num_in = out
    return found | {"last_linear.weight": (1000, 2048), "last_linear.bias": (1000,)}


def test_names_and_shapes_of_senet154_are_the_published_ones() -> None:
    names = senet_names()
    assert names["layer3.35.se_module.fc2.weight"] == (1024, 64, 1, 1)
    with torch.device("meta"):
        network = build_recogniser("senet154", num_classes=1000)
        weights = {name: torch.empty(shape) for name, shape in names.items()}
        # Every one has its place and its shape, or this is refused.
        assert load_published(network, "senet154", weights, "file")
    row = next(one for one in LOCAL_NETWORKS if one.alias == "senet154")
    assert row.size_bytes == 4 * sum(one.numel() for one in weights.values())
    assert network.feature_width == 2048


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "senet154"])
def test_each_network_is_known_by_its_names(name: str, tmp_path: Path) -> None:
    weights = published.Weights()
    if name == "senet154":
        published.senet154(weights, FRAME, 4)
    else:
        published.resnet(weights, FRAME, 4, int(name[-2:]))
    save_file(weights, tmp_path / "a.safetensors")
    kind = "SENet" if name == "senet154" else "ResNet"
    # An eighth as wide as published: it is found out, and refused by its shapes.
    sentence = f"cannot be loaded into {kind} .weights of another shape"
    with pytest.raises(EncoderError, match=sentence):
        FrameNetworkEncoder(tmp_path / "a.safetensors")


def test_a_file_of_another_network_is_one_sentence(tmp_path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(EncoderError, match="is no checkpoint of a ResNet-18, ResNet-50 or SENet"):
        FrameNetworkEncoder(tmp_path / "a.safetensors")


@pytest.mark.slow
def test_senet154_gives_unit_vectors_of_frames(tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(shape, generator=random) * (2 / math.prod(shape[1:])) ** 0.5
        if len(shape) > 1
        else torch.full(shape, float(name.endswith(("running_var", "weight"))))
        for name, shape in senet_names().items()
    }
    torch.save(weights, tmp_path / "senet154.pth")
    encoder = FrameNetworkEncoder(tmp_path / "senet154.pth")
    assert (encoder.network, encoder.num_classes, encoder.space.width) == ("senet154", 1000, 2048)
    frames = torch.randint(0, 255, (2, 9, 16, 3), dtype=torch.uint8, generator=random).numpy()
    vectors = encoder.encode_images(frames)
    assert vectors.shape == (2, 2048)
    assert abs((vectors**2).sum(axis=1) - 1).max() < 1e-4
    assert abs(vectors[0] - vectors[1]).max() > 1e-4
