import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import mastershot
from mastershot.core.errors import EncoderError
from mastershot.core.people import NUM_KEPT, heights, sighting_of_vector
from mastershot.encoders.detectors import people
from mastershot.encoders.detectors.packaged import NANODET, YUNET
from mastershot.encoders.detectors.people import PeopleDetector, decode_faces, decode_persons
from mastershot.media.video import open_video

BLACK = np.zeros((272, 640, 3), np.uint8)


@pytest.fixture(scope="module")
def detector() -> PeopleDetector:
    return PeopleDetector()


def test_nobody_is_in_black_frames_of_any_shape(detector: PeopleDetector) -> None:
    for shape in ((272, 640, 3), (640, 272, 3), (5, 5, 3)):
        seen = sighting_of_vector(detector.encode_images([np.zeros(shape, np.uint8)])[0])
        assert (seen.num_faces, seen.num_persons, seen.picture) == (0, 0, 1)
    assert detector.encode_images([]).shape == (0, detector.space.width)


def test_a_frame_of_extreme_shape_is_seen_as_a_whole_alone(
    detector: PeopleDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[int, ...]] = []

    def persons(image: np.ndarray, min_score: float) -> np.ndarray:
        looks.append(image.shape[:2])
        return np.empty((0, 5), np.float32)

    monkeypatch.setattr(detector, "persons", persons)
    for width, num_parts in ((400, 4), (640, 0)):
        looks.clear()
        detector.distant_persons(np.full((100, width, 3), 90, np.uint8))
        assert looks == [(100, 100)] * num_parts


def test_a_thousand_faces_are_counted(
    detector: PeopleDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = np.column_stack([np.full((1000, 4), 0.01), np.full(1000, 0.9)]).astype(np.float32)
    monkeypatch.setattr(detector, "faces", lambda image: crowd)
    seen = sighting_of_vector(detector.encode_images([BLACK])[0])
    assert (seen.num_faces, len(seen.faces)) == (1000, NUM_KEPT)


def test_a_box_lies_at_the_mean_distances_from_its_anchor() -> None:
    maps = [np.zeros((1, 33, 416 // stride, 416 // stride), np.float32) for stride in (8, 16, 32)]
    for one in maps:
        one[:, 0] = -5
    maps[1][0, 0, 1, 1] = np.log(4)
    maps[1][0, 1:, 1, 1].reshape(4, 8)[:, 1] = 50  # each distance is one stride
    boxes, scores = decode_persons(maps, 0.5)
    np.testing.assert_allclose(boxes, [[8, 8, 40, 40]], atol=1e-3)
    np.testing.assert_allclose(scores, [0.8])


def test_a_face_lies_around_its_anchor() -> None:
    anchors = [(416 // stride) ** 2 for stride in (8, 16, 32)]
    maps = [np.zeros((1, num, wide), np.float32) for wide in (1, 1, 4) for num in anchors]
    maps[1][0, 27], maps[4][0, 27] = 0.9, 1.2  # row 1, column 1 of the map of stride 16
    maps[7][0, 27] = 0.25, 0.5, np.log(2), np.log(3)
    maps[2][0, 0] = 1  # a face, but no thing
    boxes, scores = decode_faces(maps, 0.7, 416)
    np.testing.assert_allclose(boxes, [[4, 0, 36, 48]], atol=1e-3)
    np.testing.assert_allclose(scores, [np.sqrt(0.9)])


@pytest.fixture(scope="module")
def demo_frames() -> list[np.ndarray]:
    """Some frames of the demo film, which shows drawn and real people, in several shapes."""
    film = open_video(Path(mastershot.__file__).parent / "apps" / "demo" / "demo.mp4")
    whole = [
        frame.rgb(longest_side_px=640) for frame in film.frames() if frame.index % 75 in (0, 40)
    ]
    return [*whole, *(image[:, 100:330] for image in whole[-6:]), whole[-1][:270]]


def test_faces_are_those_of_opencv_box_by_box(
    detector: PeopleDetector, demo_frames: list[np.ndarray]
) -> None:
    num_faces = 0
    for image in demo_frames:
        height, width = image.shape[:2]
        limits = people.MIN_FACE_SCORE, 0.3, 5000
        peer = cv2.FaceDetectorYN.create(str(YUNET.path), "", (width, height), *limits)
        _, expected = peer.detect(np.ascontiguousarray(image[..., ::-1]))
        found = detector.faces(image)
        assert len(found) == (0 if expected is None else len(expected))
        if expected is not None:
            left, top, across, down, score = expected[:, [0, 1, 2, 3, 14]].T
            boxes = np.stack([left, top, left + across, top + down], axis=1)
            shares = np.clip(boxes / (width, height, width, height), 0, 1)
            np.testing.assert_allclose(found, np.column_stack([shares, score]), atol=1e-5)
            num_faces += len(found)
    assert num_faces >= 4


def test_maps_of_persons_are_those_of_the_published_network(
    detector: PeopleDetector, real_data: Path
) -> None:
    published = cv2.dnn.readNetFromONNX(str(real_data / "models/nanodet_m_416.onnx"))
    pixels = np.random.default_rng(3).normal(size=(1, 3, 416, 416)).astype(np.float32)
    published.setInput(pixels)
    expected = published.forward(["792", "814", "836", "795", "817", "839"])
    maps = detector._person_network.run(None, {"image": pixels})
    for (one,), classes, distances in zip(maps, expected[:3], expected[3:], strict=True):
        anchors = one.reshape(33, -1).T
        np.testing.assert_allclose(1 / (1 + np.exp(-anchors[:, 0])), classes[0, :, 0], atol=1e-5)
        np.testing.assert_allclose(anchors[:, 1:], distances[0], atol=1e-4)


def test_maps_of_persons_are_those_of_opencv_in_any_shape(detector: PeopleDetector) -> None:
    random = np.random.default_rng(3)
    for size in ((416, 256), (64, 416), (416, 96)):
        pixels = random.normal(size=(1, 3, *size[::-1])).astype(np.float32)
        peer = cv2.dnn.readNetFromONNX(str(NANODET.path))
        peer.setInput(pixels)
        names = [f"persons_{stride}" for stride in (8, 16, 32)]
        maps = detector._person_network.run(names, {"image": pixels})
        for one, other in zip(maps, peer.forward(names), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)


def test_without_the_runtime_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EncoderError, match=r"`pip install onnxruntime` brings it, or leave out"):
        PeopleDetector()


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


def test_bars_change_no_box(detector: PeopleDetector, real_data: Path) -> None:
    frame = first_frame(real_data / "films/sintel/sintel_199_199.mp4")
    bars = np.pad(frame, ((44, 44), (0, 0), (0, 0)))
    before, after = detector.look_at(frame), detector.look_at(bars)
    assert after.picture == pytest.approx(272 / 360)
    np.testing.assert_array_equal(after.faces, before.faces)
    np.testing.assert_array_equal(after.persons, before.persons)


def test_a_wide_frame_gives_the_boxes_of_a_square_one(
    detector: PeopleDetector, real_data: Path
) -> None:
    frame = first_frame(real_data / "films/sintel/sintel_199_199.mp4")
    square = np.pad(frame, ((0, 640 - 272), (0, 0), (0, 0)))
    wide_boxes, square_boxes = detector.persons(frame, 0.5), detector.persons(square, 0.5)
    square_boxes[:, [1, 3]] *= 640 / 272
    np.testing.assert_allclose(wide_boxes[:, :4], square_boxes[:, :4], atol=0.03)
