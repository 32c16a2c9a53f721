from hypothesis import given
from hypothesis import strategies as st

from mastershot.curation.vocabulary import Spellings, place_of, qualifier_of, words_of

PLACES = words_of("places")


def test_what_looks_places_up_finds_places() -> None:
    assert {word for word in words_of("rooms") if place_of(word) != word} == set()
    named = [name.split("-") for name in words_of("named places")]
    assert [words for words in named if len(words) != 2 or not place_of(words[1])] == []
    assert [name for name in words_of("no places") if name.count("-") != 1] == []


def test_a_listed_place_is_itself_and_its_regular_plural_is_that_place() -> None:
    singular = {word for word in PLACES if not word.endswith("s")}
    assert {word for word in singular if not place_of(word) == qualifier_of(word) == word} == set()
    regular = {word + "s" for word in singular if word.endswith(tuple("dgklmnprt"))}
    own = words_of("plural only")
    assert {word for word in regular - own if place_of(word) != word[:-1]} == set()


def test_a_place_is_singular_and_may_be_a_compound() -> None:
    due = {
        "factories": "factory", "wharves": "wharf", "caves": "cave", "churches": "church",
        "buses": "bus", "houses": "house", "classes": "class", "woods": "woods",
        "bathhouses": "bathhouse", "planetariums": "planetarium", "gas": None, "arium": None,
    }  # fmt: skip
    assert {word: place_of(word) for word in due} == due


def test_a_qualifier_is_a_known_word_or_has_a_known_end_and_a_name_is_none() -> None:
    known = ["red", "boxes", "living-room", "old-fashioned", "constitution", "poop"]
    assert [qualifier_of(word) for word in [*known, "dinning"]] == [*known, "dining"]
    assert [qualifier_of(word) for word in ("kate", "old-kate", "zment", "poopp")] == [None] * 4


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=8, max_size=12), st.data())
def test_one_slip_in_a_long_word_is_put_right(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(word) - 2))
    doubled, lost = word[:at] + word[at] + word[at:], word[:at] + word[at + 1 :]
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for slip in {doubled, lost, swapped} - {word}:
        assert Spellings([word]).right(slip) == word


def test_a_word_that_may_be_another_stays() -> None:
    spellings = Spellings(["harbour", "apartment", "casting", "costing", "night"])
    assert spellings.right("herbour") == "harbour"
    # Wrong consonant, wrong first letter, a figure, two words as near, too short.
    for word in ("harvour", "ahrbour", "partment", "harbour1", "cesting", "nihgt", ""):
        assert spellings.right(word) is None
    assert Spellings(["night"], min_length=5).right("nihgt") == "night"
