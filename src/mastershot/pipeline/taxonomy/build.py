"""Scripts, an auxiliary label set and people's decisions in, a taxonomy out."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from mastershot import __version__
from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import TaxonomyError
from mastershot.core.labels import load_taxonomy
from mastershot.curation.built import (
    BuiltTaxonomy,
    describe_labels,
    group_labels,
    read_glossary,
)
from mastershot.curation.candidates import TOP, count_labels, cut_candidates, read_scripts
from mastershot.curation.curate import Curation, Embed, LabelSources, MergeRule, curate
from mastershot.curation.decisions import Decision, read_decisions
from mastershot.datasets.hvu import read_hvu_labels
from mastershot.encoders.text import SENTENCE_MODEL, SentenceEncoder


@dataclass(frozen=True)
class TaxonomyPlan:
    """What a taxonomy is built from, and how.

    Attributes:
        scripts: Scripts, folders of scripts, tables of headings.
        auxiliary: HVU's tags as released (``.csv``), a shipped taxonomy, or a file of labels.
        decisions: The decisions file; it may not exist yet.
        glossary: Definitions of labels.
        top: How many labels of scripts to take at most; None takes all.
        min_scripts: How many scripts must name a label.
        rule: From which cosine on labels are merged, or offered to be.
    """

    scripts: tuple[Path, ...]
    auxiliary: str | Path
    decisions: Path | None = None
    glossary: Path | None = None
    top: int | None = TOP
    min_scripts: int = 1
    rule: MergeRule = field(default_factory=MergeRule)


class TaxonomyBuilder:
    """Builds a taxonomy: sources are read once, decisions are replayed at every step.

    Attributes:
        problems: Sentences on scripts that cannot be read.
        notes: Sentences on what the user should know but need not mend.
    """

    def __init__(self, plan: TaxonomyPlan, embed: Embed | None = None) -> None:
        """Read the plan's sources.

        Raises:
            MastershotError: No script can be read, or the auxiliary set, the glossary or the
                decisions file cannot.
        """
        self.plan = plan
        self.embed: Embed = RememberedVectors(embed or SentenceEncoder().encode_texts)
        scripts = read_scripts(plan.scripts)
        self.problems = scripts.problems
        self.notes: tuple[str, ...] = ()
        if count := len(scripts.repeated):
            words = "1 script stands" if count == 1 else f"{count} scripts stand"
            note = f"{words} in two sources; the first was taken, as for {scripts.repeated[0]!r}"
            self.notes = (note,)
        self._num_headings = [len(headings) for headings in scripts.headings.values()]
        ranked = count_labels(scripts.headings)
        kept = cut_candidates(ranked, top=plan.top, min_scripts=plan.min_scripts)
        self.sources = LabelSources(
            scripts=tuple(candidate.label for candidate in kept),
            auxiliary=read_auxiliary(plan.auxiliary),
            named={candidate.label: candidate for candidate in ranked},
        )
        self.glossary = {} if plan.glossary is None else read_glossary(plan.glossary)
        self.decisions = () if plan.decisions is None else read_decisions(plan.decisions)

    def curate(self, more: Iterable[Decision] = ()) -> Curation:
        """Return the taxonomy after all decisions, and after more that were made since."""
        return curate(self.sources, self.embed, (*self.decisions, *more), self.plan.rule)

    def require_label(self, decision: Decision) -> None:
        """Raise `TaxonomyError` where a decision merges into a label that the taxonomy lacks."""
        if self.curate([decision]).stale != self.curate().stale:
            raise TaxonomyError(
                f"there is no label {decision.into!r} to merge into; name an existing one, or "
                "rename"
            )

    def describe(self, curation: Curation, name: str) -> BuiltTaxonomy:
        """Return a taxonomy with its groups and all that is known of its labels."""
        names = [entry.label for entry in curation.entries]
        groups = group_labels(names, self.embed)
        labels = describe_labels(curation, groups, self.glossary)
        kept = {old for entry in curation.entries for old in (entry.label, *entry.merged)}
        both = dict.fromkeys([*self.sources.scripts, *self.sources.auxiliary])
        dropped = tuple(label for label in both if label not in kept)
        made_by: dict[str, object] = {
            "version": __version__,
            "scripts": len(self._num_headings),
            "headings": sum(self._num_headings),
            "auxiliary": str(self.plan.auxiliary),
            "cut": {"top": self.plan.top, "min_scripts": self.plan.min_scripts},
            "rule": asdict(self.plan.rule),
            "encoder": SENTENCE_MODEL,
            "sources_hash": _digest([*self.sources.scripts, "", *self.sources.auxiliary]),
            "decisions_hash": _digest(map(repr, curation.decisions.values())),
            "steps": step_counts(curation),
        }
        return BuiltTaxonomy(name, labels, made_by, dropped)


class RememberedVectors:
    """Texts to vectors, each text once."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._vectors: dict[str, FloatArray] = {}

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, shape (N, D)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors |= dict(zip(new, self._embed(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])


def read_auxiliary(source: str | Path) -> tuple[str, ...]:
    """Return the labels of an auxiliary set in lower case, each once.

    Raises:
        DatasetError: A ``.csv`` is not HVU's list of tags.
        TaxonomyError: Another file cannot be read or holds no label.
    """
    is_hvu = Path(source).suffix.lower() == ".csv"
    labels = (read_hvu_labels(source) if is_hvu else load_taxonomy(source)).labels
    return tuple(dict.fromkeys(" ".join(label.lower().split()) for label in labels))


def step_counts(curation: Curation) -> dict[str, int]:
    """Return how many labels there are at each step, under the paper's names for them."""
    return {
        "L_MS": len(curation.sources.scripts),
        "L_aux": len(curation.sources.auxiliary),
        "L_com": len(curation.common),
        "L_NC": len(curation.not_common),
        "merged into L_com": len(curation.merged),
        "L_N": len(curation.rest),
        "decided": len(curation.decisions),
        "merges on offer": len(curation.offers),
        "undecided": len(curation.undecided),
        "L_final": len(curation.entries),
    }


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
