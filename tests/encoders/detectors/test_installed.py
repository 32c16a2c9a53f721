from collections.abc import Sequence
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import numpy as np
import pytest

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.detectors import installed
from mastershot.encoders.detectors.installed import InstalledDetector, load_installed

FRAMES = np.zeros((3, 8, 8, 3), np.uint8)


class BloodDetector:
    """What a package of the user's own would bring."""

    classes = ("violence", "gore")
    version = "1"

    def score_frames(self, frames: Sequence[ImageArray]) -> FloatArray:
        red = np.array([frame[..., 0].mean() / 255 for frame in frames], np.float32)
        return np.stack([red, red / 2], axis=1)


class Broken:
    def __init__(self) -> None:
        raise ValueError("no weights")


def offer(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    found = [EntryPoint(name, value, installed.GROUP) for name, value in points.items()]
    monkeypatch.setattr(installed, "entry_points", lambda group: found)


def test_an_installed_detector_scores_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, blood=f"{__name__}:BloodDetector")
    found = load_installed("blood")
    frames = FRAMES.copy()
    frames[1, ..., 0] = 255
    np.testing.assert_allclose(found.encode_images(frames), [[0, 0], [1, 0.5], [0, 0]])
    assert (found.classes, found.longest_side_px) == (("violence", "gore"), 640)
    assert found.space.of_detector
    assert found.space.width == 2


def test_another_version_has_another_space() -> None:
    one, other = BloodDetector(), BloodDetector()
    other.version = "2"
    assert InstalledDetector("blood", one).space != InstalledDetector("blood", other).space


def test_one_that_is_not_installed_is_named_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer(monkeypatch, blood=f"{__name__}:BloodDetector")
    with pytest.raises(EncoderError, match=r"'bloot' is neither a folder nor .*; installed: blood"):
        load_installed("bloot")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            "nowhere_at_all:Thing",
            r"blood \(nowhere_at_all:Thing\) cannot be loaded: ModuleNotFound",
        ),
        (f"{__name__}:Broken", "cannot be loaded: ValueError: no weights"),
    ],
)
def test_one_that_cannot_be_loaded_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, value: str, sentence: str
) -> None:
    offer(monkeypatch, blood=value)
    with pytest.raises(EncoderError, match=sentence):
        load_installed("blood")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"classes": ()}, "should have `classes`"),
        ({"classes": ("gore", "gore")}, "each once"),
        ({"version": None}, "should have `version`"),
    ],
)
def test_one_that_does_not_say_what_it_is_is_refused(
    given: dict[str, object], sentence: str
) -> None:
    known = {"classes": ("gore",), "version": "1"} | given
    with pytest.raises(EncoderError, match=sentence):
        InstalledDetector("blood", SimpleNamespace(**known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (np.zeros((2, 2)), r"gives scores of shape \(2, 2\) for 3 frames; it should be \(3, 2\)"),
        (np.full((3, 2), 1.5), r"gives a score outside \[0, 1\]"),
        (np.full((3, 2), np.nan), r"gives a score outside \[0, 1\]"),
    ],
)
def test_scores_that_are_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, scores: FloatArray, sentence: str
) -> None:
    detector = BloodDetector()
    monkeypatch.setattr(detector, "score_frames", lambda frames: scores, raising=False)
    with pytest.raises(EncoderError, match=sentence):
        InstalledDetector("blood", detector).encode_images(FRAMES)


def test_one_that_fails_on_frames_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(frames: object) -> None:
        raise RuntimeError("out of memory")

    detector = BloodDetector()
    monkeypatch.setattr(detector, "score_frames", fail, raising=False)
    with pytest.raises(EncoderError, match="blood fails: RuntimeError: out of memory"):
        InstalledDetector("blood", detector).encode_images(FRAMES)
