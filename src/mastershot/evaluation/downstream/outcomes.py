"""What is answered for each item of a task, beside its truth."""
# N items, C classes, R seeds, Q queries, G items of the gallery

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.evaluation.bootstrap import BoolArray, RealArray
from mastershot.evaluation.downstream.items import Answers, Items
from mastershot.evaluation.downstream.retrieval import nearest

MOST_ANSWERS = 3
"""How many classes of an item are kept, those of highest probability."""
MOST_NEIGHBOURS = 5
"""How many neighbours of a query are kept."""


@dataclass(frozen=True)
class Neighbour:
    """An item near to a query.

    Attributes:
        name: Its name.
        label: Its class.
        is_same: Whether that is the query's.
    """

    name: str
    label: str
    is_same: bool


@dataclass(frozen=True)
class Outcome:
    """What is answered for one item.

    Attributes:
        name: The item's name.
        group: What it is a part of, such as its film.
        truth: Its true classes, or its true value alone.
        answers: Classes with their probability, the mean over seeds, highest first, at most
            `MOST_ANSWERS`; for a value, nothing and the mean over seeds; empty for a query.
        is_right: Whether the first answer is true, or for a query, its nearest item is of its
            class; None for a value.
        seeds_right: Share of the seeds whose first answer is true; for a query, of its neighbours
            that are of its class; None for a value.
        error: Squared error of the value answered; None for a class.
        neighbours: A query's nearest items.
    """

    name: str
    group: str
    truth: tuple[str, ...]
    answers: tuple[tuple[str, float], ...] = ()
    is_right: bool | None = None
    seeds_right: float | None = None
    error: float | None = None
    neighbours: tuple[Neighbour, ...] = ()


def class_outcomes(answers: Answers, items: Items, classes: Sequence[str]) -> tuple[Outcome, ...]:
    """Return what probes answer for items of one class each; probabilities are softmax's."""
    truth = np.asarray(items.targets, np.int64)[:, None] == np.arange(len(classes))
    return _of_probabilities(_softmax(answers.outputs), truth, items, classes)


def tag_outcomes(answers: Answers, items: Items, classes: Sequence[str]) -> tuple[Outcome, ...]:
    """Return what probes answer for items of any number of tags; probabilities are sigmoid's."""
    odds = np.exp(-np.logaddexp(0, -answers.outputs.astype(np.float64)))
    return _of_probabilities(odds, np.asarray(items.targets, np.bool_), items, classes)


def value_outcomes(answers: Answers, items: Items) -> tuple[Outcome, ...]:
    """Return what probes answer for items of a value; the error is that of the mean answer."""
    means = answers.outputs[:, :, 0].mean(axis=0, dtype=np.float64).tolist()
    return tuple(
        Outcome(name, group, (f"{value:.3f}",), (("", mean),), error=(mean - value) ** 2)
        for name, group, value, mean in zip(
            items.names, items.groups, items.targets.tolist(), means, strict=True
        )
    )


def query_outcomes(
    queries: FloatArray,
    items: Items,
    gallery: FloatArray,
    gallery_items: Items,
    classes: Sequence[str],
) -> tuple[Outcome, ...]:
    """Return each query's nearest items of the gallery, by Euclidean distance.

    Args:
        queries: Shape (Q, D).
        items: The queries, of one class each.
        gallery: Shape (G, D).
        gallery_items: Its items, likewise.
        classes: Names of the classes.
    """
    places: IntArray = nearest(queries, gallery, min(MOST_NEIGHBOURS, len(gallery)))
    found = []
    for row, label in enumerate(items.targets.tolist()):
        near = tuple(
            Neighbour(gallery_items.names[place], classes[own], own == label)
            for place in places[row].tolist()
            for own in (int(gallery_items.targets[place]),)
        )
        share = sum(one.is_same for one in near) / len(near)
        found.append(
            Outcome(
                items.names[row],
                items.groups[row],
                (classes[label],),
                is_right=near[0].is_same,
                seeds_right=share,
                neighbours=near,
            )
        )
    return tuple(found)


def _of_probabilities(
    shares_RNC: RealArray, truth_NC: BoolArray, items: Items, classes: Sequence[str]
) -> tuple[Outcome, ...]:
    rows = np.arange(len(items))
    hits_RN = np.stack([truth_NC[rows, one.argmax(axis=1)] for one in shares_RNC])
    means_NC = shares_RNC.mean(axis=0)
    order_NC = np.argsort(-means_NC, axis=1, kind="stable")[:, :MOST_ANSWERS]
    return tuple(
        Outcome(
            name,
            group,
            tuple(classes[place] for place in np.flatnonzero(truth_NC[row]).tolist()),
            tuple(
                (classes[place], float(means_NC[row, place])) for place in order_NC[row].tolist()
            ),
            bool(truth_NC[row, order_NC[row, 0]]),
            float(hits_RN[:, row].mean()),
        )
        for row, (name, group) in enumerate(zip(items.names, items.groups, strict=True))
    )


def _softmax(logits: FloatArray) -> RealArray:
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
