"""How reliable labels are: by shot scale, and by how many shots are left unlabelled."""
# N shots, K thresholds

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.movie import SCALES
from mastershot.evaluation.bootstrap import BoolArray, Figure, RealArray, share_figure


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Accuracy of the labels that are stated, against how many are.

    Attributes:
        thresholds: Every score a shot has, highest first: shots are stated from it on, shape (K,).
        coverage: Share of shots that are stated, shape (K,).
        accuracy: Share of the stated that are right; one minus it is the risk, shape (K,).
        area: Area under the risk over the coverage, in [0, 1]; lower is better. It is the mean over
            the shots of the risk at their own score (AURC of Geifman, Uziel and El-Yaniv 2019,
            arXiv:1805.08206).
    """

    thresholds: FloatArray
    coverage: RealArray
    accuracy: RealArray
    area: float


@dataclass(frozen=True)
class AbstentionFigures:
    """What a rule of abstention keeps, and how often that is right, with intervals over films.

    Attributes:
        kept: Share of shots the rule states a label of.
        right: Share of those whose label was confirmed.
    """

    kept: Figure
    right: Figure


def reliability_by_scale(
    confirmed: BoolArray,
    scales: Sequence[str | None],
    films: Sequence[str],
    *,
    weights: RealArray | None = None,
    seed: int = 0,
) -> dict[str | None, Figure]:
    """Return how often the best label was confirmed of shots of each scale, the closest first.

    Labels are confirmed by raters, shape (N,). A scale without a shot has no figure; shots of
    unknown scale (None) come last. The other parameters are those of `share_figure`.
    """
    scale_of_shot = np.array(scales, np.object_)
    masks = {scale: scale_of_shot == scale for scale in (*SCALES, None)}
    return {
        scale: share_figure(confirmed, films, where=mask, weights=weights, seed=seed)
        for scale, mask in masks.items()
        if mask.any()
    }


def risk_coverage(
    scores: FloatArray, confirmed: BoolArray, *, weights: RealArray | None = None
) -> RiskCoverage:
    """Return accuracy against coverage, for every threshold that makes a difference.

    Shots of one score are stated together or not at all, so the order of the shots has no effect.
    Scores of the best labels and whether they were confirmed have shape (N,), N at least 1;
    weights say how many shots each stands for.
    """
    weight = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_score = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    stated = np.cumsum(weight[order])[last_of_score]
    right = np.cumsum((weight * confirmed)[order])[last_of_score]
    accuracy = right / stated
    shares = np.diff(stated, prepend=0) / stated[-1]
    return RiskCoverage(
        thresholds=ordered[last_of_score],
        coverage=stated / stated[-1],
        accuracy=accuracy,
        area=float((shares * (1 - accuracy)).sum()),
    )


def abstention_figures(
    kept: BoolArray,
    confirmed: BoolArray,
    films: Sequence[str],
    *,
    weights: RealArray | None = None,
    seed: int = 0,
) -> AbstentionFigures:
    """Return how many shots a rule keeps, and how often it is right about those.

    ``kept`` says whether the rule states a shot's best label, ``confirmed`` whether raters
    confirmed it, both of shape (N,). The other parameters are those of `share_figure`.
    """
    return AbstentionFigures(
        kept=share_figure(kept, films, weights=weights, seed=seed),
        right=share_figure(confirmed, films, where=kept, weights=weights, seed=seed),
    )
