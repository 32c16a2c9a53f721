"""Labels and scales by words: how well each describes a shot, and which labels are kept."""
# T frames of a shot, S shots, L labels, D width of the encoder's space

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.core.movie import SCALES
from mastershot.core.protocols import ImageTextEncoder

CLOSE_SCALES = ("ECS", "CS")
SCALE_PROMPTS = {
    "ECS": ("an extreme close-up shot of an eye or a mouth", "an extreme close-up of a detail"),
    "CS": ("a close-up shot of a face", "a head and shoulders close-up of a person"),
    "MS": ("a medium shot of a person from the waist up", "a medium shot of people talking"),
    "FS": ("a full shot of a person from head to toe", "a full shot that shows the whole body"),
    "LS": ("a long shot of a distant figure in a landscape", "a wide shot taken from far away"),
}
"""Two prompts a scale, after the definitions of MovieShots; ours, and not tuned on anything."""

_FRAMES_AT_ONCE = 1024  # keeps the memory of a shot of hours, every frame scored, to megabytes


@dataclass(frozen=True)
class KeepRule:
    """Which labels of a shot are stated as facts; MovieCLIP's rule (METHODS A5).

    Attributes:
        min_best: The best label is kept from this score on; below it none is.
        above: A further label is kept when its score is higher than this.
        num_best: Number of labels considered, the best included.
    """

    min_best: float = 0.4
    above: float = 0.1
    num_best: int = 5


@dataclass(frozen=True)
class AbstentionRule:
    """What a label on a close-up needs beyond `KeepRule`. Both values are ours, not yet measured.

    A close-up shows a face and little of the place: 80 % of the shots of which people confirmed
    no label were medium shots or closer (MovieCLIP, section 4 and Fig. 6).

    Attributes:
        min_best_close: The best label of a close-up is kept from this score on, or from that of
            `KeepRule` where it is higher.
        close_from: A shot is a close-up from this probability of `CLOSE_SCALES` on.
    """

    min_best_close: float = 0.6
    close_from: float = 0.5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise SettingError(f"{name} is {value:g}; it is from 0 to 1")


MOVIECLIP_RULE = KeepRule()
ABSTENTION_RULE = AbstentionRule()


def encode_labels(encoder: ImageTextEncoder, taxonomy: Taxonomy) -> FloatArray:
    """Return one unit vector a label, shape (L, D), each put into the encoder's own prompt."""
    # Not str.format: a label is the user's and may hold braces.
    template = encoder.label_template
    return encoder.encode_texts([template.replace("{label}", label) for label in taxonomy.labels])


def encode_scales(encoder: ImageTextEncoder) -> FloatArray:
    """Return one unit vector a scale, shape (5, D), in the order of `SCALES`."""
    return encode_prompts(encoder, [SCALE_PROMPTS[scale] for scale in SCALES])


def encode_prompts(encoder: ImageTextEncoder, prompts: Sequence[Sequence[str]]) -> FloatArray:
    """Return one unit vector a class, shape (L, D), from its prompts, as many for each class.

    It is the mean of its prompts' vectors, as Radford et al. 2021 (section 3.1.4) pool prompts.
    """
    texts = encoder.encode_texts([prompt for of_class in prompts for prompt in of_class])
    means = texts.reshape(len(prompts), -1, encoder.space.width).mean(axis=1)
    vectors: FloatArray = means / np.linalg.norm(means, axis=1, keepdims=True)
    return vectors


def clip_scene_scores(
    frame_vectors: FloatArray, label_vectors: FloatArray, logit_scale: float
) -> FloatArray:
    """Return the CLIPSceneScore of each label on one shot, shape (L,), in [0, 1], summing to 1.

    The mean over frames of the softmax, over the whole taxonomy, of the encoder's ``logit_scale``
    times the cosine of label and frame: probabilities are averaged, not cosines (METHODS A4).
    Unit vectors of frames, at least one, have shape (T, D), those of labels (L, D).
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
    scores: FloatArray,
    taxonomy: Taxonomy,
    rule: KeepRule = MOVIECLIP_RULE,
    thresholds: FloatArray | None = None,
) -> tuple[LabelScore, ...]:
    """Return the best labels of one shot or scene, best first; those the rule drops are unsure.

    Scores are in taxonomy order, shape (L,); equal ones keep it. They are compared in their own
    float32, where 0.1 is not greater than 0.1. Where each label has a threshold of its own, (L,),
    it is kept from there on, whatever the rule's ``above``.
    """
    assert scores.shape == (len(taxonomy),), (scores.shape, len(taxonomy))
    best = np.argsort(-scores, kind="stable")[: rule.num_best]
    if thresholds is None:
        is_sure = scores[best] > scores.dtype.type(rule.above)
        is_sure[0] = True
    else:
        is_sure = scores[best] >= thresholds[best]
    is_sure &= scores[best[0]] >= scores.dtype.type(rule.min_best)
    return tuple(
        LabelScore(taxonomy.labels[label], float(scores[label]), unsure=not sure)
        for label, sure in zip(best, is_sure, strict=True)
    )


def kept_labels(labels: Sequence[LabelScore]) -> tuple[str, ...]:
    """Return the names of the labels that are stated as facts, best first."""
    return tuple(label.name for label in labels if not label.unsure)


def is_close(scale: Mapping[str, float], rule: AbstentionRule = ABSTENTION_RULE) -> bool:
    """Return True if a shot of which each scale is so likely counts as a close-up."""
    return sum(scale[name] for name in CLOSE_SCALES) >= rule.close_from


def rule_of_shot(
    keep: KeepRule, scale: Mapping[str, float] | None, rule: AbstentionRule = ABSTENTION_RULE
) -> KeepRule:
    """Return what is kept of a shot: as everywhere, unless it is known to be a close-up."""
    if scale is None or not is_close(scale, rule):
        return keep
    return replace(keep, min_best=max(keep.min_best, rule.min_best_close))


def borrowed_labels(
    shot_labels: Sequence[LabelScore], scene_labels: Sequence[LabelScore]
) -> tuple[LabelScore, ...]:
    """Return what a shot that keeps no label, such as a close-up, takes from its scene.

    That is the labels its scene is sure of; none where the shot is sure of its own.
    """
    if kept_labels(shot_labels):
        return ()
    return tuple(label for label in scene_labels if not label.unsure)
