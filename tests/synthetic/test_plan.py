"""A plan says all of a film before a frame is drawn."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.labels import load_taxonomy
from mastershot.synthetic.places import (
    NATURAL_COLOURS,
    PLACES,
)
from mastershot.synthetic.plan import Editing, FilmPlan, Picture, plan_demo_film, plan_film


def scene_places(plan: FilmPlan) -> tuple[str, ...]:
    return tuple(plan.shots[first].setup.place.kind for first in plan.scene_starts)


def test_scenes_are_set_in_different_places_of_the_taxonomy() -> None:
    plan = plan_film(12, 3, seed=9)

    assert sorted(scene_places(plan)) == sorted(PLACES)
    assert plan.scene_starts == tuple(range(0, 36, 3))
    assert set(PLACES) <= set(load_taxonomy("movieclip").labels)
    assert set(NATURAL_COLOURS) == set(PLACES)


def test_the_demo_film_has_forty_seconds_six_places_and_every_transition() -> None:
    plan = plan_demo_film()

    assert (plan.num_frames, plan.picture) == (960, Picture(640, 360, Fraction(24)))
    assert scene_places(plan) == ("mountain", "church", "street", "beach", "kitchen", "sea")
    assert {t.kind for t in plan.transitions} == {"start", "cut", "fade", "dissolve"}
    assert {shot.move for shot in plan.shots} == {"still", "pan", "zoom_in", "zoom_out", "shake"}
    for one, other in pairwise(plan.shots):
        assert one.setup != other.setup


@given(
    seed=st.integers(0, 99), shortest=st.floats(0.01, 2), fades=st.floats(0, 1),
    rate=st.sampled_from([Fraction(1), Fraction(24), Fraction(30000, 1001)]),
)  # fmt: skip
def test_transitions_lie_between_scenes_and_never_touch(
    seed: int, shortest: float, fades: float, rate: Fraction
) -> None:
    editing = Editing((shortest, shortest + 1), fades, 1 - fades, transition_s=shortest)
    plan = plan_film(3, 2, picture=Picture(16, 9, rate), editing=editing, seed=seed)
    spans = plan.transitions
    assert spans[0].kind == "start"
    assert spans[0].start_frame == 0
    assert [span.kind == "cut" for span in spans[1:]] == [True, False] * 2 + [True]
    assert all(a.end_frame <= b.start_frame for a, b in pairwise(spans))
    assert spans[-1].end_frame <= plan.num_frames == sum(shot.num_frames for shot in plan.shots)
    low, high = (max(1, round(s * rate)) for s in editing.shot_s)
    assert all(low <= shot.num_frames <= high for shot in plan.shots)


def test_a_scene_opens_wide_and_then_goes_back_and_forth() -> None:
    shots = plan_film(1, 9, seed=3).shots
    wide, left, right = (shots[index].setup for index in (0, 1, 2))
    order = [wide, left, right, left, right, left, right, wide, right]
    assert [shot.setup for shot in shots] == order
    assert (wide.framing, right.framing) == ("wide", "close")
    assert left.actors + right.actors == wide.actors


def test_a_transition_longer_than_the_shortest_shot_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        plan_film(2, 1, editing=Editing((0.5, 1.0), fades=0.1, transition_s=0.6))
    assert plan_film(2, 1, editing=Editing((0.5, 1.0), transition_s=0.6)).cuts
