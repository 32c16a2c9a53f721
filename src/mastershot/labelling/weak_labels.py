"""Labels by words: how well each label of a taxonomy describes a shot, and which are kept."""
# T frames of a shot, S shots, L labels, D width of the encoder's space

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.core.protocols import ImageTextEncoder

_FRAMES_AT_ONCE = 1024  # keeps the memory of a shot of hours, every frame scored, to megabytes


@dataclass(frozen=True)
class KeepRule:
    """Which labels of a shot are stated as facts; MovieCLIP's rule (METHODS A5).

    Attributes:
        min_best: The best label is kept from this score on; below it none is.
        above: A further label is kept when its score is higher than this.
        num_best: Number of labels looked at, the best included.
    """

    min_best: float = 0.4
    above: float = 0.1
    num_best: int = 5


MOVIECLIP_RULE = KeepRule()


def encode_labels(encoder: ImageTextEncoder, taxonomy: Taxonomy) -> FloatArray:
    """Return one unit vector a label, shape (L, D), each put into the encoder's own prompt."""
    # Not str.format: a label is the user's and may hold braces.
    template = encoder.label_template
    return encoder.encode_texts([template.replace("{label}", label) for label in taxonomy.labels])


def clip_scene_scores(
    frame_vectors: FloatArray, label_vectors: FloatArray, logit_scale: float
) -> FloatArray:
    """Return the CLIPSceneScore of each label on one shot, shape (L,), in [0, 1], summing to 1.

    The mean over frames of the softmax, over the whole taxonomy, of ``logit_scale`` times the
    cosine of label and frame: probabilities are averaged, not cosines (METHODS A4).

    Args:
        frame_vectors: Unit vectors of the shot's frames, at least one, shape (T, D).
        label_vectors: Unit vectors of the labels, shape (L, D).
        logit_scale: The encoder's own.
    """
    num_frames = len(frame_vectors)
    assert num_frames > 0, "a shot without a frame has no score"
    total = np.zeros(len(label_vectors))
    for first in range(0, num_frames, _FRAMES_AT_ONCE):
        logits = logit_scale * (frame_vectors[first : first + _FRAMES_AT_ONCE] @ label_vectors.T)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        total += (weights / weights.sum(axis=1, keepdims=True)).sum(axis=0, dtype=np.float64)
    return (total / num_frames).astype(np.float32)


def pool_shot_scores(shot_scores: FloatArray, *, first_shot: int, end_shot: int) -> FloatArray:
    """Return the score of each label on a scene, the mean over its shots, shape (L,)."""
    assert 0 <= first_shot < end_shot <= len(shot_scores), (first_shot, end_shot)
    mean: FloatArray = shot_scores[first_shot:end_shot].mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


def best_labels(
    scores: FloatArray, taxonomy: Taxonomy, rule: KeepRule = MOVIECLIP_RULE
) -> tuple[LabelScore, ...]:
    """Return the best labels of one shot or scene, best first; those the rule drops are unsure.

    Equal scores keep the taxonomy's order. Thresholds are compared in the scores' own float32,
    where 0.1 is not greater than 0.1.

    Args:
        scores: One score a label, in taxonomy order, shape (L,).
        taxonomy: Names the labels.
        rule: What is kept.
    """
    assert scores.shape == (len(taxonomy),), (scores.shape, len(taxonomy))
    best = np.argsort(-scores, kind="stable")[: rule.num_best]
    is_sure = scores[best] > scores.dtype.type(rule.above)
    is_sure[0] = True
    is_sure &= scores[best[0]] >= scores.dtype.type(rule.min_best)
    return tuple(
        LabelScore(taxonomy.labels[label], float(scores[label]), unsure=not sure)
        for label, sure in zip(best, is_sure, strict=True)
    )


def kept_labels(labels: Sequence[LabelScore]) -> tuple[str, ...]:
    """Return the names of the labels that are stated as facts, best first."""
    return tuple(label.name for label in labels if not label.unsure)
