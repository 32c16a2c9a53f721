"""Groups of embeddings: k-means, its k chosen by silhouette, and HDBSCAN."""
# T trailers, D width, S sampled trailers, K groups

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import GenresError, SettingError
from mastershot.evaluation.bootstrap import RealArray

Method: TypeAlias = Literal["kmeans", "hdbscan"]
METHODS = get_args(Method)

UNASSIGNED = -1
"""The label of what HDBSCAN calls noise."""
MOST_SUBGENRES = 40
"""The most groups that k-means tries, unless asked for more: a page of more is not read."""
MOST_TRIED = 16
"""Numbers of groups that are tried; of a wider range so many, in a geometric series, and then those
around the best of them."""
SILHOUETTE_SAMPLE = 2000
"""Trailers whose silhouettes choose k. Each is measured against all trailers."""
HDBSCAN_WIDTH = 32
"""Principal components that HDBSCAN sees: density says little in hundreds of dimensions."""

_STARTS, _BLOCK = 3, 1024


@dataclass(frozen=True)
class ClusterSettings:
    """How trailers are grouped.

    Attributes:
        method: ``kmeans`` or ``hdbscan``.
        least_k: The fewest groups that k-means tries.
        most_k: The most; an eighth of the trailers, at most `MOST_SUBGENRES`, if not given.
        min_size: The fewest trailers of a group of HDBSCAN; a two-hundredth of all, at least 5,
            if not given.
        seed: Settles k-means and the sample of silhouettes.
    """

    method: Method = "kmeans"
    least_k: int = 2
    most_k: int | None = None
    min_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise SettingError(f"clustering by {self.method!r} is unknown; use kmeans or hdbscan")
        if self.least_k < 2 or (self.most_k is not None and self.most_k < self.least_k):
            most = "" if self.most_k is None else f"-{self.most_k}"
            raise SettingError(
                f"{self.least_k}{most} sub-genres are not possible; k is a number from 2, or a "
                "range such as 2-40"
            )
        if self.min_size is not None and self.min_size < 2:
            raise SettingError(f"a sub-genre of {self.min_size} is none; it takes 2 trailers")


@dataclass(frozen=True, eq=False)
class Clusters:
    """Trailers in groups.

    Attributes:
        labels: The group of each trailer, from 0, the largest first, or `UNASSIGNED`, (T,).
        num_groups: How many groups there are.
        tried: The mean silhouette of each number of groups that was tried; empty where none was
            to be chosen.
        num_sampled: Trailers on which those silhouettes are means.
    """

    labels: IntArray
    num_groups: int
    tried: dict[int, float]
    num_sampled: int


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Return vectors of length 1, (T, D); zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: FloatArray = np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
    return made


def check_embeddings(vectors: FloatArray, what: str) -> None:
    """Raise `GenresError` unless embeddings are finite and differ in direction."""
    if not np.isfinite(vectors).all():
        bad = int((~np.isfinite(vectors)).any(axis=1).sum())
        raise GenresError(
            f"the {what} embeddings of {bad:,} of {len(vectors):,} trailers are not finite; "
            "compute them anew"
        )
    if len(vectors) < 2 or np.allclose(unit := unit_rows(vectors), unit[0], atol=1e-6):
        raise GenresError(
            f"the {what} embeddings of {len(vectors):,} trailers are all equal, so there is "
            "nothing to group"
        )


def cluster(unit: FloatArray, settings: ClusterSettings) -> Clusters:
    """Return unit vectors in groups; the same on one machine for the same input.

    k-means sees unit vectors, so that it goes by angles, as NT-Xent does, and takes the best of
    three starts. Its k is the one of highest mean silhouette over `SILHOUETTE_SAMPLE` trailers, the
    smaller of two equal ones. HDBSCAN sees the first `HDBSCAN_WIDTH` principal components.

    Raises:
        GenresError: There are fewer distinct trailers than groups asked for.
    """
    if settings.method == "hdbscan":
        labels, num_groups = _by_size(_hdbscan(unit, settings.min_size or least_size(len(unit))))
        return Clusters(labels, num_groups, {}, 0)
    num_distinct = len(np.unique(unit, axis=0))
    most = settings.most_k or max(min(MOST_SUBGENRES, num_distinct // 8), settings.least_k)
    if most > num_distinct:
        raise GenresError(
            f"{most} sub-genres were asked for of {num_distinct:,} distinct trailers; ask for "
            "fewer, or give more trailers"
        )
    numbers = numbers_tried(settings.least_k, most)
    if len(numbers) == 1:
        labels, num_groups = _by_size(k_means(unit, numbers[0], settings.seed))
        return Clusters(labels, num_groups, {}, 0)
    rows = _sample(len(unit), settings.seed)
    found: dict[int, IntArray] = {}
    tried: dict[int, float] = {}
    while numbers:
        made = {number: k_means(unit, number, settings.seed) for number in numbers}
        figures = mean_silhouettes(unit, list(made.values()), rows)
        first_round = not found
        found |= made
        tried |= dict(zip(numbers, figures, strict=True))
        best = max(tried, key=lambda number: (tried[number], -number))
        numbers = _around(best, list(tried)) if first_round else []
    labels, num_groups = _by_size(found[best])
    return Clusters(labels, num_groups, dict(sorted(tried.items())), len(rows))


def numbers_tried(least: int, most: int) -> list[int]:
    """Return the numbers of groups that are tried between two, both included."""
    if most - least < MOST_TRIED:
        return list(range(least, most + 1))
    return sorted({round(number) for number in np.geomspace(least, most, MOST_TRIED).tolist()})


def _around(best: int, tried: list[int]) -> list[int]:
    """Return the numbers between the best of those tried, in order, and the ones beside it."""
    place = tried.index(best)
    low, high = tried[max(place - 1, 0)], tried[min(place + 1, len(tried) - 1)]
    return [number for number in numbers_tried(low, high) if number not in tried]


def least_size(num_trailers: int) -> int:
    """Return the fewest trailers that HDBSCAN calls a group, unless it is told."""
    return max(5, num_trailers // 200)


def k_means(unit: FloatArray, k: int, seed: int) -> IntArray:
    """Return the group of each vector by k-means, (T,)."""
    from sklearn.cluster import KMeans

    means = KMeans(k, n_init=_STARTS, max_iter=100, random_state=seed)
    return np.asarray(means.fit_predict(unit), np.int64)


def silhouettes(unit: FloatArray, labels: IntArray, rows: IntArray) -> RealArray:
    """Return the silhouettes of some trailers, each measured against all, (S,).

    (b - a) / max(a, b), with a the mean distance to the others of its group and b that to the
    nearest other group (Rousseeuw 1987), by Euclidean distances of unit vectors. It is 0 for a
    group of one, and NaN for a trailer of no group and where there are not two groups.
    """
    [found] = _silhouettes(unit, [labels], rows)
    return found


def mean_silhouettes(
    unit: FloatArray, groupings: Sequence[IntArray], rows: IntArray
) -> list[float]:
    """Return the mean silhouette of several groupings over some trailers."""
    return [float(np.nanmean(found)) for found in _silhouettes(unit, groupings, rows)]


def _silhouettes(
    unit: FloatArray, groupings: Sequence[IntArray], rows: IntArray
) -> list[RealArray]:
    """Return silhouettes for several groupings, from one computation of the distances."""
    found = [np.full(len(rows), np.nan) for _ in groupings]
    members = [labels[:, None] == np.arange(labels.max() + 1) for labels in groupings]
    squares = (unit**2).sum(axis=1)
    for first in range(0, len(rows), _BLOCK):
        block = rows[first : first + _BLOCK]
        squared = squares[block, None] + squares - 2 * (unit[block] @ unit.T)
        distances = np.sqrt(np.maximum(squared, 0))
        distances[np.arange(len(block)), block] = 0
        for silhouette, labels, member in zip(found, groupings, members, strict=True):
            if member.shape[1] > 1:
                sums = distances @ member.astype(np.float32)
                silhouette[first : first + len(block)] = _of_sums(
                    sums.astype(np.float64), member.sum(axis=0), labels[block]
                )
    return found


def _of_sums(sums_SK: RealArray, sizes_K: IntArray, labels_S: IntArray) -> RealArray:
    here = np.arange(len(labels_S))
    own = sizes_K[labels_S]
    within = sums_SK[here, labels_S] / np.maximum(own - 1, 1)
    means_SK = sums_SK / sizes_K
    means_SK[here, labels_S] = np.inf
    nearest = means_SK.min(axis=1)
    larger = np.maximum(np.maximum(within, nearest), np.finfo(np.float64).tiny)
    found = np.where(own > 1, (nearest - within) / larger, 0.0)
    return np.where(labels_S == UNASSIGNED, np.nan, found)


def _hdbscan(unit: FloatArray, min_size: int) -> IntArray:
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    if min_size > len(unit):
        raise GenresError(
            f"a sub-genre of {min_size:,} trailers was asked for of {len(unit):,}; ask for less"
        )
    width = min(HDBSCAN_WIDTH, *unit.shape)
    reduced = PCA(width, svd_solver="covariance_eigh").fit_transform(unit.astype(np.float64))
    density = HDBSCAN(min_cluster_size=min_size, min_samples=min(min_size, 5), copy=True)
    return np.asarray(density.fit_predict(reduced), np.int64)


def _by_size(labels: IntArray) -> tuple[IntArray, int]:
    """Return labels from 0, the largest group first, and how many groups there are."""
    names, counts = np.unique(labels[labels != UNASSIGNED], return_counts=True)
    made = np.full(len(labels), UNASSIGNED, np.int64)
    for place, index in enumerate(np.argsort(-counts, kind="stable")):
        made[labels == names[index]] = place
    return made, len(names)


def _sample(num_trailers: int, seed: int) -> IntArray:
    if num_trailers <= SILHOUETTE_SAMPLE:
        return np.arange(num_trailers)
    chosen = np.random.default_rng(seed).choice(num_trailers, SILHOUETTE_SAMPLE, replace=False)
    return np.sort(chosen)
