"""Labelled items with their vectors, and what a probe answers for them."""
# N items, D width of a vector, C classes, R seeds

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.evaluation.bootstrap import BoolArray, RealArray
from mastershot.evaluation.downstream.tasks import Probe

Kind = Literal["class", "value", "tags"]
"""What an item has: one of several classes, a value, or any number of tags."""
Targets = RealArray | IntArray | BoolArray


@dataclass(frozen=True, eq=False)
class Items:
    """The items of one split.

    Attributes:
        names: What each is called.
        groups: What it is a part of, such as its film; resamples may be of these.
        targets: The number of each item's class, int (N,); its value, float (N,); or which tags
            it has, bool (N, C).
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    targets: Targets

    def __len__(self) -> int:
        return len(self.names)

    def at(self, places: IntArray) -> "Items":
        """Return the items at these places, in their order."""
        return Items(
            tuple(self.names[place] for place in places),
            tuple(self.groups[place] for place in places),
            self.targets[places],
        )


@dataclass(frozen=True, eq=False)
class Problem:
    """What a probe learns and is asked.

    Attributes:
        kind: What an item has.
        num_outputs: Classes or tags, C; 1 for a value.
        train: Vectors that it learns from, float32 (N, D), and their targets.
        validation: Those by which its epoch is picked.
        asked: Vectors that it answers for, float32 (N, D).
    """

    kind: Kind
    num_outputs: int
    train: tuple[FloatArray, Targets]
    validation: tuple[FloatArray, Targets]
    asked: FloatArray


@dataclass(frozen=True, eq=False)
class Answers:
    """What probes answer, one for each seed.

    Attributes:
        outputs: Logits, or values, for the items asked, float32 (R, N, C).
        epochs: The epoch each probe is from, counted from 1, shape (R,).
        validation: Its accuracy, mean squared error or mAP on the validation items, shape (R,).
        learning_rates: The learning rate it was trained with, shape (R,).
    """

    outputs: FloatArray
    epochs: IntArray
    validation: RealArray
    learning_rates: RealArray


class FitProbes(Protocol):
    """Trains probes of a problem."""

    def __call__(self, problem: Problem, probe: Probe, seeds: tuple[int, ...]) -> Answers:
        """Return the answers of a probe for each seed."""
        ...


def standardised(
    train: FloatArray, *others: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Return vectors less the mean of train, over its standard deviation, column by column.

    A column that is constant in train becomes 0.
    """
    mean = train.mean(axis=0, dtype=np.float64)
    deviation = train.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 1e-8 * (1 + np.abs(mean)), deviation, np.inf)

    def scaled(vectors: FloatArray) -> FloatArray:
        return np.asarray((vectors - mean) / scale, np.float32)

    return scaled(train), tuple(map(scaled, others))
