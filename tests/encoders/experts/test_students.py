"""The starter's places are those it recognises by, whatever comes with a frame."""

import numpy as np

from mastershot.encoders.experts.students import PlaceFeatures


def frames(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (72, 128, 3), np.uint8) for _ in range(count)]


def test_a_frame_has_the_same_features_whatever_comes_with_it() -> None:
    features, images = PlaceFeatures(), frames(5)
    places, maps = features.encode(images)
    assert places.shape == (5, len(features.places)) == (5, 365)
    assert maps.shape == (5, features.width) == (5, 640)
    np.testing.assert_allclose(places.sum(axis=1), 1, atol=1e-5)
    for number, image in enumerate(images):
        alone = features.encode([image])
        np.testing.assert_array_equal(alone[0][0], places[number])
        np.testing.assert_array_equal(alone[1][0], maps[number])
