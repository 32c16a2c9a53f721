"""Which label follows which, drawn as a map of the most frequent ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mastershot.labelling.transitions import LabelTransitions

NUM_MAPPED = 30
"""Labels of the map; more would not fit on a screen."""


@dataclass(frozen=True)
class TransitionMap:
    """A square of shares: one row a label, one column a label that follows it.

    Attributes:
        labels: Labels of rows and of columns.
        shares: Share of each column's label among what follows each row's, row by row.
    """

    labels: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]


def map_transitions(
    rows: Sequence[LabelTransitions], num_labels: int = NUM_MAPPED
) -> TransitionMap | None:
    """Return the map of the most frequent labels, None of fewer than two.

    Labels that often follow each other stand side by side: after the most frequent label comes
    each time the one most tied to those placed last.
    """
    shown = {row.label: row for row in rows[:num_labels]}
    if len(shown) < 2:
        return None
    shares = {name: {name: row.self_share, **dict(row.others)} for name, row in shown.items()}
    left = list(shown)
    order = [left.pop(0)]
    while left:
        best = max(left, key=lambda name: _tie(shares, name, order[-3:]))
        left.remove(best)
        order.append(best)
    return TransitionMap(
        tuple(order),
        tuple(tuple(shares[first].get(second, 0.0) for second in order) for first in order),
    )


def _tie(shares: Mapping[str, Mapping[str, float]], name: str, placed: Sequence[str]) -> float:
    """Return how much a label and those placed last follow each other; the last counts most."""
    ties = [shares[name].get(other, 0.0) + shares[other].get(name, 0.0) for other in placed]
    return sum(tie * 2.0**rank for rank, tie in enumerate(ties))
