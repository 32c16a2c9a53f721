import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, average_precision_score, mean_squared_error

from mastershot.evaluation.bootstrap import bootstrap_interval
from mastershot.evaluation.downstream.figures import (
    MAIN,
    constant_classes,
    constant_precision,
    constant_retrieval,
    constant_value,
    gain_over,
    mean_figure,
    measure_classes,
    measure_precision,
    measure_retrieval,
    measure_values,
    one_hot,
)
from mastershot.evaluation.downstream.items import Answers, Items, standardised

RNG = np.random.default_rng(7)
NAMES = tuple(f"clip {number}" for number in range(60))


def items(targets: np.ndarray) -> Items:
    return Items(NAMES[: len(targets)], NAMES[: len(targets)], targets)


def answers(outputs: np.ndarray) -> Answers:
    seeds = len(outputs)
    zeros = np.zeros(seeds)
    return Answers(outputs.astype(np.float32), np.ones(seeds, np.int64), zeros, zeros)


def test_accuracy_is_that_of_scikit_learn_also_with_ties_and_empty_classes() -> None:
    truth = RNG.integers(0, 3, 60)  # The fourth class has no item.
    outputs = RNG.integers(0, 3, (4, 60, 4)).astype(np.float32)  # Ties: the first class wins.
    found = measure_classes(answers(outputs), items(truth), ("a", "b", "c", "d"))
    expected = [accuracy_score(truth, one.argmax(1)) for one in outputs]
    assert found.by_seed == pytest.approx(expected)
    assert found.figures[MAIN].value == pytest.approx(np.mean(expected))
    assert set(found.figures) == {MAIN, "a", "b", "c"}
    of_b = [accuracy_score(truth[truth == 1], one[truth == 1].argmax(1)) for one in outputs]
    assert found.figures["b"].value == pytest.approx(np.mean(of_b))
    assert found.figures["b"].num_items == (truth == 1).sum()


def test_the_interval_is_of_clips_and_of_the_mean_over_seeds() -> None:
    truth, outputs = RNG.integers(0, 2, 40), RNG.normal(size=(3, 40, 2))
    found = measure_classes(answers(outputs), items(truth), ("a", "b"), seed=4)
    values = (outputs.argmax(2) == truth).mean(0)
    order = np.argsort(NAMES[:40])  # Groups are resampled in the order of their names.
    expected = bootstrap_interval(lambda drawn: values[order][drawn].mean(), 40, seed=4)
    interval = found.figures[MAIN].interval
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.low < found.figures[MAIN].value < interval.high


def test_one_item_has_a_figure_and_no_interval() -> None:
    found = mean_figure(np.ones(1), ["a"])
    assert (found.value, found.num_items) == (1, 1)
    assert np.isnan(found.interval.low)


def test_the_squared_error_is_that_of_scikit_learn() -> None:
    truth, outputs = RNG.normal(size=30), RNG.normal(size=(2, 30, 1)).astype(np.float32)
    found = measure_values(answers(outputs), items(truth))
    expected = [mean_squared_error(truth, one[:, 0].astype(float)) for one in outputs]
    assert found.by_seed == pytest.approx(expected)
    assert set(found.figures) == {MAIN}


def test_constant_answers_are_those_of_scikit_learn() -> None:
    train, asked = RNG.integers(0, 4, 50), RNG.integers(0, 4, 30)
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((50, 1)), train)
    assert constant_classes(train, items(asked)).value == pytest.approx(
        dummy.score(np.zeros((30, 1)), asked)
    )
    values, others = RNG.normal(size=50), RNG.normal(size=30)
    mean = DummyRegressor().fit(np.zeros((50, 1)), values).predict(np.zeros((30, 1)))
    assert constant_value(values, items(others)).value == pytest.approx(
        mean_squared_error(others, mean)
    )
    truth = one_hot(asked, 5)  # The last class has no item.
    found = constant_precision(truth, items(asked), list("abcde")).value
    assert found == pytest.approx(truth[:, :4].mean(axis=0)[truth.any(axis=0)[:4]].mean())


def test_mean_ap_leaves_none_out_and_is_that_of_scikit_learn() -> None:
    asked = RNG.integers(0, 4, 60)
    truth = one_hot(asked, 4)
    outputs = np.round(RNG.random((3, 60, 4)), 1).astype(np.float32)
    names = ("sex", "violence", "drug-use", "none")
    found = measure_precision(outputs, truth, items(asked), names)
    by_class = [
        np.mean([average_precision_score(truth[:, c], one[:, c]) for one in outputs])
        for c in range(4)
    ]
    assert [found.figures[name].value for name in names] == pytest.approx(by_class)
    assert found.figures[MAIN].value == pytest.approx(np.mean(by_class[:3]))
    assert len(found.by_seed) == 3


def test_a_class_without_an_item_does_not_count_in_the_mean() -> None:
    truth = np.zeros((20, 3), np.bool_)
    truth[:5, 0] = truth[10:, 2] = True
    outputs = RNG.random((1, 20, 3)).astype(np.float32)
    found = measure_precision(outputs, truth, items(truth), ("a", "b", "c"))
    assert set(found.figures) == {MAIN, "a", "c"}
    expected = np.mean([average_precision_score(truth[:, c], outputs[0][:, c]) for c in (0, 2)])
    assert found.figures[MAIN].value == pytest.approx(expected)


def test_precision_of_retrieval_is_by_label_and_over_all_queries() -> None:
    labels = np.array([0, 0, 1, 2])
    precisions = np.array([[1, 0.4, 0.3], [0, 0.2, 0.1], [1, 1, 0.9], [0, 0, 0]])
    found = measure_retrieval(precisions, items(labels), ("office", "bar", "gym"))
    assert found.figures["@1"].value == found.figures[MAIN].value == 0.5
    assert found.figures["office@5"].value == pytest.approx(0.3)
    assert found.figures["bar@10"].value == pytest.approx(0.9)
    assert constant_retrieval(items(labels), np.array([0, 0, 0, 1])).value == 1.75 / 4


def test_gains_are_paired() -> None:
    truth = RNG.integers(0, 2, 40)
    good = np.stack([np.eye(2)[truth]] * 2)
    one = measure_classes(answers(good), items(truth), ("a", "b"))
    other = measure_classes(answers(1 - good), items(truth), ("a", "b"))
    gain = gain_over(one, other, NAMES[:40])[MAIN]
    assert (gain.value, gain.interval.low, gain.interval.high) == (1, 1, 1)
    tags = one_hot(truth, 2)
    first = measure_precision(RNG.random((2, 40, 2)), tags, items(truth), ("a", "b"))
    best = measure_precision(good, tags, items(truth), ("a", "b"))
    gain = gain_over(best, first, NAMES[:40])[MAIN]
    assert gain.value == pytest.approx(1 - first.figures[MAIN].value)
    assert gain.interval.low > 0
    same = gain_over(first, first, NAMES[:40])[MAIN]
    assert (same.value, same.interval.low, same.interval.high) == (0, 0, 0)


def test_columns_are_standardised_by_train_and_constant_ones_become_zero() -> None:
    train = RNG.normal(3, 2, (50, 4)).astype(np.float32)
    train[:, 1] = 0.1
    other = np.full((2, 4), 7, np.float32)
    scaled, (others,) = standardised(train, other)
    assert scaled[:, [0, 2, 3]].mean(0) == pytest.approx(0, abs=1e-6)
    assert scaled[:, [0, 2, 3]].std(0) == pytest.approx(1, abs=1e-5)
    assert (scaled[:, 1] == 0).all()
    assert (others[:, 1] == 0).all()
    assert others[0, 0] == pytest.approx((7 - train[:, 0].mean()) / train[:, 0].std(), rel=1e-5)
