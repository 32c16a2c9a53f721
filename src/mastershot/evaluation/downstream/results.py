"""What an evaluation of a downstream task found, beside what papers print of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.downstream.figures import Measured
from mastershot.evaluation.downstream.outcomes import Outcome
from mastershot.evaluation.downstream.published import Published
from mastershot.evaluation.downstream.tasks import DownstreamTask


@dataclass(frozen=True, eq=False)
class RowResult:
    """What one kind of vectors reaches.

    Attributes:
        name: What it is called.
        width: Numbers of a vector.
        measured: Its figures.
        gains: How much higher they are than the first row's; empty for that itself.
        epochs: The epoch that each seed's probe is from; empty without probes.
        validation: What each seed's probe reaches on the validation items; likewise.
        learning_rates: The learning rate of each seed's probe; likewise.
        made_by: What made the vectors.
        outcomes: What is answered for each item of the split.
    """

    name: str
    width: int
    measured: Measured
    gains: Mapping[str, Figure]
    epochs: tuple[int, ...]
    validation: tuple[float, ...]
    learning_rates: tuple[float, ...]
    made_by: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, eq=False)
class TaskResult:
    """What was found of one task.

    Attributes:
        task: The task.
        split: The split that is asked.
        seeds: Of the probes.
        rows: What each kind of vectors reaches, on the same items.
        constant: What is reached without looking: by the class most common in train, the mean of
            train, equal scores, or a random order.
        sizes: Items that were evaluated, by split.
        labelled: Items that have a label (and are not dropped), by split.
        without_vectors: Names of labelled items that were left out, by split.
        missing_labels: Items whose label the release says is missing, by split.
        are_missing_kept: Whether these were kept.
        counts: Items of the split that is asked, by class.
        fingerprint: Digest of the items; figures of another one are not comparable.
        contents: Films, shots and boundaries of each split, where items are films.
    """

    task: DownstreamTask
    split: str
    seeds: tuple[int, ...]
    rows: tuple[RowResult, ...]
    constant: Figure
    sizes: Mapping[str, int]
    labelled: Mapping[str, int]
    without_vectors: Mapping[str, tuple[str, ...]]
    missing_labels: Mapping[str, int]
    are_missing_kept: bool
    counts: Mapping[str, int]
    fingerprint: str
    contents: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def published(self) -> tuple[Published, ...]:
        """The figures that papers print of the same split."""
        return tuple(one for one in self.task.published if one.split == self.split)

    @property
    def is_whole(self) -> bool:
        """Whether all labelled items were evaluated."""
        return not any(self.without_vectors.values())
