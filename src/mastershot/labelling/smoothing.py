"""Labels of shots smoothed over time, by a hidden Markov model of a film's places.

The hidden state of a shot is its place, one label. How likely each place is after another is learnt
from labelled clips, with a prior that stays (`TransitionModel.transitions`). A shot's scores p,
raised to ``temper`` and scaled to the sum 1, are q. With probability e, ``outlier_probability``,
they are an outlier, independent of the place, so the emission of a label is (1 - e) q + e / L,
where all L labels are equally likely beforehand. Forward-backward gives the posterior of each
shot's place given the whole film, and with it that of an outlier. The smoothed scores are p,
weighted by the probability that the shot is no outlier, plus the joint posterior of each place and
an outlier: a shot of two labels keeps both, unless its neighbours contradict both.

Forward-backward: Rabiner, "A Tutorial on Hidden Markov Models", 1989, section III. The sticky
prior of a row: Fox et al., "An HDP-HMM for Systems with State Persistence", 2008. The emission and
all values are ours (METHODS E).
"""
# S shots, L labels; ... films of as many shots, if there are several

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.labelling.transitions import RealArray, TransitionCounts, shipped_transitions


@dataclass(frozen=True)
class SmoothingSettings:
    """How strongly a shot's neighbours count for its place; for the choice see docs/smoothing.md.

    Attributes:
        stay: Probability that a place stays from a shot to the next, before any count.
        prior_count: How many pairs of shots, after each label, that probability counts for.
        temper: Exponent of the scores; above 1 the best labels of a shot count for more.
        outlier_probability: Probability that the scores of a shot are independent of its place.
    """

    stay: float = 0.98
    prior_count: float = 1000.0
    temper: float = 2.5
    outlier_probability: float = 0.0025

    def __post_init__(self) -> None:
        if not 0 <= self.stay < 1:
            raise SettingError(f"stay is {self.stay:g}; it is a probability below 1")
        if not 0 < self.outlier_probability <= 1:
            raise SettingError(
                f"outlier_probability is {self.outlier_probability:g}; it is above 0, at most 1"
            )
        for name in ("prior_count", "temper"):
            if not 0 < getattr(self, name) < np.inf:
                raise SettingError(f"{name} is {getattr(self, name):g}; it is above 0")


def parse_smoothing(text: str) -> SmoothingSettings | None:
    """Return the settings that an option means: ``off``, ``on``, or a probability to stay.

    Raises:
        SettingError: It is none of these.
    """
    if text in ("off", "on"):
        return SmoothingSettings() if text == "on" else None
    try:
        return SmoothingSettings(stay=float(text))
    except ValueError:
        raise SettingError(
            f"smoothing {text!r} means nothing; use off, on, or a probability to stay such as 0.8"
        ) from None


@dataclass(frozen=True, eq=False)
class TransitionModel:
    """How places follow each other, and how shots' scores depend on them.

    Attributes:
        counts: How often labels followed each other.
        settings: What is made of them.
    """

    counts: TransitionCounts
    settings: SmoothingSettings

    def transitions(self, labels: Sequence[str]) -> RealArray:
        """Return the probability of each label after each, shape (L, L); rows sum to 1.

        A row is the mean of a Dirichlet distribution: the counts and ``prior_count`` more, of
        which the share ``stay`` is of the label itself and the rest of all labels alike. A label
        that the counts lack has only the latter.
        """
        num_labels, settings = len(labels), self.settings
        counts = self.counts.for_labels(labels)
        prior = settings.stay * np.eye(num_labels) + (1 - settings.stay) / num_labels
        return _scaled(counts + settings.prior_count * prior)

    def made(self) -> dict[str, Any]:
        """Return what a timeline keeps of how its labels were smoothed."""
        return asdict(self.settings) | {"transitions": self.counts.fingerprint}


def default_model(settings: SmoothingSettings | None = None) -> TransitionModel:
    """Return the model of the transitions that ship with the package."""
    return TransitionModel(shipped_transitions(), settings or SmoothingSettings())


def smooth_scores(scores: FloatArray, labels: Sequence[str], model: TransitionModel) -> FloatArray:
    """Return the smoothed scores of one film, shape (S, L), in [0, 1].

    A row keeps its sum, unless a score is clipped to 1: softmax scores, of sum 1, stay so, and the
    independent scores of a recogniser stay as high as they were. A row of zeros, a shot without
    scores, gets the posterior of its place, of sum 1.

    Args:
        scores: One row a shot, in film order, shape (S, L), in [0, 1].
        labels: The labels of the columns, L of them; those that the model does not know may be
            among them.
        model: How places follow each other.
    """
    assert scores.ndim == 2, scores.shape
    assert scores.shape[1] == len(labels), (scores.shape, len(labels))
    wide = scores.astype(np.float64)
    sums = wide.sum(axis=1, keepdims=True)
    smoothed = smooth(wide, model.transitions(labels), model.settings)
    return np.minimum(smoothed * np.where(sums > 0, sums, 1.0), 1.0).astype(np.float32)


def smooth(scores: RealArray, transitions: RealArray, settings: SmoothingSettings) -> RealArray:
    """Return the smoothed scores of one film or of several as long, (..., S, L); rows sum to 1.

    Rows of zeros may be added at the end of shorter films; they change nothing before them.
    """
    num_labels = scores.shape[-1]
    missing = scores.sum(axis=-1, keepdims=True) <= 0
    known = np.where(missing, 1.0, scores)
    own, tempered = (
        _scaled(known),
        _scaled((known / known.max(axis=-1, keepdims=True)) ** settings.temper),
    )
    outlier = np.where(missing, 1.0, settings.outlier_probability)
    emissions = (1 - outlier) * tempered + outlier / num_labels
    places = posterior(np.log(emissions), transitions)
    place_and_outlier = places * (outlier / num_labels) / emissions
    inlier = 1 - place_and_outlier.sum(axis=-1, keepdims=True)
    smoothed: RealArray = inlier * own + place_and_outlier
    return smoothed


def posterior(log_emissions: RealArray, transitions: RealArray) -> RealArray:
    """Return the probability of each state at each step given all emissions, shape (..., S, L).

    The first state is any alike. Films of one batch are padded at their end with emissions that
    are the same for all states, which changes nothing before it.

    Args:
        log_emissions: Logarithm of each state's emission, up to a constant a step, shape (..., S,
            L).
        transitions: Probability of each state after each, shape (L, L), none of them 0.
    """
    # Messages are rescaled at each step, so that none runs out of a double's range.
    emissions = np.exp(log_emissions - log_emissions.max(axis=-1, keepdims=True))
    num_steps = emissions.shape[-2]
    forward, backward = np.ones_like(emissions), np.ones_like(emissions)
    for step in range(num_steps):
        before = forward[..., step - 1, :] @ transitions if step else 1.0
        forward[..., step, :] = _scaled(before * emissions[..., step, :])
    for step in range(num_steps - 2, -1, -1):
        after = backward[..., step + 1, :] * emissions[..., step + 1, :]
        backward[..., step, :] = _scaled(after @ transitions.T)
    return _scaled(forward * backward)


def _scaled(values: RealArray) -> RealArray:
    scaled: RealArray = values / values.sum(axis=-1, keepdims=True)
    return scaled
