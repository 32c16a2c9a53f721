"""How well genres are found: METHODS C3, with intervals over trailers."""
# T trailers, G genres

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.evaluation.bootstrap import BoolArray, Figure, RealArray, bootstrap_interval
from mastershot.evaluation.precision import average_precisions, best_f1_thresholds

_RESAMPLES = 300


@dataclass(frozen=True)
class GenreFigures:
    """Figures of one set of scores; means over genres are weighted by their trailers.

    Attributes:
        precision: Weighted precision at the thresholds.
        recall: Weighted recall.
        f1: Weighted F1.
        auprc_micro: Area under the curve of precision and recall, all genres as one.
        auprc_macro: The mean of the genres' areas, each the same weight.
        auprc_weighted: Their mean, weighted.
        genre_f1: F1 of each genre that is counted.
        all_positive_f1: Weighted F1 of giving every genre to every trailer: 2p / (1 + p) of a genre
            of share p.
        left_out: Genres without a trailer here, which count nowhere.
        num_trailers: How many trailers there are.
    """

    precision: Figure
    recall: Figure
    f1: Figure
    auprc_micro: Figure
    auprc_macro: Figure
    auprc_weighted: Figure
    genre_f1: dict[str, float]
    all_positive_f1: float
    left_out: tuple[str, ...]
    num_trailers: int


def choose_thresholds(scores: FloatArray, truth: BoolArray) -> FloatArray:
    """Return each genre's threshold of best F1, (G,); 0.5 for one that no trailer has."""
    thresholds = best_f1_thresholds(scores, truth)
    chosen: FloatArray = np.where(truth.any(axis=0), thresholds, 0.5).astype(np.float32)
    return chosen


def genre_figures(
    scores: FloatArray,
    truth: BoolArray,
    thresholds: FloatArray,
    genres: Sequence[str],
    *,
    seed: int = 0,
) -> GenreFigures:
    """Return the figures of scores (T, G) at thresholds chosen elsewhere (G,).

    Raises:
        SettingError: No genre has a trailer.
    """
    counted: BoolArray = np.asarray(truth.any(axis=0))
    if not counted.any():
        raise SettingError("no trailer that is to be scored has a genre")
    scores, truth, given = scores[:, counted], truth[:, counted], (scores >= thresholds)[:, counted]

    def figure(metric: Callable[[FloatArray, BoolArray, BoolArray], float]) -> Figure:
        def of(items: IntArray) -> float:
            return metric(scores[items], truth[items], given[items])

        interval = bootstrap_interval(of, len(truth), seed=seed, num_resamples=_RESAMPLES)
        return Figure(metric(scores, truth, given), interval, len(truth))

    shares = truth.mean(axis=0)
    weights = shares / shares.sum()
    names = [name for name, is_counted in zip(genres, counted, strict=True) if is_counted]
    return GenreFigures(
        precision=figure(lambda s, t, g: _weighted(_precision(t, g), t)),
        recall=figure(lambda s, t, g: _weighted(_recall(t, g), t)),
        f1=figure(lambda s, t, g: _weighted(f1_scores(t, g), t)),
        auprc_micro=figure(lambda s, t, g: _micro(s, t)),
        auprc_macro=figure(lambda s, t, g: float(np.nanmean(average_precisions(s, t)))),
        auprc_weighted=figure(lambda s, t, g: _weighted(average_precisions(s, t), t)),
        genre_f1=dict(zip(names, f1_scores(truth, given).tolist(), strict=True)),
        all_positive_f1=float((2 * shares / (1 + shares)) @ weights),
        left_out=tuple(name for name, is_in in zip(genres, counted, strict=True) if not is_in),
        num_trailers=len(truth),
    )


def f1_scores(truth: BoolArray, given: BoolArray) -> RealArray:
    """Return each genre's F1, (G,); 0 where it is neither there nor given."""
    both = (truth & given).sum(axis=0)
    scores: RealArray = 2 * both / np.maximum(truth.sum(axis=0) + given.sum(axis=0), 1)
    return scores


def _precision(truth: BoolArray, given: BoolArray) -> RealArray:
    found: RealArray = (truth & given).sum(axis=0) / np.maximum(given.sum(axis=0), 1)
    return found


def _recall(truth: BoolArray, given: BoolArray) -> RealArray:
    found: RealArray = (truth & given).sum(axis=0) / np.maximum(truth.sum(axis=0), 1)
    return found


def _weighted(values: RealArray, truth: BoolArray) -> float:
    """Return the mean over genres, weighted by how many trailers each has."""
    weights = truth.sum(axis=0)
    there = weights > 0
    return float((values[there] * weights[there]).sum() / max(1, weights.sum()))


def _micro(scores: FloatArray, truth: BoolArray) -> float:
    return float(average_precisions(scores.reshape(-1, 1), truth.reshape(-1, 1))[0])
