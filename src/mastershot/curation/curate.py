"""Two label sets and people's decisions to one taxonomy (paper, section 3.2; METHODS A2)."""
# L_MS labels of scripts, L_aux of an auxiliary set, L_com of both, L_NC of one of them, L_N the
# rest of L_NC once what is near a label of L_com is merged into it

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import TaxonomyError
from mastershot.curation.candidates import Candidate
from mastershot.curation.decisions import Decision, holds_separator

Embed: TypeAlias = Callable[[Sequence[str]], FloatArray]
"""Unit vectors of texts, one row a text."""

Origin: TypeAlias = Literal["common", "scripts", "auxiliary", "person"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(frozen=True)
class MergeRule:
    """From which cosine on labels are merged, or offered to be.

    Attributes:
        into_common_above: A label of L_NC is merged into its nearest of L_com above this.
        offer_from: A label of L_N is offered to be merged into another from this on.
    """

    into_common_above: float = 0.6
    offer_from: float = 0.7


@dataclass(frozen=True)
class LabelSources:
    """What a taxonomy is made from.

    Attributes:
        scripts: L_MS, the labels of scripts after the cut, those of most scripts first.
        auxiliary: L_aux.
        named: Every label that a script names, also below the cut.
    """

    scripts: tuple[str, ...]
    auxiliary: tuple[str, ...]
    named: Mapping[str, Candidate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.scripts:
            raise TaxonomyError("no script names a label that the cut keeps; lower --min-scripts")
        if not self.auxiliary:
            raise TaxonomyError("the auxiliary label set is empty; it should name a label a line")

    def candidate(self, label: str) -> Candidate:
        """Return how often scripts name a label; 0 where none does."""
        return self.named.get(label, Candidate(label, 0, 0, ""))


@dataclass(frozen=True)
class Merge:
    """One label taken into another.

    Attributes:
        label: The label that is removed.
        into: The one that stands for it.
        cosine: Of the two.
    """

    label: str
    into: str
    cosine: float


@dataclass(frozen=True)
class Entry:
    """One label of a taxonomy and what is known of it, added by `describe_labels` in the end.

    Attributes:
        label: Its name.
        origin: Which source it is from.
        group: The label in the middle of its group; empty where there are no groups.
        num_scripts: How many scripts name it.
        num_sluglines: How many headings do.
        example: One of them; empty where none does.
        definition: What the glossary says of it; empty where it says nothing.
        merged: The labels it also stands for.
    """

    label: str
    origin: Origin
    group: str = ""
    num_scripts: int = 0
    num_sluglines: int = 0
    example: str = ""
    definition: str = ""
    merged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Curation:
    """How a taxonomy came about.

    Attributes:
        sources: What it is made from.
        common: L_com.
        not_common: L_NC.
        merged: What was merged into L_com by cosine; no label that a person decided about.
        rest: L_N, before anyone decides.
        offers: For each undecided label of L_N that is near another, the merge to ask about.
        undecided: Labels of L_N that nobody has decided about; they stay until somebody does.
        decisions: The decision that counts, the last one, by label; stale ones are left out.
        stale: Decisions that name an unknown label.
        entries: The taxonomy, alphabetical.
    """

    sources: LabelSources
    common: tuple[str, ...]
    not_common: tuple[str, ...]
    merged: tuple[Merge, ...]
    rest: tuple[str, ...]
    offers: Mapping[str, Merge]
    undecided: tuple[str, ...]
    decisions: Mapping[str, Decision]
    stale: tuple[Decision, ...]
    entries: tuple[Entry, ...]

    def stale_texts(self) -> list[str]:
        """Return a sentence for each decision that names an unknown label."""
        decided = (name for made in self.decisions.values() for name in (made.label, made.into))
        known = {*self.sources.scripts, *self.sources.auxiliary, *decided}
        texts = []
        for made in self.stale:
            label = made.into if made.label in known else made.label
            num_scripts = self.sources.candidate(label).num_scripts
            where = f"; {num_scripts} scripts name it, too few for the cut" if num_scripts else ""
            texts.append(
                f"the decision to {made.text} has no effect: there is no label {label!r} "
                f"now{where}; add it, or take the decision out"
            )
        return texts


def curate(
    sources: LabelSources,
    embed: Embed,
    decisions: Iterable[Decision] = (),
    rule: MergeRule = MergeRule(),
) -> Curation:
    """Return the taxonomy of two label sets after people's decisions (paper, eq. 1 and 2).

    A decision counts before any cosine: a label that somebody kept is not merged, and nothing is
    merged by cosine into one that somebody dropped. Of several on one label the last counts. A
    merge follows its target where that was itself merged or renamed; what is merged into a dropped
    label is dropped with it. A label renamed to an existing one is merged into it; a new name can
    be decided about like any label.

    Raises:
        TaxonomyError: Decisions go in a circle, or leave no label.
    """
    in_both = set(sources.scripts) & set(sources.auxiliary)
    common = tuple(label for label in sources.scripts if label in in_both)
    every = [*sources.scripts, *sources.auxiliary]
    not_common = tuple(label for label in every if label not in in_both)
    last, added, stale = _counting(decisions, set(every))
    dropped = {label for label, made in last.items() if made.decision == "drop"}
    decided = {label: made.into for label, made in last.items() if made.into}
    stands = {_end_of(label, decided) for label in common if label in decided}
    merged = tuple(
        merge
        for merge in nearest(
            [label for label in not_common if label not in last and label not in stands],
            [label for label in common if _end_of(label, decided) not in dropped],
            embed,
        )
        if merge.cosine > np.float32(rule.into_common_above)
    )
    forward = {merge.label: merge.into for merge in merged} | decided
    rest = tuple(label for label in not_common if label in decided or label not in forward)
    undecided = tuple(label for label in rest if label not in last)
    staying = [label for label in rest if label not in dropped and label not in decided]
    offers = _offers(staying, sources, embed, rule.offer_from)
    origins: dict[str, Origin] = dict.fromkeys(sources.scripts, "scripts")
    origins |= dict.fromkeys(sources.auxiliary, "auxiliary")
    origins |= dict.fromkeys(common, "common")
    origins |= dict.fromkeys(added, "person")
    return Curation(
        sources=sources,
        common=common,
        not_common=not_common,
        merged=merged,
        rest=rest,
        offers={label: offers[label] for label in undecided if label in offers},
        undecided=undecided,
        decisions=last,
        stale=stale,
        entries=_entries(origins, forward, dropped),
    )


def nearest(labels: Sequence[str], others: Sequence[str], embed: Embed) -> list[Merge]:
    """Return for each label the nearest of the others, and the cosine; of equals the first."""
    if not labels or not others:
        return []
    cosines = embed(labels) @ embed(others).T
    best = zip(labels, cosines.argmax(axis=1), cosines.max(axis=1).tolist(), strict=True)
    return [Merge(label, others[place], cosine) for label, place, cosine in best]


def more_generic(a: str, b: str, sources: LabelSources) -> bool:
    """Return True if label ``a`` is more generic than ``b``.

    That is the one whose words the other has too (lake, glacial lake); else the one that more
    scripts name; else the one of fewer words; else the shorter; else the first by the alphabet.
    """
    words_a, words_b = set(a.split()), set(b.split())
    if words_a < words_b or words_b < words_a:
        return words_a < words_b

    def rank(label: str) -> tuple[int, int, int, str]:
        return -sources.candidate(label).num_scripts, len(label.split()), len(label), label

    return rank(a) < rank(b)


def _counting(
    decisions: Iterable[Decision], known: set[str]
) -> tuple[dict[str, Decision], dict[str, None], tuple[Decision, ...]]:
    """Return the last decision by label, the labels added in order, and the stale decisions."""
    decisions = list(decisions)
    added = {made.label: None for made in decisions if made.decision == "add"}
    added = {label: None for label in added if label not in known}
    last = {made.label: made for made in decisions}
    existing = _with_renamed(known | set(added), last.values())
    stale = tuple(
        made
        for made in last.values()
        if made.label not in existing or (made.decision == "merge" and made.into not in existing)
    )
    return {label: made for label, made in last.items() if made not in stale}, added, stale


def _with_renamed(labels: set[str], decisions: Iterable[Decision]) -> set[str]:
    """Return labels and what they are renamed to, in one step or several."""
    renames = {made.label: made.into for made in decisions if made.decision == "rename"}
    reached = set(labels)
    for label in labels:
        while label in renames and renames[label] not in reached:
            label = renames[label]
            reached.add(label)
    return reached


def _offers(
    labels: Sequence[str], sources: LabelSources, embed: Embed, offer_from: float
) -> dict[str, Merge]:
    """Return the best merge to offer for each label that is near a more generic one."""
    if len(labels) < 2:
        return {}
    vectors = embed(labels)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    offers: dict[str, Merge] = {}
    for row, column in enumerate(cosines.argmax(axis=1).tolist()):
        cosine = cosines[row, column]
        if cosine >= np.float32(offer_from):
            pair = labels[row], labels[column]
            label, into = pair[::-1] if more_generic(*pair, sources) else pair
            if label not in offers or offers[label].cosine < cosine:
                offers[label] = Merge(label, into, float(cosine))
    return offers


def _entries(
    origins: Mapping[str, Origin], forward: Mapping[str, str], dropped: set[str]
) -> tuple[Entry, ...]:
    """Return the labels that stay, each with those it stands for."""
    stands_for = defaultdict(list)
    for label in origins:
        stands_for[_end_of(label, forward)].append(label)
    for name in dropped:
        stands_for.pop(name, None)
    if not stands_for:
        raise TaxonomyError("the decisions leave no label; keep at least one")
    for name in stands_for:
        if name.startswith("#"):
            raise TaxonomyError(
                f"label {name!r} starts with `#`, which marks a comment in files; rename it"
            )
        if holds_separator(name):
            raise TaxonomyError(
                f"label {name!r} holds a semicolon or a line break, which separate labels in "
                "files; rename it"
            )
    return tuple(
        Entry(name, origins.get(name, origins[labels[0]]), merged=tuple(sorted({*labels} - {name})))
        for name, labels in sorted(stands_for.items())
    )


def _end_of(label: str, forward: Mapping[str, str]) -> str:
    """Return the label that finally stands for this one."""
    passed = [label]
    while passed[-1] in forward:
        label = forward[passed[-1]]
        if label in passed:
            circle = " into ".join(map(repr, [*passed, label]))
            raise TaxonomyError(f"the decisions go in a circle: {circle}; take one of them back")
        passed.append(label)
    return passed[-1]
