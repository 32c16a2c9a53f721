from fractions import Fraction
from random import Random

import numpy as np
import opentimelineio as otio
import pytest
from tests.factories.edited import KINDS, even

from mastershot.core.errors import EditsError
from mastershot.core.time import FrameTimes
from mastershot.exports.formats.timecode import (
    STANDARD_RATES,
    Counting,
    clock_notes,
    edit_clock,
    is_drop,
    rate_name,
    standard_rate,
)

NTSC, DOUBLE = Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("rate", "code", "number"),
    [
        (NTSC, "00:00:59;29", 1799),
        (NTSC, "00:01:00;02", 1800),
        (NTSC, "00:10:00;00", 17982),
        (NTSC, "01:00:00;00", 107892),
        (NTSC, "23:59:59;29", 2589407),
        (DOUBLE, "00:01:00;04", 3600),
        (DOUBLE, "01:00:00;00", 215784),
        (NTSC, "01:00:00:00", 108000),
        (Fraction(24000, 1001), "01:00:00:00", 86400),
        (Fraction(25), "10:11:12:24", 916824),
        (Fraction(120), "00:00:01:119", 239),
    ],
)
def test_codes_are_those_of_the_standard(rate: Fraction, code: str, number: int) -> None:
    counting = Counting(rate, is_drop(code))
    assert counting.number(code) == number
    assert counting.code(number) == code


@pytest.mark.parametrize("rate", [NTSC, DOUBLE, Fraction(120000, 1001)], ids=rate_name)
def test_every_drop_frame_number_of_twenty_minutes_has_its_own_code(rate: Fraction) -> None:
    counting = Counting(rate, drop=True)
    codes = [counting.code(number) for number in range(20 * 60 * counting.nominal)]
    assert len(set(codes)) == len(codes)
    assert [counting.number(code) for code in codes] == list(range(len(codes)))
    # At each whole ten minutes, codes and the clock agree to a frame.
    ten_minutes = counting.number("00:10:00;00")
    assert abs(ten_minutes / rate - 600) < 1 / rate


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("rate", [rate for rate in STANDARD_RATES if rate <= 60], ids=rate_name)
def test_codes_agree_with_opentimelineio(rate: Fraction, drop: bool) -> None:
    if drop and rate not in (NTSC, DOUBLE):
        pytest.skip("there is no drop-frame at this rate")
    counting, random = Counting(rate, drop), Random(1)
    for number in [0, *(random.randrange(counting.frames_per_day) for _ in range(200))]:
        time = otio.opentime.from_timecode(counting.code(number), float(rate))
        assert time.to_frames() == number


def test_codes_wrap_at_midnight() -> None:
    counting = Counting(Fraction(25))
    assert counting.code(counting.frames_per_day + 1) == "00:00:00:01"


@pytest.mark.parametrize(
    ("rate", "code", "sentence"),
    [
        (NTSC, "01:01:00;00", "does not exist: drop-frame codes pass over frames 0 to 1"),
        (DOUBLE, "01:59:00;03", "pass over frames 0 to 3 of minute 59"),
        (Fraction(24), "00:00:00:24", "names frame 24, but at 24 frames a second"),
        (Fraction(24000, 1001), "00:00:00:24", "at 23.976 frames a second they count 0 to 23"),
        (Fraction(25), "24:00:00:00", "past the end of a day"),
        (Fraction(25), "00:60:00:00", "past the end of a day, an hour or a minute"),
        (Fraction(25), "-1:00:00:00", "is no time code; one is written HH:MM:SS:FF"),
        (Fraction(25), "", "is no time code"),
        (Fraction(25), "one", "'one' is no time code"),
        (Fraction(24), "00:00:00;00", "count 29.97 or 59.94 frames a second, not 24"),
    ],
)  # fmt: skip
def test_an_impossible_code_is_one_sentence(rate: Fraction, code: str, sentence: str) -> None:
    with pytest.raises(EditsError, match=sentence):
        Counting(rate, is_drop(code)).number(code)


@pytest.mark.parametrize("rate", [*STANDARD_RATES, Fraction(2997, 125)], ids=rate_name)
@pytest.mark.parametrize("ticks", [1000, 90000], ids=["ms", "90kHz"])
def test_a_constant_rate_counts_ordinals_over_three_hours(rate: Fraction, ticks: int) -> None:
    num_frames = int(3 * 3600 * rate)
    times = FrameTimes(even(rate, Fraction(1, ticks), num_frames, 83), Fraction(1, ticks))
    clock = edit_clock(times, rate)
    assert clock.is_exact
    assert abs(clock.counting.rate / rate - 1) < 1e-5
    assert np.array_equal(clock.numbers, np.arange(num_frames + 1))
    assert clock_notes(clock, rate) == ()


@pytest.mark.parametrize(
    ("rate", "counted"),
    [("15", 30), ("12.5", 25), ("10", 30), ("20", 60), ("1", 24), ("1/3", 24), ("90", 100)],
)
def test_another_rate_is_counted_at_a_standard_one_with_a_note(rate: str, counted: int) -> None:
    own = Fraction(rate)
    times = FrameTimes(even(own, 1 / own / 1000, 500, 0), 1 / own / 1000)
    clock = edit_clock(times, own)
    assert (clock.counting.rate, clock.is_exact) == (counted, True)
    assert "work at that rate in the editor" in " ".join(clock_notes(clock, own))
    assert [clock.frame(clock.number(frame)) for frame in range(501)] == list(range(501))


@pytest.mark.parametrize("kind", ["phone", "screen"])
def test_each_frame_of_a_variable_rate_has_its_own_number(kind: str) -> None:
    times, rate, _ = KINDS[kind](Random(3), 600)
    clock = edit_clock(times, rate)
    assert clock.is_exact
    frames = range(times.num_frames + 1)
    assert [clock.frame(clock.number(frame)) for frame in frames] == list(frames)


def test_where_frames_share_a_number_it_is_said() -> None:
    times = FrameTimes(np.array([0, 40, 41, 42, 80, 120]), Fraction(1, 1000))
    clock = edit_clock(times, Fraction(41))
    assert not clock.is_exact
    assert "share a number" in " ".join(clock_notes(clock, Fraction(41)))
    whole = clock.span(clock.number(0), clock.end)
    assert (whole.first_frame, whole.end_frame) == (0, 5)
    assert clock.span(-5, 1).first_frame == 0


def test_interpolated_times_are_told() -> None:
    times = FrameTimes(np.arange(100), Fraction(1, 25), are_exact=False)
    assert "are interpolated" in clock_notes(edit_clock(times, Fraction(25)), Fraction(25))[-1]


def test_times_too_large_for_64_bits_are_counted_exactly() -> None:
    base = Fraction(1, 24_000_000_001)
    pts = np.array([0, 10**18, 2 * 10**18])
    clock = edit_clock(FrameTimes(pts, base), Fraction(1))
    exact = [int(int(one) * base * clock.counting.rate + Fraction(1, 2)) for one in pts]
    assert clock.numbers.tolist() == exact


@pytest.mark.parametrize(
    ("rounded", "rate"),
    [(23.976, "24000/1001"), (23.98, "24000/1001"), (29.97, "30000/1001"), (24, "24"), (12, "12")],
)  # fmt: skip
def test_a_rounded_rate_stands_for_an_exact_one(rounded: float, rate: str) -> None:
    assert standard_rate(rounded) == Fraction(rate)
