"""Published networks of clips: told apart by names, fed as published, and refused if foreign.

The checkpoints are random, under the published names; an eighth as wide unless marked as slow.
"""

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.factories import published_networks as published
from tests.factories import video_swin
from tests.factories.mvit import drawn, torchvision_shapes
from torch import Tensor
from transformers import TimesformerConfig, TimesformerForVideoClassification

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.clip_networks import CLIP_CHECKPOINTS, ClipNetwork
from mastershot.models.recognisers import build
from mastershot.models.recognisers.vit_b16 import FrameViT

CLASSES = 5
Network = Callable[[published.Weights, Tensor, int], Tensor]
KINETICS, VMZ = (0.45,) * 3 + (0.225,) * 3, (0.43216, 0.394666, 0.37645, 0.22803, 0.22145, 0.216989)
IMAGENET, UNIT = (0.485, 0.456, 0.406, 0.229, 0.224, 0.225), (0.5,) * 6
# By row: the definition, its last layer, frames, edge, frames a second, mean and deviation.
Published = tuple[Network, str, int, int, float, tuple[float, ...]]
NETWORKS: dict[str, Published] = {
    "slowfast_r50": (published.slowfast_r50, "blocks.6.proj", 32, 224, 15, KINETICS),
    "i3d_r50": (published.i3d_r50, "blocks.6.proj", 8, 224, 3.75, KINETICS),
    "r2plus1d_r34": (published.r2plus1d_vmz, "fc", 32, 112, 15, VMZ),
    "r2plus1d_r34_mmaction2": (
        published.r2plus1d_mmaction2, "cls_head.fc_cls", 8, 224, 3.75, IMAGENET
    ),
    "r3d_18": (published.r3d_18, "fc", 16, 112, 15, VMZ),
    "i3d_inception": (published.inception_i3d, "logits.conv3d", 64, 224, 25, UNIT),
}  # fmt: skip


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are built an eighth as wide."""
    thin = partial(build.build_recogniser, width=1 / published.SCALE)
    monkeypatch.setattr(build, "build_recogniser", thin)


def draw_clip(frames: int, size_px: int) -> ImageArray:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (frames, 7, 7, 3), np.uint8)
    return np.stack([cv2.resize(one, (size_px, size_px)) for one in coarse])


def checkpoint(name: str, clip: ImageArray) -> tuple[published.Weights, Tensor]:
    """Return random weights by their published names, and the logits of a clip by definition."""
    define, *_, colours = NETWORKS[name]
    pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None] / 255
    mean, std = torch.tensor(colours).reshape(2, 3, 1, 1, 1)
    weights = published.Weights()
    with torch.inference_mode():
        return weights, define(weights, (pixels - mean) / std, CLASSES)


def check_logits(name: str, path: Path) -> None:
    _, head, frames, size_px, rate_hz, _ = NETWORKS[name]
    clip = draw_clip(frames, size_px)
    weights, expected = checkpoint(name, clip)
    torch.save({"model_state": dict(weights), "epoch": 3}, path)
    network = ClipNetwork(path)
    row = network.checkpoint
    assert (row.network, row.frames, row.size_px, row.rate_hz) == (name, frames, size_px, rate_hz)
    features = network.features([clip])
    assert features.shape == (1, network.space.width)
    layer, bias = weights[f"{head}.weight"].flatten(1), weights[f"{head}.bias"]
    found = torch.from_numpy(features) @ layer.T + bias
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.usefixtures("narrow")
def test_features_are_what_the_published_last_layer_reads(name: str, tmp_path: Path) -> None:
    check_logits(name, tmp_path / "a.pyth")


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_so_they_are_at_the_published_size(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "SCALE", 1)
    check_logits(name, tmp_path / "a.pyth")


@pytest.mark.slow
def test_mvit_gives_its_class_token(tmp_path: Path) -> None:
    weights = {name: x * 0.1 for name, x in drawn(torchvision_shapes()).items()}
    save_file(weights, tmp_path / "mvit.safetensors")
    network = ClipNetwork(tmp_path / "mvit.safetensors")
    row = network.checkpoint
    assert (row.frames, row.size_px, row.rate_hz, network.space.width) == (16, 224, 7.5, 768)
    clip = draw_clip(16, 224)
    one, other = network.features([clip, clip[::-1].copy()])
    assert np.abs(one - other).max() > 1e-4
    scene = torch.from_numpy(clip).permute(0, 3, 1, 2)[None].float()
    np.testing.assert_allclose(network._network(scene)[0].numpy(), one, atol=1e-5)


def test_mvit_is_told_by_its_names(tmp_path: Path) -> None:
    weights = drawn(torchvision_shapes())
    save_file(weights, tmp_path / "mvit.safetensors")
    assert ClipNetwork(tmp_path / "mvit.safetensors").space.width == 768
    first = {name: x for name, x in weights.items() if name.startswith("blocks.0.")}
    longer = first | {"blocks.0.attn.rel_pos_t": torch.zeros(31, 96)}
    save_file(longer, tmp_path / "mvit.safetensors")
    with pytest.raises(EncoderError, match=r"for clips of 32 × 224²; MViTv2-S 16 × 4 .* is known"):
        ClipNetwork(tmp_path / "mvit.safetensors")


def timesformer(frames: int = 8, size_px: int = 224) -> dict[str, Tensor]:
    config = TimesformerConfig(
        image_size=size_px, num_frames=frames, hidden_size=96, num_hidden_layers=12,
        num_attention_heads=2, intermediate_size=384, num_labels=CLASSES,
    )  # fmt: skip
    return dict(TimesformerForVideoClassification(config).state_dict())


@pytest.mark.parametrize("names", [video_swin.TORCHVISION, video_swin.MMACTION])
@pytest.mark.usefixtures("narrow")
def test_video_swin_is_told_by_the_names_of_both_publishers(
    names: video_swin.Names, tmp_path: Path
) -> None:
    weights = video_swin.published(names, video_swin.Shape(width=16, heads=1))
    torch.save({"state_dict": weights}, tmp_path / "a.pth")
    network = ClipNetwork(tmp_path / "a.pth")
    row = network.checkpoint
    assert (row.network, row.frames, row.size_px) == ("video_swin_b", 32, 224)
    assert (row.rate_hz, network.space.width) == (15, 128)


@pytest.mark.usefixtures("narrow")
def test_timesformer_is_told_by_its_names_and_refused_for_other_clips(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file(timesformer(), path)
    row = ClipNetwork(path).checkpoint
    assert (row.network, row.frames, row.rate_hz) == ("timesformer_b", 8, 30 / 32)
    assert (row.resize, row.size_px) == ((224,), 224)
    for other, clips in (({"frames": 16}, "16 × 224²"), ({"size_px": 448}, "8 × 448²")):
        save_file(timesformer(**other), path)
        with pytest.raises(EncoderError, match=f"for clips of {clips}; TimeSformer-B .* is known"):
            ClipNetwork(path)


@pytest.mark.usefixtures("narrow")
def test_names_of_several_gpus_are_read(tmp_path: Path) -> None:
    weights, _ = checkpoint("r3d_18", draw_clip(16, 112))
    torch.save({f"module.{name}": x for name, x in weights.items()}, tmp_path / "a.pth")
    assert ClipNetwork(tmp_path / "a.pth").checkpoint.network == "r3d_18"


@pytest.fixture
def r3d(narrow: None, tmp_path: Path) -> Path:
    weights, _ = checkpoint("r3d_18", draw_clip(16, 112))
    torch.save(dict(weights), tmp_path / "r3d_18.pth")
    return tmp_path / "r3d_18.pth"


@pytest.mark.parametrize("shape", [(300, 400), (400, 300), (90, 200)])
@pytest.mark.parametrize("name", ["r3d_18", "i3d_r50"])
def test_a_frame_is_resized_and_its_middle_cut_out(
    name: str, shape: tuple[int, int], tmp_path: Path, narrow: None
) -> None:
    clip = draw_clip(*NETWORKS[name][2:4])
    torch.save(dict(checkpoint(name, clip)[0]), tmp_path / "a.pth")
    frame = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)
    square = ClipNetwork(tmp_path / "a.pth").square(frame)
    height, width = shape
    size_px = 224
    to = (256 * height // min(shape), 256 * width // min(shape))
    if name == "r3d_18":
        to, size_px = (128, 171), 112
    resized = cv2.resize(frame, to[::-1], interpolation=cv2.INTER_LINEAR)
    top, left = (to[0] - size_px) // 2, (to[1] - size_px) // 2
    expected = resized[top : top + size_px, left : left + size_px]
    assert square.dtype == np.uint8
    assert square.shape == (size_px, size_px, 3)
    assert np.abs(square.astype(int) - expected).max() <= 2  # OpenCV weighs in fixed point.


def test_a_clip_of_another_size_is_refused(r3d: Path) -> None:
    network = ClipNetwork(r3d)
    with pytest.raises(EncoderError, match=r"clip 1 is uint8 .* r3d_18 reads uint8 \(16, 112,"):
        network.features([draw_clip(16, 112), draw_clip(8, 112)])


def test_other_weights_are_another_space(r3d: Path) -> None:
    first = ClipNetwork(r3d).space
    assert ClipNetwork(r3d).space == first
    weights = torch.load(r3d, weights_only=True)
    torch.save({**weights, "fc.bias": weights["fc.bias"] + 1}, r3d)
    assert ClipNetwork(r3d).space != first


def test_weights_that_are_no_numbers_are_damaged(r3d: Path) -> None:
    weights = torch.load(r3d, weights_only=True)
    weights["layer4.1.conv2.1.bias"][0] = torch.nan
    torch.save(weights, r3d)
    with pytest.raises(EncoderError, match=r"^r3d_18 gives shot 0 features .* are damaged$"):
        ClipNetwork(r3d).features([draw_clip(16, 112)])


def vit() -> dict[str, Tensor]:
    return FrameViT(2, build.Shape(width=1 / 12, depth=1 / 12)).state_dict()


class Code:
    def __reduce__(self) -> Any:
        return print, ("run",)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: path.write_bytes(b"\0" * 4096), r"cannot be loaded \("),
        (lambda path: path.write_bytes(pickle.dumps(Code())), "more than tensors"),
        (lambda path: torch.save({"epoch": 3}, path), "more than tensors by name"),
        (lambda path: torch.save(vit(), path), "is no published checkpoint of a network of clips; "
                                               "known are SlowFast R50 .* encode/clips"),
        (lambda path: torch.save({"blocks.0.conv.weight": torch.zeros(64, 3, 1, 7, 7)}, path),
         "ResNet3D .*of another shape: 1, such as blocks.0.conv.weight"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cut", [False, True])
def test_a_wrong_file_is_one_sentence(
    write: Callable[[Path], Any], sentence: str, cut: bool, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "a.pth"
    write(path)
    if cut:  # Whatever it was: a download that broke off.
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        sentence = "cannot be loaded"
    with pytest.raises(EncoderError, match=sentence) as error:
        ClipNetwork(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    assert capsys.readouterr().out == ""


def test_a_file_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"none\.pth cannot be loaded \(FileNotFoundError"):
        ClipNetwork(tmp_path / "none.pth")


def test_rows_are_told_apart() -> None:
    names = [row.network for row in CLIP_CHECKPOINTS]
    assert len(set(names)) == len(names)
    clips = {name for name, row in build.RECOGNISERS.items() if row.reads == "clips"}
    assert {*names} == clips | {"mvit_v2_s"}
