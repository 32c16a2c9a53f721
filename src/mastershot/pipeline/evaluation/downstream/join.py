"""The items that have vectors: the same for all rows of a table, or they are not compared."""
# N items, W width of a vector

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.evaluation.bootstrap import BoolArray
from mastershot.evaluation.downstream.items import Items
from mastershot.pipeline.evaluation.downstream.labels import TaskLabels
from mastershot.pipeline.evaluation.downstream.vectors import ItemVectors


class NoItemsError(SettingError):
    """No labelled item of a split has a vector."""


@dataclass(frozen=True, eq=False)
class Joined:
    """The items of a task that are evaluated.

    Attributes:
        splits: Those that all rows have, by split.
        without_vectors: Names of labelled items that are left out, by split.
    """

    splits: Mapping[str, Items]
    without_vectors: Mapping[str, tuple[str, ...]]

    @property
    def fingerprint(self) -> str:
        """A digest of which items are in which split: figures of other ones are not comparable."""
        names = "\n".join(
            f"{split} {name}" for split in self.splits for name in sorted(self.splits[split].names)
        )
        return hashlib.blake2b(names.encode(), digest_size=8).hexdigest()


def join_items(
    name: str, labels: TaskLabels, rows: Sequence[ItemVectors], *, common: bool = False
) -> Joined:
    """Return the labelled items that have vectors in every row.

    Args:
        name: Of the task, for messages.
        labels: Its items.
        rows: Vectors of these.
        common: Leave out items that a row lacks and another has, instead of refusing.

    Raises:
        SettingError: Rows are of different items.
        NoItemsError: No item of a split has a vector.
    """
    splits, without = {}, {}
    for split, items in labels.splits.items():
        held = np.array([[item in row.vectors for item in items.names] for row in rows])
        in_all: BoolArray = np.asarray(held.all(axis=0))
        for row, own in zip(rows, held, strict=True):
            if not common and (own != held[0]).any():
                both = int((own & held[0]).sum())
                raise SettingError(
                    f"task {name}: {rows[0].name} has {int(held[0].sum())} items of {split} and "
                    f"{row.name} {int(own.sum())}, {both} of them the same; figures of different "
                    "splits are not compared: --common keeps the items that all have"
                )
        kept = np.flatnonzero(in_all)
        if not len(kept):
            raise NoItemsError(
                f"task {name}: {_called(rows)} none of the {len(items)} items of {split}, such as "
                f"{items.names[0]!r}"
            )
        splits[split] = items.at(kept)
        without[split] = tuple(
            item for item, there in zip(items.names, in_all, strict=True) if not there
        )
    return Joined(splits, without)


def vectors_of(row: ItemVectors, items: Items) -> FloatArray:
    """Return the vectors of items, shape (N, W)."""
    return np.stack([row.vectors[name] for name in items.names])


def _called(rows: Sequence[ItemVectors]) -> str:
    return f"{rows[0].name} has" if len(rows) == 1 else f"all {len(rows)} rows have together"
