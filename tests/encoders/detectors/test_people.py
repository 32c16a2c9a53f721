from pathlib import Path

import numpy as np
import pytest

from mastershot.core.people import NUM_KEPT, heights, sighting_of_vector
from mastershot.encoders.detectors.people import PeopleDetector, decode_persons
from mastershot.media.video import open_video

BLACK = np.zeros((272, 640, 3), np.uint8)


@pytest.fixture(scope="module")
def detector() -> PeopleDetector:
    return PeopleDetector()


def test_nobody_is_in_black_frames_of_any_shape(detector: PeopleDetector) -> None:
    for shape in ((272, 640, 3), (640, 272, 3), (5, 5, 3)):
        assert not detector.encode_images([np.zeros(shape, np.uint8)]).any()
    assert detector.encode_images([]).shape == (0, detector.space.width)


def test_a_thousand_faces_are_counted(
    detector: PeopleDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = np.column_stack([np.full((1000, 4), 0.01), np.full(1000, 0.9)]).astype(np.float32)
    monkeypatch.setattr(detector, "faces", lambda image: crowd)
    seen = sighting_of_vector(detector.encode_images([BLACK])[0])
    assert (seen.num_faces, len(seen.faces)) == (1000, NUM_KEPT)


def test_a_box_lies_at_the_mean_distances_from_its_anchor() -> None:
    anchors = [(416 // stride) ** 2 for stride in (8, 16, 32)]
    maps = [np.zeros((1, num, wide), np.float32) for wide in (80, 32) for num in anchors]
    maps[1][0, 27, 0] = 0.8  # row 1, column 1 of the map of stride 16
    maps[4][0, 27].reshape(4, 8)[:, 1] = 50  # each distance is one stride
    boxes, scores = decode_persons(maps, 0.5)
    np.testing.assert_allclose(boxes, [[8, 8, 40, 40]], atol=1e-3)
    np.testing.assert_allclose(scores, [0.8])


def first_frame(path: Path) -> np.ndarray:
    return next(iter(open_video(path).frames())).rgb(longest_side_px=640)


def test_a_face_and_its_person_are_found_in_a_drawn_film(
    detector: PeopleDetector, real_data: Path
) -> None:
    frame = first_frame(real_data / "films/sintel/sintel_199_199.mp4")
    seen = detector.look_at(frame)
    assert (seen.num_faces, seen.num_persons) == (1, 1)
    assert 0.25 < heights(seen.faces)[0] < 0.4


def test_a_distant_person_is_found_in_a_part_of_the_frame(
    detector: PeopleDetector, real_data: Path
) -> None:
    frame = first_frame(real_data / "films/sintel/sintel_343_343.mp4")
    assert not len(detector.persons(frame, 0.5))
    assert heights(detector.look_at(frame).persons)[0] == pytest.approx(0.09, abs=0.02)
