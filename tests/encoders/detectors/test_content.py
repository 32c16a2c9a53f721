import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mastershot.core.embeddings import ImageArray
from mastershot.encoders.detectors.content import CONTENT_CLASSES, ContentClassifier
from mastershot.media.pictures import read_still


def test_scores_are_probabilities_of_each_frame() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), np.uint8)
    scores = ContentClassifier().encode_images(frames)
    assert scores.shape == (3, len(CONTENT_CLASSES))
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def _pillow(path: Path) -> ImageArray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("read", [read_still, _pillow])
def test_scores_are_those_of_the_original(
    real_data: Path, read: Callable[[Path], ImageArray]
) -> None:
    path = real_data / "models/nsfw_mobilenet_v2_reference.json"
    reference = json.loads(path.read_text("utf-8"))
    assert tuple(reference["classes"]) == CONTENT_CLASSES
    names, expected = zip(*reference["outputs"].items(), strict=True)
    assert len(names) == 24
    pictures = [read(real_data / "frames" / name) for name in names]
    scores = ContentClassifier().encode_images(pictures)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=0.01)
