import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.curation.cleaning import clean


@given(st.text("ABC éÉç\u2018\u2019\u201c\u201d\u2013\u2014\u2026", max_size=12), st.integers(1, 2))
def test_text_that_was_read_in_a_wrong_encoding_once_or_twice_is_mended(
    text: str, times: int
) -> None:
    slipped = text
    for _ in range(times):
        slipped = slipped.encode("utf-8").decode("latin-1")
    assert clean(slipped) == clean(text)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("JOHN\u2019S\u00a0BAR \u2014 DAY", "JOHN'S BAR  -  DAY"),
        ("`BAR` \u2026 CAR", "'BAR'  ...  CAR"),
        ("APT. 12, the bldg. B", "APARTMENT 12, the BUILDING B"),
        ("U.S.S. MAINE", "USS MAINE"),
        ("3RD ST./MAIN ST NIGHT", "3RD STREET/MAIN STREET NIGHT"),
        ("ST. MARY'S", "ST MARY'S"),
        ("ROOM12 ROOM.12 B2", "ROOM 12 ROOM 12 B2"),
        ("##KEY##*CAR* <i>BAR</i>", "  CAR   BAR "),
        ("JOHN' S CAR, DANVERS'HOUSE", "JOHN'S CAR, DANVERS' HOUSE"),
        ("SEMI-TRUCK - BAR-LATE NIGHT", "SEMI-TRUCK - BAR - LATE NIGHT"),
        ("CAR - MID-MORNING", "CAR - MID-MORNING"),
    ],
)
def test_a_heading_is_in_plain_characters_and_whole_words(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_a_name_in_quotes_goes_where_the_place_follows_it() -> None:
    assert clean('"BLUE MOON" BAR').split() == ["BAR"]
    assert clean('"BLUE MOON"').split() == ["BLUE", "MOON"]
    assert clean('"MOON" BAR').split() == ["MOON", "BAR"]
    assert clean('"OLD BARN," YARD').split() == ["OLD", "BARN,", "YARD"]
    assert clean('"BAR') == '"BAR'


@pytest.mark.parametrize("time", ["NIGHTCLUB", "DAYLIGHT", "DAY - CAR stops", "MIDNIGHT THE car"])
def test_a_word_or_a_part_that_goes_on_is_not_cut_as_prose(time: str) -> None:
    assert clean(f"YARD - {time}") == f"YARD - {time}"
