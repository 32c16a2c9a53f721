"""What is left for a person to say of a taxonomy, and what an answer becomes."""

from collections.abc import Mapping
from dataclasses import dataclass

from mastershot.core.errors import SettingError
from mastershot.curation.curate import Curation, Origin
from mastershot.curation.decisions import Decision, now


@dataclass(frozen=True)
class Question:
    """One label of L_N to decide about.

    Attributes:
        label: The label.
        origin: The source it is from.
        num_scripts: How many scripts name it; below the cut too.
        example: A heading that names it; empty where none does.
        into: The more generic label it may be merged into; None where none is near.
        cosine: Of the two.
        hint: Why it may be too generic or too specific; empty where nothing speaks for either.
        definition: What the glossary says of it; empty where it says nothing.
        into_definition: What it says of ``into``.
    """

    label: str
    origin: Origin
    num_scripts: int
    example: str
    into: str | None
    cosine: float | None
    hint: str
    definition: str = ""
    into_definition: str = ""


def questions(curation: Curation, glossary: Mapping[str, str] | None = None) -> list[Question]:
    """Return what nobody has decided yet: merges on offer, the nearest first, then the rest.

    Args:
        curation: The taxonomy as decided so far.
        glossary: Definitions of labels, shown beside them.
    """
    glossary = glossary or {}
    sources = curation.sources
    in_scripts = set(sources.scripts)
    asked = []
    for label in curation.undecided:
        offer = curation.offers.get(label)
        into = offer.into if offer else None
        named = sources.candidate(label)
        asked.append(
            Question(
                label=label,
                origin="scripts" if label in in_scripts else "auxiliary",
                num_scripts=named.num_scripts,
                example=named.example,
                into=into,
                cosine=offer.cosine if offer else None,
                hint=_hint(label, curation),
                definition=glossary.get(label, ""),
                into_definition=glossary.get(into, "") if into else "",
            )
        )
    return sorted(asked, key=lambda question: -(question.cosine or 0.0))


def answer(question: Question, text: str, *, by: str) -> Decision:
    """Return the decision that an answer in words makes.

    ``keep``, ``drop``, ``merge`` (into what is offered), ``merge LABEL`` and ``rename LABEL``, or
    their first letters.

    Raises:
        SettingError: The answer is none of these.
    """
    word, _, rest = " ".join(text.lower().split()).partition(" ")
    into = rest or (question.into or "" if word in {"m", "merge"} else "")
    cosine = question.cosine if into == question.into else None
    for kind in ("keep", "drop", "merge", "rename"):
        if word in {kind, kind[0]} and bool(into) == (kind in {"merge", "rename"}):
            if into == question.label:
                break
            return Decision(kind, question.label, into, by=by, made=now(), cosine=cosine)
    raise SettingError(
        f"{text!r} is no answer; it is keep, drop, {'merge, ' if question.into else ''}"
        "merge LABEL or rename LABEL, or their first letters"
    )


def _hint(label: str, curation: Curation) -> str:
    """Return what speaks for dropping a label: others that say it closer, or no script naming it.

    A label whose words are part of three others may be generic (landscape), one that no script
    names may be none of film, or too specific (piste).
    """
    words = set(label.split())
    parts = sum(words < set(other.split()) for other in (*curation.common, *curation.rest))
    if parts >= 3:
        return f"perhaps generic: {parts} other labels contain it"
    if curation.sources.named and not curation.sources.candidate(label).num_scripts:
        return "perhaps too specific or no place of film: no script names it"
    return ""
