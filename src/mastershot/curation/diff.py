"""What changed between two versions of a taxonomy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.labels import Taxonomy
from mastershot.curation.curate import Embed, Merge, MergeRule, nearest
from mastershot.curation.decisions import Decision


@dataclass(frozen=True)
class Change:
    """What became of a label that is not there any more.

    Attributes:
        label: The label.
        into: The label that stands for it now.
        cosine: Of the two where nearness alone says so; None where it was decided.
    """

    label: str
    into: str
    cosine: float | None = None


@dataclass(frozen=True)
class TaxonomyDiff:
    """How a new taxonomy differs from an old one.

    Attributes:
        added: Labels that only the new one has, but for those something was renamed to.
        dropped: Labels that only the old one has and that nothing stands for.
        merged: Labels that another label stands for now, which the old one had too.
        renamed: Labels that another label stands for now, which the old one had not.
        moved: True where the labels of both stand in another order.
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
        known: What labels were decided to be merged into or renamed to, None for dropped ones. A
            label that it does not know counts as merged into the nearest one where the cosine is
            above that of `MergeRule`; that is a suggestion, and bears its cosine.
    """
    before, after = set(old.labels), set(new.labels)
    gone = [label for label in old.labels if label not in after]
    changes: list[Change] = []
    unknown: list[str] = []
    for label in gone:
        into = _follow(label, known or {}, after)
        if into is not None:
            changes.append(Change(label, into))
        elif label not in (known or {}):
            unknown.append(label)
    changes += [Change(m.label, m.into, m.cosine) for m in _suggested(unknown, new.labels, embed)]
    told = {change.label for change in changes}
    renamed = tuple(change for change in changes if change.into not in before)
    targets = {change.into for change in renamed}
    common_before = [label for label in old.labels if label in after]
    common_after = [label for label in new.labels if label in before]
    return TaxonomyDiff(
        added=tuple(name for name in new.labels if name not in before and name not in targets),
        dropped=tuple(label for label in gone if label not in told),
        merged=tuple(change for change in changes if change.into in before),
        renamed=renamed,
        moved=common_before != common_after,
    )


def known_changes(decisions: Sequence[Decision]) -> dict[str, str | None]:
    """Return what labels were last decided to be merged into or renamed to; None for dropped."""
    last = {made.label: made for made in decisions}
    return {
        label: made.into or None
        for label, made in last.items()
        if made.into or made.decision == "drop"
    }


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


def _suggested(labels: Sequence[str], others: Sequence[str], embed: Embed) -> list[Merge]:
    near = np.float32(MergeRule().into_common_above)
    return [merge for merge in nearest(labels, others, embed) if merge.cosine > near]
