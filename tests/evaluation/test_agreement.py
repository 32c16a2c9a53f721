import numpy as np
import pytest
from tests.factories import reference

from mastershot.evaluation.agreement import (
    NO_VALUE,
    alpha_figure,
    krippendorff_alpha,
    label_agreement,
)

# Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section C: four observers,
# twelve units; 0 stands for no value. He finds 0.743.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]


def random_values(
    seed: int, *, agreement: float = 0.5
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, (40, 1))
    values = np.where(random.random((40, 4)) < agreement, truth, random.integers(0, 3, (40, 4)))
    values[random.random(values.shape) < 0.3] = NO_VALUE
    return values


def test_the_published_example_gives_the_published_alpha() -> None:
    values = np.array(OBSERVERS, np.int64).T - 1
    assert krippendorff_alpha(values) == pytest.approx(0.743, abs=0.0005)


def test_random_values_give_what_a_plain_loop_gives() -> None:
    for seed in range(20):
        values = random_values(seed)
        units = [[v for v in row if v != NO_VALUE] for row in values.tolist()]
        assert krippendorff_alpha(values) == pytest.approx(reference.krippendorff_alpha(units))


def test_perfect_agreement_is_one() -> None:
    assert krippendorff_alpha(np.array([[0, 0], [1, 1], [2, NO_VALUE]])) == 1


def test_two_raters_who_always_differ_do_worse_than_chance() -> None:
    # One coincidence of each order a unit: o01 = o10 = 2, n = 4, n0 = n1 = 2.
    assert krippendorff_alpha(np.array([[0, 1], [1, 0]])) == pytest.approx(1 - 3 * 4 / 8)


@pytest.mark.parametrize("values", [[[0, 0], [0, 0]], [[0, NO_VALUE], [1, NO_VALUE]]])
def test_alpha_is_undefined_where_no_two_values_can_differ(values: list[list[int]]) -> None:
    assert np.isnan(krippendorff_alpha(np.array(values)))
    figure = alpha_figure(np.array(values), ["a", "b"])
    assert np.isnan([figure.value, figure.interval.low, figure.interval.high]).all()


def test_the_interval_holds_the_alpha_and_shrinks_with_more_units() -> None:
    few = random_values(0)
    many = np.concatenate([random_values(seed) for seed in range(20)])
    small, large = (
        alpha_figure(values, [str(unit) for unit in range(len(values))]) for values in (few, many)
    )
    for figure in (small, large):
        assert figure.interval.low < figure.value < figure.interval.high
    assert small.value == krippendorff_alpha(few)
    assert large.interval.high - large.interval.low < (small.interval.high - small.interval.low) / 2


def test_units_of_one_video_are_drawn_together() -> None:
    # Ten copies of each unit hold no more information than one: the interval stays as wide.
    values, names = random_values(3), [str(unit) for unit in range(40)]
    once = alpha_figure(values, names)
    copied = alpha_figure(np.repeat(values, 10, axis=0), np.repeat(names, 10).tolist())
    apart = alpha_figure(np.repeat(values, 10, axis=0), [str(unit) for unit in range(400)])
    width = once.interval.high - once.interval.low
    assert copied.interval.high - copied.interval.low == pytest.approx(width, rel=0.1)
    assert apart.interval.high - apart.interval.low < width / 2
    assert copied.num_items == once.num_items


def test_a_resample_without_disagreement_counts_as_one() -> None:
    values = np.array([[0, 0]] * 9 + [[0, 1]])
    figure = alpha_figure(values, [str(unit) for unit in range(10)])
    assert figure.interval.high == 1


def test_shares_worked_by_hand() -> None:
    confirmed = np.array([[True, False], [False, True], [False, False], [True, True]])
    agreement = label_agreement(confirmed, ["a", "b", "c", "d"])
    assert (agreement.best.value, agreement.any.value) == (0.5, 0.75)
    assert agreement.best.num_items == 4
    assert 0 <= agreement.best.interval.low < 0.5 < agreement.best.interval.high <= 1
