"""How far sub-genres can be trusted: whether they are found again, and what they say of genres."""
# T trailers, G genres, M triplets

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import GenresError
from mastershot.evaluation.bootstrap import (
    UNDEFINED,
    BoolArray,
    Figure,
    RealArray,
    basic_interval,
    bootstrap_interval,
    figure_of_sums,
    resample_counts,
)
from mastershot.genres.clustering import UNASSIGNED
from mastershot.genres.trailers import NO_GENRE

PAIRS = 10
"""Pairs of resamples that stability is the mean of."""
_RESAMPLES = 400
"""Resamples that the intervals of purity come from."""


@dataclass(frozen=True)
class Purity:
    """What sub-genres say of coarse genres; 0 where nothing, 1 where all.

    Attributes:
        primary: Normalised mutual information of sub-genres and each trailer's primary genre, the
            rarest of its genres, over the trailers that have both.
        any_genre: How much of the uncertainty whether a trailer has a genre its sub-genre removes,
            as the mean over genres weighted by how many trailers have them. Unlike the first it
            counts all of a trailer's genres.
    """

    primary: Figure
    any_genre: Figure


def stability(
    unit: FloatArray,
    group: Callable[[FloatArray, int], IntArray],
    *,
    num_pairs: int = PAIRS,
    seed: int = 0,
) -> Figure:
    """Return how far clusterings of two resamples agree, as their adjusted Rand index.

    Each of a pair groups the distinct trailers of a bootstrap resample, some 63 % of all; they are
    compared on those that both hold. Its figure is the mean over disjoint pairs, its interval that
    of the mean, by bootstrap over pairs. A trailer of no group is a group by itself; a pair of
    which one has not two groups counts as 0, for nothing was found again.

    Args:
        unit: Unit vectors, (T, D).
        group: Groups vectors, given a seed, as the clustering did that is judged.
        num_pairs: How many pairs are drawn.
        seed: Settles the resamples.
    """
    generator = np.random.default_rng(seed)
    found = np.array([_agreement(unit, group, generator) for _ in range(num_pairs)])
    interval = bootstrap_interval(lambda items: float(found[items].mean()), num_pairs, seed=seed)
    return Figure(float(found.mean()), interval, num_pairs)


def _agreement(
    unit: FloatArray, group: Callable[[FloatArray, int], IntArray], generator: np.random.Generator
) -> float:
    from sklearn.metrics import adjusted_rand_score

    labels = []
    for _ in range(2):
        drawn = np.unique(generator.integers(0, len(unit), len(unit)))
        made = np.full(len(unit), -len(unit) - 1, np.int64)  # not drawn
        made[drawn] = group(unit[drawn], int(generator.integers(1 << 31)))
        if len(np.unique(made[made >= 0])) < 2:
            return 0.0
        alone = np.flatnonzero(made == UNASSIGNED)
        made[alone] = made.max() + 1 + np.arange(len(alone))
        labels.append(made)
    both = (labels[0] >= 0) & (labels[1] >= 0)
    return float(adjusted_rand_score(labels[0][both], labels[1][both]))


def purity(labels: IntArray, truth: BoolArray, primary: IntArray, *, seed: int = 0) -> Purity:
    """Return what sub-genres say of coarse genres, over the trailers that have both.

    Intervals are basic bootstrap intervals over trailers, for resampling alone increases mutual
    information. NaN where no trailer has both.

    Args:
        labels: The sub-genre of each trailer, or `UNASSIGNED`, (T,).
        truth: Which genres each trailer has, (T, G).
        primary: The primary genre of each trailer, or `NO_GENRE`, (T,).
        seed: Settles the intervals.
    """
    used = (labels != UNASSIGNED) & (primary != NO_GENRE)
    if not used.any():
        nothing = Figure(np.nan, UNDEFINED, 0)
        return Purity(nothing, nothing)
    labels, truth, primary = labels[used], truth[used], primary[used]
    counts = resample_counts(len(labels), seed=seed, num_resamples=_RESAMPLES)
    weights = np.concatenate([np.ones((1, len(labels)), np.int64), counts])
    num_labels, num_genres = int(labels.max()) + 1, truth.shape[1]
    of_primary, of_any = np.zeros((2, len(weights)))
    for place, weight in enumerate(weights.astype(np.float64)):
        table = np.bincount(
            labels * num_genres + primary, weight, minlength=num_labels * num_genres
        ).reshape(num_labels, num_genres)
        having = np.stack(
            [np.bincount(labels, weight * column, minlength=num_labels) for column in truth.T]
        )
        sizes = np.bincount(labels, weight, minlength=num_labels)
        of_primary[place] = normalised_information(table.astype(np.float64))
        of_any[place] = _removed_uncertainty(having.astype(np.float64), sizes.astype(np.float64))
    return Purity(_figure(of_primary, len(labels)), _figure(of_any, len(labels)))


def normalised_information(table: RealArray) -> float:
    """Return the mutual information of rows and columns over the mean of their entropies.

    NaN where neither has an entropy. The table counts items.
    """
    rows, columns = _entropy(table.sum(axis=1)), _entropy(table.sum(axis=0))
    mean = (rows + columns) / 2
    return float((rows + columns - _entropy(table.ravel())) / mean) if mean > 0 else float("nan")


def _removed_uncertainty(having_GK: RealArray, sizes_K: RealArray) -> float:
    """Return the weighted mean over genres of mutual information over the genre's entropy."""
    total, weighted, weight = sizes_K.sum(), 0.0, 0.0
    for having_K in having_GK:
        count = having_K.sum()
        alone = _entropy(np.array([count, total - count]))
        if alone > 0:
            table = np.stack([having_K, sizes_K - having_K])
            information = alone + _entropy(sizes_K) - _entropy(table.ravel())
            weighted, weight = weighted + count * information / alone, weight + count
    return float(weighted / weight) if weight else float("nan")


def _entropy(counts: RealArray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _figure(values: RealArray, num_items: int) -> Figure:
    value = float(values[0])
    if np.isnan(value) or num_items < 2:
        return Figure(value, UNDEFINED, num_items)
    return Figure(value, basic_interval(value, values[1:]), num_items)


def triplet_agreement(
    unit: FloatArray, triplets: IntArray, films: IntArray, *, seed: int = 0
) -> Figure:
    """Return the share of triplets whose closer trailer is closer by cosine; a tie counts half.

    Triplets are places of anchor, closer and farther trailer, (M, 3). Its interval is by bootstrap
    over the anchors' films.

    Raises:
        GenresError: There is no triplet.
    """
    if not len(triplets):
        raise GenresError("there is no triplet of trailers that all have an embedding")
    anchor, closer, farther = (unit[column] for column in triplets.T)
    gain = ((closer - farther) * anchor).sum(axis=1)
    held = np.where(np.abs(gain) < 1e-7, 0.5, (gain > 0).astype(np.float64))
    rows = np.stack([held, np.ones(len(held))], axis=1)
    groups = [str(film) for film in films[triplets[:, 0]].tolist()]
    return figure_of_sums(rows, groups, lambda sums: float(sums[0] / sums[1]), seed=seed)
