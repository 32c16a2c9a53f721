import re
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.time import Span, format_clock

TIME_BASES = st.builds(Fraction, st.integers(1, 1001), st.integers(1, 10**9))


def test_seconds_are_exact_where_milliseconds_would_drift() -> None:
    hour, step = 86_314, 1001  # frames of 24000/1001 in an hour, rounded up
    span = Span(hour, hour + 24, hour * step, (hour + 24) * step, Fraction(1, 24000))
    assert span.start == Fraction(hour * 1001, 24000)
    assert span.start_s == float(Fraction(hour * 1001, 24000))
    assert span.num_frames == 24
    assert span.duration_s == pytest.approx(1.001)


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=8),
    st.integers(-(10**12), 10**12),
    TIME_BASES,
)
def test_spans_in_a_row_leave_no_gap_and_lose_no_time(
    steps: list[int], start_pts: int, time_base: Fraction
) -> None:
    times = [start_pts + sum(steps[:place]) for place in range(len(steps) + 1)]
    spans = [Span(i, i + 1, *pts, time_base) for i, pts in enumerate(pairwise(times))]
    assert all(one.end == other.start for one, other in pairwise(spans))
    assert sum(span.end - span.start for span in spans) == sum(steps) * time_base
    assert sorted(spans, reverse=True)[::-1] == spans


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [
        (0, "0:00:00.000"),
        (3661.5, "1:01:01.500"),
        (59.9996, "0:01:00.000"),
        (3599.9996, "1:00:00.000"),
        (360_000, "100:00:00.000"),
        (-1.25, "-0:00:01.250"),
    ],
)
def test_a_clock_reads_like_a_player(seconds: float, clock: str) -> None:
    assert format_clock(seconds) == clock


@given(st.floats(0, 10**6))
def test_a_clock_is_the_nearest_millisecond(seconds: float) -> None:
    clock = re.fullmatch(r"(\d+):([0-5]\d):([0-5]\d)\.(\d{3})", format_clock(seconds))
    assert clock is not None
    hours, minutes, whole, ms = map(int, clock.groups())
    shown = Fraction(((hours * 60 + minutes) * 60 + whole) * 1000 + ms, 1000)
    assert abs(shown - Fraction(seconds)) <= Fraction(5001, 10**7)
