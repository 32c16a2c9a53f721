"""A task measured: every row on the same items, by probes of the same seeds, or by neighbours."""
# N items, C classes, R seeds

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.downstream.figures import (
    Measured,
    constant_classes,
    constant_precision,
    constant_retrieval,
    constant_value,
    gain_over,
    measure_classes,
    measure_precision,
    measure_retrieval,
    measure_values,
    one_hot,
)
from mastershot.evaluation.downstream.items import Answers, FitProbes, Items, Problem
from mastershot.evaluation.downstream.outcomes import (
    Outcome,
    class_outcomes,
    query_outcomes,
    tag_outcomes,
    value_outcomes,
)
from mastershot.evaluation.downstream.results import RowResult, TaskResult
from mastershot.evaluation.downstream.retrieval import precisions_at
from mastershot.evaluation.downstream.tasks import DownstreamTask
from mastershot.pipeline.evaluation.downstream.join import Joined, join_items, vectors_of
from mastershot.pipeline.evaluation.downstream.labels import TaskLabels
from mastershot.pipeline.evaluation.downstream.vectors import ItemVectors

ASKED = ("val", "test")


@dataclass(frozen=True)
class MeasureSettings:
    """How tasks are measured.

    Attributes:
        seeds: Of the probes, at least one.
        split: ``val`` or ``test``; None for what the paper reports: val of retrieval, else test.
        common: Leave out items that one of the rows lacks, instead of refusing.
        bootstrap_seed: Settles the intervals.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    split: str | None = None
    common: bool = False
    bootstrap_seed: int = 0


def measure_task(
    task: DownstreamTask,
    labels: TaskLabels,
    rows: Sequence[ItemVectors],
    fit: FitProbes,
    settings: MeasureSettings,
) -> TaskResult:
    """Return what rows of vectors reach on a task, each compared with the first.

    Raises:
        SettingError: The split is unknown, rows are of different items, no item of a split has a
            vector, the training items are of one class, or a probe gives no finite output.
    """
    split = asked_split(settings.split, "val" if task.head == "neighbours" else "test")
    joined = join_items(task.name, labels, rows, common=settings.common)
    if task.head == "class" and len(np.unique(joined.splits["train"].targets)) < 2:
        raise SettingError(
            f"task {task.name}: all {len(joined.splits['train'])} training items that have vectors "
            "are of one class; a probe takes two"
        )
    one = _One(task, labels, joined, split, fit, settings)
    measured = [one.row(row) for row in rows]
    asked, seed = joined.splits[split], settings.bootstrap_seed
    results = tuple(
        RowResult(
            row.name,
            row.width,
            found,
            gain_over(found, measured[0][0], asked.groups, seed=seed) if place else {},
            () if answers is None else tuple(answers.epochs.tolist()),
            () if answers is None else tuple(answers.validation.tolist()),
            () if answers is None else tuple(answers.learning_rates.tolist()),
            row.made_by,
            outcomes,
        )
        for place, (row, (found, answers, outcomes)) in enumerate(zip(rows, measured, strict=True))
    )
    return TaskResult(
        task=task,
        split=split,
        seeds=settings.seeds if task.probe else (),
        rows=results,
        constant=one.constant(),
        sizes={name: len(items) for name, items in joined.splits.items()},
        labelled={name: len(items) for name, items in labels.splits.items()},
        without_vectors=joined.without_vectors,
        missing_labels=labels.missing,
        are_missing_kept=labels.are_kept,
        counts=_counts(asked, labels.classes),
        fingerprint=joined.fingerprint,
    )


def asked_split(split: str | None, usual: str) -> str:
    """Return the split that is asked.

    Raises:
        SettingError: It is not one of `ASKED`.
    """
    split = split or usual
    if split not in ASKED:
        raise SettingError(f"split is {split!r}; tasks are evaluated on {' or '.join(ASKED)}")
    return split


@dataclass(frozen=True, eq=False)
class _One:
    task: DownstreamTask
    labels: TaskLabels
    joined: Joined
    split: str
    fit: FitProbes
    settings: MeasureSettings

    @property
    def asked(self) -> Items:
        return self.joined.splits[self.split]

    def row(self, row: ItemVectors) -> tuple[Measured, Answers | None, tuple[Outcome, ...]]:
        """Return a row's figures, what its probes answered, and the same item by item."""
        vectors = {name: vectors_of(row, items) for name, items in self.joined.splits.items()}
        task, classes = self.task, self.labels.classes
        seed = self.settings.bootstrap_seed
        train, validation = self.joined.splits["train"], self.joined.splits["val"]
        if task.probe is None:
            precisions = precisions_at(
                vectors[self.split], np.asarray(self.asked.targets, np.int64),
                vectors["train"], np.asarray(train.targets, np.int64),
            )  # fmt: skip
            found = measure_retrieval(precisions, self.asked, classes, seed=seed)
            near = query_outcomes(vectors[self.split], self.asked, vectors["train"], train, classes)
            return found, None, near
        assert task.head in ("class", "value", "tags")
        problem = Problem(
            kind=task.head,
            num_outputs=max(1, len(classes)),
            train=(vectors["train"], train.targets),
            validation=(vectors["val"], validation.targets),
            asked=vectors[self.split],
        )
        answers = self.fit(problem, task.probe, self.settings.seeds)
        return self._measure(answers, seed), answers, self._outcomes(answers)

    def _measure(self, answers: Answers, seed: int) -> Measured:
        task, classes = self.task, self.labels.classes
        if task.head == "value":
            return measure_values(answers, self.asked, seed=seed)
        if task.metric == "accuracy":
            return measure_classes(answers, self.asked, classes, seed=seed)
        is_class = task.head == "class"
        outputs = log_odds(answers.outputs) if is_class else answers.outputs
        truth = _truth(self.asked, len(classes))
        return measure_precision(outputs, truth, self.asked, classes, seed=seed)

    def _outcomes(self, answers: Answers) -> tuple[Outcome, ...]:
        if self.task.head == "value":
            return value_outcomes(answers, self.asked)
        of = class_outcomes if self.task.head == "class" else tag_outcomes
        return of(answers, self.asked, self.labels.classes)

    def constant(self) -> Figure:
        """Return what is reached without looking at the items."""
        train, classes = self.joined.splits["train"].targets, self.labels.classes
        seed = self.settings.bootstrap_seed
        if self.task.probe is None:
            return constant_retrieval(self.asked, np.asarray(train, np.int64), seed=seed)
        if self.task.head == "value":
            return constant_value(np.asarray(train, np.float64), self.asked, seed=seed)
        if self.task.metric == "accuracy":
            return constant_classes(np.asarray(train, np.int64), self.asked, seed=seed)
        return constant_precision(_truth(self.asked, len(classes)), self.asked, classes)


def log_odds(logits: FloatArray) -> FloatArray:
    """Return the logarithm of each class's odds, p / (1 - p), over the last axis.

    It orders items as the probability does, and does not round to equal values near 0 and 1.
    """
    wide = logits.astype(np.float64)
    odds = np.empty_like(wide)
    for place in range(wide.shape[-1]):
        others = np.delete(wide, place, axis=-1)
        odds[..., place] = wide[..., place] - np.logaddexp.reduce(others, axis=-1)
    return odds.astype(np.float32)


def _truth(items: Items, num_classes: int) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    if items.targets.ndim == 2:
        return np.asarray(items.targets, np.bool_)
    return one_hot(np.asarray(items.targets, np.int64), num_classes)


def _counts(items: Items, classes: Sequence[str]) -> dict[str, int]:
    if not classes:
        return {}
    sums = _truth(items, len(classes)).sum(axis=0).tolist()
    return {name: count for name, count in zip(classes, sums, strict=True) if name}
