from dataclasses import replace

import numpy as np
import pytest

from mastershot.core.embeddings import ImageArray
from mastershot.synthetic.places import NATURAL_COLOURS, Place
from mastershot.synthetic.plan import Framing, Move, Picture, Setup, ShotPlan
from mastershot.synthetic.stage import GRAIN, build_stage, shoot

PICTURE = Picture(48, 28)
PLACE = Place("meadow", 3, NATURAL_COLOURS["meadow"])


def shots(move: Move, *, framing: Framing = "wide", frames: int = 8, take: int = 0) -> ShotPlan:
    return ShotPlan(Setup(PLACE, framing, 0.5), 0, frames, move, take)


def filmed(shot: ShotPlan, *frames: int) -> list[ImageArray]:
    stage = build_stage(shot.setup, PICTURE)
    return [shoot(shot, frame, stage, PICTURE) for frame in frames]


def test_a_pan_and_a_zoom_run_backwards_as_they_run_forwards() -> None:
    for one, other in (
        (shots("pan", take=0), shots("pan", take=1)),
        (shots("zoom_in"), shots("zoom_out")),
    ):
        there, back = filmed(one, *range(8)), filmed(other, *range(7, -1, -1))
        np.testing.assert_array_equal(there, back)
        assert not np.array_equal(there[0], there[7])


def test_a_camera_stands_where_it_began_before_the_start_and_where_it_ended_after() -> None:
    early, first, last, late = filmed(shots("pan", frames=200), -50, -1, 200, 250)
    np.testing.assert_array_equal(early, first)
    np.testing.assert_array_equal(late, last)


def test_a_still_shot_of_nobody_does_not_move_and_a_shake_does() -> None:
    still = filmed(shots("still"), 0, 5)
    np.testing.assert_array_equal(*still)
    assert not np.array_equal(*filmed(shots("shake"), 0, 12))


@pytest.mark.parametrize("framing", ["wide", "medium", "close"])
@pytest.mark.parametrize(("light", "actors"), [(9.0, ()), (1.0, (1, 2))])
def test_light_leaves_room_for_grain_even_in_a_flash(
    framing: Framing, light: float, actors: tuple[int, ...]
) -> None:
    setup = Setup(PLACE, framing, 1.0, light=light, actors=actors, action="dance")
    plain = ShotPlan(setup, 0, 8, "shake")
    calm, lit = filmed(plain, 3)[0], filmed(replace(plain, flashes=(3,)), 3)[0]
    assert calm.shape == (28, 48, 3)
    assert lit.max() <= 255 - GRAIN
    np.testing.assert_array_equal(lit, 255 - GRAIN - (255 - GRAIN - calm.astype(int)) // 4)


def test_warmth_trades_blue_for_red_and_light_scales_all() -> None:
    def mean(**changes: float) -> np.ndarray:
        setup = replace(shots("still").setup, **changes)  # type: ignore[arg-type]
        return filmed(replace(shots("still"), setup=setup), 0)[0].mean(axis=(0, 1))

    plain = mean(light=0.5)
    np.testing.assert_allclose(mean(light=0.25), plain / 2, atol=1)
    np.testing.assert_allclose(mean(light=0.5, warmth=1.0), plain * [1.2, 1, 0.8], atol=1)
