"""How precision and recall of boundaries change with a detector's threshold."""
# P thresholds

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.evaluation.bootstrap import RealArray
from mastershot.evaluation.matching import match_boundaries
from mastershot.evaluation.shots import FilmBoundaries


@dataclass(frozen=True)
class SweepPoint:
    """What a threshold gives; boundaries are detected as `ShotFigures.detected` says.

    Attributes:
        threshold: The threshold.
        num_found: Boundaries found.
        precision: Share of them that are true; NaN where none is found.
        recall: Share of the true ones that are found.
        f1: Their harmonic mean.
    """

    threshold: float
    num_found: int
    precision: float
    recall: float
    f1: float


def sweep_thresholds(
    films_at: Callable[[float], Sequence[FilmBoundaries]],
    thresholds: Sequence[float],
    *,
    tolerance: float,
) -> list[SweepPoint]:
    """Return what each threshold gives, all films together.

    Args:
        films_at: What is found with a threshold; what is true is the same for all, and some is.
        thresholds: The thresholds.
        tolerance: As in `Measure`.
    """
    points = []
    for threshold in thresholds:
        films = films_at(threshold)
        num_found = sum(len(film.found) for film in films)
        num_true = sum(len(film.true) for film in films)
        matched = sum(
            len(match_boundaries(film.found, film.true, tolerance=tolerance)) for film in films
        )
        precision = matched / num_found if num_found else np.nan
        f1 = 2 * matched / (num_found + num_true)
        points.append(SweepPoint(threshold, num_found, precision, matched / num_true, f1))
    return points


def best_point(points: Sequence[SweepPoint]) -> SweepPoint:
    """Return the point of the best F1; of several, the one in their middle, which is the safest."""
    highest = max(point.f1 for point in points)
    best = [point for point in points if point.f1 == highest]
    return best[len(best) // 2]


def thresholds_of(scores: Sequence[FloatArray], num_true: int, *, most: int = 60) -> RealArray:
    """Return thresholds that give from one boundary to eight times as many as there are.

    They are scores that frames have, dense where a few boundaries more or less are found, shape
    (P,), ascending.

    Args:
        scores: For each film a score of each frame; a boundary is where it is high.
        num_true: Number of true boundaries in all films, at least 1.
        most: The most thresholds.
    """
    values = np.concatenate([rows.astype(np.float64) for rows in scores])
    ranked = np.sort(values[np.isfinite(values)])[::-1]
    if not len(ranked):
        return np.zeros(0)
    last = min(len(ranked), 8 * num_true)
    ranks = np.unique(np.geomspace(1, last, most).round().astype(np.int64)) - 1
    return np.unique(ranked[ranks])
