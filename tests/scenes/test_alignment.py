"""The alignment of script and shots: against every possible one on small films, and exact ones."""

from itertools import combinations

import numpy as np
import pytest

from mastershot.scenes.alignment import AlignmentCosts, align_runs


def film(num_scenes: int, shots_a_scene: int, *, gain: float = 3.0) -> tuple[np.ndarray, dict]:
    """Return evidence for scenes that follow each other, and what else an alignment takes."""
    num_shots = num_scenes * shots_a_scene
    truth = np.repeat(np.arange(num_scenes), shots_a_scene)
    evidence = np.full((num_scenes, num_shots), -gain / 2)
    evidence[truth, np.arange(num_shots)] = gain / 2
    is_border = np.zeros(num_shots + 1, bool)
    is_border[::shots_a_scene] = True
    expected = np.full(num_scenes, 4.0 * shots_a_scene)
    bounds = 4.0 * np.arange(num_shots + 1)
    return evidence, {"bounds_s": bounds, "expected_s": expected, "is_border": is_border}


def test_a_film_that_follows_its_script_is_aligned_exactly() -> None:
    evidence, rest = film(4, 5)
    found = align_runs(evidence, **rest)
    assert found.scene.tolist() == np.repeat(range(4), 5).tolist()
    assert (found.probability > 0.95).all()
    assert (found.presence > 0.95).all()


def test_a_scene_that_was_cut_is_skipped_and_one_that_was_added_has_no_heading() -> None:
    evidence, rest = film(5, 6)
    evidence[3] = -2.0  # scene 3 is nowhere; its shots are of no scene
    found = align_runs(evidence, **rest)
    assert found.scene.tolist() == [*np.repeat([0, 1, 2], 6), *[-1] * 6, *[4] * 6]
    assert found.presence[3] < 0.2
    assert found.presence[[0, 1, 2, 4]].min() > 0.9


def test_a_border_may_fall_within_a_scene_that_was_found() -> None:
    evidence, rest = film(3, 6)
    rest["is_border"][:] = False
    rest["is_border"][[0, -1]] = True
    assert align_runs(evidence, **rest).scene.tolist() == np.repeat(range(3), 6).tolist()


def test_without_evidence_lengths_and_found_borders_decide() -> None:
    evidence, rest = film(2, 5)
    evidence[:] = 0
    rest["is_border"][:] = False
    rest["is_border"][[0, 4, -1]] = True
    assert align_runs(evidence, **rest).scene.tolist() == [0] * 4 + [1] * 6


def test_probabilities_are_those_of_all_alignments_counted_one_by_one() -> None:
    rng = np.random.default_rng(0)
    costs = AlignmentCosts(skipped_scene=1.0, gap=1.5, gap_minute=6.0, within=1.0, across=0.5)
    num_scenes, num_shots = 3, 5
    evidence = rng.normal(0, 1, (num_scenes, num_shots))
    bounds = np.cumsum([0, *rng.uniform(2, 6, num_shots)])
    expected = rng.uniform(8, 12, num_scenes)
    is_border = np.array([True, False, True, False, False, True])
    found = align_runs(
        evidence, bounds_s=bounds, expected_s=expected, is_border=is_border, costs=costs
    )
    total, occupied, presence = 0.0, np.zeros((num_scenes, num_shots)), np.zeros(num_scenes)
    for size in range(num_scenes + 1):
        for scenes in combinations(range(num_scenes), size):
            for runs in all_runs(size, num_shots):
                weight = np.exp(worth(scenes, runs, evidence, bounds, expected, is_border, costs))
                total += weight
                for scene, (first, end) in zip(scenes, runs, strict=True):
                    occupied[scene, first:end] += weight
                    presence[scene] += weight
    np.testing.assert_allclose(found.presence, presence / total, rtol=1e-4)
    named = found.scene >= 0
    wanted = (occupied / total)[found.scene, np.arange(num_shots)]
    np.testing.assert_allclose(found.probability[named], wanted[named], rtol=1e-4)
    np.testing.assert_allclose(
        found.probability[~named], 1 - (occupied / total).sum(axis=0)[~named], rtol=1e-4
    )


def all_runs(size: int, num_shots: int, start: int = 0) -> list[list[tuple[int, int]]]:
    if size == 0:
        return [[]]
    return [
        [(first, end), *rest]
        for first in range(start, num_shots)
        for end in range(first + 1, num_shots + 1)
        for rest in all_runs(size - 1, num_shots, end)
    ]


def worth(scenes, runs, evidence, bounds, expected, is_border, costs) -> float:  # type: ignore[no-untyped-def]
    """Return what an alignment is worth, as the docstring of the costs says it."""
    last = len(bounds) - 1
    value, at = -costs.skipped_scene * (len(evidence) - len(scenes)), 0
    for scene, (first, end) in zip(scenes, runs, strict=True):
        length = bounds[end] - bounds[first]
        value += evidence[scene, first:end].sum()
        value -= 0.5 * (np.log(length / expected[scene]) / costs.spread) ** 2
        value -= costs.across * is_border[first + 1 : end].sum()
        for border in (first, end):
            if 0 < border < last and not is_border[border]:
                value -= costs.within / 2
        value -= gap_cost(at, first, bounds, costs)
        at = end
    return float(value - gap_cost(at, last, bounds, costs))


def gap_cost(first: int, end: int, bounds: np.ndarray, costs: AlignmentCosts) -> float:
    return (
        0.0 if first == end else costs.gap + costs.gap_minute / 60 * (bounds[end] - bounds[first])
    )


@pytest.mark.parametrize(("num_scenes", "num_shots"), [(1, 1), (6, 1), (1, 7), (6, 2)])
def test_few_shots_or_scenes_are_aligned_in_order(num_scenes: int, num_shots: int) -> None:
    found = align_runs(
        np.zeros((num_scenes, num_shots)),
        bounds_s=3.0 * np.arange(num_shots + 1),
        expected_s=np.full(num_scenes, 3.0 * num_shots / num_scenes),
        is_border=np.ones(num_shots + 1, bool),
    )
    named = found.scene[found.scene >= 0]
    assert (np.diff(named) >= 0).all()
    assert np.isfinite(found.probability).all()


def test_a_shot_of_no_length_is_aligned() -> None:
    evidence, rest = film(2, 3)
    rest["bounds_s"][-1] = rest["bounds_s"][-2]
    assert align_runs(evidence, **rest).scene.tolist() == [0, 0, 0, 1, 1, 1]


def test_the_same_film_and_script_give_the_same_alignment() -> None:
    rng = np.random.default_rng(1)
    evidence, rest = film(20, 8, gain=1.0)
    evidence += rng.normal(0, 1, evidence.shape)
    one, other = align_runs(evidence, **rest), align_runs(evidence, **rest)
    assert (one.scene == other.scene).all()
    assert (one.probability == other.probability).all()
