"""How far people agree with each other, and with the labels they were shown."""
# U units, R raters, V values, N shots, K labels shown

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.evaluation.bootstrap import (
    UNDEFINED,
    BoolArray,
    Figure,
    RealArray,
    figure_of_sums,
    share_figure,
)

NO_VALUE = -1
"""Stands where a rater gave a unit no value."""


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

    1 is perfect agreement, 0 what chance gives. Units with fewer than two values do not count. From
    "Computing Krippendorff's Alpha-Reliability", 2011, section C. Values are small whole numbers
    from 0, shape (U, R), or `NO_VALUE` where a rater gave none.
    """
    return _alpha_of(_coincidences(values).sum(axis=0))


def alpha_figure(values: IntArray, groups: Sequence[str], *, seed: int = 0) -> Figure:
    """Return Krippendorff's alpha with its interval, by bootstrap over groups of units.

    A resample in which no two values differ shows no disagreement and counts as 1.
    """
    used = (values != NO_VALUE).sum(axis=1) >= 2
    groups_used = np.asarray(groups)[used].tolist()
    num_groups = len(set(groups_used))
    alpha = krippendorff_alpha(values)
    if np.isnan(alpha):
        return Figure(alpha, UNDEFINED, num_groups)
    figure = figure_of_sums(_coincidences(values)[used], groups_used, _alpha_or_one, seed=seed)
    return replace(figure, value=alpha, num_items=num_groups)


def label_agreement(
    confirmed: BoolArray, groups: Sequence[str], *, weights: RealArray | None = None, seed: int = 0
) -> LabelAgreement:
    """Return how often the best label, and any label shown, was confirmed (METHODS A6).

    ``confirmed`` says it of each label shown, best first, shape (N, K); ``weights`` how many shots
    each stands for, where some kinds were drawn more often than others.
    """
    return LabelAgreement(
        best=share_figure(confirmed[:, 0], groups, weights=weights, seed=seed),
        any=share_figure(np.any(confirmed, axis=1), groups, weights=weights, seed=seed),
    )


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


def _alpha_or_one(coincidences: RealArray) -> float:
    alpha = _alpha_of(coincidences)
    return 1.0 if np.isnan(alpha) else alpha
