"""Average precision of each class, its resamples, and the curve that it is the area under."""
# N samples, C classes, G groups of samples, R resamples, K thresholds, P points of a curve

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.evaluation.bootstrap import BoolArray, RealArray, resample_counts

RECALLS: RealArray = np.linspace(0, 1, 101)
"""The recalls a curve is given at."""

_BLOCK_THRESHOLDS = 1024
_EXACT_IN_FLOAT32 = 1 << 24
"""Whole numbers up to it, and so sums of them in any order, are exact in float32."""


@dataclass(frozen=True, eq=False)
class PrecisionResamples:
    """Average precision on all samples, and in resamples of their groups.

    Attributes:
        average: Average precision of each class, shape (C,); NaN without a positive.
        resampled: The same in each resample, shape (R, C); NaN where all samples are of one
            group, whose resamples cannot tell how it varies.
        num_positives: Positives of each class in each resample, shape (R, C).
    """

    average: RealArray
    resampled: RealArray
    num_positives: RealArray


@dataclass(frozen=True, eq=False)
class _Thresholds:
    """The scores of one class from which a positive is added, highest first.

    Attributes:
        of_sample: Place of the first of them a sample reaches, shape (N,); K if none.
        positives: Positives that each adds, shape (K,).
        samples: Samples that each adds, shape (K,).
    """

    of_sample: IntArray
    positives: IntArray
    samples: IntArray


def average_precisions(scores: FloatArray, truth: BoolArray) -> RealArray:
    """Return the average precision of each class, shape (C,); NaN where it has no positive.

    With precision P[n] and recall R[n] of the samples that score at least the n-th highest
    distinct score:

        AP = sum over n of (R[n] - R[n-1]) * P[n]

    which is the area under the curve of steps, without interpolation, as in scikit-learn's
    ``average_precision_score``: samples of one score are taken together, so their order has no
    effect. Scores and truth have shape (N, C).
    """
    return np.array([_area(*_cumulated(column)) for column in _columns(scores, truth)])


def precision_curves(scores: FloatArray, truth: BoolArray) -> RealArray:
    """Return each class's precision at `RECALLS`, shape (C, P); NaN where it has no positive.

    It is the precision at the highest score from which the recall is reached, so that the area
    under the curve is the average precision.
    """
    curves = np.full((scores.shape[1], len(RECALLS)), np.nan)
    for curve, column in zip(curves, _columns(scores, truth), strict=True):
        positives, samples = _cumulated(column)
        if len(positives):
            # Compared as counts: a recall of 7 / 10 and the grid's 0.7 differ in the last bit.
            wanted = np.ceil(np.round(RECALLS * positives[-1], 9))
            curve[:] = (positives / samples)[np.searchsorted(positives, wanted)]
    return curves


def best_f1_thresholds(scores: FloatArray, truth: BoolArray) -> FloatArray:
    """Return for each class the score from which on its F1 is best, shape (C,).

    Of several, the highest; 0.5 where the class has no positive. Scores and truth have shape
    (N, C).
    """
    best = np.full(scores.shape[1], 0.5, np.float32)
    for place, column in enumerate(scores.T):
        levels, level_of = np.unique(-column, return_inverse=True)
        counts = np.bincount(level_of, minlength=len(levels)).cumsum()
        hits = np.bincount(level_of[truth[:, place]], minlength=len(levels)).cumsum()
        if len(hits) and hits[-1]:
            best[place] = -levels[(2 * hits / (counts + hits[-1])).argmax()]
    return best


def resample_precisions(
    scores: FloatArray,
    truth: BoolArray,
    groups: npt.ArrayLike,
    *,
    seed: int = 0,
    num_resamples: int = 1000,
) -> PrecisionResamples:
    """Return average precisions with their values in resamples of groups, such as films.

    ``groups`` names each sample's, shape (N,); one that is drawn k times counts k times. Two sets
    of scores of the same samples have the same resamples, so that their differences are paired.
    All sums are of whole numbers and exact: the same seed gives the same to the last bit.
    """
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    counts = resample_counts(len(names), seed=seed, num_resamples=num_resamples)
    largest = int((counts @ np.bincount(group_of)).max())
    is_exact = largest < _EXACT_IN_FLOAT32
    counts_RG = counts.astype(np.float32) if is_exact else counts.astype(np.float64)
    average, resampled, positives = [], [], []
    for place, column in enumerate(_columns(scores, truth)):
        average.append(_area(*_cumulated(column)))
        areas, totals = _resampled_areas(column, truth[:, place], group_of, counts_RG)
        resampled.append(areas)
        positives.append(totals)
    resampled_RC = np.stack(resampled, axis=1)
    if len(names) < 2:
        resampled_RC.fill(np.nan)
    return PrecisionResamples(np.array(average), resampled_RC, np.stack(positives, axis=1))


def _columns(scores: FloatArray, truth: BoolArray) -> Iterator[_Thresholds]:
    for place in range(scores.shape[1]):
        yield _thresholds_of(scores[:, place], truth[:, place])


def _thresholds_of(scores: FloatArray, truth: BoolArray) -> _Thresholds:
    """Return the thresholds of one class; those that add no positive add nothing to the area."""
    levels = np.unique(scores[truth])[::-1]
    # Samples at a level and above the next lower one reach that level first.
    of_sample = np.searchsorted(-levels, -scores)
    num_levels = len(levels)
    return _Thresholds(
        of_sample,
        np.bincount(of_sample[truth], minlength=num_levels)[:num_levels],
        np.bincount(of_sample, minlength=num_levels)[:num_levels],
    )


def _cumulated(thresholds: _Thresholds) -> tuple[IntArray, IntArray]:
    """Return positives and samples from each threshold up, both of shape (K,)."""
    return np.cumsum(thresholds.positives), np.cumsum(thresholds.samples)


def _area(positives: IntArray, samples: IntArray) -> float:
    if not len(positives):
        return float("nan")
    recalls = np.diff(positives, prepend=0) / positives[-1]
    return float((recalls * (positives / samples)).sum())


def _resampled_areas(
    thresholds: _Thresholds, truth: BoolArray, group_of: IntArray, counts_RG: RealArray | FloatArray
) -> tuple[RealArray, RealArray]:
    """Return the area and the number of positives in each resample, both of shape (R,)."""
    num_resamples, num_groups = counts_RG.shape
    areas, samples, positives = np.zeros((3, num_resamples))
    for first in range(0, len(thresholds.samples), _BLOCK_THRESHOLDS):
        width = min(_BLOCK_THRESHOLDS, len(thresholds.samples) - first)
        inside = (thresholds.of_sample >= first) & (thresholds.of_sample < first + width)
        added_RK = []
        for chosen in (inside, inside & truth):
            cells = group_of[chosen] * width + thresholds.of_sample[chosen] - first
            cells_GK = np.bincount(cells, minlength=num_groups * width).reshape(num_groups, width)
            added_RK.append((counts_RG @ cells_GK.astype(counts_RG.dtype)).astype(np.float64))
        samples_RK = samples[:, None] + np.cumsum(added_RK[0], axis=1)
        positives_RK = positives[:, None] + np.cumsum(added_RK[1], axis=1)
        precision_RK = np.divide(
            positives_RK, samples_RK, out=np.zeros_like(samples_RK), where=samples_RK > 0
        )
        areas += (added_RK[1] * precision_RK).sum(axis=1)
        samples, positives = samples_RK[:, -1], positives_RK[:, -1]
    areas = np.divide(areas, positives, out=np.full(num_resamples, np.nan), where=positives > 0)
    return areas, positives
