import numpy as np
import pytest

from mastershot.core.movie import People, likeliest_scale
from mastershot.core.people import Sighting, sighting_of_boxes
from mastershot.labelling.perception.people import (
    people_of_parts,
    people_seen,
    scale_of_frame,
    scale_of_votes,
    scale_votes,
)

NOBODY = np.empty((0, 5), np.float32)
WIDE = 16 / 9


def box(top: float, bottom: float, *, left: float = 0.4, right: float = 0.5) -> np.ndarray:
    return np.array([[left, top, right, bottom, 0.9]], np.float32)


def seen(faces: np.ndarray = NOBODY, persons: np.ndarray = NOBODY) -> Sighting:
    return sighting_of_boxes(faces, persons)


@pytest.mark.parametrize(
    ("faces", "persons", "scale"),
    [
        (box(0.05, 0.95), NOBODY, "ECS"),
        (box(0.0, 0.7), NOBODY, "ECS"),  # cut by the frame
        (box(0.1, 0.8), NOBODY, "CS"),
        (box(0.1, 0.6), NOBODY, "CS"),
        (box(0.4, 0.7), NOBODY, "CS"),
        (box(0.05, 0.35), NOBODY, "MS"),  # more than the bust is below it
        (box(0.2, 0.4), NOBODY, "MS"),
        (box(0.1, 0.22), box(0.05, 0.6), "MS"),
        (box(0.1, 0.22), box(0.05, 0.95), "FS"),  # with its whole body
        (box(0.1, 0.22), box(0.05, 0.95, left=0.7, right=0.9), "MS"),  # somebody else's
        (box(0.1, 0.16), NOBODY, "FS"),
        (box(0.1, 0.13), NOBODY, "LS"),
        (box(0.1, 0.15), box(0.2, 1.0, left=0.6, right=0.9), "MS"),  # somebody nearer, from behind
        (NOBODY, box(0.1, 0.9), "FS"),  # from behind
        (NOBODY, box(0.5, 0.8, left=0.4, right=0.45), "LS"),
        (NOBODY, box(0.2, 1.0, left=0.2, right=0.6), "MS"),
        (NOBODY, box(0.0, 1.0, left=0.1, right=0.9), "CS"),  # a part that fills the frame
        (NOBODY, NOBODY, None),
    ],
)
def test_heights_of_faces_and_persons_tell_the_scale(
    faces: np.ndarray, persons: np.ndarray, scale: str | None
) -> None:
    assert scale_of_frame(seen(faces, persons), WIDE) == scale


def test_an_unsure_body_as_tall_as_the_picture_is_nobody() -> None:
    person = box(0.03, 1.0, left=0.2, right=0.5)
    assert scale_of_frame(seen(NOBODY, person), WIDE) == "MS"
    person[0, 4] = 0.5
    assert scale_of_frame(seen(NOBODY, person), WIDE) is None


def test_bodies_are_measured_in_the_picture_between_bars() -> None:
    person = box(0.2, 0.9, left=0.4, right=0.6)  # as shares of the picture
    assert scale_of_frame(sighting_of_boxes(NOBODY, person), 4 / 3) == "FS"
    assert scale_of_frame(sighting_of_boxes(NOBODY, person, 0.5), 4 / 3) == "MS"


def test_a_shot_has_the_median_scale_of_the_frames_with_somebody() -> None:
    close, medium = seen(box(0.1, 0.6)), seen(box(0.2, 0.4))
    votes = scale_votes([seen(), close, medium, seen(), medium], WIDE)
    assert votes.tolist() == [0, 1, 2, 0, 0]
    scale = scale_of_votes(votes)
    assert scale is not None
    assert likeliest_scale(scale) == "MS"
    assert sum(scale.values()) == pytest.approx(1)


def test_the_median_is_likeliest_even_where_others_are_more_frequent() -> None:
    scale = scale_of_votes(np.array([2, 0, 1, 0, 2]))
    assert scale is not None
    assert likeliest_scale(scale) == "MS"


def test_of_two_scales_the_closer_is_taken() -> None:
    scale = scale_of_votes(np.array([0, 1, 0, 0, 1]))
    assert scale is not None
    assert likeliest_scale(scale) == "CS"


def test_where_nobody_is_seen_the_scale_is_unknown() -> None:
    assert scale_of_votes(scale_votes([seen(), seen()], WIDE)) is None


def test_people_are_the_most_of_a_frame_and_the_tallest_of_any() -> None:
    first, second = seen(box(0.1, 0.5), box(0.0, 0.5)), seen(np.tile(box(0.1, 0.2), (3, 1)))
    people = people_seen([first, second])
    assert (people.faces, people.persons) == (3, 1)
    assert people.tallest_face == pytest.approx(0.4)
    assert people_of_parts(people, People(1, 4, 0.9, 0.0)) == People(3, 4, 0.9, 0.5)
