import itertools
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import SettingError
from mastershot.media.sampling import (
    HeldFrames,
    RateClock,
    Sampling,
    grid_frames,
    nearest_frames,
    parse_sampling,
    uniform_frames,
)


def frame(index: int, size_bytes: int = 1000, pts: int | None = None):
    return SimpleNamespace(index=index, size_bytes=size_bytes, pts=index if pts is None else pts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uniform:3", Sampling("uniform", 3)),
        ("rate:0.5", Sampling("rate", 0.5)),
        ("every", Sampling("every", 0)),
    ],
)
def test_a_sampling_is_read_and_written_alike(text: str, expected: Sampling) -> None:
    assert parse_sampling(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text", ["", "uniform", "uniform:0", "uniform:2.5", "uniform:51", "uniform:x", "rate:-1",
             "rate:inf", "rate:nan", "every:2", "all"],
)  # fmt: skip
def test_a_sampling_that_means_nothing_says_what_would(text: str) -> None:
    with pytest.raises(SettingError, match=r"write uniform:N .* rate:HZ .* or every"):
        parse_sampling(text)


def test_uniform_frames_are_inset_at_both_ends() -> None:
    assert uniform_frames(0, 30, 3) == [5, 15, 25]
    assert uniform_frames(10, 12, 5) == [10, 11]
    assert uniform_frames(7, 8, 3) == [7]


@given(length=st.integers(1, 3000), size_bytes=st.sampled_from([1000, 3 << 20, 50 << 20]))
def test_held_frames_are_few_and_near_to_any_place(length: int, size_bytes: int) -> None:
    held = HeldFrames(at_least=3)
    most = 0
    for index in range(length):
        held.add(frame(index, size_bytes))
        most = max(most, len(held._held))
    shot = held.cut(length)
    assert most <= 33
    capacity = max(6, min(32, (96 << 20) // size_bytes))
    for wanted in uniform_frames(0, length, 3):
        [nearest] = nearest_frames(shot, [wanted])
        assert abs(nearest.index - wanted) <= max(0, length / capacity)
        if length <= capacity:
            assert nearest.index == wanted


@given(length=st.integers(1, 3000), lag=st.integers(0, 20))
def test_the_grid_of_a_shot_is_what_is_held_of_it(length: int, lag: int) -> None:
    held = HeldFrames(at_least=3)
    late = HeldFrames(at_least=3, max_lag_frames=lag, whole_lag=True)
    for index in range(length):
        held.add(frame(index))
    for index in range(length + 1 + lag):
        late.add(frame(index))
    grid = list(grid_frames(0, length, held.capacity))
    assert [f.index for f in held._held] == grid
    assert set(grid) <= {f.index for f in late.cut(length)}


def test_frames_after_a_cut_that_is_reported_late_belong_to_the_next_shot() -> None:
    held = HeldFrames(at_least=3)
    for index in range(20):
        held.add(frame(index))
    assert [f.index for f in held.cut(15)] == list(range(15))
    held.add(frame(20))
    assert [f.index for f in held.cut(21)] == [15, 16, 17, 18, 19, 20]


def test_a_cut_on_the_very_last_frame_leaves_it_a_picture() -> None:
    held = HeldFrames(at_least=3)
    for index in range(1000):
        held.add(frame(index))
    assert held.cut(999)
    assert [f.index for f in held.cut(1000)] == [999]


def test_shots_of_one_frame_reported_late_each_have_theirs() -> None:
    held = HeldFrames(at_least=3, max_lag_frames=2)
    for index in range(1000):
        held.add(frame(index))
    assert [held.cut(end)[-1].index for end in (998, 999, 1000)] == [997, 998, 999]


def test_a_rate_holds_under_variable_frame_rate() -> None:
    clock = RateClock(2, Fraction(1, 1000))
    times_ms = [0, 100, 480, 520, 990, 1001, 1600, 3000, 3100, 3600]
    assert [t for t in times_ms if clock.takes(frame(0, pts=t))] == [0, 520, 1001, 1600, 3000, 3600]


def test_frames_that_are_held_only_while_new_are_said_to_be() -> None:
    held = HeldFrames(at_least=3)
    kept = [index for index in range(100) if held.add(frame(index))]
    assert kept[:33] == list(range(33))  # then every other one, then every fourth
    assert kept[33:] == [*range(34, 65, 2), *range(68, 100, 4)]


@pytest.mark.parametrize("size_bytes", [1000, 3 << 20, 12 << 20])
def test_a_shot_reported_very_late_has_frames_near_to_any_place(size_bytes: int) -> None:
    lag = 384
    held, most = HeldFrames(at_least=3, max_lag_frames=lag), 0
    for index in range(2000 + lag):
        held.add(frame(index, size_bytes))
        most = max(most, len({id(f) for f in (*held._held, *held._latest, *held._changed)}))
    assert most * size_bytes <= (2 * 96 << 20) + 2 * size_bytes or most <= 500
    held.cut(2000)
    shot = held.cut(2000 + lag)
    fitting = max(6, min(lag + 1, (96 << 20) // size_bytes))
    for wanted in uniform_frames(2000, 2000 + lag, 3):
        [nearest] = nearest_frames(shot, [wanted])
        assert abs(nearest.index - wanted) <= 1 + lag / fitting


def test_a_short_shot_reported_very_late_has_the_frame_it_starts_with() -> None:
    held = HeldFrames(at_least=3, max_lag_frames=384)
    starts = (1003, 1008, 1011, 1017)
    for index in range(1300):
        held.add(frame(index, 12 << 20), changed=index in starts)
    held.cut(starts[0])
    for start, end in itertools.pairwise(starts):
        assert start in [f.index for f in held.cut(end)]


def test_a_shot_of_which_nothing_is_held_has_the_nearest_frame() -> None:
    held = HeldFrames(at_least=3, max_lag_frames=384)
    for index in range(1300):
        held.add(frame(index, 12 << 20))
    held.cut(1003)
    assert [f.index for f in held.cut(1004)] == [1024]  # The one before is farther: 980.
    assert held.cut(1300)[0].index == 1024
