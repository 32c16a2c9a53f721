import pytest

from mastershot.curation.moments import (
    Moment,
    clock_moments,
    continues,
    day_or_night,
    moment_at_end,
    moment_at_start,
)


def test_clock_times_are_taken_out_of_a_heading_in_their_order() -> None:
    rest, found = clock_moments("BAR 10 a.m. - CAR 9:02:05, 1400 Hrs")
    assert found == [Moment("10 AM", 1), Moment("9:02:05", 1), Moment("1400 HRS", 1)]
    assert rest.replace("-", " ").split() == ["BAR", "CAR", ","]
    for text in ("CAR 12", "FARM 1946", "ROOM 12 AMPLE", "12 HOURS"):
        assert clock_moments(text) == (text, [])


@pytest.mark.parametrize(
    ("text", "moment", "before"),
    [
        ("BEACH MAGIC HOUR", Moment("MAGIC HOUR", 0), "BEACH"),
        ("CAR AT NIGHT", Moment("NIGHT", 0), "CAR"),
        ("CAR LATER THAT NIGHT", Moment("LATER THAT NIGHT", 0), "CAR"),
        ("CAR 2 HOURS LATER", Moment("2 HOURS LATER", 2), "CAR"),
        ("CAR TWO HOURS AFTER", Moment("TWO HOURS AFTER", 2), "CAR"),
        ("CAR CONTINUOUS ACTION", Moment("CONTINUOUS", 2), "CAR"),
        ("CAR (Nihgt)", Moment("NIGHT", 0), "CAR"),
        ("CAR 14 THE DAWN 12A B-7", Moment("DAWN", 0), "CAR"),
        ("12 AM", Moment("12 AM", 1), ""),
        ("", None, ""),
        ("DAYS", None, ""),
        ("CAR MODERN DAY", None, "CAR"),
        ("CHRISTMAS EVE", None, "CHRISTMAS EVE"),
        ("NIGHT CAR", None, "NIGHT CAR"),
    ],
)
def test_the_time_at_the_end_is_parted_from_the_words_before_it(
    text: str, moment: Moment | None, before: str
) -> None:
    assert moment_at_end(text.split()) == (moment, before.split())


def test_the_time_at_the_start_is_read_whatever_follows() -> None:
    assert moment_at_start(["LATE", "NIGHT", "IN", "THE", "CAR"]) == Moment("LATE NIGHT", 0)
    assert moment_at_start(["A", "MOMENT", "LATER,", "CAR"]) == Moment("A MOMENT LATER", 2)
    for text in ("", "EVE", "CAR NIGHT", "PRESENT DAY", "IN THE CAR"):
        assert moment_at_start(text.split()) is None


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("DAY", "DAY"),
        ("LATE NIGHT", "NIGHT"),
        ("EARLY MORNING", "DAY"),
        ("MIDNIGHT", "NIGHT"),
        ("DUSK", None),
        ("DAY TO NIGHT", None),
        ("9:02 AM", None),
        (None, None),
    ],
)
def test_a_time_looks_of_day_or_night_or_neither(text: str | None, look: str | None) -> None:
    assert day_or_night(text) == look


def test_later_and_continuous_go_on_from_the_scene_before() -> None:
    assert continues("CONTINUOUS")
    assert continues("MOMENTS LATER")
    assert not continues("DUSK")
    assert not continues(None)
