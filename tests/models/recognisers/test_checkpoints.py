"""Checkpoints that were published elsewhere: whole, of other classes, and bad ones."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.factories import published_networks as published
from torch import Tensor, nn

from mastershot.core.errors import EncoderError
from mastershot.encoders.recogniser import start_from
from mastershot.models.recognisers.build import build_recogniser

FRAMES = torch.zeros(1, 3, 32, 32)
CLIP = torch.zeros(1, 3, 8, 32, 32)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """A checkpoint of a ResNet-18 with 4 classes, an eighth as wide as the published one."""
    found = published.Weights()
    published.resnet(found, FRAMES, 4, 18)
    return dict(found)


def resnet(num_classes: int = 4, width: float = 1 / 8) -> nn.Module:
    torch.manual_seed(3)
    return build_recogniser("resnet18", num_classes=num_classes, width=width)


@pytest.mark.parametrize("key", [None, "state_dict", "model_state"])
def test_a_checkpoint_is_loaded_with_its_classes(
    key: str | None, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save({key: weights, "epoch": 90} if key else weights, tmp_path / "a.pth")
    network = resnet()
    assert start_from(network, "resnet18", tmp_path / "a.pth")
    assert torch.equal(network.head.weight, weights["fc.weight"])  # type: ignore[union-attr]


@pytest.mark.parametrize("without_head", [False, True])
def test_a_head_of_other_classes_is_left_as_it_was_drawn(
    without_head: bool, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    kept = {k: v for k, v in weights.items() if not (without_head and k.startswith("fc."))}
    torch.save(kept, tmp_path / "a.pth")
    network = resnet(num_classes=7)
    drawn = network.head.weight.clone()  # type: ignore[union-attr, operator]
    assert not start_from(network, "resnet18", tmp_path / "a.pth")
    assert torch.equal(network.head.weight, drawn)  # type: ignore[union-attr]
    stem = network.state_dict()["stem.conv.weight"]
    assert torch.equal(stem, weights["conv1.weight"])


Change = Callable[[dict[str, Tensor]], Any]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: {**w, "layer5.0.conv1.weight": w["conv1.weight"]}, "unexpected weights: 1"),
        (lambda w: {k: v for k, v in w.items() if k != "bn1.bias"}, r"such as stem\.norm\.bias"),
        (lambda w: {**w, "bn1.bias": torch.zeros(3)}, r"stem\.norm\.bias of \(3,\) instead of"),
        (lambda w: {"weight": w["conv1.weight"]}, r"no checkpoint that ResNet .* no conv1\.weight"),
    ],
)
def test_weights_of_another_network_are_one_sentence(
    change: Change, sentence: str, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(change(weights), tmp_path / "a.pth")
    network = resnet()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(EncoderError, match=sentence) as error:
        start_from(network, "resnet18", tmp_path / "a.pth")
    assert str(error.value).startswith(str(tmp_path / "a.pth"))
    assert "\n" not in str(error.value)
    after = network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


@pytest.mark.parametrize(
    ("name", "reference", "sentence"),
    [
        ("i3d_r50", published.slowfast_r50, "it holds no blocks.0.conv.weight"),
        ("slowfast_r50", published.i3d_r50, "no blocks.0.multipathway_blocks.0.conv.weight"),
        ("r3d_18", published.r2plus1d_vmz, "blocks.0.conv.weight of (6, 3, 1, 7, 7) instead of"),
        ("r2plus1d_r34", published.r3d_18, "it holds no stem.3.weight"),
        (
            *("r2plus1d_r34", published.r2plus1d_mmaction2),
            "of mmaction2's R(2+1)D, whose layers differ from those of vmz's; build "
            "'r2plus1d_r34_mmaction2' for it",
        ),
        (
            *("r2plus1d_r34_mmaction2", published.r2plus1d_vmz),
            "of vmz's R(2+1)D, whose layers differ from those of mmaction2's; build "
            "'r2plus1d_r34' for it",
        ),
        ("i3d_inception", published.i3d_r50, "it holds no Conv3d_1a_7x7.conv3d.weight"),
        ("vit_b16", published.r3d_18, "no class token of a ViT"),
    ],
)
def test_one_network_does_not_take_the_checkpoint_of_another(
    name: str, reference: Callable[..., Tensor], sentence: str, tmp_path: Path
) -> None:
    found = published.Weights()
    reference(found, CLIP, 4)
    torch.save(dict(found), tmp_path / "a.pth")
    network = build_recogniser(name, num_classes=4, width=1 / 8, size_px=32)
    with pytest.raises(EncoderError, match=re.escape(sentence)) as error:
        start_from(network, name, tmp_path / "a.pth")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "reference", "row"),
    [
        ("i3d_r50", published.i3d_r50, None),
        ("r2plus1d_r34", published.r2plus1d_vmz, None),
        ("r2plus1d_r34", published.r2plus1d_mmaction2, "r2plus1d_r34_mmaction2"),
    ],
)
def test_names_of_training_on_several_gpus_are_read(
    name: str, reference: Callable[..., Tensor], row: str | None, tmp_path: Path
) -> None:
    found = published.Weights()
    reference(found, CLIP, 4)
    torch.save({f"module.{name}": x for name, x in found.items()}, tmp_path / "a.pth")
    network = build_recogniser(name, num_classes=4, width=1 / 8, size_px=32)
    if row is None:
        assert start_from(network, name, tmp_path / "a.pth")
    else:
        with pytest.raises(EncoderError, match=f"build '{row}' for it"):
            start_from(network, name, tmp_path / "a.pth")


def test_a_network_of_another_width_says_so(weights: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(EncoderError, match=r"weights of another shape: \d+, such as stem\.conv"):
        start_from(resnet(width=1 / 4), "resnet18", tmp_path / "a.pth")


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("ran"),)


def test_a_truncated_file_and_a_pickle_with_code_are_refused(
    weights: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(weights, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    torch.save({"state_dict": weights, "hook": Evil()}, tmp_path / "code.pth")
    (tmp_path / "code.pkl").write_bytes(pickle.dumps({"state_dict": Evil()}))
    for name, sentence in {
        "half.pth": "PytorchStreamReader failed",
        "code.pth": "it holds more than tensors, which can run code when read",
        "code.pkl": "it holds more than tensors, which can run code when read",
        "absent.pth": "FileNotFoundError",
    }.items():
        with pytest.raises(EncoderError, match=f"{name} cannot be loaded.*{sentence}") as error:
            start_from(resnet(), "resnet18", tmp_path / name)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()
