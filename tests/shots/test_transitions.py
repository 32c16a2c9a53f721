"""From probabilities to transitions: kinds, extents, spacing; in parts as at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mastershot.core.movie import Transition
from mastershot.shots.transitions import (
    calm_until,
    film_transitions,
    find_transitions,
    typed_cuts,
)

LIGHT = np.full(200, 0.5, np.float32)


def rows(*, cuts: dict[int, float] | None = None, runs=()) -> np.ndarray:
    """Return probabilities of 200 frames: cuts by frame, runs of (kind, start, end, score)."""
    found = np.zeros((200, 5), np.float32)
    for frame, score in (cuts or {}).items():
        found[frame, 0] = score
    for kind, start, end, score in runs:
        found[start:end, ("dissolve", "fade", "wipe").index(kind) + 1] = score
    return found


def found(probabilities: np.ndarray, light=LIGHT, threshold=0.5) -> list[Transition]:
    return [one.transition for one in find_transitions(probabilities, light, threshold)]


def test_a_cut_and_a_gradual_transition_are_told_apart() -> None:
    probabilities = rows(cuts={50: 0.9, 51: 0.7}, runs=[("wipe", 100, 120, 0.8)])
    assert found(probabilities) == [Transition("cut", 50, 50), Transition("wipe", 100, 120)]


def test_a_cut_within_a_gradual_transition_is_part_of_it() -> None:
    probabilities = rows(cuts={110: 0.99}, runs=[("dissolve", 100, 120, 0.8)])
    assert found(probabilities) == [Transition("dissolve", 100, 120)]


def test_a_gradual_transition_reaches_as_far_as_it_is_nearly_likely() -> None:
    probabilities = rows(runs=[("dissolve", 95, 125, 0.35), ("dissolve", 100, 120, 0.8)])
    assert found(probabilities) == [Transition("dissolve", 95, 125)]
    assert found(probabilities, threshold=0.75) == [Transition("dissolve", 100, 120)]
    assert found(probabilities, threshold=0.9) == []


@pytest.mark.parametrize(("level", "colour"), [(0.02, "black"), (0.98, "white")])
def test_a_fade_goes_through_the_colour_of_its_middle(level: float, colour: str) -> None:
    light = LIGHT.copy()
    light[105:115] = level
    probabilities = rows(runs=[("fade", 100, 120, 0.9)])
    assert found(probabilities, light) == [Transition("fade", 100, 120, colour)]


def test_of_two_boundaries_too_close_the_surer_one_stays() -> None:
    close = rows(cuts={50: 0.7, 60: 0.9, 90: 0.8, 95: 0.6})
    for least, boundaries in ((12, [60, 90]), (0, [50, 60, 90, 95])):
        _, kept = film_transitions(close, LIGHT, 0.5, least)
        assert [one.boundary for one in kept] == boundaries


def test_a_film_that_comes_up_out_of_black_starts_so() -> None:
    start, kept = film_transitions(rows(runs=[("fade", 0, 20, 0.9)]), LIGHT * 0.1, 0.5, 0)
    assert (start, kept) == (Transition("start", 0, 20, "black"), [])


def test_cuts_found_otherwise_get_their_kinds() -> None:
    probabilities = rows(
        cuts={30: 0.9}, runs=[("dissolve", 0, 8, 0.9), ("dissolve", 100, 120, 0.8)]
    )
    assert typed_cuts([30, 90, 104, 112], probabilities, LIGHT) == [
        Transition("start", 0, 8),
        Transition("cut", 30, 30),
        Transition("cut", 90, 90),
        Transition("cut", 104, 104),
        Transition("dissolve", 104, 120),
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.5, 0.8]))
def test_a_film_in_two_parts_at_a_calm_frame_gives_the_same(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(0.05, 0.6, (200, 5)).astype(np.float32) * 0.6
    probabilities[rng.random(200) < 0.7] = 0
    calm = calm_until(probabilities, threshold)
    first = find_transitions(probabilities[:calm], LIGHT[:calm], threshold)
    second = find_transitions(probabilities[calm:], LIGHT[calm:], threshold)
    together = [*first, *(one.later_by(calm) for one in second)]
    assert together == find_transitions(probabilities, LIGHT, threshold)
