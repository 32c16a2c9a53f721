"""What is asked, and what an answer becomes."""

import pytest
from tests.curation.test_curate import SPACE, curated, sources

from mastershot.core.errors import SettingError
from mastershot.curation.curate import curate
from mastershot.curation.decisions import Decision
from mastershot.curation.review import answer, questions


def test_merges_on_offer_come_first_with_their_definitions() -> None:
    asked = questions(curated(), {"stream": "flowing water", "creek": "a small river"})
    assert [question.label for question in asked] == ["stream", "creek", "reef"]
    first = asked[0]
    assert (first.into, first.definition, first.into_definition) == (
        "creek", "flowing water", "a small river",
    )  # fmt: skip
    assert (first.origin, first.num_scripts, first.example) == ("auxiliary", 2, "INT.")
    assert asked[2].into is None
    assert asked[2].hint == "perhaps too specific or no place of film: no script names it"


def test_a_second_run_asks_only_what_is_new() -> None:
    decisions = [Decision("drop", "reef"), Decision("keep", "creek"), Decision("keep", "stream")]
    assert questions(curated(*decisions)) == []
    more = sources(("lake", "creek", "office", "brook"))
    grown = curate(more, SPACE, [*decisions, Decision("drop", "lake")])
    assert [question.label for question in questions(grown)] == ["brook", "pond"]


def test_a_label_that_many_others_contain_is_perhaps_generic() -> None:
    from tests.factories.toy_space import at_angles

    from mastershot.curation.curate import LabelSources

    names = ("room", "war room", "tea room", "wash room")
    space = at_angles({name: 90 * index for index, name in enumerate(names)})
    asked = questions(curate(LabelSources(names, ("tea room",)), space))
    assert {q.label: q.hint for q in asked}["room"] == "perhaps generic: 3 other labels contain it"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k", ("keep", "", None)),
        (" DROP ", ("drop", "", None)),
        ("m", ("merge", "creek", "shown")),
        ("merge  Lake", ("merge", "lake", None)),
        ("merge creek", ("merge", "creek", "shown")),
        ("r small stream", ("rename", "small stream", None)),
    ],
)
def test_an_answer_becomes_a_decision(text: str, expected: tuple[str, str, str | None]) -> None:
    question = questions(curated())[0]
    made = answer(question, text, by="ada")
    cosine = question.cosine if expected[2] else None
    assert (made.decision, made.label, made.into, made.by, made.cosine) == (
        expected[0], "stream", expected[1], "ada", cosine,
    )  # fmt: skip
    assert made.made


@pytest.mark.parametrize("text", ["", "yes", "drop it", "r", "merge stream", "k k"])
def test_what_is_no_answer_is_an_error(text: str) -> None:
    with pytest.raises(SettingError, match="is no answer; it is keep, drop, merge, merge LABEL"):
        answer(questions(curated())[0], text, by="ada")


def test_merging_needs_a_label_where_none_is_on_offer() -> None:
    with pytest.raises(SettingError, match="'m' is no answer; it is keep, drop, merge LABEL or"):
        answer(questions(curated())[-1], "m", by="ada")
