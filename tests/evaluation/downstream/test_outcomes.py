"""What is answered item by item is the mean of probes, and the nearest items."""

import numpy as np
import pytest

from mastershot.evaluation.downstream.items import Answers, Items
from mastershot.evaluation.downstream.outcomes import (
    Neighbour,
    class_outcomes,
    query_outcomes,
    tag_outcomes,
    value_outcomes,
)

CLASSES = ("beach", "cave", "sea", "street")


def answers(outputs: object) -> Answers:
    array = np.array(outputs, np.float32)
    ones = np.ones(len(array))
    return Answers(array, ones.astype(np.int64), ones, ones)


def test_a_class_is_answered_with_the_mean_probability_of_the_seeds() -> None:
    logits = np.log([[[0.7, 0.1, 0.1, 0.1]], [[0.2, 0.6, 0.1, 0.1]]]) + 5
    items = Items(("a",), ("film",), np.array([0]))
    (one,) = class_outcomes(answers(logits), items, CLASSES)
    assert (one.name, one.group, one.truth) == ("a", "film", ("beach",))
    assert [name for name, _ in one.answers] == ["beach", "cave", "sea"]
    assert [share for _, share in one.answers] == pytest.approx([0.45, 0.35, 0.1], abs=1e-6)
    assert (one.is_right, one.seeds_right, one.error) == (True, 0.5, None)


def test_a_tag_is_right_where_the_item_has_it() -> None:
    truth = np.array([[True, False, True, False], [False, True, False, False]])
    logits = [[[0.0, -1, 2, -3], [4, 3, -400, -2]]]
    one, other = tag_outcomes(answers(logits), Items(("a", "b"), ("a", "b"), truth), CLASSES)
    assert one.truth == ("beach", "sea")
    assert one.answers[0] == ("sea", pytest.approx(1 / (1 + np.exp(-2))))
    assert (one.is_right, other.is_right) == (True, False)


def test_a_value_has_the_squared_error_of_the_mean_answer() -> None:
    items = Items(("a",), ("a",), np.array([1.5]))
    (one,) = value_outcomes(answers([[[1.0]], [[3.0]]]), items)
    assert one.truth == ("1.500",)
    assert one.answers == (("", 2.0),)
    assert (one.error, one.is_right) == (0.25, None)


def test_a_query_has_its_nearest_five_and_the_share_of_its_class() -> None:
    gallery = np.arange(6, dtype=np.float32)[:, None]
    held = Items(tuple("uvwxyz"), tuple("uvwxyz"), np.array([0, 1, 1, 0, 2, 2]))
    query = Items(("q",), ("q",), np.array([1]))
    (one,) = query_outcomes(np.array([[1.9]], np.float32), query, gallery, held, CLASSES)
    assert [near.name for near in one.neighbours] == ["w", "v", "x", "u", "y"]
    assert one.neighbours[2] == Neighbour("x", "beach", is_same=False)
    assert (one.is_right, one.seeds_right) == (True, 0.4)
    (few,) = query_outcomes(np.array([[1.9]], np.float32), query, gallery[:2], held, CLASSES)
    assert len(few.neighbours) == 2
