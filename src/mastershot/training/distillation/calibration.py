"""Calibration of a student of concepts on labelled frames held out: from logits to scores.

A frame's vector is the combination of the vectors of its concepts (ConSE, Norouzi et al. 2014).
These are not the sentence vectors S of the concepts' names, whose cosines with each other are
large where names are alike (bar, restaurant), but S (SᵀWS + λI)⁻¹, W the groups' weights: the
product of a frame's vector and a label's is then the probability that ridge regression of the
label on the names predicts (Romera-Paredes and Torr 2015, equation 8).

Temperature, number of concepts, weights of groups and λ are those by which held-out frames are
named best. The scale of the cosines is the one by which the mean score of the best label of a
taxonomy is the share of frames where that label is right, as METHODS A4 compares scores with 0.4
and 0.1.
"""
# F frames, N concepts, L labels, D width of the space

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

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

_Bools: TypeAlias = NDArray[np.bool_]

_TEMPERATURES = (0.7, 1.0, 1.4)
_NUM_CONCEPTS = (10, 50, 65_536)  # The last is all of them.
_LATER_GROUPS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8)
_RIDGES = (0.003, 0.01, 0.03)
_NUM_OTHERS = 15
_SCALES = tuple(float(scale) for scale in np.geomspace(2, 500, 120))


@dataclass(frozen=True)
class Mixing:
    """How logits become a frame's vector.

    Attributes:
        temperature: Logits are divided by it before the softmax.
        num_concepts: Concepts that make up a vector, at most.
        shares: What each group after the first counts for; the first has the rest.
        ridge: λ, how far the names' likeness is left in the concepts' vectors.
    """

    temperature: float
    num_concepts: int
    shares: tuple[float, ...]
    ridge: float


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


@dataclass(frozen=True, eq=False)
class Calibration:
    """A student's settings and the vectors of its concepts, chosen on labelled frames.

    Attributes:
        settings: As student.json states them.
        mixing: How logits become a vector.
        concepts: Vectors of the concepts, (N, D), rounded to float16 as they are saved.
        figures: ``accuracy`` is the share of frames whose nearest label, of those that occur, is
            right; ``others_accuracy`` that whose own label is nearer than 15 others drawn by
            chance; ``taxonomy_accuracy`` that whose best label of the taxonomy is right; ``kept``
            that whose best label scores 0.4 or more, and ``kept_accuracy`` the share of these
            where it is right, 0 if none is.
    """

    settings: StudentSettings
    mixing: Mixing
    concepts: Tensor
    figures: Mapping[str, float]


def name_vectors(groups: Sequence[Sequence[str]]) -> list[Tensor]:
    """Return the sentence vectors of each group's names, (N, D) in all."""
    encode = SentenceEncoder().encode_texts
    return [torch.from_numpy(encode(list(group))) for group in groups]


def concept_vectors(names: Sequence[Tensor], weights: Sequence[float], ridge: float) -> Tensor:
    """Return the vector of each concept, (N, D), from `name_vectors` and the groups' weights."""
    width = names[0].shape[1]
    likeness = torch.zeros(width, width)
    for weight, of_group in zip(weights, names, strict=True):
        likeness += weight * of_group.T @ of_group / len(of_group)
    names_DN = torch.cat(list(names)).T
    shaped: Tensor = torch.linalg.solve(likeness + ridge * torch.eye(width), ridge * names_DN)
    return shaped.T.contiguous().half().float()


def calibrate(frames: LabelledFrames, names: Sequence[Tensor]) -> Calibration:
    """Return the settings under which the student names held-out frames best, and how well.

    Args:
        names: `name_vectors`, of the concepts of each of its teachers.

    Raises:
        SettingError: A label of the frames has no right label in the taxonomy.
    """
    naming = _Naming.of(frames)

    def quality(mixing: Mixing) -> float:
        return naming.quality(_vectors(frames.logits, names, mixing))

    best = max(_grid(len(names)), key=quality)
    vectors = _vectors(frames.logits, names, best)
    cosines = vectors.numpy() @ naming.taxonomy_vectors.T
    hits = naming.right_of_taxonomy(cosines)
    scale = min(_SCALES, key=lambda scale: abs(_best_scores(cosines, scale).mean() - hits.mean()))
    sure = _best_scores(cosines, scale) >= np.float32(0.4)
    settings = _settings([len(group) for group in names], best, round(scale, 2))
    figures = {
        "accuracy": float(naming.right_of_names(vectors).mean()),
        "others_accuracy": float(naming.right_of_others(vectors).mean()),
        "taxonomy_accuracy": float(hits.mean()),
        "kept": float(sure.mean()),
        "kept_accuracy": float(hits[sure].mean()) if sure.any() else 0.0,
    }
    concepts = concept_vectors(names, settings.group_weights, best.ridge)
    return Calibration(settings, best, concepts, figures)


def require_right(
    labels: Iterable[str], right: Mapping[str, Sequence[str]], taxonomy: Taxonomy
) -> None:
    """Raise `SettingError` unless each label of frames has a right label in the taxonomy."""
    if unknown := sorted({label for label in labels if not right.get(label)}):
        raise SettingError(
            f"no label of {taxonomy.name} is listed as right for {', '.join(unknown)}"
        )


def concept_description(
    groups: Sequence[Sequence[str]], frames: LabelledFrames | None
) -> tuple[dict[str, Any], Tensor]:
    """Return what student.json states of a student of concepts, and the concepts' vectors (N, D).

    Groups are the concepts of each teacher. Without frames settings are middling ones.
    """
    names, about = name_vectors(groups), None
    if frames is None:
        later = len(groups) - 1
        mixing = Mixing(1.4, 10, (0.1 / later,) * later if later else (), 0.03)
        settings = _settings([len(group) for group in groups], mixing, 10.0)
        vectors = concept_vectors(names, settings.group_weights, mixing.ridge)
    else:
        found = calibrate(frames, names)
        settings, mixing, vectors = found.settings, found.mixing, found.concepts
        about = {
            "num_frames": len(frames.labels),
            "num_labels": len(set(frames.labels)),
            "taxonomy": frames.taxonomy.name,
            **{name: round(value, 4) for name, value in found.figures.items()},
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
            "ridge": mixing.ridge,
        },
        "calibration": about,
    }
    return description, vectors


@dataclass(frozen=True, eq=False)
class _Naming:
    """The words that frames are named by, and which are right.

    Attributes:
        truth: Place of each frame's label among the names, (F,).
        others: Places of other names, drawn by chance for each frame, (F, O).
        label_vectors: Of the labels that occur, (L, D).
        taxonomy_vectors: Of the taxonomy's labels.
        right: Which labels of the taxonomy are right for each label that occurs.
    """

    truth: Tensor
    others: Tensor
    label_vectors: Tensor
    taxonomy_vectors: FloatArray
    right: _Bools

    @staticmethod
    def of(frames: LabelledFrames) -> "_Naming":
        encode, labels = SentenceEncoder().encode_texts, frames.taxonomy.labels
        names = sorted(set(frames.labels))
        require_right(names, frames.right, frames.taxonomy)
        truth = np.array([names.index(label) for label in frames.labels])
        drawn = np.random.default_rng(0).integers(1, max(2, len(names)), (len(truth), _NUM_OTHERS))
        others = (truth[:, None] + drawn) % len(names)
        right = np.array([[label in frames.right[name] for label in labels] for name in names])
        return _Naming(
            torch.from_numpy(truth),
            torch.from_numpy(others),
            torch.from_numpy(encode(names)),
            encode(labels),
            right,
        )

    def quality(self, vectors: Tensor) -> float:
        """Return the mean share of frames that is named rightly, by three choices of words."""
        of_taxonomy = self.right_of_taxonomy(vectors.numpy() @ self.taxonomy_vectors.T)
        answers = (self.right_of_names(vectors), self.right_of_others(vectors), of_taxonomy)
        return float(np.mean([answer.mean() for answer in answers]))

    def right_of_names(self, vectors: Tensor) -> _Bools:
        """Return whether each frame's nearest label of those that occur is its own, (F,)."""
        right: _Bools = ((vectors @ self.label_vectors.T).argmax(1) == self.truth).numpy()
        return right

    def right_of_others(self, vectors: Tensor) -> _Bools:
        """Return whether each frame's own label is nearer than some others, (F,)."""
        cosines = vectors @ self.label_vectors.T
        own = cosines.gather(1, self.truth.unsqueeze(1)).squeeze(1)
        others = torch.where(self.others == self.truth.unsqueeze(1), -torch.inf, 0.0)
        right: _Bools = (own > (cosines.gather(1, self.others) + others).amax(1)).numpy()
        return right

    def right_of_taxonomy(self, cosines: FloatArray) -> _Bools:
        """Return whether each frame's best label of the taxonomy is right, (F,)."""
        right: _Bools = self.right[self.truth.numpy(), cosines.argmax(1)]
        return right


def _grid(num_groups: int) -> Iterator[Mixing]:
    shares = itertools.product(_LATER_GROUPS, repeat=num_groups - 1)
    possible = [one for one in shares if sum(one) < 1]
    for choice in itertools.product(_TEMPERATURES, _NUM_CONCEPTS, possible, _RIDGES):
        yield Mixing(*choice)


def _vectors(logits: Tensor, names: Sequence[Tensor], mixing: Mixing) -> Tensor:
    """Return the unit vectors (F, D) of frames with these logits (F, N)."""
    settings = _settings([len(group) for group in names], mixing)
    concepts = concept_vectors(names, settings.group_weights, mixing.ridge)
    return normalize(conse(logits, concepts, settings), dim=1)


def _settings(groups: Sequence[int], mixing: Mixing, scale: float = 1.0) -> StudentSettings:
    return StudentSettings(
        kind="concepts",
        image_px=128,
        groups=tuple(groups),
        group_weights=(round(1 - sum(mixing.shares), 6), *mixing.shares),
        temperature=mixing.temperature,
        num_concepts=min(mixing.num_concepts, sum(groups)),
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
