import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.curation.places import is_plain, places_in, places_seen
from mastershot.curation.vocabulary import words_of

LISTED = words_of("places") | words_of("qualifiers") | words_of("prepositions") - {"&"}
WORDS = st.sampled_from([*sorted(LISTED), "zorblatt", "kate's", "danvers'", "mary-ann", "21"])


@given(st.lists(WORDS, max_size=7))
def test_a_place_that_was_found_is_found_again_by_its_name(words: list[str]) -> None:
    for place in places_in(words):
        assert places_in(place.split()) == [place]


@given(st.lists(st.tuples(WORDS, st.sampled_from(["{}", '"{}"', "({}),", "{}!"])), max_size=7))
def test_case_and_marks_around_words_make_no_difference(marked: list[tuple[str, str]]) -> None:
    plain = places_in([word for word, _ in marked])
    assert places_in([mark.format(word.upper()) for word, mark in marked]) == plain


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("ROOF OF HOUSE", ["roof"]),
        ("BACK OF HOUSE", ["house"]),
        ("KITCHEN WITH JOHN IN BATHROOM", ["kitchen"]),
        ("JOHN'S SUV'S", ["suv"]),  # a wrong plural
        ("THE SUV'S ROOF", ["roof"]),
        ("FIRST CLASS LOUNGE", ["first class lounge"]),
        ("CHARLES STREET BRASSERIE", ["brasserie"]),
        ("STREET BRASSERIE", ["street brasserie"]),
        ("LIVING-ROOM", ["living room"]),
        ("X-RAY ROOM", ["x-ray room"]),
        ("TAXI CLOSE SHOT", ["taxi"]),
        ("BAR HIGH ANGLE", ["bar"]),
        ("BAR INSERT", ["bar"]),
        ("SMITH-BARN HOUSE", ["house"]),
        ("SURFACE OF LAKE", ["lake"]),
    ],
)
def test_the_places_of_one_part_are_those_it_names(text: str, places: list[str]) -> None:
    assert places_in(text.split()) == places


def test_what_the_camera_sees_follows_its_last_word() -> None:
    assert places_seen(["ANGLE", "UP", "STREET"]) == ["street"]
    assert places_seen(["SHOT", "OF", "HOUSE", "SHOT", "OF", "BARN"]) == ["barn"]
    assert places_seen(["CAR", "WITH", "VIEW", "OF", "THE", "BEACH"]) == ["beach"]
    for text in ("PINE VIEW HOTEL", "HOUSE POV", "HOUSE UP STREET"):
        assert places_seen(text.split()) == []


def test_a_plain_word_is_known_and_no_position() -> None:
    assert [word for word in ("Small,", "UPSTAIRS", "BACK", "zorblatt") if is_plain(word)] == [
        "Small,", "UPSTAIRS",
    ]  # fmt: skip
