from math import comb

import numpy as np
import pytest

from mastershot.evaluation.bootstrap import (
    UNDEFINED,
    basic_interval,
    binomial_figure,
    bootstrap_interval,
    interval_of,
    resample_counts,
    share_figure,
)


def test_the_interval_of_a_mean_is_as_wide_as_the_normal_law_says() -> None:
    values = np.random.default_rng(2).normal(size=400)
    interval = bootstrap_interval(lambda items: float(values[items].mean()), len(values))
    error = values.std() / np.sqrt(len(values))
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_a_lower_level_gives_a_narrower_interval_inside() -> None:
    values = np.arange(30.0)
    wide, narrow = (
        bootstrap_interval(lambda items: float(values[items].mean()), 30, level=level)
        for level in (0.95, 0.5)
    )
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high


def test_a_seed_settles_the_interval() -> None:
    values = np.arange(20.0)
    one, same, other = (
        bootstrap_interval(lambda items: float(values[items].mean()), 20, seed=seed)
        for seed in (4, 4, 5)
    )
    assert one == same
    assert one != other


def test_weights_undo_an_uneven_draw() -> None:
    holds = np.array([True, True, False])
    figure = share_figure(holds, ["a", "b", "c"], weights=np.array([1.0, 1.0, 8.0]))
    assert figure.value == pytest.approx(0.2)


def test_the_interval_of_a_share_is_as_wide_as_the_binomial_law_says() -> None:
    holds = np.random.default_rng(0).random(500) < 0.3
    figure = share_figure(holds, [str(item) for item in range(500)])
    error = np.sqrt(figure.value * (1 - figure.value) / 500)
    assert figure.interval.low == pytest.approx(figure.value - 1.96 * error, abs=0.25 * error)
    assert figure.interval.high == pytest.approx(figure.value + 1.96 * error, abs=0.25 * error)


def test_the_share_in_one_group_has_no_interval() -> None:
    figure = share_figure(np.array([True, False]), ["a", "a"])
    assert (figure.value, figure.num_items) == (0.5, 2)
    assert figure.interval is UNDEFINED


def test_the_share_of_nothing_is_no_number() -> None:
    figure = share_figure(np.zeros(0, np.bool_), [])
    assert np.isnan(figure.value)
    assert figure.num_items == 0


def test_items_that_do_not_count_change_nothing() -> None:
    holds, where = np.array([True, False, True, True]), np.array([True, True, True, False])
    weights = np.array([1.0, 2.0, 1.0, 9.0])
    some = share_figure(holds, ["a", "b", "a", "c"], where=where, weights=weights)
    assert some == share_figure(holds[:3], ["a", "b", "a"], weights=weights[:3])
    assert some.value == 0.5
    assert some.num_items == 3


def test_counts_are_those_of_the_resamples_of_an_interval() -> None:
    values = np.arange(7.0) ** 2
    counts = resample_counts(7, seed=3, num_resamples=200)
    assert (counts.sum(axis=1) == 7).all()
    expected = bootstrap_interval(
        lambda items: float(values[items].mean()), 7, seed=3, num_resamples=200
    )
    found = interval_of(counts @ values / 7)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_resamples_without_the_metric_do_not_count() -> None:
    assert interval_of([np.nan, 1.0, np.nan, 1.0]) == interval_of([1.0, 1.0])
    assert interval_of([np.nan]) is UNDEFINED


def test_the_basic_interval_is_the_mirror_image_of_the_percentiles() -> None:
    figures = np.random.default_rng(0).exponential(size=500)
    percentiles, basic = interval_of(figures), basic_interval(0.5, figures, least=-9)
    assert basic.low + percentiles.high == pytest.approx(1)
    assert basic.high + percentiles.low == pytest.approx(1)
    assert (basic_interval(0.5, figures).low, basic_interval(0.5, [-1.0]).high) == (0, 1)
    assert np.isnan(basic_interval(np.nan, [np.nan]).low)


@pytest.mark.parametrize(
    ("num_hits", "num_trials", "low", "high"),
    [
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),  # the closed form of no hit
        (10, 10, 0.025 ** (1 / 10), 1.0),
        (1, 1, 0.025, 1.0),
        (5, 10, 0.1871, 0.8129),  # of published tables
        (2, 100, 0.0024, 0.0704),
    ],
)
def test_a_share_has_its_exact_interval(
    num_hits: int, num_trials: int, low: float, high: float
) -> None:
    figure = binomial_figure(num_hits, num_trials)
    assert figure.value == num_hits / num_trials
    assert figure.num_items == num_trials
    assert (figure.interval.low, figure.interval.high) == pytest.approx((low, high), abs=5e-5)


def test_the_ends_of_an_exact_interval_leave_as_much_on_either_side() -> None:
    interval = binomial_figure(3, 20).interval
    at_least = sum(
        comb(20, k) * interval.low**k * (1 - interval.low) ** (20 - k) for k in range(3, 21)
    )
    at_most = sum(
        comb(20, k) * interval.high**k * (1 - interval.high) ** (20 - k) for k in range(4)
    )
    assert (at_least, at_most) == pytest.approx((0.025, 0.025), abs=1e-9)


def test_the_share_of_no_trial_is_not_defined() -> None:
    assert np.isnan(binomial_figure(0, 0).value)
