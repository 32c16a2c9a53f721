"""What changed between two versions of a taxonomy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.labels import Taxonomy
from mastershot.curation.curate import Embed, MergeRule, nearest
from mastershot.curation.decisions import Decision


@dataclass(frozen=True)
class Change:
    """A label that is gone, and what stands for it.

    Attributes:
        label: The label.
        into: The label that stands for it now.
        cosine: Of the two where only that suggests it; None where it was decided.
    """

    label: str
    into: str
    cosine: float | None = None


@dataclass(frozen=True)
class TaxonomyDiff:
    """How a new taxonomy differs from an old one.

    Attributes:
        added: Labels of the new one alone, but for those something was renamed to.
        dropped: Labels of the old one alone that nothing stands for.
        merged: Labels that a label of both stands for now.
        renamed: Labels that a label of the new one alone stands for.
        moved: True if the labels of both are in another order.
    """

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    merged: tuple[Change, ...]
    renamed: tuple[Change, ...]
    moved: bool


def diff_taxonomies(
    old: Taxonomy, new: Taxonomy, embed: Embed, *, known: Mapping[str, str | None] | None = None
) -> TaxonomyDiff:
    """Return what was added, dropped, merged and renamed.

    Args:
        old: The earlier taxonomy.
        new: The later one.
        embed: Gives labels their vectors.
        known: What labels were decided to be merged into or renamed to, None for dropped ones. For
            a label not in it, the nearest one is suggested if the cosine is above that of
            `MergeRule`.
    """
    known, before, after = known or {}, set(old.labels), set(new.labels)
    gone = [label for label in old.labels if label not in after]
    into = {label: _follow(label, known, after) for label in gone}
    changes = [Change(label, name) for label, name in into.items() if name is not None]
    undecided = [label for label, name in into.items() if name is None and label not in known]
    near = np.float32(MergeRule().into_common_above)
    changes += [
        Change(merge.label, merge.into, merge.cosine)
        for merge in nearest(undecided, new.labels, embed)
        if merge.cosine > near
    ]
    renamed = tuple(change for change in changes if change.into not in before)
    explained = {name for change in changes for name in (change.label, change.into)}
    common_before = [label for label in old.labels if label in after]
    common_after = [label for label in new.labels if label in before]
    return TaxonomyDiff(
        added=tuple(name for name in new.labels if name not in before | explained),
        dropped=tuple(label for label in gone if label not in explained),
        merged=tuple(change for change in changes if change.into in before),
        renamed=renamed,
        moved=common_before != common_after,
    )


def known_changes(decisions: Sequence[Decision]) -> dict[str, str | None]:
    """Return what labels were last decided to be merged into or renamed to; None for dropped."""
    last = {made.label: made for made in decisions}
    changed = [made for made in last.values() if made.into or made.decision == "drop"]
    return {made.label: made.into or None for made in changed}


def _follow(label: str, known: Mapping[str, str | None], after: set[str]) -> str | None:
    """Return the label of the new taxonomy that decisions lead to, or None."""
    passed = {label}
    into = known.get(label)
    while into is not None and into not in passed:
        if into in after:
            return into
        passed.add(into)
        into = known.get(into)
    return None
