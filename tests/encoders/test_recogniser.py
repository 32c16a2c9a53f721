import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.factories.models import CLIPS, make_recogniser
from torch import Tensor, nn

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import EncoderError, SettingError
from mastershot.encoders.recogniser import (
    TrainedRecogniser,
    clip_batch,
    find_recogniser,
    read_recogniser,
)
from mastershot.models.recognisers import build
from mastershot.models.recognisers.build import RecogniserRow
from mastershot.models.recognisers.frame_lstm import pad_frames

WIDTH = 8
NETWORKS = ("lstm", "toy_clips", "toy_frames")


class Toy(nn.Module):
    """A network of clips or frames: channel means through a layer, and a buffer it computes."""

    gain: Tensor

    def __init__(self, num_classes: int, frames_per_clip: int) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(3, 6), nn.Linear(6, num_classes)
        self.feature_width, self._ndim = 6, 5 if frames_per_clip > 1 else 4
        self.register_buffer("gain", torch.full((6,), 2.0), persistent=False)

    def features(self, batch: Tensor) -> Tensor:
        assert batch.ndim == self._ndim, batch.shape
        return self.body(batch.flatten(2).mean(2)) * self.gain  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more rows in the table of recognisers, so that these tests need no real network."""
    rows = {
        "toy_clips": RecogniserRow("toy_clips", "Toy", "toy", "clips", 4, 32),
        "toy_frames": RecogniserRow("toy_frames", "Toy", "toy", "frames", 1, 32),
    }
    real = build.import_module

    def find(name: str) -> Any:
        return TOYS if name.endswith(".toy") else real(name)

    monkeypatch.setattr(build, "RECOGNISERS", build.RECOGNISERS | rows)
    monkeypatch.setattr(build, "import_module", find)


class TOYS:
    @staticmethod
    def build(num_classes: int, shape: build.Shape) -> nn.Module:
        return Toy(num_classes, shape.frames)


def make(tmp_path: Path, network: str, **card: Any) -> Path:
    frames = {"frames": 1} if network == "toy_frames" else {}
    return make_recogniser(tmp_path / network, network, **(frames | card))


def shots_for(network: str) -> list[Any]:
    random = np.random.default_rng(0)
    if network == "lstm":
        return [random.normal(size=(n, WIDTH)).astype(np.float32) for n in (3, 1, 30, 7)]
    shape = (1 if network == "toy_frames" else CLIPS["frames"], 32, 32, 3)
    return list(random.integers(0, 256, (4, *shape), np.uint8))


@pytest.mark.parametrize("network", NETWORKS)
def test_features_and_scores_are_those_of_the_network(tmp_path: Path, network: str) -> None:
    recogniser = TrainedRecogniser(make(tmp_path, network))
    given = shots_for(network)
    features = recogniser.features(given)
    assert features.dtype == np.float32
    assert features.shape == (4, recogniser.space.width)
    scores = recogniser.scores(features)
    for index, shot in enumerate(given):
        inputs = (clip_batch([shot], network),) if network != "lstm" else pad_frames([shot[:20]])
        expected = recogniser.network.features(*inputs)
        np.testing.assert_allclose(features[index], expected[0].numpy(), atol=1e-6)
        logits = recogniser.network.head(expected)[0]
        np.testing.assert_allclose(scores[index], logits.sigmoid().numpy(), atol=1e-6)
    assert len({tuple(row) for row in scores.tolist()}) == 4


@pytest.mark.parametrize("network", NETWORKS)
def test_a_shots_numbers_do_not_depend_on_what_comes_with_it(tmp_path: Path, network: str) -> None:
    recogniser, given = TrainedRecogniser(make(tmp_path, network)), shots_for(network)
    together = recogniser.features(given)
    alone = np.concatenate([recogniser.features([shot]) for shot in given])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(recogniser.features(given[::-1]), alone[::-1])
    one_by_one = np.concatenate([recogniser.scores(row[None]) for row in alone])
    np.testing.assert_array_equal(recogniser.scores(together), one_by_one)
    assert recogniser.scores(recogniser.features([])).shape == (0, 2)


def test_logits_of_any_size_have_scores(tmp_path: Path) -> None:
    recogniser = TrainedRecogniser(make(tmp_path, "toy_clips"))
    recogniser.network.head.weight.fill_(1e6)
    huge = np.array([[1.0] * 6, [-1.0] * 6], np.float32)
    np.testing.assert_allclose(recogniser.scores(huge), [[1, 1], [0, 0]], atol=1e-30)


def test_pixels_are_normalised_as_the_table_says() -> None:
    clip = np.full((2, 1, 1, 3), (0, 100, 255), np.uint8)
    batch = clip_batch([clip], "i3d_r50")
    assert batch.shape == (1, 3, 2, 1, 1)
    expected = [(value - 114.75) / 57.375 for value in (0, 100, 255)]
    np.testing.assert_allclose(batch[0, :, 1, 0, 0].numpy(), expected, rtol=1e-6)
    assert clip_batch([clip[:1]], "resnet18").shape == (1, 3, 1, 1)


@pytest.mark.parametrize(
    ("network", "shot", "sentence"),
    [
        ("lstm", np.zeros((2, 9), np.float32), r"shot 0 is float32 of shape \(2, 9\); tiny-lstm"),
        ("lstm", np.zeros((0, 8), np.float32), r"reads vectors \(frames, 8\), one frame at least"),
        ("toy_clips", np.zeros((4, 32, 32, 3), np.float32), "shot 0 is float32"),
        ("toy_clips", np.zeros((3, 32, 32, 3), np.uint8), r"reads clips uint8 \(4, 32, 32, 3\)"),
        ("toy_clips", np.zeros((4, 32, 31, 3), np.uint8), r"reads clips uint8 \(4, 32, 32, 3\)"),
    ],
)
def test_shots_of_another_size_are_reported(
    tmp_path: Path, network: str, shot: ImageArray | FloatArray, sentence: str
) -> None:
    with pytest.raises(EncoderError, match=sentence):
        TrainedRecogniser(make(tmp_path, network)).features([shot])  # type: ignore[list-item]


def test_features_of_another_width_are_reported(tmp_path: Path) -> None:
    recogniser = TrainedRecogniser(make(tmp_path, "lstm"))
    with pytest.raises(EncoderError, match=r"have shape \(1, 9\); tiny-lstm takes \(shots, 32\)"):
        recogniser.scores(np.zeros((1, 9), np.float32))


def test_numbers_that_overflow_are_reported(tmp_path: Path) -> None:
    recogniser = TrainedRecogniser(make(tmp_path, "toy_clips"))
    recogniser.network.body.weight.fill_(3e38)
    with pytest.raises(EncoderError, match="gives shot 0 features that are not finite"):
        recogniser.features(shots_for("toy_clips"))


def change(folder: Path, **changes: Any) -> None:
    path = folder / "recogniser.json"
    info = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in info.items() if value is not None}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "other/2"}, "is of format 'other/2'; this version reads mastershot/recogniser"),
        ({"width": None}, "does not describe a recogniser: it lacks 'width'"),
        ({"width": "many"}, "does not describe a recogniser: could not convert"),
        ({"width": 0}, "width is 0; it is above 0 and at most 4"),
        ({"depth": 99}, "depth is 99; it is above 0"),
        ({"depth": float("nan")}, "depth is nan; it is above 0"),
        ({"classes": ["a", "a"]}, "classes should be one or more, each once"),
        ({"classes": []}, "classes should be one or more"),
        ({"classes": "ab"}, "classes should be a list"),
        ({"classes": ["a", "b\nc"]}, r"'b\\nc' should be a name on one line"),
        ({"classes": ["a", "\ud800"]}, r"'\\ud800' should be a name on one line"),
        ({"name": " "}, "' ' should be a name on one line"),
        ({"max_steps": 10**9}, "max_steps is 1000000000; it is from 0 to 16384"),
        ({"max_steps": 0}, "max_steps is 0, and lstm needs it"),
        ({"input_width": float("inf")}, "does not describe a recogniser: cannot convert"),
        ({"rate_hz": 0}, "rate_hz is 0; it is above 0"),
        ({"network": "lstn"}, "recogniser 'lstn' is unknown; did you mean 'lstm'"),
        ({"network": "i3d_r50"}, "frames is 0, and i3d_r50 needs it"),
        ({"width": 4, "depth": 4}, r"recogniser\.safetensors cannot be loaded into FrameLSTM"),
        ({"classes": ["a", "b", "c"]}, r"weights of another shape: 2, such as head"),
        ({"input_width": 9}, r"weights of another shape: 1, such as lstm\.weight_ih_l0"),
        ({"network": "toy_clips", **CLIPS}, r"cannot be loaded into Toy \(missing weights: 2"),
        (
            {"network": "resnet18", "frames": 2, "size_px": 8},
            r"safetensors cannot be loaded: frames is 2; resnet18 reads one frame",
        ),
        ({"thresholds": {"kitchen": 0.5}}, "thresholds should be a number for each"),
        ({"thresholds": {"kitchen": 0.5, "forest": 2}}, "thresholds should be from 0 to 1"),
        ({"thresholds": {"kitchen": 0.5, "forest": float("nan")}}, "from 0 to 1"),
        ({"thresholds": [0.5, 0.5]}, "thresholds should be a number for each"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    folder = make(tmp_path, "lstm")
    change(folder, **changes)
    with pytest.raises(EncoderError, match=sentence) as error:
        TrainedRecogniser(folder)
    assert "\n" not in str(error.value)


def test_another_recognisers_weights_are_reported(tmp_path: Path) -> None:
    folder, other = make(tmp_path, "lstm"), make(tmp_path, "toy_clips")
    weights = (other / "recogniser.safetensors").read_bytes()
    (folder / "recogniser.safetensors").write_bytes(weights)
    with pytest.raises(EncoderError, match="unexpected weights: 2, such as body"):
        TrainedRecogniser(folder)


@pytest.mark.parametrize("size", [0, 1, 7, 100, -1])
def test_weights_cut_short_are_reported(tmp_path: Path, size: int) -> None:
    path = make(tmp_path, "lstm") / "recogniser.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(EncoderError, match=r"recogniser\.safetensors cannot be loaded") as error:
        TrainedRecogniser(path.parent)
    assert "\n" not in str(error.value)


def test_a_pickle_is_not_read_as_code(tmp_path: Path) -> None:
    path = make(tmp_path, "lstm") / "recogniser.safetensors"
    path.write_bytes(b"\x80\x04cos\nabort\n(tR.")
    with pytest.raises(EncoderError, match=r"recogniser\.safetensors cannot be loaded"):
        TrainedRecogniser(path.parent)


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, '{"format": 1}'])
def test_a_damaged_description_is_reported(tmp_path: Path, text: str) -> None:
    folder = make(tmp_path, "lstm")
    (folder / "recogniser.json").write_text(text)
    with pytest.raises(EncoderError, match=r"recogniser\.json (cannot|must|is of format)"):
        read_recogniser(folder)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, bad: float) -> None:
    path = make(tmp_path, "lstm") / "recogniser.safetensors"
    weights = load_file(path)
    weights["head.bias"][1] = bad
    save_file(weights, path)
    with pytest.raises(EncoderError, match=r"holds head\.bias that is not finite numbers of torch"):
        TrainedRecogniser(path.parent)


def test_weights_of_another_type_are_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "lstm") / "recogniser.safetensors"
    save_file({name: tensor.int() for name, tensor in load_file(path).items()}, path)
    with pytest.raises(EncoderError, match=r"that is not finite numbers of torch\.float32"):
        TrainedRecogniser(path.parent)


def test_thresholds_are_in_the_order_of_the_classes(tmp_path: Path) -> None:
    assert TrainedRecogniser(make(tmp_path, "toy_clips")).thresholds is None
    figures = {"thresholds": {"forest": 0.25, "kitchen": 0.5}, "map": 0.3}
    recogniser = TrainedRecogniser(make(tmp_path, "lstm", figures=figures))
    assert recogniser.thresholds is not None
    assert recogniser.thresholds.tolist() == [0.5, 0.25]


def test_a_recogniser_is_found_by_its_folder_its_run_and_its_files(tmp_path: Path) -> None:
    folder = make_recogniser(tmp_path / "run" / "recogniser")
    assert find_recogniser(folder) == find_recogniser(str(tmp_path / "run")) == folder
    for name in ("recogniser.json", "recogniser.safetensors"):
        assert find_recogniser(folder / name) == folder
    for path in (tmp_path, tmp_path / "gone", tmp_path / "gone" / "recogniser.json"):
        with pytest.raises(SettingError, match=r"holds no recogniser \(recogniser\.json\)"):
            find_recogniser(path)
