"""Questions about labels that nobody has decided yet, and the decisions answers make."""

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
        num_scripts: How many scripts name it, below the cut too.
        example: A heading that names it; empty where none does.
        into: The more generic label it may be merged into; None where none is near.
        cosine: Of the two.
        hint: Why it may be too generic or too specific; empty without a reason.
        definition: Its definition in the glossary; empty where it has none.
        into_definition: That of ``into``.
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

    The glossary's definitions are shown beside the labels.
    """
    glossary, sources = glossary or {}, curation.sources
    asked, in_scripts = [], set(sources.scripts)
    for label in curation.undecided:
        offer, named = curation.offers.get(label), sources.candidate(label)
        into = offer.into if offer else None
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

    It is ``keep``, ``drop``, ``merge`` (into what is offered), ``merge LABEL`` or ``rename LABEL``,
    or starts with their first letters.

    Raises:
        SettingError: The answer is not one of these.
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
    """Return a reason to drop a label, if there is one.

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
