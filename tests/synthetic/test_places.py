import numpy as np
import pytest

from mastershot.core.embeddings import FloatArray
from mastershot.synthetic.canvas import Window
from mastershot.synthetic.places import (
    NATURAL_COLOURS,
    PLACES,
    Place,
    paint_place,
    random_colours,
)


@pytest.mark.parametrize("kind", sorted(PLACES))
def test_a_place_is_a_picture_of_its_own_in_any_colours(kind: str) -> None:
    window = Window(0.5, 0.0, 16 / 9, 1.0)

    def painted(kind: str, layout: int, colours: str) -> FloatArray:
        return paint_place(Place(kind, layout, colours), window, width_px=64, height_px=36)

    natural = painted(kind, 1, NATURAL_COLOURS[kind])
    assert natural.std() > 15
    assert not np.array_equal(natural, painted(kind, 2, NATURAL_COLOURS[kind]))
    assert np.abs(natural - painted(kind, 1, random_colours(1))).mean() > 10
    for other in set(PLACES) - {kind}:
        assert np.abs(natural - painted(other, 1, NATURAL_COLOURS[kind])).mean() > 8


def test_two_windows_of_a_place_agree_where_they_overlap() -> None:
    place = Place("library", 3, NATURAL_COLOURS["library"])
    whole = paint_place(place, Window(0.0, 0.0, 2.0, 1.0), width_px=128, height_px=64)
    right = paint_place(place, Window(1.0, 0.0, 1.0, 1.0), width_px=64, height_px=64)
    assert np.allclose(whole[:, :, 64:], right, atol=0.5)


@pytest.mark.parametrize("colours", [*NATURAL_COLOURS.values(), *map(random_colours, range(20))])
def test_colours_are_eight_of_six_digits(colours: str) -> None:
    assert [len(bytes.fromhex(colour)) for colour in colours.split(" ")] == [3] * 8


def test_random_colours_are_those_of_their_seed() -> None:
    assert random_colours(3) == random_colours(3)
    assert len({random_colours(seed) for seed in range(50)}) == 50
