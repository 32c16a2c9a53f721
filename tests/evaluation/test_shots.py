"""Figures of boundaries against counts by hand."""

import math
from dataclasses import replace

import pytest

from mastershot.datasets.boundaries.boundary import Boundary, BoundaryKind
from mastershot.evaluation.shots import (
    KINDS,
    FilmBoundaries,
    Measure,
    Score,
    evaluate_boundaries,
    overlap,
)


def cuts(*frames: int) -> tuple[Boundary, ...]:
    return tuple(Boundary("cut", frame, frame) for frame in frames)


def gradual(start: int, end: int, kind: BoundaryKind = "dissolve") -> Boundary:
    return Boundary(kind, start, end)


def film(
    found: tuple[Boundary, ...], true: tuple[Boundary, ...], name: str = "film"
) -> FilmBoundaries:
    return FilmBoundaries(name, found, true, num_frames=1000)


def values(score: Score) -> tuple[float, float, float]:
    return score.precision.value, score.recall.value, score.f1.value


@pytest.mark.parametrize(("tolerance", "hits"), [(0, 1), (1, 2), (2, 3), (50, 4)])
def test_cuts_count_within_the_tolerance_and_each_once(tolerance: int, hits: int) -> None:
    one = film(cuts(100, 201, 302, 340, 303), cuts(100, 200, 300, 370))
    figures = evaluate_boundaries([one], Measure(tolerance=tolerance))
    for score in (figures.detected, figures.located, figures.located_kinds["cut"]):
        assert values(score) == pytest.approx((hits / 5, hits / 4, 2 * hits / 9))
        assert (score.num_found, score.num_true, score.num_matched) == (5, 4, hits)


def test_detection_asks_for_no_kind_and_location_for_kind_and_half_the_extent() -> None:
    true = (gradual(100, 120), gradual(200, 220), gradual(300, 320, "fade"), *cuts(500))
    found = (
        *cuts(110),  # in the middle of the first: detected only
        gradual(205, 220),  # three quarters of the second: located
        gradual(300, 320),  # where the fade is, but a dissolve
        gradual(490, 501),  # holds the cut
    )
    figures = evaluate_boundaries([film(found, true)])
    assert values(figures.detected) == (1, 1, 1)
    assert {k: figures.detected_kinds[k].value for k in ("cut", "gradual", "fade", "dissolve")} == {
        "cut": 1, "gradual": 1, "fade": 1, "dissolve": 1,
    }  # fmt: skip
    assert math.isnan(figures.detected_kinds["wipe"].value)
    assert values(figures.located) == (0.25, 0.25, 0.25)
    by_kind = figures.located_kinds
    assert values(by_kind["gradual"]) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert values(by_kind["dissolve"]) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    assert by_kind["fade"].num_true == 1
    assert by_kind["fade"].recall.value == 0
    assert math.isnan(by_kind["fade"].precision.value)
    assert values(by_kind["cut"]) == (0, 0, 0)
    assert math.isnan(by_kind["wipe"].f1.value)


@pytest.mark.parametrize(("end", "hits"), [(110, 1), (109, 0)])
def test_half_is_enough_and_less_is_not(end: int, hits: int) -> None:
    figures = evaluate_boundaries([film((gradual(100, end),), (gradual(100, 120),))])
    assert figures.located.num_matched == hits
    loose = evaluate_boundaries(
        [film((gradual(100, end),), (gradual(100, 120),))], Measure(least_overlap=0)
    )
    assert loose.located.num_matched == 1
    assert (figures.num_measured, figures.start_error, figures.end_error) == (1, 0, 120 - end)


def test_the_overlap_is_what_is_common_over_what_both_cover() -> None:
    assert overlap(gradual(0, 10), gradual(5, 15)) == pytest.approx(5 / 15)
    assert overlap(gradual(0, 10), gradual(10, 15)) == 0
    assert overlap(gradual(4, 4), gradual(0, 10)) == 0  # Of unknown extent.


def test_where_the_truth_tells_no_kinds_any_gradual_kind_is_right_and_kinds_have_no_rows() -> None:
    true = (gradual(100, 120, "gradual"), *cuts(300))
    figures = evaluate_boundaries([film((gradual(100, 120, "wipe"), *cuts(300)), true)])
    assert values(figures.located) == (1, 1, 1)
    assert values(figures.located_kinds["gradual"]) == (1, 1, 1)
    for kind in ("fade", "dissolve", "wipe"):
        assert figures.located_kinds[kind].num_found == 0
        assert math.isnan(figures.located_kinds[kind].f1.value)


def test_errors_are_of_start_and_end_whatever_the_overlap() -> None:
    true = (gradual(100, 120), gradual(200, 220), gradual(400, 400))
    found = (gradual(98, 126), gradual(219, 221), gradual(390, 410), *cuts(105))
    figures = evaluate_boundaries([film(found, true)])
    assert figures.num_measured == 2
    assert (figures.start_error, figures.end_error) == ((2 + 19) / 2, (6 + 1) / 2)
    none = evaluate_boundaries([film(cuts(5), cuts(5))])
    assert math.isnan(none.start_error)
    assert none.num_measured == 0


def test_a_flash_counts_where_a_boundary_that_is_false_is_near() -> None:
    one = film(cuts(100, 202, 300), cuts(300))
    assert evaluate_boundaries([one]).flashes is None
    flashes = evaluate_boundaries([replace(one, flashes=(100, 200, 205, 301))]).flashes
    assert flashes is not None
    # The boundary at 300 is true, so the flash beside it made nothing false.
    assert (flashes.value, flashes.num_items) == (0.5, 4)


def test_nothing_found_and_nothing_there_are_not_defined_rather_than_perfect() -> None:
    nothing_found = evaluate_boundaries([film((), cuts(100))]).detected
    assert math.isnan(nothing_found.precision.value)
    assert (nothing_found.recall.value, nothing_found.f1.value) == (0, 0)
    nothing_there = evaluate_boundaries([film(cuts(100), ())]).detected
    assert (nothing_there.precision.value, nothing_there.f1.value) == (0, 0)
    assert math.isnan(nothing_there.recall.value)
    assert math.isnan(evaluate_boundaries([film((), ())]).detected.f1.value)


def test_films_are_added_up_and_resampled_and_one_film_is_cut_into_stretches() -> None:
    good = film(cuts(*range(100, 1000, 100)), cuts(*range(100, 1000, 100)), "good")
    bad = film(cuts(50), cuts(500), "bad")
    both = evaluate_boundaries([good, bad])
    assert values(both.detected) == pytest.approx((0.9, 0.9, 0.9))
    assert [(name, score.f1.value) for name, score, _ in both.films] == [("good", 1), ("bad", 0)]
    assert (both.detected.f1.interval.low, both.detected.f1.interval.high) == (0, 1)
    assert both.num_stretches == 0
    mixed = film(cuts(*range(100, 1000, 100)), cuts(*range(100, 500, 100), *range(550, 1000, 100)))
    alone = evaluate_boundaries([mixed])
    interval = alone.detected.f1.interval
    assert alone.num_stretches == 20
    assert interval.low < alone.detected.f1.value < interval.high
    assert evaluate_boundaries([mixed]).detected == alone.detected


def test_detection_is_transnets_criterion() -> None:
    # The examples of its evaluate_scenes: shots to frame 5 found, to frame 4, 3 and 2 true.
    for last, tolerance, hits in [(5, 0, 1), (4, 0, 0), (4, 1, 1), (3, 1, 0), (3, 2, 1), (2, 2, 0)]:
        one = film(cuts(6), cuts(last + 1))
        got = evaluate_boundaries([one], Measure(tolerance=tolerance)).detected.num_matched
        assert got == hits, (last, tolerance)


def test_every_kind_has_a_row() -> None:
    figures = evaluate_boundaries([film(cuts(1), cuts(1))])
    assert tuple(figures.located_kinds) == tuple(figures.detected_kinds) == KINDS
