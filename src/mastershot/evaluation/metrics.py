"""How well scenes, boundaries and classes agree with those people marked."""
# N items, C classes

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.evaluation.bootstrap import Figure, RealArray, figure_of_sums


@dataclass(frozen=True)
class SceneScore:
    """How well found scenes cover the true ones, each in [0, 1].

    Attributes:
        coverage: Share of a true scene that its best found scene holds; 1 is best.
        overflow: How far the found scenes reach into the true scene's neighbours; 0 is best.
        f_score: Harmonic mean of coverage and 1 - overflow.
    """

    coverage: float
    overflow: float
    f_score: float


@dataclass(frozen=True)
class BoundaryScore:
    """How well found boundaries between scenes hit the true ones, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, eq=False)
class ClassificationFigures:
    """How well items are classified.

    Attributes:
        accuracy: Share of items whose class was predicted.
        macro_f1: Mean F1 over the classes that have an item (METHODS D).
        num_classes: How many classes have one.
        confusion: Items of each class (rows) by predicted class (columns), shape (C, C).
    """

    accuracy: Figure
    macro_f1: Figure
    num_classes: int
    confusion: IntArray


def score_scenes(
    found: Sequence[int], truth: Sequence[int], *, shot_lengths: npt.ArrayLike
) -> SceneScore:
    """Return coverage, overflow and F-score of one film (Vendrig and Worring 2002).

    With true scenes t, found scenes f and |.| the length:

        coverage(t) = max over f of |f and t| / |t|
        overflow(t) = sum over f that touch t of |f outside t| / (|t before| + |t after|)

    each averaged over true scenes weighted by |t|; from "Systematic evaluation of logical story
    unit segmentation", IEEE Transactions on Multimedia 4(4). An overflow above 1 (a
    found scene reaches beyond both neighbours) counts as 1, so that the F-score stays in [0, 1].

    Args:
        found: First shot of each found scene, ascending, starting with 0.
        truth: First shot of each true scene, likewise.
        shot_lengths: Length of each shot: ones count shots, as the literature on the BBC and
            Open Video Scene data sets does; numbers of frames weigh by time.
    """
    lengths = np.asarray(shot_lengths, dtype=np.float64)
    shared = np.zeros((len(truth), len(found)))
    owners = _scene_of_shots(truth, len(lengths)), _scene_of_shots(found, len(lengths))
    np.add.at(shared, owners, lengths)
    true_lengths = shared.sum(axis=1)
    spilt = ((shared.sum(axis=0) - shared) * (shared > 0)).sum(axis=1)
    padded = np.concatenate([[0.0], true_lengths, [0.0]])
    neighbours = padded[:-2] + padded[2:]
    overflows = np.minimum(1, spilt / np.where(neighbours > 0, neighbours, 1))
    coverage = float(shared.max(axis=1).sum() / lengths.sum())
    overflow = float(overflows @ true_lengths / lengths.sum())
    return SceneScore(coverage, overflow, _harmonic_mean(coverage, 1 - overflow))


def score_boundaries(
    found: Sequence[int], truth: Sequence[int], *, tolerance_shots: int = 0
) -> BoundaryScore:
    """Return precision, recall and F1 over the gaps between the shots of one film.

    A found boundary is right if a true one is at most the tolerance away; each true boundary is
    matched with one found boundary at most, and the matching is the largest possible. Scenes are
    given as in `score_scenes`; the film's start is no boundary. Where there are none, all are 1.
    """
    found_gaps, true_gaps = list(found[1:]), list(truth[1:])
    if not found_gaps and not true_gaps:
        return BoundaryScore(1.0, 1.0, 1.0)
    hits = _count_matches(found_gaps, true_gaps, tolerance_shots)
    precision = hits / max(len(found_gaps), 1)
    recall = hits / max(len(true_gaps), 1)
    return BoundaryScore(precision, recall, _harmonic_mean(precision, recall))


def classification_figures(
    truth: IntArray, predicted: IntArray, groups: Sequence[str], num_classes: int, *, seed: int = 0
) -> ClassificationFigures:
    """Return accuracy and macro F1 with 95 % intervals, by bootstrap over groups.

    True and predicted classes have shape (N,), N at least 1; groups are as in `figure_of_sums`.
    """
    one_hot = np.zeros((len(truth), num_classes, num_classes))
    one_hot[np.arange(len(truth)), truth, predicted] = 1
    confusion = one_hot.sum(axis=0).astype(np.int64)
    return ClassificationFigures(
        accuracy=figure_of_sums(one_hot, groups, _accuracy, seed=seed),
        macro_f1=figure_of_sums(one_hot, groups, _macro_f1, seed=seed),
        num_classes=int(confusion.any(axis=1).sum()),
        confusion=confusion,
    )


def _scene_of_shots(starts: Sequence[int], num_shots: int) -> IntArray:
    """Return the index of each shot's scene, shape (S,)."""
    bounds = np.asarray(starts)
    assert bounds[0] == 0, starts
    assert (np.diff(bounds) > 0).all(), starts
    assert bounds[-1] < num_shots, (starts, num_shots)
    return np.asarray(np.searchsorted(bounds, np.arange(num_shots), side="right") - 1)


def _count_matches(found: list[int], truth: list[int], tolerance: int) -> int:
    """Return the size of the largest one-to-one matching, by taking the earliest pair first."""
    hits = i = j = 0
    while i < len(found) and j < len(truth):
        if abs(found[i] - truth[j]) <= tolerance:
            hits, i, j = hits + 1, i + 1, j + 1
        elif found[i] < truth[j]:
            i += 1
        else:
            j += 1
    return hits


def _harmonic_mean(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other > 0 else 0.0


def _accuracy(confusion: RealArray) -> float:
    return float(np.trace(confusion) / confusion.sum())


def _macro_f1(confusion: RealArray) -> float:
    num_true, num_predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    has_item = num_true > 0
    f1 = 2 * np.diag(confusion)[has_item] / (num_true + num_predicted)[has_item]
    return float(f1.mean())
