"""The nearest trailers of each trailer, and how many of them have its genres."""
# T trailers, Q queries, N neighbours, G genres, R resamples

from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.evaluation.bootstrap import (
    UNDEFINED,
    BoolArray,
    Figure,
    RealArray,
    figure_of_sums,
)

NUM_NEIGHBOURS = 10

_BLOCK = 1024


@dataclass(frozen=True)
class Retrieval:
    """How far the nearest trailers have the genres of the trailer asked for.

    Attributes:
        precision: Mean share of the nearest that have any of its genres.
        jaccard: Mean Jaccard index of their genres and its own.
        chance: The precision that trailers drawn at random would have.
        num_neighbours: How many nearest trailers are looked at.
    """

    precision: Figure
    jaccard: Figure
    chance: float
    num_neighbours: int


def nearest_trailers(unit: FloatArray, films: IntArray, num_neighbours: int) -> IntArray:
    """Return the nearest trailers of each by cosine, nearest first, (T, N).

    Trailers of one film, which have equal numbers in ``films``, (T,), are not neighbours of each
    other: -1 stands where there are fewer others than asked for.
    """
    count = len(unit)
    wanted = min(num_neighbours, count - 1)
    found = np.full((count, num_neighbours), -1, np.int64)
    for first in range(0, count, _BLOCK):
        rows = slice(first, min(first + _BLOCK, count))
        cosines = unit[rows] @ unit.T
        cosines[films[rows, None] == films] = -np.inf
        places = np.argpartition(-cosines, wanted - 1, axis=1)[:, :wanted]
        near = np.take_along_axis(cosines, places, axis=1)
        order = np.lexsort((places, -near), axis=1)
        places = np.take_along_axis(places, order, axis=1)
        near = np.take_along_axis(near, order, axis=1)
        found[rows, :wanted] = np.where(np.isfinite(near), places, -1)
    return found


def retrieval(
    nearest: IntArray, truth: BoolArray, films: IntArray, queries: IntArray, *, seed: int = 0
) -> Retrieval:
    """Return how far the nearest trailers of some have their genres, by bootstrap over films.

    Queries without a genre do not count; a neighbour without one shares none.
    """
    asked = _asked(nearest, truth, queries)
    shared, jaccard = _shared(nearest, truth, asked)
    groups = [str(film) for film in films[asked].tolist()]
    return Retrieval(
        precision=_mean_figure(shared, groups, seed),
        jaccard=_mean_figure(jaccard, groups, seed),
        chance=_chance(truth, asked),
        num_neighbours=nearest.shape[1],
    )


def _chance(truth: BoolArray, asked: IntArray) -> float:
    """Return the share of pairs of a query and another trailer that have a genre in common."""
    # Sets of genres are few, and pairs of them fit in memory where pairs of trailers do not.
    sets, set_of, counts = np.unique(truth, axis=0, return_inverse=True, return_counts=True)
    shared = (sets.astype(np.int64) @ sets.T.astype(np.int64)) > 0
    num_sharing = (shared @ counts)[set_of.ravel()[asked]] - 1
    return float(num_sharing.sum() / max(len(asked) * (len(truth) - 1), 1))


def precision_gain(
    before: IntArray,
    after: IntArray,
    truth: BoolArray,
    films: IntArray,
    queries: IntArray,
) -> Figure:
    """Return how much more precise the nearest trailers are after, paired by query."""
    asked = np.intersect1d(_asked(before, truth, queries), _asked(after, truth, queries))
    gains = _shared(after, truth, asked)[0] - _shared(before, truth, asked)[0]
    return _mean_figure(gains, [str(film) for film in films[asked].tolist()], 0)


def _asked(nearest: IntArray, truth: BoolArray, queries: IntArray) -> IntArray:
    """Return the queries that have a genre and a neighbour."""
    return queries[truth[queries].any(axis=1) & (nearest[queries] >= 0).any(axis=1)]


def _shared(nearest: IntArray, truth: BoolArray, asked: IntArray) -> tuple[RealArray, RealArray]:
    """Return of each query the share of neighbours with a genre of its, and the mean Jaccard."""
    near = nearest[asked]
    is_there = near >= 0
    both = (truth[asked][:, None] & truth[near]).sum(axis=2)
    either = (truth[asked][:, None] | truth[near]).sum(axis=2)
    number = np.maximum(is_there.sum(axis=1), 1)
    shares = ((both > 0) & is_there).sum(axis=1) / number
    jaccard = (both / np.maximum(either, 1) * is_there).sum(axis=1) / number
    return shares, jaccard


def _mean_figure(values: RealArray, groups: list[str], seed: int) -> Figure:
    if not len(values):
        return Figure(np.nan, UNDEFINED, 0)
    rows = np.stack([values, np.ones(len(values))], axis=1)
    return figure_of_sums(rows, groups, lambda sums: float(sums[0] / sums[1]), seed=seed)
