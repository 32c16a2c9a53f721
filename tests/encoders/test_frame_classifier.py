import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.factories.models import make_scale_classifier

from mastershot.core.errors import EncoderError
from mastershot.core.movie import SCALES
from mastershot.encoders.frame_classifier import FrameClassifier
from mastershot.models.recognisers.frame_lstm import pad_frames

WIDTH = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_scale_classifier(tmp_path / "classifier", encoder="toy", width=WIDTH)


def shots(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=(length, WIDTH)).astype(np.float32) for length in lengths]


def test_scores_are_the_softmax_of_the_network_and_do_not_depend_on_company(folder: Path) -> None:
    classifier = FrameClassifier(folder)
    given = shots(3, 1, 6)
    scores = classifier.scores(given)
    assert scores.shape == (3, 5)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    for row, shot in zip(scores, given, strict=True):
        logits = classifier._network(*pad_frames([shot]))[0]
        np.testing.assert_allclose(row, logits.softmax(0).numpy(), atol=1e-6)
    assert classifier.scores([]).shape == (0, 5)


def test_frames_past_the_most_it_takes_are_not_read(folder: Path) -> None:
    classifier = FrameClassifier(folder)
    (long,) = shots(30)
    np.testing.assert_array_equal(classifier.scores([long]), classifier.scores([long[:20]]))
    assert (classifier.scores([long]) != classifier.scores([long[:19]])).any()


def test_a_shot_without_a_frame_is_reported(folder: Path) -> None:
    with pytest.raises(EncoderError, match="shot 1 has no frame to classify it by"):
        FrameClassifier(folder).scores(shots(2, 0))


def test_vectors_of_another_width_are_reported(folder: Path) -> None:
    wide = np.zeros((2, 9), np.float32)
    with pytest.raises(EncoderError, match=r"shape \(2, 9\); the classifier of shot_scale takes"):
        FrameClassifier(folder).scores([wide])


def test_it_says_what_it_is(folder: Path) -> None:
    settings = FrameClassifier(folder).settings
    assert (settings.task, settings.classes, settings.width) == ("shot_scale", SCALES, WIDTH)
    info = json.loads((folder / "classifier.json").read_text())
    assert info["format"] == "mastershot/frame-classifier/1"


def change(folder: Path, **changes: Any) -> None:
    path = folder / "classifier.json"
    info = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in info.items() if value is not None}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "other/2"}, "is of format 'other/2'; this version reads mastershot/frame-clas"),
        ({"width": None}, "does not describe a classifier: it lacks 'width'"),
        ({"width": "many"}, "does not describe a classifier: invalid literal"),
        ({"width": 0}, "width is 0; it is from 1 to 16384"),
        ({"hidden": 10**12}, "hidden is 1000000000000; it is from 1"),
        ({"layers": -1}, "layers is -1"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"rate_hz": 0}, "rate_hz is 0; it is above 0"),
        ({"rate_hz": 1e999}, "rate_hz is inf"),
        ({"classes": ["CS", "CS"]}, "classes should be one or more, each once"),
        ({"classes": []}, "classes should be one or more"),
        ({"classes": ["CS"]}, "classes should be two or more"),
        ({"classes": ["CS", "\ud800"]}, r"should be a name on one line"),
        ({"classes": 5}, "does not describe a classifier"),
        ({"width": 9}, "classifier.safetensors cannot be loaded"),
        ({"classes": ["a", "b"]}, "classifier.safetensors cannot be loaded"),
        ({"layers": 3}, "classifier.safetensors cannot be loaded"),
        ({"layers": 17}, "layers is 17; it is from 1 to 16"),
        ({"hidden": 16384, "layers": 16}, "classifier.safetensors cannot be loaded"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    folder: Path, changes: dict[str, Any], sentence: str
) -> None:
    change(folder, **changes)
    with pytest.raises(EncoderError, match=sentence) as error:
        FrameClassifier(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"half", b"\x80\x04K\x01.", b"\xff" * 64])
def test_damaged_weights_are_reported(folder: Path, content: bytes) -> None:
    (folder / "classifier.safetensors").write_bytes(content)
    with pytest.raises(EncoderError, match=r"classifier\.safetensors cannot be loaded"):
        FrameClassifier(folder)


def test_missing_files_are_reported(folder: Path) -> None:
    (folder / "classifier.safetensors").unlink()
    with pytest.raises(EncoderError, match=r"classifier\.safetensors cannot be loaded"):
        FrameClassifier(folder)
    (folder / "classifier.json").unlink()
    with pytest.raises(EncoderError, match=r"classifier\.json cannot be read as JSON"):
        FrameClassifier(folder)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_refused(folder: Path, bad: float) -> None:
    weights = load_file(folder / "classifier.safetensors")
    weights["head.bias"][1] = bad
    save_file(weights, folder / "classifier.safetensors")
    with pytest.raises(
        EncoderError, match=r"holds head\.bias that is not finite numbers of torch\.float32"
    ):
        FrameClassifier(folder)


def test_weights_of_another_type_are_refused(folder: Path) -> None:
    path = folder / "classifier.safetensors"
    save_file({name: tensor.int() for name, tensor in load_file(path).items()}, path)
    with pytest.raises(EncoderError, match=r"that is not finite numbers of torch\.float32"):
        FrameClassifier(folder)
