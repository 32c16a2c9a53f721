from itertools import pairwise

import numpy as np
import pytest
from tests.factories import reference

from mastershot.evaluation.metrics import (
    BoundaryScore,
    SceneScore,
    classification_figures,
    score_boundaries,
    score_scenes,
)


def plain_scores(found: list[int], truth: list[int], lengths: list[int]) -> tuple[float, float]:
    """Return coverage and overflow by loops over sets of shots, as the paper writes them."""

    def size(shots: set[int]) -> int:
        return sum(lengths[shot] for shot in shots)

    found_sets = [set(range(a, b)) for a, b in pairwise([*found, len(lengths)])]
    true_sets = [set(range(a, b)) for a, b in pairwise([*truth, len(lengths)])]
    coverage = overflow = 0.0
    for t, scene in enumerate(true_sets):
        near = sum(size(true_sets[n]) for n in (t - 1, t + 1) if 0 <= n < len(true_sets))
        spilt = sum(size(other - scene) for other in found_sets if other & scene)
        coverage += max(size(other & scene) for other in found_sets)
        overflow += size(scene) * (min(1, spilt / near) if near else 0)
    return coverage / sum(lengths), overflow / sum(lengths)


def random_starts(rng: np.random.Generator, num_shots: int) -> list[int]:
    return [0, *(np.flatnonzero(rng.random(num_shots - 1) < rng.random()) + 1).tolist()]


def test_a_case_worked_by_hand() -> None:
    # Truth 0-3 | 4-5 | 6-9, found 0-2 | 3-5 | 6-9. Coverage: 3/4, 2/2, 4/4. Overflow: the first
    # scene spills 2 of its neighbour's 2 shots, the second 1 of its neighbours' 8.
    score = score_scenes([0, 3, 6], [0, 4, 6], shot_lengths=np.ones(10))
    coverage, overflow = (3 + 2 + 4) / 10, (4 * 2 / 2 + 2 * 1 / 8 + 0) / 10
    assert score.coverage == pytest.approx(coverage)
    assert score.overflow == pytest.approx(overflow)
    harmonic = 2 * coverage * (1 - overflow) / (coverage + 1 - overflow)
    assert score.f_score == pytest.approx(harmonic)


def test_random_groupings_score_as_a_plain_loop_says() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        num_shots = int(rng.integers(1, 15))
        found, truth = random_starts(rng, num_shots), random_starts(rng, num_shots)
        lengths = rng.integers(1, 100, num_shots).tolist()
        score = score_scenes(found, truth, shot_lengths=lengths)
        assert (score.coverage, score.overflow) == pytest.approx(
            plain_scores(found, truth, lengths)
        )


def test_the_truth_scores_best() -> None:
    assert score_scenes([0, 2, 5], [0, 2, 5], shot_lengths=np.ones(9)) == SceneScore(1, 0, 1)


def test_one_scene_for_the_whole_film_covers_all_and_overflows_all() -> None:
    assert score_scenes([0], [0, 2, 5], shot_lengths=np.ones(9)) == SceneScore(1, 1, 0)


def test_a_scene_a_shot_overflows_nothing_and_covers_little() -> None:
    score = score_scenes(range(9), [0, 2, 5], shot_lengths=np.ones(9))
    assert score.coverage == pytest.approx(3 / 9)
    assert score.overflow == 0


def test_a_film_of_one_true_scene_has_nothing_to_overflow_into() -> None:
    assert score_scenes([0, 1], [0], shot_lengths=[1, 3]) == SceneScore(0.75, 0, 6 / 7)


def test_an_overflow_past_both_neighbours_counts_as_one() -> None:
    found, truth = [0], [0, 1, 2, 3]
    assert score_scenes(found, truth, shot_lengths=[1, 1, 1, 50]).overflow == 1


def test_long_shots_weigh_more_when_frames_are_counted() -> None:
    by_shots = score_scenes([0, 1], [0, 2], shot_lengths=[1, 1, 1])
    by_frames = score_scenes([0, 1], [0, 2], shot_lengths=[90, 5, 5])
    assert by_shots.coverage == pytest.approx(2 / 3)
    assert by_frames.coverage == pytest.approx(95 / 100)


def test_boundaries_worked_by_hand() -> None:
    score = score_boundaries([0, 3, 6, 8], [0, 3, 7])
    assert (score.precision, score.recall, score.f1) == pytest.approx((1 / 3, 1 / 2, 2 / 5))


def test_a_tolerance_forgives_a_shot_but_only_once_a_boundary() -> None:
    exact = score_boundaries([0, 4, 5, 6], [0, 5])
    near = score_boundaries([0, 4, 6], [0, 5], tolerance_shots=1)
    assert exact == BoundaryScore(1 / 3, 1, 0.5)
    assert (near.precision, near.recall, near.f1) == pytest.approx((1 / 2, 1, 2 / 3))


def test_matching_is_the_largest_there_is() -> None:
    def largest(found: list[int], truth: list[int], tolerance: int) -> int:
        if not found:
            return 0
        rest = [largest(found[1:], truth, tolerance)]
        for index, gap in enumerate(truth):
            if abs(gap - found[0]) <= tolerance:
                others = truth[:index] + truth[index + 1 :]
                rest.append(1 + largest(found[1:], others, tolerance))
        return max(rest)

    rng = np.random.default_rng(1)
    for _ in range(150):
        found, truth = random_starts(rng, 8), random_starts(rng, 8)
        tolerance = int(rng.integers(0, 4))
        score = score_boundaries(found, truth, tolerance_shots=tolerance)
        hits = largest(found[1:], truth[1:], tolerance)
        if len(found) > 1 and len(truth) > 1:
            assert score.precision == pytest.approx(hits / (len(found) - 1))
            assert score.recall == pytest.approx(hits / (len(truth) - 1))


def test_no_boundary_where_there_is_none_is_right() -> None:
    assert score_boundaries([0], [0]) == BoundaryScore(1, 1, 1)


@pytest.mark.parametrize(("found", "truth"), [([0], [0, 3]), ([0, 3], [0])])
def test_a_boundary_on_one_side_alone_scores_nothing(found: list[int], truth: list[int]) -> None:
    assert score_boundaries(found, truth) == BoundaryScore(0, 0, 0)


def test_random_classes_give_what_plain_loops_give() -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        truth = random.integers(0, 4, 30)
        predicted = np.where(random.random(30) < 0.5, truth, random.integers(0, 5, 30))
        found = classification_figures(truth, predicted, [f"v{i % 7}" for i in range(30)], 5)
        hits = sum(t == s for t, s in zip(truth.tolist(), predicted.tolist(), strict=True))
        assert found.accuracy.value == pytest.approx(hits / 30)
        assert found.macro_f1.value == pytest.approx(
            reference.macro_f1(truth.tolist(), predicted.tolist())
        )
        assert found.num_classes == len(set(truth.tolist()))
        assert found.confusion.sum() == 30
        assert found.confusion[truth[0], predicted[0]] > 0
        assert found.accuracy.interval.low <= found.accuracy.value <= found.accuracy.interval.high


def test_films_are_drawn_whole() -> None:
    truth = np.zeros(40, np.int64)
    predicted = np.repeat([0, 1], 20)
    apart = classification_figures(truth, predicted, [str(i) for i in range(40)], 2)
    together = classification_figures(truth, predicted, ["a"] * 20 + ["b"] * 20, 2)
    assert apart.accuracy.value == together.accuracy.value == 0.5
    assert (together.accuracy.interval.low, together.accuracy.interval.high) == (0, 1)
    assert apart.accuracy.interval.low > 0.3


def test_the_same_seed_gives_the_same_interval() -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 3, (2, 50))
    films = [f"v{i % 9}" for i in range(50)]
    one, same, other = (
        classification_figures(truth, predicted, films, 3, seed=seed).macro_f1 for seed in (1, 1, 2)
    )
    assert one == same != other
