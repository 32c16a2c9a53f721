"""How many viewers watched one movie after another, counted on disk."""

# N movies, E views of a file, P pairs
# a pair's key is its first movie's place times N plus its second's

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.mining.settings import CoWatchSettings
from mastershot.mining.watch_events import Views, views_of

_RUN_PAIRS = 1 << 20
"""How many pairs are held in memory: they go to disk sorted, and come back that many at a time."""

_PAIR = np.dtype([("key", "<i8"), ("count", "<i8")])

Pairs = tuple[IntArray, IntArray, IntArray]


@dataclass(frozen=True, eq=False)
class _Run:
    """Distinct pairs and their counts on disk, ascending, and where each first movie's start."""

    path: Path
    starts: IntArray

    def read(self, first: int, end: int) -> npt.NDArray[np.void]:
        """Return the pairs whose first movie is one of these."""
        start, num_pairs = int(self.starts[first]), int(self.starts[end] - self.starts[first])
        return np.fromfile(self.path, _PAIR, num_pairs, offset=start * _PAIR.itemsize)


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counted pairs, on disk in sorted runs.

    Attributes:
        num_first: How many viewers' pairs each movie is the first of, shape (N,).
        num_second: How many each is the second of, shape (N,).
        runs: What was counted, piece by piece.
    """

    num_first: IntArray
    num_second: IntArray
    runs: Sequence[_Run]

    def pieces(self) -> Iterator[Pairs]:
        """Yield (first, second, viewers), each (P,), of all pairs of some first movies.

        First movies ascend over the pieces, and pairs within them.
        """
        num_movies = len(self.num_first)
        sizes = sum((np.diff(run.starts) for run in self.runs), np.zeros(num_movies, np.int64))
        for first, end in _spans(sizes):
            pairs = np.concatenate([run.read(first, end) for run in self.runs])
            keys, counts = _summed(pairs["key"], pairs["count"])
            yield keys // num_movies, keys % num_movies, counts


def count_pairs(
    files: Sequence[Path], num_movies: int, folder: Path, settings: CoWatchSettings
) -> PairCounts:
    """Return how many viewers watched each movie after each other one.

    Args:
        files: Views, each viewer in one file, without repeats and in time (`sorted_events`).
        num_movies: N.
        folder: Where the counts are kept.
        settings: How many of a viewer's next movies count, and how much later.
    """
    num_first, num_second = np.zeros(num_movies, np.int64), np.zeros(num_movies, np.int64)
    runs: list[_Run] = []
    held: list[IntArray] = []
    for path in files:
        for first, second in _followers(views_of(path), settings):
            num_first += np.bincount(first, minlength=num_movies)
            num_second += np.bincount(second, minlength=num_movies)
            held.append(first * num_movies + second)
            if sum(map(len, held)) >= _RUN_PAIRS:
                runs.append(_written(held, num_movies, folder / f"pairs-{len(runs)}"))
                held = []
    if held:
        runs.append(_written(held, num_movies, folder / f"pairs-{len(runs)}"))
    return PairCounts(num_first, num_second, runs)


def _followers(views: Views, settings: CoWatchSettings) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield movies and those that came so many views after them, one, two, three, … later."""
    viewer, movie, times_s = views
    starts, step, last = np.arange(len(viewer)), 0, settings.next_items or len(viewer)
    while len(starts) and step < last:
        step += 1
        starts = starts[starts + step < len(viewer)]
        follows = viewer[starts + step] == viewer[starts]
        if settings.within_days:
            follows &= times_s[starts + step] - times_s[starts] <= settings.within_days * 86_400
        starts = starts[follows]
        yield movie[starts].astype(np.int64), movie[starts + step].astype(np.int64)


def _written(keys: Sequence[IntArray], num_movies: int, path: Path) -> _Run:
    distinct, counts = np.unique(np.concatenate(keys), return_counts=True)
    pairs = np.empty(len(distinct), _PAIR)
    pairs["key"], pairs["count"] = distinct, counts
    pairs.tofile(path)
    return _Run(path, np.searchsorted(distinct, np.arange(num_movies + 1) * num_movies))


def _spans(sizes: IntArray) -> Iterator[tuple[int, int]]:
    """Yield half-open spans of movies of some `_RUN_PAIRS` pairs, or of one movie with more."""
    ends = np.cumsum(sizes)
    first, done = 0, 0
    while first < len(sizes):
        end = max(int(np.searchsorted(ends, done + _RUN_PAIRS, side="right")), first + 1)
        if ends[end - 1] > done:
            yield first, end
        first, done = end, int(ends[end - 1])


def _summed(keys: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Return the distinct keys, ascending, and the sums of their counts."""
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[firsts], np.add.reduceat(counts, firsts)
