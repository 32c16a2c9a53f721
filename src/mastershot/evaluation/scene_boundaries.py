"""How well scores of the gaps between shots tell where scenes end: figures of one film.

AP, F1 and overlaps are those that readers of MovieNet's scene boundary detection expect (Rao et
al., "A Local-to-Global Approach to Multi-modal Movie Scene Segmentation", CVPR 2020).
"""
# S shots

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.evaluation.bootstrap import BoolArray
from mastershot.evaluation.metrics import score_boundaries, score_scenes
from mastershot.evaluation.precision import average_precisions, best_f1_thresholds

WITHIN_S = 3.0
"""How far a found boundary may be from a true one for recall@3s, in seconds."""


@dataclass(frozen=True)
class FilmFigures:
    """How well the scenes of one film are found, each in [0, 1].

    Attributes:
        ap: Average precision of the scores of its gaps; NaN where it has no true boundary.
        precision: Share of the found boundaries that are true, at the exact gap.
        recall: Share of the true boundaries that are found.
        f1: Their harmonic mean.
        coverage: As in `SceneScore`, by numbers of shots.
        overflow: Likewise; 0 is best.
        miou: `mean_scene_iou`, by time.
        recall_3s: `recall_within` 3 s.
    """

    ap: float
    precision: float
    recall: float
    f1: float
    coverage: float
    overflow: float
    miou: float
    recall_3s: float


def first_shots(is_boundary: npt.ArrayLike) -> list[int]:
    """Return the first shot of each scene, from whether a scene ends after each shot, (S - 1,)."""
    return [0, *(np.flatnonzero(np.asarray(is_boundary, np.bool_)) + 1).tolist()]


def boundaries_of(starts: Sequence[int], num_shots: int) -> BoolArray:
    """Return whether a scene ends after each shot but the last, (S - 1,), from first shots."""
    ends: BoolArray = np.isin(np.arange(1, num_shots), starts)
    return ends


def mean_scene_iou(
    found: Sequence[int], truth: Sequence[int], *, shot_lengths: npt.ArrayLike
) -> float:
    """Return the mean IoU of scenes both ways, in [0, 1] (mIoU, or Miou, of MovieNet).

    With IoU(f, t) the length that a found and a true scene share over the length of both together:
    the mean over true scenes of the best found one's IoU, the mean over found scenes of the best
    true one's, and the mean of the two. Scenes count alike, whatever their length.

    Args:
        found: First shot of each found scene, ascending, starting with 0.
        truth: First shot of each true scene, likewise.
        shot_lengths: Length of each shot, shape (S,), all above 0; MovieNet counts frames.
    """
    edges = np.concatenate([[0.0], np.cumsum(np.asarray(shot_lengths, np.float64))])
    spans = [
        (edges[np.asarray(starts)], edges[np.array([*starts[1:], len(edges) - 1])])
        for starts in (found, truth)
    ]
    (found_from, found_to), (true_from, true_to) = spans
    shared = np.minimum(found_to[:, None], true_to) - np.maximum(found_from[:, None], true_from)
    shared = np.maximum(shared, 0)
    union = (found_to - found_from)[:, None] + (true_to - true_from) - shared
    iou = shared / union
    return float((iou.max(axis=0).mean() + iou.max(axis=1).mean()) / 2)


def recall_within(
    found: Sequence[int],
    truth: Sequence[int],
    *,
    shot_starts_s: npt.ArrayLike,
    within_s: float = WITHIN_S,
) -> float:
    """Return the share of true boundaries less than so many seconds from a found one.

    It is recall@3s of MovieNet, where a found boundary may serve several true ones. NaN where there
    is no true boundary: the film's start is none.

    Args:
        found: First shot of each found scene, ascending, starting with 0.
        truth: First shot of each true scene, likewise.
        shot_starts_s: When each shot begins, shape (S,), ascending.
        within_s: How near is near enough.
    """
    starts_s = np.asarray(shot_starts_s, np.float64)
    true_s, found_s = starts_s[np.array(truth[1:], int)], starts_s[np.array(found[1:], int)]
    if not len(true_s):
        return float("nan")
    distances = np.abs(true_s[:, None] - found_s)
    return float((distances.min(axis=1, initial=np.inf) < within_s).mean())


def gap_precision(scores: FloatArray, truth: BoolArray) -> float:
    """Return the average precision of scores of gaps, (N,); NaN without a true boundary."""
    return float(average_precisions(scores[:, None], truth[:, None])[0])


def best_threshold(scores: FloatArray, truth: BoolArray) -> float:
    """Return the score from which on gaps are boundaries with the best F1; see its source."""
    return float(best_f1_thresholds(scores[:, None], truth[:, None])[0])


def score_film(
    scores: FloatArray, is_found: BoolArray, truth: BoolArray, *, shot_edges_s: npt.ArrayLike
) -> FilmFigures:
    """Return how well one film's scenes are found.

    Args:
        scores: Score of each gap between two shots, shape (S - 1,).
        is_found: Which gaps are said to be boundaries, shape (S - 1,).
        truth: Which are, shape (S - 1,).
        shot_edges_s: When each shot begins, and when the last one ends, shape (S + 1,).
    """
    edges_s = np.asarray(shot_edges_s, np.float64)
    found, true = first_shots(is_found), first_shots(truth)
    gaps = score_boundaries(found, true)
    scenes = score_scenes(found, true, shot_lengths=np.ones(len(edges_s) - 1))
    return FilmFigures(
        ap=gap_precision(scores, truth),
        precision=gaps.precision,
        recall=gaps.recall,
        f1=gaps.f1,
        coverage=scenes.coverage,
        overflow=scenes.overflow,
        miou=mean_scene_iou(found, true, shot_lengths=np.diff(edges_s)),
        recall_3s=recall_within(found, true, shot_starts_s=edges_s[:-1]),
    )
