"""Calibration of a student of concepts on labelled frames held out: from logits to scores.

Temperature, number of concepts (ConSE, Norouzi et al. 2014) and the groups' weights are those by
which the nearest label is right most often. The scale of the cosines is the one by which the mean
score of the best label of a taxonomy is the share of frames where that label is right, as METHODS
A4 compares scores with 0.4 and 0.1.
"""
# F frames, N concepts, L labels, D width of the space

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.core.labels import Taxonomy
from mastershot.encoders.starter import StudentSettings, conse
from mastershot.encoders.text import SENTENCE_MODEL, SENTENCE_WIDTH, SentenceEncoder

_TEMPERATURES = (0.5, 0.7, 1.0, 1.4, 2.0)
_NUM_CONCEPTS = (3, 5, 10, 20, 50)
# Of each group after the first.
_LATER_GROUPS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
# For a student without labelled frames: temperature, concepts, share of all later groups, scale.
_UNCALIBRATED = (1.4, 10, 0.1, 30.0)
_SCALES = tuple(float(scale) for scale in np.geomspace(2, 200, 100))


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """Frames with a label each, and which labels of a taxonomy are right for it.

    Attributes:
        logits: The student's, of all its teachers' concepts, (F, N).
        labels: Label of each frame's place, (F,).
        right: For each of these labels, the labels of the taxonomy that are right.
        taxonomy: The labels whose scores are calibrated.
    """

    logits: Tensor
    labels: Sequence[str]
    right: Mapping[str, Sequence[str]]
    taxonomy: Taxonomy


def concept_vectors(groups: Sequence[Sequence[str]]) -> Tensor:
    """Return the sentence vector of each concept, (N, D), rounded to float16 as it is saved."""
    names = [name for group in groups for name in group]
    return torch.from_numpy(SentenceEncoder().encode_texts(names)).half().float()


def calibrate(
    frames: LabelledFrames, groups: Sequence[int], concepts: Tensor
) -> tuple[StudentSettings, dict[str, float]]:
    """Return the settings under which the student does best on held-out frames, and how well.

    ``accuracy`` is the share of frames whose nearest label, of those that occur, is right;
    ``taxonomy_accuracy`` that whose best label of the taxonomy is; ``kept`` that whose best label
    scores 0.4 or more, and ``kept_accuracy`` the share of these where it is right, 0 if none is.

    Args:
        groups: Number of concepts of each of its teachers, N in all.
        concepts: `concept_vectors`, (N, D).

    Raises:
        SettingError: A label of the frames has no right label in the taxonomy.
    """
    encode, taxonomy = SentenceEncoder().encode_texts, frames.taxonomy
    names = sorted(set(frames.labels))
    unknown = [name for name in names if not frames.right.get(name)]
    if unknown:
        raise SettingError(f"no label of {taxonomy.name} is listed as right for {unknown}")
    name_vectors = torch.from_numpy(encode(names))
    truth = torch.tensor([names.index(label) for label in frames.labels])

    def vectors(settings: StudentSettings) -> Tensor:
        return normalize(conse(frames.logits, concepts, settings), dim=1)

    def accuracy(settings: StudentSettings) -> float:
        nearest = (vectors(settings) @ name_vectors.T).argmax(1)
        return float((nearest == truth).float().mean())

    shares = itertools.product(_LATER_GROUPS, repeat=len(groups) - 1)
    grid = itertools.product(_TEMPERATURES, _NUM_CONCEPTS, [s for s in shares if sum(s) < 1])
    best = max((_settings(groups, *choice) for choice in grid), key=accuracy)
    cosines = vectors(best).numpy() @ encode(taxonomy.labels).T
    answers = zip(cosines.argmax(1), frames.labels, strict=True)
    hits = np.array([taxonomy.labels[index] in frames.right[label] for index, label in answers])
    scale = min(_SCALES, key=lambda scale: abs(_best_scores(cosines, scale).mean() - hits.mean()))
    sure = _best_scores(cosines, scale) >= np.float32(0.4)
    return replace(best, logit_scale=round(scale, 2)), {
        "accuracy": accuracy(best),
        "taxonomy_accuracy": float(hits.mean()),
        "kept": float(sure.mean()),
        "kept_accuracy": float(hits[sure].mean()) if sure.any() else 0.0,
    }


def concept_description(
    groups: Sequence[Sequence[str]], frames: LabelledFrames | None
) -> tuple[dict[str, Any], Tensor]:
    """Return what student.json states of a student of concepts, and the concepts' vectors (N, D).

    Groups are the concepts of each teacher. Without frames settings are middling ones.
    """
    vectors, sizes = concept_vectors(groups), [len(group) for group in groups]
    temperature, num_concepts, later, scale = _UNCALIBRATED
    shares = [later / (len(sizes) - 1)] * (len(sizes) - 1) if len(sizes) > 1 else []
    settings, calibration = _settings(sizes, temperature, num_concepts, shares, scale), None
    if frames is not None:
        settings, figures = calibrate(frames, sizes, vectors)
        calibration = {
            "num_frames": len(frames.labels),
            "num_labels": len(set(frames.labels)),
            "taxonomy": frames.taxonomy.name,
            **{name: round(value, 4) for name, value in figures.items()},
        }
    description = {
        "width": SENTENCE_WIDTH,
        "text": {"encoder": SENTENCE_MODEL},
        "label_template": settings.label_template,
        "logit_scale": settings.logit_scale,
        "conse": {
            "temperature": settings.temperature,
            "num_concepts": settings.num_concepts,
            "group_weights": list(settings.group_weights),
        },
        "calibration": calibration,
    }
    return description, vectors


def _settings(
    groups: Sequence[int],
    temperature: float,
    num_concepts: int,
    shares: Sequence[float],
    scale: float = 1.0,
) -> StudentSettings:
    """Return settings; the groups after the first have these shares, and the first has the rest."""
    return StudentSettings(
        kind="concepts",
        image_px=128,
        groups=tuple(groups),
        group_weights=(round(1 - sum(shares), 6), *shares),
        temperature=temperature,
        num_concepts=min(num_concepts, sum(groups)),
        logit_scale=scale,
        label_template="{label}",
        width=SENTENCE_WIDTH,
    )


def _best_scores(cosines: FloatArray, scale: float) -> FloatArray:
    """Return the largest probability of each row, (F,): softmax over scaled cosines (F, L)."""
    logits = scale * cosines
    weights = np.exp(logits - logits.max(1, keepdims=True))
    best: FloatArray = (1 / weights.sum(1)).astype(np.float32)
    return best
