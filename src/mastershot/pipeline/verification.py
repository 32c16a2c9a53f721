"""The report on verified labels: how often people confirm them, and how far people agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.errors import DatasetError
from mastershot.core.movie import SCALES, likeliest_scale
from mastershot.evaluation.agreement import (
    Figure,
    LabelAgreement,
    alpha_figure,
    label_agreement,
    share_figure,
)
from mastershot.evaluation.reliability import reliability_by_scale
from mastershot.labelling.verdicts import Verdict
from mastershot.labelling.verify import clip_of_shot, gather_ratings


@dataclass(frozen=True)
class Verification:
    """What raters say of the labels they were shown.

    Attributes:
        num_raters: People who gave a verdict.
        num_verdicts: Verdicts that count: the latest of each rater on each shot.
        agreement: How often the best label, and any shown, was confirmed.
        alpha: Krippendorff's alpha between raters over all labels shown, ticked or not.
        confirmed: The confirmed labels of each shot, in the order shown; empty for a shot that
            leaves the evaluation set.
        dropped: The shots that nothing was confirmed of.
    """

    num_raters: int
    num_verdicts: int
    agreement: LabelAgreement
    alpha: Figure
    confirmed: Mapping[str, tuple[str, ...]]
    dropped: tuple[str, ...]


def verify_labels(
    verdicts: Iterable[Verdict],
    *,
    above_share: float = 0.5,
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Verification:
    """Return what raters' verdicts amount to, with intervals over clips (METHODS A6, D).

    Args:
        verdicts: Verdicts in the order they came; of a rater's on a shot, the last counts.
        above_share: A label is confirmed when more than this share of a shot's raters ticked it.
        weights: How many shots each stands for, as drawn; one each if not given.
        seed: Settles the intervals.

    Raises:
        DatasetError: There is no verdict, a shot was shown with different labels, or a shot has
            no weight.
    """
    ratings = gather_ratings(verdicts, above_share=above_share)
    weight = None if weights is None else _weights(ratings.confirmed, weights)
    return Verification(
        num_raters=len(ratings.raters),
        num_verdicts=ratings.num_verdicts,
        agreement=label_agreement(
            ratings.confirmed_table, ratings.clips, weights=weight, seed=seed
        ),
        alpha=alpha_figure(ratings.ticks, ratings.clips_of_ticks, seed=seed),
        confirmed=ratings.confirmed,
        dropped=ratings.dropped,
    )


def scale_shares(
    shots: Sequence[str], scales: Sequence[str], *, seed: int = 0
) -> dict[str, Figure]:
    """Return the share of each shot scale among shots, the closest first (paper, Fig. 6).

    Args:
        shots: The shots, such as those nothing was confirmed of, as ``<video>/<shot file>``.
        scales: The scale of each.
        seed: Settles the intervals, which are over clips.

    Raises:
        DatasetError: A scale is not one of `SCALES`.
    """
    for scale in scales:
        if scale not in SCALES:
            raise DatasetError(f"shot scale {scale!r} is none of {', '.join(SCALES)}")
    clips, found = [clip_of_shot(shot) for shot in shots], np.array(scales, np.str_)
    return {scale: share_figure(found == scale, clips, seed=seed) for scale in SCALES}


def scale_reliability(
    verdicts: Iterable[Verdict],
    scales: Mapping[str, Mapping[str, float]],
    *,
    film_of_clip: Mapping[str, str] | None = None,
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
) -> dict[str | None, Figure]:
    """Return how often raters confirmed the best label of shots of each scale, closest first.

    Args:
        verdicts: Verdicts in the order they came; of a rater's on a shot, the last counts.
        scales: How likely each of `SCALES` is of a shot, by ``<video>/<shot file>``; shots that are
            not named come last, under None.
        film_of_clip: The film of a clip, which the intervals are over; without it, over clips.
        weights: How many shots each stands for, as drawn; one each if not given.
        seed: Settles the intervals.

    Raises:
        DatasetError: There is no verdict, a shot was shown with different labels, has no weight,
            or lacks the score of a scale.
    """
    ratings = gather_ratings(verdicts)
    found: list[str | None] = []
    for shot in ratings.confirmed:
        scale = scales.get(shot)
        if scale is not None and set(scale) != set(SCALES):
            raise DatasetError(
                f"shot {shot} has scores of {', '.join(scale) or 'no scale'}; they are due of "
                f"{', '.join(SCALES)}"
            )
        found.append(None if scale is None else likeliest_scale(scale))
    films = film_of_clip or {}
    return reliability_by_scale(
        ratings.confirmed_table[:, 0],
        found,
        [films.get(clip, clip) for clip in ratings.clips],
        weights=None if weights is None else _weights(ratings.confirmed, weights),
        seed=seed,
    )


def _weights(shots: Iterable[str], weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
    for shot in shots:
        if shot not in weights:
            raise DatasetError(
                f"shot {shot} has a verdict but was not drawn; report with the draw it belongs to"
            )
    return np.array([weights[shot] for shot in shots], np.float64)
