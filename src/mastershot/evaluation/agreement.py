"""How far people agree with each other, and with the labels they were shown."""
# U units, R raters, V values, G groups of units, N shots, K labels shown

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.evaluation.metrics import Interval, bootstrap_interval

RealArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NO_VALUE = -1
"""Stands where a rater gave a unit no value."""


@dataclass(frozen=True)
class Figure:
    """A figure and how sure it is.

    Attributes:
        value: The figure; NaN where the data do not define it.
        interval: Where it lies with 95 % confidence, by bootstrap over the items.
        num_items: How many items it rests on.
    """

    value: float
    interval: Interval
    num_items: int


@dataclass(frozen=True)
class LabelAgreement:
    """How often people confirm what they were shown.

    Attributes:
        best: Share of shots whose best label was confirmed.
        any: Share of shots of which any label shown was.
    """

    best: Figure
    any: Figure


def krippendorff_alpha(values: IntArray) -> float:
    """Return Krippendorff's alpha for nominal values; NaN where no two values differ.

    One minus observed over expected disagreement, from the coincidences of values within units:

        alpha = 1 - (n - 1) * sum of o[c, k] over c != k / sum of n[c] * n[k] over c != k

    1 is perfect agreement, 0 what chance gives. Units with fewer than two values count for
    nothing. From "Computing Krippendorff's Alpha-Reliability", 2011, section C.

    Args:
        values: Small whole numbers from 0, shape (U, R); `NO_VALUE` where a rater gave none.
    """
    return _alpha_of(_coincidences(values).sum(axis=0))


def alpha_figure(
    values: IntArray, groups: Sequence[str], *, seed: int = 0, num_resamples: int = 1000
) -> Figure:
    """Return Krippendorff's alpha with its interval, by bootstrap over groups of units.

    A resample in which no two values differ shows no disagreement and counts as 1.

    Args:
        values: As in `krippendorff_alpha`.
        groups: What each unit belongs to, such as the video: units of one group are drawn
            together.
        seed: The same seed gives the same interval.
        num_resamples: How many resamples are drawn.
    """
    coincidences = _coincidences(values)
    used = (values != NO_VALUE).sum(axis=1) >= 2
    grouped = sums_by_group(coincidences[used], np.asarray(groups)[used])
    value = _alpha_of(coincidences.sum(axis=0))
    if np.isnan(value):
        return Figure(value, Interval(np.nan, np.nan), len(grouped))

    def alpha(items: IntArray) -> float:
        resampled = _alpha_of(grouped[items].sum(axis=0))
        return 1.0 if np.isnan(resampled) else resampled

    interval = bootstrap_interval(alpha, len(grouped), seed=seed, num_resamples=num_resamples)
    return Figure(value, interval, len(grouped))


def label_agreement(
    confirmed: BoolArray, groups: Sequence[str], *, weights: RealArray | None = None, seed: int = 0
) -> LabelAgreement:
    """Return how often the best label, and any label shown, was confirmed (METHODS A6).

    Args:
        confirmed: Whether each label shown was confirmed, best first, shape (N, K).
        groups: What each shot belongs to, such as its video.
        weights: How many shots each stands for, where some kinds were drawn more often than
            others; one each if not given.
        seed: Settles the intervals.
    """
    return LabelAgreement(
        best=share_figure(confirmed[:, 0], groups, weights=weights, seed=seed),
        any=share_figure(np.any(confirmed, axis=1), groups, weights=weights, seed=seed),
    )


def share_figure(
    holds: BoolArray, groups: Sequence[str], *, weights: RealArray | None = None, seed: int = 0
) -> Figure:
    """Return the share of items for which something holds, by bootstrap over their groups.

    The share of no items is NaN. With weights it is the ratio of the sums, in each resample too.

    Args:
        holds: Whether it holds of each item, shape (N,).
        groups: What each item belongs to.
        weights: How much each item counts; one each if not given.
        seed: Settles the interval.
    """
    if not len(holds):
        return Figure(np.nan, Interval(np.nan, np.nan), 0)
    weight = np.ones(len(holds)) if weights is None else weights
    sums = sums_by_group(np.stack([weight * holds, weight], axis=1), np.asarray(groups))

    def share(items: IntArray) -> float:
        held, total = sums[items].sum(axis=0)
        return float(held / total)

    value = share(np.arange(len(sums)))
    return Figure(value, bootstrap_interval(share, len(sums), seed=seed), len(holds))


def _coincidences(values: IntArray) -> RealArray:
    """Return how often each two values meet within each unit, shape (U, V, V).

    Each of a unit's m values is paired with each other one, and each pair counts 1 / (m - 1).
    """
    num_values = int(values.max(initial=0)) + 1
    counts = (values[:, :, None] == np.arange(num_values)).sum(axis=1).astype(np.float64)
    total = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs[:, np.arange(num_values), np.arange(num_values)] -= counts
    share = np.divide(1, total - 1, out=np.zeros_like(total), where=total > 1)
    return np.asarray(pairs * share[:, None, None])


def _alpha_of(coincidences: RealArray) -> float:
    """Return alpha from the coincidences of all units, shape (V, V)."""
    margins = coincidences.sum(axis=1)
    total = margins.sum()
    observed = total - np.trace(coincidences)
    expected = total**2 - (margins**2).sum()
    return float(1 - (total - 1) * observed / expected) if expected > 0 else float("nan")


def sums_by_group(values: RealArray, groups: npt.NDArray[np.str_]) -> RealArray:
    """Return the sum of the rows of each group, in the order of the groups' names."""
    names, group_of = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, group_of, values)
    return sums
