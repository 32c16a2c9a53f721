import math

import numpy as np
import pytest

from mastershot.datasets.boundaries.boundary import Boundary
from mastershot.evaluation.shot_sweep import best_point, sweep_thresholds, thresholds_of
from mastershot.evaluation.shots import FilmBoundaries

SCORES = np.zeros(100, np.float32)
SCORES[[10, 30, 50, 70]] = [0.9, 0.8, 0.5, 0.2]


def films_at(threshold: float) -> list[FilmBoundaries]:
    found = np.flatnonzero(threshold <= SCORES).tolist()
    as_cuts = (tuple(Boundary("cut", at, at) for at in places) for places in (found, [10, 50, 90]))
    return [FilmBoundaries("film", *as_cuts, num_frames=100)]


def test_precision_and_recall_follow_the_threshold() -> None:
    points = sweep_thresholds(films_at, [0.2, 0.5, 0.9, 1.0], tolerance=2)
    assert [point.num_found for point in points] == [4, 3, 1, 0]
    assert [point.recall for point in points] == pytest.approx([2 / 3, 2 / 3, 1 / 3, 0])
    assert [point.precision for point in points[:3]] == pytest.approx([1 / 2, 2 / 3, 1])
    assert math.isnan(points[3].precision)
    assert best_point(points).threshold == 0.5


def test_of_equally_good_thresholds_the_middle_one_is_best() -> None:
    points = sweep_thresholds(films_at, [0.21, 0.3, 0.35, 0.45, 0.5, 0.95], tolerance=2)
    assert best_point(points).threshold == 0.35


def test_thresholds_are_scores_and_find_from_one_boundary_to_eight_times_as_many() -> None:
    scores = np.random.default_rng(0).random(5000).astype(np.float32)
    thresholds = thresholds_of([scores[:2000], scores[2000:]], 20)
    assert np.all(np.diff(thresholds) > 0)
    assert set(thresholds.astype(np.float32)) <= set(scores)
    assert (scores >= thresholds[-1]).sum() == 1
    assert (scores >= thresholds[0]).sum() == 160
    assert len(thresholds) <= 60


def test_what_is_no_number_is_no_threshold() -> None:
    assert thresholds_of([np.array([0.5, np.nan, np.inf])], 3).tolist() == [0.5]
    assert len(thresholds_of([np.array([np.nan])], 3)) == 0
