"""How well shots are put into classes of which each has one, with intervals over their films."""
# N items, C classes, G groups

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.evaluation.agreement import Figure, RealArray, sums_by_group
from mastershot.evaluation.metrics import bootstrap_interval


@dataclass(frozen=True, eq=False)
class ClassificationFigures:
    """How well items are classified.

    Attributes:
        accuracy: Share of items whose class was said.
        macro_f1: Mean F1 over the classes that have an item (METHODS D).
        num_classes: How many classes have one.
        confusion: Items of each class (rows) by what was said (columns), shape (C, C).
    """

    accuracy: Figure
    macro_f1: Figure
    num_classes: int
    confusion: IntArray


def classification_figures(
    truth: IntArray, said: IntArray, groups: Sequence[str], num_classes: int, *, seed: int = 0
) -> ClassificationFigures:
    """Return accuracy and macro F1 with 95 % intervals, by bootstrap over groups.

    Args:
        truth: The class of each item, shape (N,), N at least 1.
        said: What was said, shape (N,).
        groups: What each item belongs to, such as its film: items of one are drawn together.
        num_classes: C.
        seed: Settles the intervals.
    """
    one_hot = np.zeros((len(truth), num_classes, num_classes))
    one_hot[np.arange(len(truth)), truth, said] = 1
    grouped = sums_by_group(one_hot, np.asarray(groups))

    def figure(metric: Callable[[RealArray], float]) -> Figure:
        interval = bootstrap_interval(
            lambda items: metric(grouped[items].sum(axis=0)), len(grouped), seed=seed
        )
        return Figure(metric(grouped.sum(axis=0)), interval, len(truth))

    confusion = grouped.sum(axis=0).astype(np.int64)
    return ClassificationFigures(
        figure(_accuracy), figure(_macro_f1), int((confusion.sum(axis=1) > 0).sum()), confusion
    )


def _accuracy(confusion: RealArray) -> float:
    return float(np.trace(confusion) / confusion.sum())


def _macro_f1(confusion: RealArray) -> float:
    of_class, said = confusion.sum(axis=1), confusion.sum(axis=0)
    has_item = of_class > 0
    f1 = 2 * np.diag(confusion)[has_item] / (of_class + said)[has_item]
    return float(f1.mean())
