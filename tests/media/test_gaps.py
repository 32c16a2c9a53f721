from fractions import Fraction

import pytest

from mastershot.core.movie import DamagedSpan
from mastershot.media.decoding import Damage
from mastershot.media.gaps import Gaps

STEP = Fraction(40)
MS = Fraction(1, 1000)


def spans(
    times: list[int],
    lost: list[int],
    *,
    corrupt: tuple[int, ...] = (),
    own: dict[int, int] | None = None,
    shift: int = 0,
) -> list[tuple[int, int, int]]:
    """Return start, end and number of frames of each span, where these packets are lost."""
    gaps, damage = Gaps(MS), Damage(lost=lost)
    for pts in times:
        gaps.add_frame(
            pts,
            damage,
            own_pts=(own or {}).get(pts, pts),
            step=STEP,
            shift=shift,
            is_corrupt=pts in corrupt,
        )
    gaps.finish(times[-1] + 40, damage, step=STEP, shift=shift)
    assert all(span.time_base == MS for span in gaps.spans)
    return [(span.start_pts, span.end_pts, span.frames_missing) for span in gaps.spans]


def test_a_gap_in_which_a_packet_was_lost_is_missing() -> None:
    assert spans([0, 40, 200, 240], [80, 160, 120]) == [(80, 200, 3)]


def test_a_gap_in_which_nothing_was_lost_is_a_pause() -> None:
    assert spans([0, 40, 5000, 5040], []) == []


@pytest.mark.parametrize("cut_short", [-120, 0, 40, 200, 240, 360])
def test_a_packet_that_was_cut_short_beside_a_gap_counts_for_it(cut_short: int) -> None:
    assert spans([0, 40, 200, 240], [cut_short])[0] == (80, 200, 3)


def test_a_packet_that_was_lost_far_from_a_gap_does_not() -> None:
    times = [*range(0, 400, 40), *range(800, 1200, 40)]
    assert spans(times, [120]) == []
    assert spans(times, [1000]) == []
    assert spans(times, [240]) == [(400, 800, 10)]


def test_a_gap_before_a_corrupt_frame_is_missing() -> None:
    assert spans([0, 40, 200, 240], [], corrupt=(200,)) == [(80, 200, 3)]


def test_a_lost_packet_without_a_gap_is_not_missing() -> None:
    assert spans([0, 40, 80, 120], [40, 41, 79]) == []


def test_what_is_lost_after_the_last_frame_is_missing_once() -> None:
    assert spans([0, 40], [120, 80, 160, 80]) == [(80, 200, 3)]


def test_a_lost_packet_with_a_damaged_time_is_left_out() -> None:
    assert spans([0, 40], [1 << 40, -(1 << 40)]) == []


def test_a_frame_that_came_out_late_is_not_missing() -> None:
    assert spans([0, 40, 200, 240], [80, 120], own={240: 160}) == [(80, 200, 2)]


def test_lost_packets_are_on_the_clock_that_went_on() -> None:
    assert spans([1000, 1040, 1160], [80], shift=1000) == [(1080, 1160, 2)]


def test_what_was_lost_before_decoding_began_anew_does_not_count() -> None:
    gaps = Gaps(MS)
    facts = {"step": STEP, "shift": 0, "is_corrupt": False}
    gaps.add_frame(0, Damage(lost=[900]), own_pts=0, **facts)
    anew = Damage(lost=[40])
    gaps.add_frame(80, anew, own_pts=80, **facts)
    gaps.finish(1000, anew, step=STEP, shift=0)
    assert gaps.spans == (DamagedSpan(40, 80, MS, 1),)


def test_seconds_follow_from_the_time_base() -> None:
    span = DamagedSpan(250, 750, MS, 12)
    assert (span.start_s, span.end_s) == (pytest.approx(0.25), pytest.approx(0.75))
