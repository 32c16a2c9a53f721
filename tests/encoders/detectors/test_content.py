import json
from pathlib import Path

import numpy as np
from PIL import Image

from mastershot.encoders.detectors.content import CONTENT_CLASSES, ContentClassifier


def test_scores_are_probabilities_of_each_frame() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), np.uint8)
    scores = ContentClassifier().encode_images(frames)
    assert scores.shape == (3, len(CONTENT_CLASSES))
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_scores_are_those_of_the_original(real_data: Path) -> None:
    path = real_data / "models/nsfw_mobilenet_v2_reference.json"
    reference = json.loads(path.read_text("utf-8"))
    assert tuple(reference["classes"]) == CONTENT_CLASSES
    names, expected = zip(*reference["outputs"].items(), strict=True)
    pictures = [np.asarray(Image.open(real_data / "frames" / n).convert("RGB")) for n in names]
    scores = ContentClassifier().encode_images(pictures)
    np.testing.assert_allclose(scores, expected, atol=0.01)
