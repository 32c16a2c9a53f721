"""VGGish: its front end is a plain loop's, its weights have the published names and no others."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.factories.sounds import speech_like
from torch import Tensor
from torch.nn.functional import conv2d, linear, max_pool2d

from mastershot.core.errors import EncoderError
from mastershot.encoders.experts.published import LOCAL_NETWORKS
from mastershot.encoders.experts.vggish import (
    HOP_SAMPLES,
    WINDOW_SAMPLES,
    VGGishEncoder,
    log_mel,
)
from mastershot.models.genres.vggish import VGGish
from mastershot.models.recognisers.build import build_recogniser

PUBLISHED = {
    "features.0.weight": (64, 1, 3, 3), "features.0.bias": (64,),
    "features.3.weight": (128, 64, 3, 3), "features.3.bias": (128,),
    "features.6.weight": (256, 128, 3, 3), "features.6.bias": (256,),
    "features.8.weight": (256, 256, 3, 3), "features.8.bias": (256,),
    "features.11.weight": (512, 256, 3, 3), "features.11.bias": (512,),
    "features.13.weight": (512, 512, 3, 3), "features.13.bias": (512,),
    "embeddings.0.weight": (4096, 12288), "embeddings.0.bias": (4096,),
    "embeddings.2.weight": (4096, 4096), "embeddings.2.bias": (4096,),
    "embeddings.4.weight": (128, 4096), "embeddings.4.bias": (128,),
}  # fmt: skip
"""As torchvggish/vggish.py of harritaylor/torchvggish builds them."""


@cache
def drawn() -> dict[str, Tensor]:
    """Return random weights; the rows of large ones come again, which is quicker to draw."""
    random, found = torch.Generator().manual_seed(0), {}
    for name, shape in PUBLISHED.items():
        rows = min(shape[0], 128)
        part = torch.randn(rows, *shape[1:], generator=random)
        part *= (2 / np.prod(shape[1:] or (100,))) ** 0.5
        found[name] = part.repeat(shape[0] // rows, *[1] * (len(shape) - 1))
    return found


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vggish") / "vggish.safetensors"
    save_file(drawn(), path)
    return path


def test_names_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        network = VGGish()
    assert {name: tuple(one.shape) for name, one in network.state_dict().items()} == PUBLISHED
    row = next(one for one in LOCAL_NETWORKS if one.alias == "vggish")
    assert row.size_bytes == 4 * sum(one.numel() for one in network.state_dict().values())


def plain_log_mel(sound: np.ndarray, frames: Sequence[int]) -> np.ndarray:
    """Return some spectra of one window (F, 64), one number after the other."""

    def mel(hz: float) -> float:
        return 1127 * np.log(1 + hz / 700)

    edges = [mel(125) + n * (mel(7500) - mel(125)) / 65 for n in range(66)]
    result = np.zeros((len(frames), 64))
    turns = -2j * np.pi * np.outer(np.arange(257), np.arange(400)) / 512
    fourier = np.exp(turns)
    for row, frame in enumerate(frames):
        piece = [
            sound[frame * 160 + n] * (0.5 - 0.5 * np.cos(2 * np.pi * n / 400)) for n in range(400)
        ]
        magnitudes = abs(fourier @ np.array(piece))
        for band in range(64):
            total = 0.0
            for number in range(1, 257):
                place = mel(number * 8000 / 256)
                up = (place - edges[band]) / (edges[band + 1] - edges[band])
                down = (edges[band + 2] - place) / (edges[band + 2] - edges[band + 1])
                total += max(0.0, min(up, down)) * magnitudes[number]
            result[row, band] = np.log(total + 0.01)
    return result


def test_spectra_are_those_of_a_plain_loop() -> None:
    assert (WINDOW_SAMPLES, HOP_SAMPLES) == (15_600, 15_360)
    sound = np.asarray(speech_like(2, seed=5), np.float32)
    found = log_mel(np.stack([sound[:WINDOW_SAMPLES], sound[-WINDOW_SAMPLES:]]))
    assert found.dtype == np.float32
    some = [0, 1, 50, 95]
    expected = plain_log_mel(sound[-WINDOW_SAMPLES:], some)
    np.testing.assert_allclose(found[1][some], expected, atol=1e-4)
    assert np.abs(found[0] - found[1]).max() > 0.5
    np.testing.assert_allclose(log_mel(np.zeros((1, WINDOW_SAMPLES), np.float32)), np.log(0.01))


def test_embeddings_are_those_of_plain_operations(weights: Path) -> None:
    encoder = VGGishEncoder(weights)
    sound = np.asarray(speech_like(2, seed=5), np.float32)
    windows = np.stack([sound[:WINDOW_SAMPLES], sound[-WINDOW_SAMPLES:]])
    found = encoder.embeddings(windows)
    assert found.shape == (2, encoder.width) == (2, 128)
    w, x = drawn(), torch.from_numpy(log_mel(windows))[:, None]
    for number in (0, 3, 6, 8, 11, 13):
        weight, bias = w[f"features.{number}.weight"], w[f"features.{number}.bias"]
        x = conv2d(x, weight, bias, padding=1).clamp(min=0)
        if number in (0, 3, 8, 13):
            x = max_pool2d(x, 2)
    assert x.shape == (2, 512, 6, 4)
    x = torch.stack([one.movedim(0, 2).flatten() for one in x])  # time, band, channel
    for number in (0, 2, 4):
        weight, bias = w[f"embeddings.{number}.weight"], w[f"embeddings.{number}.bias"]
        x = linear(x, weight, bias).clamp(min=0)
    np.testing.assert_allclose(found, x.numpy(), rtol=1e-3, atol=1e-3)
    assert np.abs(found[0] - found[1]).max() > 0.01
    assert encoder.weights_hash == VGGishEncoder(weights).weights_hash


def test_weights_of_another_network_are_one_sentence(tmp_path: Path) -> None:
    other = build_recogniser("resnet18", num_classes=4, width=1 / 8)
    save_file(other.state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(EncoderError, match=r"cannot be loaded into VGGish \(missing weights: 18"):
        VGGishEncoder(tmp_path / "other.safetensors")
    small = {name: torch.zeros(3) for name in PUBLISHED}
    save_file(small, tmp_path / "small.safetensors")
    with pytest.raises(EncoderError, match="weights of another shape: 18, such as features"):
        VGGishEncoder(tmp_path / "small.safetensors")
    (tmp_path / "cut.pth").write_bytes(b"cut off")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        VGGishEncoder(tmp_path / "cut.pth")
