"""From a student's logits to vectors and scores that mean something, on frames held out.

Three things are chosen: how soft its probabilities are and how many concepts make a vector (ConSE,
Norouzi et al. 2014), by how often the nearest of the labels is right; and the scale of its cosines,
so that a score states how often it is right: over a taxonomy, the mean score of the best label is
the share of frames where that label is right. METHODS A4 compares these scores with 0.4 and 0.1.
"""
# F frames, N concepts, L labels, D width of the space

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.core.labels import Taxonomy
from mastershot.encoders.starter import StudentSettings, conse
from mastershot.encoders.text import SENTENCE_MODEL, SENTENCE_WIDTH, SentenceEncoder

LABEL_TEMPLATE = "{label}"
_TEMPERATURES = (0.5, 0.7, 1.0, 1.4, 2.0)
_NUM_CONCEPTS = (3, 5, 10, 20, 50)
# Of every group after the first, in all: a frame is a place first, and then what stands in it.
_LATER_GROUPS = (0.05, 0.1, 0.2, 0.3)
# For a student without labelled frames: temperature, concepts, share of later groups, scale.
_MIDDLING = (1.4, 10, 0.1, 30.0)
_SCALES = tuple(float(scale) for scale in np.geomspace(2, 200, 100))


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """Frames that someone named, and what that proves.

    Attributes:
        logits: The student's, of all its teachers' concepts, (F, N).
        labels: Name of each frame's place, (F,).
        right: Of each name, the labels of the taxonomy that are right as well.
        taxonomy: The labels whose scores are to mean something.
    """

    logits: Tensor
    labels: Sequence[str]
    right: Mapping[str, Sequence[str]]
    taxonomy: Taxonomy


@dataclass(frozen=True)
class Calibration:
    """What was chosen, and how well it does.

    Attributes:
        settings: The student's settings, complete.
        accuracy: Share of frames whose nearest label, of those that occur, is right.
        taxonomy_accuracy: Share of frames whose best label of the taxonomy is right.
        kept: Share of frames whose best label scores 0.4 or more.
        kept_accuracy: Share of these where it is right; 0 if there are none.
    """

    settings: StudentSettings
    accuracy: float
    taxonomy_accuracy: float
    kept: float
    kept_accuracy: float


def concept_vectors(groups: Sequence[Sequence[str]]) -> Tensor:
    """Return the sentence vector of each concept, (N, D), rounded as it is going to be kept."""
    names = [name for group in groups for name in group]
    return torch.from_numpy(SentenceEncoder().encode_texts(names)).half().float()


def calibrate(frames: LabelledFrames, groups: Sequence[int], concepts: Tensor) -> Calibration:
    """Return the settings under which the student does best on these frames.

    Args:
        frames: Frames it has not seen, named.
        groups: Number of concepts of each of its teachers.
        concepts: Sentence vector of each concept, (N, D).

    Raises:
        SettingError: A name of the frames has no right label in the taxonomy.
    """
    names = sorted(set(frames.labels))
    name_vectors = torch.from_numpy(SentenceEncoder().encode_texts(names))
    truth = torch.tensor([names.index(label) for label in frames.labels])

    def nearest_is_right(settings: StudentSettings) -> float:
        cosines = _vectors(frames.logits, concepts, settings) @ name_vectors.T
        return float((cosines.argmax(1) == truth).float().mean())

    best = max(_candidates(groups), key=nearest_is_right)
    vectors = _vectors(frames.logits, concepts, best).numpy()
    texts = [LABEL_TEMPLATE.replace("{label}", label) for label in frames.taxonomy.labels]
    cosines = vectors @ SentenceEncoder().encode_texts(texts).T
    hits = _hits(frames, cosines.argmax(1))
    scale = min(_SCALES, key=lambda scale: abs(_best_scores(cosines, scale).mean() - hits.mean()))
    sure = _best_scores(cosines, scale) >= np.float32(0.4)
    return Calibration(
        settings=replace(best, logit_scale=round(scale, 2)),
        accuracy=nearest_is_right(best),
        taxonomy_accuracy=float(hits.mean()),
        kept=float(sure.mean()),
        kept_accuracy=float(hits[sure].mean()) if sure.any() else 0.0,
    )


def speaking(
    groups: Sequence[Sequence[str]], frames: LabelledFrames | None
) -> tuple[dict[str, Any], Tensor]:
    """Return what a student of concepts is told to turn them into vectors, and their vectors.

    Args:
        groups: Concepts of each of its teachers.
        frames: Frames to calibrate it on; without any it gets middling settings, and says so.
    """
    vectors = concept_vectors(groups)
    sizes = [len(group) for group in groups]
    found = calibrate(frames, sizes, vectors) if frames is not None else None
    settings = _settings(sizes, *_MIDDLING) if found is None else found.settings
    figures = None if found is None or frames is None else _figures(found, frames)
    said = {
        "width": SENTENCE_WIDTH,
        "text": {"encoder": SENTENCE_MODEL},
        "label_template": settings.label_template,
        "logit_scale": settings.logit_scale,
        "conse": {
            "temperature": settings.temperature,
            "num_concepts": settings.num_concepts,
            "group_weights": list(settings.group_weights),
        },
        "calibration": figures,
    }
    return said, vectors


def _figures(found: Calibration, frames: LabelledFrames) -> dict[str, Any]:
    figures = {key: round(value, 4) for key, value in asdict(found).items() if key != "settings"}
    return {
        "num_frames": len(frames.labels),
        "num_labels": len(set(frames.labels)),
        "taxonomy": frames.taxonomy.name,
        **figures,
    }


def _candidates(groups: Sequence[int]) -> list[StudentSettings]:
    shares = _LATER_GROUPS if len(groups) > 1 else (0.0,)
    choices = itertools.product(_TEMPERATURES, _NUM_CONCEPTS, shares)
    return [_settings(groups, *choice) for choice in choices]


def _settings(
    groups: Sequence[int], temperature: float, num_concepts: int, share: float, scale: float = 1.0
) -> StudentSettings:
    return StudentSettings(
        kind="concepts",
        image_px=128,
        groups=tuple(groups),
        group_weights=_shared(share, len(groups)),
        temperature=temperature,
        num_concepts=min(num_concepts, sum(groups)),
        logit_scale=scale,
        label_template=LABEL_TEMPLATE,
        text_encoder="",
        text_hash="",
        width=SENTENCE_WIDTH,
    )


def _shared(share: float, num_groups: int) -> tuple[float, ...]:
    """Return the weight of each group: what is left for the first, the share for the others."""
    later = num_groups - 1
    return (1 - share, *(share / later for _ in range(later))) if later else (1.0,)


def _vectors(logits: Tensor, concepts: Tensor, settings: StudentSettings) -> Tensor:
    return normalize(conse(logits, concepts, settings), dim=1)


def _hits(frames: LabelledFrames, best: NDArray[np.int64]) -> NDArray[np.bool_]:
    unknown = [label for label in set(frames.labels) if not frames.right.get(label)]
    if unknown:
        raise SettingError(f"no label of {frames.taxonomy.name} is said to be right for {unknown}")
    said = [frames.taxonomy.labels[index] for index in best]
    return np.array(
        [name in frames.right[label] for name, label in zip(said, frames.labels, strict=True)]
    )


def _best_scores(cosines: FloatArray, scale: float) -> FloatArray:
    logits = scale * cosines
    weights = np.exp(logits - logits.max(1, keepdims=True))
    best: FloatArray = (1 / weights.sum(1)).astype(np.float32)
    return best
