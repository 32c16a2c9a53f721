"""Late fusion: the weighted mean of several models' logits (METHODS A8)."""
# N samples, C classes, M models

from collections.abc import Sequence

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.tag_scores import TagScores
from mastershot.evaluation.bootstrap import RealArray
from mastershot.evaluation.tagging import aligned_scores

_SMALLEST = float(np.finfo(np.float32).tiny)
_LARGEST = 1 - 2.0**-25
"""Halfway between the highest float32 below 1 and 1: what a score that was rounded to 1 stands for.
"""


def logits_of(scores: FloatArray) -> RealArray:
    """Return the logits whose sigmoid was rounded to these scores of float32.

    A logit up to 9 is exact to 0.001. Scores of 0 and 1 stand for -87 and 17: a float32 holds no
    sigmoid further out.
    """
    shares = np.clip(scores.astype(np.float64), _SMALLEST, _LARGEST)
    logits: RealArray = np.log(shares) - np.log1p(-shares)
    return logits


def fuse_logits(logits: Sequence[RealArray], weights: Sequence[float] = ()) -> RealArray:
    """Return the weighted mean of models' logits, (N, C) each; without weights the plain mean."""
    return np.average(np.stack(logits), axis=0, weights=weights or None)


def fuse_scores(scores: Sequence[TagScores], weights: Sequence[float] = ()) -> TagScores:
    """Return the sigmoid of the weighted mean of the logits, samples in the order of the first.

    Args:
        scores: Scores of the same samples, classes and truth, in any order.
        weights: Of each, above 0; none weighs them equally.

    Raises:
        DatasetError: They are not of the same samples, classes and truth, or not one weight each
            is given.
    """
    if not scores or len(weights) not in (0, len(scores)) or min(weights, default=1) <= 0:
        raise DatasetError(
            f"{len(scores)} sets of scores cannot be fused with weights {list(weights)}; give one "
            "above 0 for each, or none"
        )
    first = scores[0]
    logits = [logits_of(aligned_scores(first, one).scores) for one in scores]
    fused = 1 / (1 + np.exp(-fuse_logits(logits, weights)))
    made_by = {"fused": [dict(one.made_by) for one in scores], "weights": list(weights)}
    return TagScores(
        fused.astype(np.float32),
        first.truth,
        first.videos,
        first.files,
        first.films,
        first.classes,
        made_by,
    )
