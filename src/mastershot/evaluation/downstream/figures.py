"""The figures of a task from what probes answer, and from what a constant answer would reach.

A figure is the mean over seeds; its interval is by bootstrap over groups of items, clips in most
tasks, and does not cover the choice of seeds, whose figures are given one by one.
"""
# N items, C classes, R seeds, B resamples, K sizes of the retrieved set

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.evaluation.bootstrap import (
    BoolArray,
    Figure,
    RealArray,
    basic_interval,
    figure_of_sums,
    interval_of,
)
from mastershot.evaluation.downstream.items import Answers, Items
from mastershot.evaluation.downstream.retrieval import SIZES, chance_precision
from mastershot.evaluation.precision import resample_precisions

MAIN = ""
"""Key of the figure of the whole task."""
NONE_CLASS = "none"
"""The class that moderation's mean leaves out (METHODS B6)."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of one row.

    Attributes:
        figures: By what they are of: `MAIN` for the whole task; classes; ``@k`` and ``label@k``.
        by_seed: The main figure of each seed, shape (R,).
        items: What each item adds to each figure, where that is a mean over items: shape (N,).
        resampled: A figure in resamples, where it is no mean over items: shape (B,).
    """

    figures: Mapping[str, Figure]
    by_seed: RealArray
    items: Mapping[str, RealArray] = field(default_factory=dict)
    resampled: Mapping[str, RealArray] = field(default_factory=dict)


def mean_figure(values: RealArray, groups: Sequence[str], *, seed: int = 0) -> Figure:
    """Return the mean of items' values, N at least 1, by bootstrap over their groups."""
    rows = np.stack([values, np.ones(len(values))], axis=1)
    return figure_of_sums(rows, groups, lambda sums: float(sums[0] / sums[1]), seed=seed)


def measure_classes(
    answers: Answers, items: Items, classes: Sequence[str], *, seed: int = 0
) -> Measured:
    """Return the accuracy of the highest output, of all items and of those of each class."""
    hits_RN = (answers.outputs.argmax(axis=2) == items.targets).astype(np.float64)
    return _of_items(hits_RN, items, classes, seed)


def measure_values(answers: Answers, items: Items, *, seed: int = 0) -> Measured:
    """Return the mean squared error."""
    errors_RN = np.square(answers.outputs[:, :, 0].astype(np.float64) - items.targets)
    return _of_items(errors_RN, items, (), seed)


def measure_precision(
    outputs: FloatArray, truth: BoolArray, items: Items, classes: Sequence[str], *, seed: int = 0
) -> Measured:
    """Return average precision of each class that has an item, and their mean.

    The class `NONE_CLASS` does not count in the mean. Outputs have shape (R, N, C), truth (N, C).
    """
    parts = [resample_precisions(one, truth, items.groups, seed=seed) for one in outputs]
    average_RC = np.stack([part.average for part in parts])
    resampled_BC = np.mean([part.resampled for part in parts], axis=0)
    counted = np.array([name != NONE_CLASS for name in classes]) & truth.any(axis=0)
    by_seed = _mean_of_classes(average_RC[:, counted])
    means_B = _mean_of_classes(resampled_BC[:, counted])
    value, num = float(by_seed.mean()), len(items)
    figures = {MAIN: Figure(value, basic_interval(value, means_B), num)}
    resampled = {MAIN: means_B}
    for place in np.flatnonzero(truth.any(axis=0)).tolist():
        average = float(average_RC[:, place].mean())
        resampled[classes[place]] = resampled_BC[:, place]
        interval = interval_of(resampled_BC[:, place])
        figures[classes[place]] = Figure(average, interval, int(truth[:, place].sum()))
    return Measured(figures, by_seed, resampled=resampled)


def measure_retrieval(
    precisions: RealArray, items: Items, classes: Sequence[str], *, seed: int = 0
) -> Measured:
    """Return the mean precision at each of `SIZES`, of all queries and of those of each class.

    Precisions have shape (N, K), of the queries. `MAIN` is that at the first size.
    """
    figures: dict[str, Figure] = {}
    values: dict[str, RealArray] = {}
    for column, size in enumerate(SIZES):
        done = _of_items(precisions[None, :, column], items, classes, seed)
        figures |= {f"{of}@{size}": figure for of, figure in done.figures.items()}
        values[f"@{size}"] = precisions[:, column]
    first = f"@{SIZES[0]}"
    values[MAIN] = values[first]
    return Measured({MAIN: figures[first], **figures}, precisions[None, :, 0].mean(axis=1), values)


def gain_over(
    one: Measured, first: Measured, groups: Sequence[str], *, seed: int = 0
) -> dict[str, Figure]:
    """Return how much higher figures are than the first's, on the same items and resamples."""
    gains = {}
    for of, values in one.items.items():
        gains[of] = mean_figure(values - first.items[of], groups, seed=seed)
    for of, resampled in one.resampled.items():
        if of == MAIN:
            value = one.figures[of].value - first.figures[of].value
            interval = basic_interval(value, resampled - first.resampled[of], least=-1)
            gains[of] = Figure(value, interval, one.figures[of].num_items)
    return gains


def constant_classes(train: IntArray, items: Items, *, seed: int = 0) -> Figure:
    """Return the accuracy of always saying the class that is most common in train.

    Of equally common ones the first.
    """
    hits = items.targets == np.bincount(train).argmax()
    return mean_figure(hits.astype(np.float64), items.groups, seed=seed)


def constant_value(train: RealArray, items: Items, *, seed: int = 0) -> Figure:
    """Return the mean squared error of always saying the mean of train."""
    errors = np.square(items.targets - float(np.mean(train, dtype=np.float64)))
    return mean_figure(errors.astype(np.float64), items.groups, seed=seed)


def constant_precision(truth: BoolArray, items: Items, classes: Sequence[str]) -> Figure:
    """Return mAP where all scores are equal: the mean over classes of their share of items."""
    outputs = np.zeros((1, *truth.shape), np.float32)
    return measure_precision(outputs, truth, items, classes).figures[MAIN]


def constant_retrieval(items: Items, gallery: IntArray, *, seed: int = 0) -> Figure:
    """Return the precision of a random order."""
    chances = chance_precision(np.asarray(items.targets, np.int64), gallery)
    return mean_figure(chances, items.groups, seed=seed)


def one_hot(classes: IntArray, num_classes: int) -> BoolArray:
    """Return classes (N,) as columns (N, C)."""
    return np.asarray(classes[:, None] == np.arange(num_classes))


def _of_items(values_RN: RealArray, items: Items, classes: Sequence[str], seed: int) -> Measured:
    values = values_RN.mean(axis=0)
    figures = {MAIN: mean_figure(values, items.groups, seed=seed)}
    for number, name in enumerate(classes):
        rows = np.flatnonzero(items.targets == number)
        if len(rows):
            groups = [items.groups[row] for row in rows]
            figures[name] = mean_figure(values[rows], groups, seed=seed)
    return Measured(figures, values_RN.mean(axis=1), {MAIN: values})


def _mean_of_classes(values: RealArray) -> RealArray:
    """Return the mean of each row over classes that are defined; NaN where none is."""
    defined = ~np.isnan(values)
    sums, counts = np.where(defined, values, 0).sum(axis=1), defined.sum(axis=1)
    means: RealArray = np.full(len(values), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
