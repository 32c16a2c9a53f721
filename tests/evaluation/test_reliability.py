import numpy as np
import pytest
from tests.factories import reference

from mastershot.core.movie import SCALES
from mastershot.evaluation.reliability import (
    abstention_figures,
    reliability_by_scale,
    risk_coverage,
)


def verdicts(seed: int, *, count: int = 60) -> tuple[np.ndarray, np.ndarray, list, list[str]]:
    """Scores, whether confirmed (surer shots more often), scales and films of made-up shots."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, 12, count).astype(np.float32) / 11
    confirmed = random.random(count) < scores
    scales = [(*SCALES, None)[place] for place in random.integers(0, 6, count)]
    return scores, confirmed, scales, [f"film{i % 8}" for i in range(count)]


def test_reliability_is_the_share_confirmed_of_each_scale() -> None:
    for seed in range(10):
        _, confirmed, scales, films = verdicts(seed)
        weights = np.random.default_rng(seed).uniform(1, 5, len(scales))
        found = reliability_by_scale(confirmed, scales, films, weights=weights)
        assert list(found) == [scale for scale in (*SCALES, None) if scale in scales]
        for scale, figure in found.items():
            mine = [i for i, name in enumerate(scales) if name == scale]
            hits = sum(weights[i] for i in mine if confirmed[i])
            assert figure.value == pytest.approx(hits / sum(weights[i] for i in mine))
            assert figure.num_items == len(mine)
            assert figure.interval.low <= figure.value <= figure.interval.high


def test_a_scale_no_shot_is_of_has_no_figure() -> None:
    found = reliability_by_scale(np.array([True, False]), ["CS", "CS"], ["a", "b"])
    assert list(found) == ["CS"]
    assert found["CS"].value == 0.5


def test_films_are_drawn_whole() -> None:
    confirmed = np.repeat([True, False], 20)
    apart = reliability_by_scale(confirmed, ["MS"] * 40, [str(i) for i in range(40)])["MS"]
    together = reliability_by_scale(confirmed, ["MS"] * 40, ["a"] * 20 + ["b"] * 20)["MS"]
    assert (together.interval.low, together.interval.high) == (0, 1)
    assert apart.interval.high < 0.7


@pytest.mark.parametrize("weighted", [False, True])
def test_risk_and_coverage_are_those_of_a_plain_loop(weighted: bool) -> None:
    for seed in range(10):
        scores, confirmed, _, _ = verdicts(seed)
        weights = np.random.default_rng(seed).uniform(1, 5, len(scores))
        found = risk_coverage(scores, confirmed, weights=weights if weighted else None)
        given = weights.tolist() if weighted else [1.0] * len(scores)
        points = reference.risk_coverage(scores.tolist(), confirmed.tolist(), given)
        rows = np.stack([found.thresholds, found.coverage, found.accuracy], axis=1)
        np.testing.assert_allclose(rows, points, rtol=1e-6)
        before = [0.0, *(coverage for _, coverage, _ in points)]
        area = sum((c - b) * (1 - a) for b, (_, c, a) in zip(before, points, strict=False))
        assert found.area == pytest.approx(area)


def test_scores_that_order_rightly_have_the_smaller_area() -> None:
    confirmed = np.array([True] * 6 + [False] * 4)
    rising = np.linspace(0.1, 0.9, 10).astype(np.float32)
    assert risk_coverage(rising[::-1], confirmed).area < risk_coverage(rising, confirmed).area
    assert risk_coverage(rising, np.ones(10, np.bool_)).area == 0


def test_shots_of_one_score_are_stated_together() -> None:
    scores = np.array([0.5, 0.5, 0.9], np.float32)
    found = risk_coverage(scores, np.array([True, False, True]))
    assert found.coverage.tolist() == pytest.approx([1 / 3, 1])
    assert found.accuracy.tolist() == pytest.approx([1, 2 / 3])


def test_a_rule_is_measured_by_what_it_keeps_and_how_right_that_is() -> None:
    scores, confirmed, _, films = verdicts(3)
    kept = scores >= np.float32(0.5)
    found = abstention_figures(kept, confirmed, films)
    stated = [bool(c) for c, k in zip(confirmed, kept, strict=True) if k]
    assert found.kept.value == pytest.approx(kept.sum() / len(kept))
    assert found.right.value == pytest.approx(sum(stated) / len(stated))
    assert found.right.num_items == len(stated)


def test_a_rule_that_keeps_nothing_is_right_about_nothing() -> None:
    found = abstention_figures(np.zeros(2, np.bool_), np.ones(2, np.bool_), ["a", "b"])
    assert found.kept.value == 0
    assert np.isnan(found.right.value)
