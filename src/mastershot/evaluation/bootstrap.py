"""How sure a figure is: its interval by bootstrap over groups of items, or of a count, exact."""
# N items

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray

RealArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """Where a figure lies, at the confidence asked for."""

    low: float
    high: float


UNDEFINED = Interval(np.nan, np.nan)


@dataclass(frozen=True)
class Figure:
    """A figure and how sure it is.

    Attributes:
        value: The figure; NaN where the data do not define it.
        interval: Where it lies with 95 % confidence, by bootstrap over the items; `UNDEFINED`
            where they are of one group, whose resamples cannot tell how it varies.
        num_items: How many items it rests on.
    """

    value: float
    interval: Interval
    num_items: int


def bootstrap_interval(
    metric: Callable[[IntArray], float],
    num_items: int,
    *,
    seed: int = 0,
    num_resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Return the percentile bootstrap interval of a metric over items (METHODS D).

    The metric gets the indices of a resample's items, some of them repeated. Items are what was
    sampled independently: videos, where several rows share one. From Efron and Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 13. The same seed gives the same interval. One
    item alone has none: every resample is that item.
    """
    if num_items < 2:
        return UNDEFINED
    draws = _draw_items(num_items, num_resamples, seed)
    return interval_of([metric(items) for items in draws], level=level)


def resample_counts(num_items: int, *, seed: int = 0, num_resamples: int = 1000) -> IntArray:
    """Return how often each item is in each resample, shape (resamples, items).

    The resamples are those of `bootstrap_interval` with the same seed.
    """
    draws = _draw_items(num_items, num_resamples, seed)
    counts = np.zeros((num_resamples, num_items), np.int64)
    np.add.at(counts, (np.arange(num_resamples)[:, None], draws), 1)
    return counts


def interval_of(figures: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the interval between the outer percentiles of a metric's values in resamples.

    Resamples in which the metric is NaN do not count; where it always is, so is the interval.
    """
    values = np.asarray(figures, np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return UNDEFINED
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def basic_interval(
    value: float, figures: npt.ArrayLike, *, least: float = 0.0, level: float = 0.95
) -> Interval:
    """Return the basic bootstrap interval: the percentiles of a metric, mirrored at its value.

    Where resampling biases a metric upwards, as it does a mean of average precisions of classes
    that have few samples, so does sampling; the mirror image allows for both (Davison and Hinkley,
    "Bootstrap Methods and their Application", 1997, section 5.2.1). It stays between the least
    value that the metric can have and 1.
    """
    percentiles = interval_of(figures, level=level)
    ends = (2 * value - percentiles.high, 2 * value - percentiles.low)
    return Interval(*np.clip(ends, least, 1).tolist())


def binomial_figure(num_hits: int, num_trials: int, *, level: float = 0.95) -> Figure:
    """Return the share of independent trials that hit, with its Clopper-Pearson interval.

    The interval holds the true share with at least that probability, however rare hits are (Clopper
    and Pearson, Biometrika 26, 1934). Its ends are the shares under which so many hits or more, or
    so many or fewer, have half of what is left; they are found by bisection. No trial has no share.
    """
    assert 0 <= num_hits <= num_trials, (num_hits, num_trials)
    if not num_trials:
        return Figure(np.nan, UNDEFINED, 0)
    tail = (1 - level) / 2
    low, high = 0.0, 1.0
    if num_hits:
        low = _bisect(lambda share: 1 - _at_most(num_hits - 1, num_trials, share) < tail)
    if num_hits < num_trials:
        high = _bisect(lambda share: _at_most(num_hits, num_trials, share) > tail)
    return Figure(num_hits / num_trials, Interval(low, high), num_trials)


def _at_most(num_hits: int, num_trials: int, share: float) -> float:
    """Return the probability of at most so many hits, each of this share, in (0, 1)."""
    logs = lgamma(num_trials + 1)
    return sum(
        exp(
            logs
            - lgamma(count + 1)
            - lgamma(num_trials - count + 1)
            + count * log(share)
            + (num_trials - count) * log(1 - share)
        )
        for count in range(num_hits + 1)
    )


def _bisect(is_below: Callable[[float], bool]) -> float:
    """Return where in (0, 1) a condition stops to hold, to 1e-12."""
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2


def _draw_items(num_items: int, num_resamples: int, seed: int) -> IntArray:
    generator = np.random.default_rng(seed)
    return generator.integers(0, num_items, size=(num_resamples, num_items))


def figure_of_sums(
    rows: RealArray, groups: Sequence[str], metric: Callable[[RealArray], float], *, seed: int = 0
) -> Figure:
    """Return a metric of the sum of rows, with its interval by bootstrap over groups of rows.

    Args:
        rows: What each item adds, shape (N, ...), N at least 1.
        groups: What each item belongs to, such as its film: items of one are drawn together.
        metric: The figure, from the sum of rows.
        seed: Settles the interval.
    """
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((len(names), *rows.shape[1:]))
    np.add.at(sums, group_of, rows)
    interval = bootstrap_interval(
        lambda items: metric(sums[items].sum(axis=0)), len(sums), seed=seed
    )
    return Figure(metric(sums.sum(axis=0)), interval, len(rows))


def share_figure(
    holds: BoolArray,
    groups: Sequence[str],
    *,
    where: BoolArray | None = None,
    weights: RealArray | None = None,
    seed: int = 0,
) -> Figure:
    """Return the share of items for which something holds, by bootstrap over their groups.

    The share of no items is NaN. With weights it is the ratio of the sums, in each resample too.

    Args:
        holds: Whether it holds of each item, shape (N,).
        groups: As in `figure_of_sums`.
        where: Which items count, shape (N,); all if not given.
        weights: How much each item counts, shape (N,); one each if not given.
        seed: Settles the interval.
    """
    used = np.ones(len(holds), np.bool_) if where is None else where
    if not used.any():
        return Figure(np.nan, UNDEFINED, 0)
    weight = (np.ones(len(holds)) if weights is None else weights)[used]
    rows = np.stack([weight * holds[used], weight], axis=1)
    return figure_of_sums(rows, np.asarray(groups)[used].tolist(), _ratio, seed=seed)


def _ratio(sums: RealArray) -> float:
    return float(sums[0] / sums[1])
