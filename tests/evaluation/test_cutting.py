"""Cutting statistics against values worked out by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

from mastershot.core.errors import SettingError
from mastershot.core.lanes import Mark, MarkKind
from mastershot.core.movie import DamagedSpan, Movie, Scene, Shot, Transition
from mastershot.core.time import Span
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots
from mastershot.evaluation.cutting import cutting_rate, cutting_statistics, marks_over

UNIT_S = Fraction(1, 8)


def film_of(
    *lengths_pts: int, start_pts: int = 0, scenes: tuple[tuple[int, int], ...] | None = None
) -> Timeline:
    """A film of one frame per timestamp unit, with shots of these lengths."""
    shots, frame = [], 0
    for index, length in enumerate(lengths_pts):
        begin = start_pts + frame
        span = Span(frame, frame + length, begin, begin + length, UNIT_S)
        shots.append(Shot(f"{'0' * 16}/{index:05}", span, Transition("cut", frame, frame)))
        frame += length
    movie = Movie(
        "0" * 16, "film.mp4", "blake2b:" + "0" * 32, 1 / UNIT_S, UNIT_S, start_pts,
        start_pts + frame, frame, 64, 48, Fraction(1), False, False,
    )  # fmt: skip
    tiled = tuple(shots)
    found = None
    if scenes is not None:
        found = tuple(Scene("s", a, b, span_of_shots(tiled, a, b)) for a, b in scenes)
    return Timeline(movie, MadeBy("0", "now"), tiled, found)


def test_lengths_are_summed_up_in_exact_seconds() -> None:
    statistics = cutting_statistics(film_of(8, 16, 24, 80))  # 1, 2, 3 and 10 s
    assert statistics.num_shots == 4
    assert statistics.average_shot_s == 4.0
    assert statistics.median_shot_s == 2.5
    assert statistics.shortest_shot_s == 1.0
    assert statistics.longest_shot_s == 10.0
    # Deviations -3, -2, -1, 6: squares sum to 50, over 4 shots.
    assert statistics.shot_deviation_s == pytest.approx(12.5**0.5, rel=1e-15)
    assert statistics.cuts_per_minute == 3 * 60 / 16
    assert statistics.scene_lengths_s is None


def test_scene_lengths_run_from_first_to_last_shot() -> None:
    statistics = cutting_statistics(film_of(8, 16, 24, 80, scenes=((0, 1), (1, 4))))
    assert statistics.scene_lengths_s == (1.0, 15.0)


def test_a_film_of_one_shot_has_no_cuts_and_no_deviation() -> None:
    statistics = cutting_statistics(film_of(20))
    assert statistics.average_shot_s == statistics.median_shot_s == 2.5
    assert statistics.shot_deviation_s == 0.0
    assert statistics.cuts_per_minute == 0.0


def test_a_start_offset_changes_no_length() -> None:
    assert cutting_statistics(film_of(8, 16, start_pts=800)) == cutting_statistics(film_of(8, 16))


def test_the_cutting_rate_counts_cuts_in_a_window_clipped_to_the_film() -> None:
    # Ten seconds, cuts at 1, 2, 3 and 9 s; moments at 0, 2.5, 5, 7.5 and 10 s.
    rate = cutting_rate(film_of(8, 8, 8, 48, 8), window_s=4, num_samples=5)
    assert rate.window_s == 4
    assert rate.times_s == (0.0, 2.5, 5.0, 7.5, 10.0)
    # [0, 2) holds 1; [0.5, 4.5) 3; [3, 7) 1; [5.5, 9.5) 1; [8, 10) 1.
    assert rate.cuts_per_minute == (30.0, 45.0, 15.0, 15.0, 30.0)


def test_a_window_longer_than_twice_the_film_gives_its_overall_rate() -> None:
    film = film_of(8, 8, 8, 48, 8)
    rate = cutting_rate(film, window_s=100, num_samples=3)
    assert rate.cuts_per_minute == (cutting_statistics(film).cuts_per_minute,) * 3


def test_the_moments_of_the_cutting_rate_are_on_the_films_own_clock() -> None:
    early = cutting_rate(film_of(8, 8, 8), window_s=2, num_samples=4)
    late = cutting_rate(film_of(8, 8, 8, start_pts=80), window_s=2, num_samples=4)
    assert late.times_s == tuple(time_s + 10 for time_s in early.times_s)
    assert late.cuts_per_minute == early.cuts_per_minute


@pytest.mark.parametrize(
    ("window_s", "num_samples"), [(0.0, 5), (-1.0, 5), (float("nan"), 5), (1.0, 1)]
)
def test_a_cutting_rate_over_nothing_is_refused(window_s: float, num_samples: int) -> None:
    with pytest.raises(SettingError, match="needs a window above 0 s and at least 2 moments"):
        cutting_rate(film_of(8, 8), window_s=window_s, num_samples=num_samples)


def test_shots_of_which_frames_are_missing_are_left_out() -> None:
    film = film_of(8, 16, 24, 80)  # 1, 2, 3 and 10 s
    hole = DamagedSpan(30, 40, UNIT_S, 10)  # Within the third.
    statistics = cutting_statistics(replace(film, damaged=(hole,)))
    assert (statistics.num_shots, statistics.num_left_out) == (4, 1)
    assert statistics.average_shot_s == pytest.approx(13 / 3)
    assert statistics.longest_shot_s == 10.0
    assert statistics.cuts_per_minute == 3 * 60 / 13
    assert cutting_statistics(film).num_left_out == 0


def test_a_cut_within_a_hole_leaves_the_shots_on_both_sides_out() -> None:
    film = film_of(8, 16, 24, 80)
    hole = DamagedSpan(20, 24, UNIT_S, 4)  # The third shot is seen to start after it.
    assert cutting_statistics(replace(film, damaged=(hole,))).num_left_out == 2


def test_a_span_after_the_film_leaves_the_last_shot_out() -> None:
    film = replace(film_of(8, 16), damaged=(DamagedSpan(24, 40, UNIT_S, 16),))
    assert cutting_statistics(film).num_left_out == 1


def test_where_every_shot_is_damaged_their_lengths_are_all_there_is() -> None:
    film = replace(film_of(8, 16), damaged=(DamagedSpan(4, 12, UNIT_S, 8),))
    statistics = cutting_statistics(film)
    assert (statistics.num_left_out, statistics.average_shot_s) == (2, 1.5)


def marked(film: Timeline, *marks: tuple[MarkKind, int, int]) -> Timeline:
    found = tuple(Mark(kind, Span(a, b, a, b, UNIT_S)) for kind, a, b in marks)
    return replace(film, marks=found)


def test_shots_that_lie_half_in_marks_do_not_count() -> None:
    # 1 s black, 2 and 3 s of film, 4 s of credits, of which half is credits and half black.
    film = film_of(8, 16, 24, 32)
    found = marked(film, ("black", 0, 8), ("credits", 64, 72), ("black", 72, 76))
    statistics = cutting_statistics(found)
    assert (statistics.num_shots, statistics.num_left_out) == (4, 0)
    assert statistics.marked_left_out == {"black": 1}
    found = marked(film, ("black", 0, 8), ("credits", 56, 68), ("black", 68, 72))
    statistics = cutting_statistics(found)
    assert statistics.marked_left_out == {"black": 1, "credits": 1}
    assert (statistics.average_shot_s, statistics.longest_shot_s) == (2.5, 3.0)
    assert statistics.cuts_per_minute == 1 * 60 / 5


def test_shots_in_marks_count_where_that_is_asked_for() -> None:
    film = film_of(8, 16, 24, 32)
    found = marked(film, ("black", 0, 8), ("static", 48, 80))
    assert cutting_statistics(found, with_marked=True) == cutting_statistics(film)
    every = cutting_rate(found, window_s=4, num_samples=9, with_marked=True)
    assert every == cutting_rate(film, window_s=4, num_samples=9)


def test_a_film_of_stills_counts_all_of_them() -> None:
    film = film_of(8, 16)
    found = cutting_statistics(marked(film, ("static", 0, 8), ("static", 8, 24)))
    assert found == cutting_statistics(film)
    assert found.marked_left_out == {}


def test_a_letterbox_and_silence_leave_no_shot_out() -> None:
    film = film_of(8, 16)
    found = marked(film, ("letterbox", 0, 8), ("silence", 0, 24))
    assert cutting_statistics(found) == cutting_statistics(film)
    assert marks_over(found) == [("silence", "letterbox"), ("silence",)]


def test_a_film_that_was_not_looked_at_for_marks_counts_all_shots() -> None:
    film = film_of(8, 16)
    assert film.marks is None
    assert cutting_statistics(film).marked_left_out == {}
    assert marks_over(film) == [(), ()]


def test_a_damaged_shot_in_black_is_left_out_once() -> None:
    film = replace(film_of(8, 16, 24, 80), damaged=(DamagedSpan(30, 40, UNIT_S, 10),))
    statistics = cutting_statistics(marked(film, ("black", 24, 48), ("black", 48, 128)))
    assert (statistics.num_left_out, statistics.marked_left_out) == (1, {"black": 1})
    assert statistics.average_shot_s == 1.5


def test_the_cutting_rate_is_that_of_shots_that_count() -> None:
    film = marked(film_of(8, 8, 8, 48, 8), ("static", 24, 72))
    rate = cutting_rate(film, window_s=100, num_samples=3)
    assert rate.cuts_per_minute == pytest.approx((cutting_statistics(film).cuts_per_minute,) * 3)
    # Moments at 0, 5 and 10 s: [0, 2) has a cut, [3, 7) lies in the picture that stands.
    assert cutting_rate(film, window_s=4, num_samples=3).cuts_per_minute[:2] == (30.0, 0.0)
