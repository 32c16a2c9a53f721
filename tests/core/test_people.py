import numpy as np

from mastershot.core.people import (
    NUM_KEPT,
    SIGHTING_WIDTH,
    heights,
    sighting_of_boxes,
    sighting_of_vector,
)


def boxes_of(num: int) -> np.ndarray:
    rng = np.random.default_rng(num)
    corners = rng.uniform(0, 0.5, (num, 2))
    boxes = np.column_stack(
        [corners, corners + rng.uniform(0.01, 0.5, (num, 2)), np.full(num, 0.9)]
    )
    return boxes.astype(np.float32)


def test_a_vector_keeps_a_sighting() -> None:
    before = sighting_of_boxes(boxes_of(3), boxes_of(0), 0.75)
    assert before.vector().shape == (SIGHTING_WIDTH,)
    after = sighting_of_vector(before.vector())
    assert (after.num_faces, after.num_persons, after.picture) == (3, 0, 0.75)
    np.testing.assert_array_equal(after.faces, before.faces)
    assert after.persons.shape == (0, 5)


def test_of_a_thousand_faces_the_number_and_the_tallest_are_kept() -> None:
    faces = boxes_of(1000)
    seen = sighting_of_vector(sighting_of_boxes(faces, boxes_of(0)).vector())
    assert seen.num_faces == 1000
    tallest = np.sort(heights(faces))[::-1][:NUM_KEPT]
    np.testing.assert_array_equal(heights(seen.faces), tallest)
