from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.media.clock import BestEffort, Clock, step_of

STEP = 40


def timed(times: Sequence[int | None], *, max_held: int = 20) -> tuple[list[int], Clock[int]]:
    """Return the times a clock gives to frames with these; each frame comes out once, in order."""
    clock: Clock[int] = Clock(STEP)
    out = []
    for frame, time in enumerate(times):
        out += clock.take(frame, time, max_held=max_held)
    out += clock.finish()
    assert [settled.frame for settled in out] == list(range(len(times)))
    return [settled.pts for settled in out], clock


def regular(count: int, start: int = 0) -> list[int | None]:
    return [start + STEP * number for number in range(count)]


def test_regular_times_stay_and_no_frame_is_held_once_the_second_is_there() -> None:
    clock: Clock[int] = Clock(STEP)
    counts = [len(list(clock.take(0, time))) for time in regular(6, 7200)]
    assert counts == [0, 2, 1, 1, 1, 1]
    assert timed(regular(6, 7200))[0] == regular(6, 7200)


@pytest.mark.parametrize("wrong", [1 << 30, 11_000, 520, 3, -(1 << 30)])
@pytest.mark.parametrize("place", [2, 9])
def test_a_single_damaged_time_lies_between_its_neighbours(wrong: int, place: int) -> None:
    times = regular(30)
    times[place] = wrong
    times, clock = timed(times)
    assert times == regular(30)
    assert (clock.num_repaired, clock.num_restarts, clock.shift) == (1, 0, 0)


def test_a_run_of_damaged_times_is_spread_evenly() -> None:
    times = regular(40)
    times[10:22] = [5_000_000 + STEP * number for number in range(12)]
    assert timed(times)[0] == regular(40)


def test_a_damaged_first_time_follows_from_the_second() -> None:
    assert timed([1 << 33, *regular(30)[1:]])[0] == regular(30)


def test_a_damaged_last_time_is_one_step_after() -> None:
    assert timed([*regular(9), -90_000])[0] == regular(10)


@pytest.mark.parametrize(("decoding_time", "shown"), [(360, 400), (10**9, 10**9), (None, 10**9)])
def test_a_last_time_far_ahead_is_damaged_if_the_frame_is_decoded_before(
    decoding_time: int | None, shown: int
) -> None:
    clock: Clock[int] = Clock(STEP)
    for frame, time in enumerate(regular(10)):
        list(clock.take(frame, time, decoding_time=time))
    shown_times = [
        *clock.take(10, 10**9, decoding_time=decoding_time and decoding_time + STEP),
        *clock.finish(),
    ]
    assert [settled.pts for settled in shown_times] == [shown]


def test_a_hole_keeps_its_length() -> None:
    times = regular(30) + regular(30, 5000)
    settled, clock = timed(times)
    assert settled == times
    assert clock.num_repaired == 0


def test_a_frame_out_of_order_after_a_hole_does_not_lie_in_the_hole() -> None:
    times = [*regular(30), 1640, *regular(9, 1600)]
    assert timed(times)[0] == [*regular(30), 1560, *regular(9, 1600)]


def test_a_clock_that_starts_anew_goes_on_from_where_it_was() -> None:
    settled, clock = timed(regular(50, 9000) + regular(50))
    assert settled == regular(100, 9000)
    assert (clock.num_repaired, clock.num_restarts) == (0, 1)


def test_times_that_stand_still_do_not_start_the_clock_anew() -> None:
    times: list[int | None] = [number // 2 for number in range(400)]  # Two frames a unit.
    clock: Clock[int] = Clock(1)
    settled = [at for frame, time in enumerate(times) for at in clock.take(frame, time)]
    settled += clock.finish()
    assert clock.num_restarts == 0
    assert all(before.pts < after.pts for before, after in pairwise(settled))


def test_a_clock_may_start_anew_twice() -> None:
    assert timed(regular(40, 9000) + regular(40) + regular(40))[0] == regular(120, 9000)


def test_frames_out_of_order_do_not_start_the_clock_anew() -> None:
    times: list[int | None] = [0, 40, 160, 80, 120, 200, 240, 280]
    settled, clock = timed(times)
    assert settled[-3:] == [200, 240, 280]
    assert (clock.num_restarts, clock.shift) == (0, 0)


def test_a_frame_without_a_time_comes_one_step_after() -> None:
    assert timed([0, 40, None, 120, None, None])[0] == regular(6)


def test_times_before_the_first_known_one_follow_from_it() -> None:
    assert timed([None, None, *regular(5, 900)])[0] == regular(7, 900 - 2 * STEP)


def test_a_film_without_times_counts_from_0() -> None:
    assert timed([None] * 30)[0] == regular(30)


def test_a_variable_rate_stays_as_it_is() -> None:
    times: list[int | None] = [0, 3600_000, 3600_040, 7200_000, 9000_000]
    settled, clock = timed(times)
    assert settled == times
    assert clock.num_repaired == 0


@given(
    st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**9)), max_size=60), st.integers(1, 30)
)
def test_whatever_the_times_they_come_out_rising(times: list[int | None], max_held: int) -> None:
    settled, _ = timed(times, max_held=max_held)
    assert all(before < after for before, after in pairwise(settled))


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=60))
def test_times_that_rise_are_never_touched(steps: list[int]) -> None:
    times: list[int | None] = [sum(steps[: number + 1]) for number in range(len(steps))]
    assert timed(times)[0] == times


def test_no_more_frames_are_held_than_fit() -> None:
    clock: Clock[int] = Clock(STEP)
    held = 0
    for frame, time in enumerate([*regular(10), *([-(10**6)] * 50)]):
        held += 1 - len(list(clock.take(frame, time, max_held=4)))
        assert held < 4


def test_best_effort_is_the_presentation_time_while_it_is_sound() -> None:
    best_effort = BestEffort()
    assert [best_effort(pts, pts - 80) for pts in (0, 40, 80)] == [0, 40, 80]


def test_best_effort_is_the_decoding_time_once_presentation_times_fall() -> None:
    best_effort = BestEffort()
    assert [best_effort(pts, dts) for pts, dts in [(0, 0), (90, 40), (80, 80), (85, 120)]] == [
        0, 90, 80, 120
    ]  # fmt: skip


def test_best_effort_takes_what_there_is() -> None:
    best_effort = BestEffort()
    assert [best_effort(0, None), best_effort(None, 40), best_effort(None, None)] == [0, 40, None]


def test_a_step_is_25_to_a_second_where_no_rate_is_known() -> None:
    assert step_of(None, Fraction(1, 1000)) == 40
    assert step_of(Fraction(24000, 1001), Fraction(1, 24000)) == 1001
