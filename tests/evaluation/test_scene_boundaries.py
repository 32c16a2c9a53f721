from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve
from tests.evaluation.test_metrics import plain_scores, random_starts

from mastershot.evaluation.scene_boundaries import (
    best_threshold,
    boundaries_of,
    first_shots,
    gap_precision,
    mean_scene_iou,
    recall_within,
    score_film,
)


def plain_miou(found: list[int], truth: list[int], lengths: list[int]) -> float:
    """Return mIoU by loops over sets of frames."""
    edges = [sum(lengths[:shot]) for shot in range(len(lengths) + 1)]
    sides = [
        [set(range(edges[a], edges[b])) for a, b in pairwise([*starts, len(lengths)])]
        for starts in (found, truth)
    ]
    means = []
    for one, other in (sides, sides[::-1]):
        best = [max(len(a & b) / len(a | b) for b in other) for a in one]
        means.append(sum(best) / len(best))
    return sum(means) / 2


def plain_recall(found: list[int], truth: list[int], starts_s: list[float], within: float) -> float:
    hits = 0
    for one in truth[1:]:
        hits += any(abs(starts_s[one] - starts_s[other]) < within for other in found[1:])
    return hits / len(truth[1:])


def test_random_scenes_score_as_plain_loops_say() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        num_shots = int(rng.integers(2, 15))
        found, truth = random_starts(rng, num_shots), random_starts(rng, num_shots)
        lengths = rng.integers(1, 60, num_shots).tolist()
        edges_s = np.concatenate([[0], np.cumsum(lengths)]) / 10
        assert mean_scene_iou(found, truth, shot_lengths=lengths) == pytest.approx(
            plain_miou(found, truth, lengths)
        )
        if len(truth) > 1:
            assert recall_within(found, truth, shot_starts_s=edges_s[:-1]) == pytest.approx(
                plain_recall(found, truth, edges_s.tolist(), 3.0)
            )
        is_found, is_true = boundaries_of(found, num_shots), boundaries_of(truth, num_shots)
        assert (first_shots(is_found), first_shots(is_true)) == (found, truth)
        scores = np.round(rng.random(num_shots - 1), 1).astype(np.float32)
        figures = score_film(scores, is_found, is_true, shot_edges_s=edges_s)
        assert (figures.coverage, figures.overflow) == pytest.approx(
            plain_scores(found, truth, [1] * num_shots)
        )
        both = (is_found & is_true).sum()
        if is_found.any() or is_true.any():
            counted = is_found.sum() + is_true.sum()
            assert figures.f1 == pytest.approx(2 * both / counted)
        if is_true.any():
            assert figures.recall == pytest.approx(both / is_true.sum())


def test_average_precision_is_scikit_learns_also_where_scores_tie() -> None:
    rng = np.random.default_rng(1)
    for digits in (1, 6):
        for _ in range(50):
            scores = np.round(rng.random(40), digits).astype(np.float32)
            truth = rng.random(40) < 0.2
            truth[0] = True
            assert gap_precision(scores, truth) == pytest.approx(
                average_precision_score(truth, scores)
            )
    assert gap_precision(np.full(8, 0.3, np.float32), np.arange(8) < 2) == pytest.approx(2 / 8)


def test_the_threshold_is_that_of_the_best_f1_of_scikit_learns_curve() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        scores = np.round(rng.random(30), 1).astype(np.float32)
        truth = rng.random(30) < 0.3
        truth[3] = True
        precision, recall, _ = precision_recall_curve(truth, scores)
        total = precision + recall
        best = np.max(2 * precision * recall / np.where(total > 0, total, 1))
        found = scores >= np.float32(best_threshold(scores, truth))
        assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) == pytest.approx(best)


def test_mean_iou_worked_by_hand() -> None:
    # Truth 0-3 | 4-9, found 0-1 | 2-9: 2/4 and 6/8 for the true scenes, the same for the found.
    assert mean_scene_iou([0, 2], [0, 4], shot_lengths=np.ones(10)) == pytest.approx(0.625)
    assert mean_scene_iou([0], [0], shot_lengths=[1, 2]) == 1
    assert mean_scene_iou([0], [0, 1], shot_lengths=[30, 10]) == pytest.approx(
        ((30 / 40 + 10 / 40) / 2 + 30 / 40) / 2
    )


def test_recall_takes_less_than_three_seconds_and_not_three() -> None:
    starts_s = [0.0, 3.0, 6.0, 8.9]
    assert recall_within([0, 1], [0, 2], shot_starts_s=starts_s) == 0
    assert recall_within([0, 2], [0, 3], shot_starts_s=starts_s) == 1
    # One found boundary may serve two true ones.
    assert recall_within([0, 2], [0, 2, 3], shot_starts_s=starts_s) == 1


def test_where_nothing_is_to_be_found_some_figures_are_not_defined() -> None:
    assert np.isnan(recall_within([0, 1], [0], shot_starts_s=[0, 4]))
    assert recall_within([0], [0, 1], shot_starts_s=[0, 4]) == 0
    nothing = score_film(
        np.array([0.1, 0.2], np.float32), np.zeros(2, bool), np.zeros(2, bool),
        shot_edges_s=[0, 1, 2, 3],
    )  # fmt: skip
    assert np.isnan(nothing.ap)
    assert (nothing.f1, nothing.coverage, nothing.overflow, nothing.miou) == (1, 1, 0, 1)
    one = score_film(np.zeros(0, np.float32), *[np.zeros(0, bool)] * 2, shot_edges_s=[0, 1])
    assert (one.f1, one.miou) == (1, 1)
    assert first_shots([]) == [0]
