"""Labels of shots smoothed over time, by a hidden Markov model of a film's places.

A shot's place is the hidden state, one label. With probability ``stay`` it is that of the shot
before, otherwise it is drawn by how often the label followed that one in labelled clips. A shot's
scores p are taken as evidence ((1 - doubt) p + doubt / L) ** temper for each label, up to a
factor: all labels are equally likely beforehand. The smoothed scores are the posterior
probabilities of the labels of each shot given the whole film, by forward-backward (Rabiner, "A
Tutorial on Hidden Markov Models", 1989, section III; a sticky transition matrix as of Fox et al.,
"An HDP-HMM for Systems with State Persistence", 2008). Values are ours (METHODS E).
"""
# S shots, L labels; ... films of as many shots, or nothing

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.labelling.transitions import RealArray, TransitionCounts, shipped_transitions


@dataclass(frozen=True)
class SmoothingSettings:
    """How strongly a shot's neighbours tell its place; `docs/smoothing.md` says how they were set.

    Attributes:
        stay: Probability that a shot takes its place over from the shot before.
        temper: Exponent of the evidence; below 1 a shot's own scores count for less.
        doubt: Share of shots whose scores are taken to say nothing.
        pseudo_count: Added to every count of transitions.
    """

    stay: float = 0.5
    temper: float = 0.5
    doubt: float = 0.1
    pseudo_count: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.stay < 1:
            raise SettingError(f"stay is {self.stay:g}; it is a probability below 1")
        if not 0 < self.doubt <= 1:
            raise SettingError(f"doubt is {self.doubt:g}; it is above 0, at most 1")
        for name in ("temper", "pseudo_count"):
            if not 0 < getattr(self, name) < np.inf:
                raise SettingError(f"{name} is {getattr(self, name):g}; it is above 0")


@dataclass(frozen=True, eq=False)
class TransitionModel:
    """How places follow each other, and how far scores are believed.

    Attributes:
        counts: How often labels followed each other.
        settings: What is made of them.
    """

    counts: TransitionCounts
    settings: SmoothingSettings

    def transitions(self, labels: Sequence[str]) -> RealArray:
        """Return the probability of each label after each, shape (L, L); rows sum to 1.

        A label that the counts lack stays what it is, or changes to any label alike.
        """
        counts = self.counts.for_labels(labels) + self.settings.pseudo_count
        learnt = counts / counts.sum(axis=1, keepdims=True)
        stay = self.settings.stay
        matrix: RealArray = stay * np.eye(len(labels)) + (1 - stay) * learnt
        return matrix

    def made(self) -> dict[str, Any]:
        """Return what a timeline keeps of how its labels were smoothed."""
        return asdict(self.settings) | {"transitions": self.counts.fingerprint}


def default_model(settings: SmoothingSettings | None = None) -> TransitionModel:
    """Return the model of the transitions that ship with the package."""
    return TransitionModel(shipped_transitions(), settings or SmoothingSettings())


def smooth_scores(
    scores: FloatArray, labels: Sequence[str], model: TransitionModel
) -> FloatArray:
    """Return the posterior probability of each label on each shot of one film, shape (S, L).

    Args:
        scores: One row a shot, in film order, shape (S, L), none below 0; a row of zeros says
            nothing of its shot. A row is divided by its sum.
        labels: The labels of the columns, L of them; those that the model does not know may be
            among them.
        model: How places follow each other.
    """
    assert scores.ndim == 2, scores.shape
    assert scores.shape[1] == len(labels), (scores.shape, len(labels))
    evidence = log_evidence(scores, model.settings)
    return posterior(evidence, model.transitions(labels)).astype(np.float32)


def log_evidence(scores: npt.NDArray[Any], settings: SmoothingSettings) -> RealArray:
    """Return the logarithm of the evidence for each label, up to a constant, shape (..., S, L)."""
    rows = scores.astype(np.float64)
    totals = rows.sum(axis=-1, keepdims=True)
    num_labels = scores.shape[-1]
    shares = np.divide(rows, totals, out=np.full_like(rows, 1 / num_labels), where=totals > 0)
    believed = (1 - settings.doubt) * shares + settings.doubt / num_labels
    evidence: RealArray = settings.temper * np.log(believed)
    return evidence


def posterior(log_evidence: RealArray, transitions: RealArray) -> RealArray:
    """Return the probability of each state at each step given all evidence, shape (..., S, L).

    The first state is any alike. Films of one batch are padded at their end with evidence that is
    the same for all states, which changes nothing before it.

    Args:
        log_evidence: Logarithm of each state's evidence, up to a constant a step, shape (..., S,
            L).
        transitions: Probability of each state after each, shape (L, L), none of them 0.
    """
    # Messages are rescaled at each step, so that none runs out of a double's range.
    evidence = np.exp(log_evidence - log_evidence.max(axis=-1, keepdims=True))
    num_steps = evidence.shape[-2]
    forward, backward = np.ones_like(evidence), np.ones_like(evidence)
    for step in range(num_steps):
        before = forward[..., step - 1, :] @ transitions if step else 1.0
        forward[..., step, :] = _scaled(before * evidence[..., step, :])
    for step in range(num_steps - 2, -1, -1):
        after = backward[..., step + 1, :] * evidence[..., step + 1, :]
        backward[..., step, :] = _scaled(after @ transitions.T)
    return _scaled(forward * backward)


def _scaled(values: RealArray) -> RealArray:
    scaled: RealArray = values / values.sum(axis=-1, keepdims=True)
    return scaled
