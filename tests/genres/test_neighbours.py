"""The nearest trailers, by a plain loop, and how many have the genres asked for."""

import numpy as np
import pytest
from tests.factories.trailers import planted_trailers, planted_vectors

from mastershot.genres import neighbours
from mastershot.genres.clustering import unit_rows
from mastershot.genres.neighbours import nearest_trailers, precision_gain, retrieval


def test_the_nearest_are_those_of_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", 7)
    unit, films = unit_rows(planted_vectors(30)), np.arange(30) // 2
    found = nearest_trailers(unit, films, 5)
    for row in range(30):
        others = [one for one in range(30) if films[one] != films[row]]
        others.sort(key=lambda one: -float(unit[row] @ unit[one]))
        assert found[row].tolist() == others[:5]


def test_there_may_be_fewer_than_asked_for() -> None:
    found = nearest_trailers(unit_rows(planted_vectors(4)), np.array([0, 0, 0, 1]), 5)
    assert found[0].tolist() == [3, -1, -1, -1, -1]
    assert (found[3] >= 0).sum() == 3


def test_precision_and_jaccard_of_genres() -> None:
    truth = np.array([[1, 1], [1, 0], [0, 0], [0, 1]], bool)
    nearest = np.array([[1, 2], [0, 3], [0, 1], [2, -1]])
    found = retrieval(nearest, truth, np.arange(4), np.arange(4))
    # The first shares with one of two, the second too, the third has no genre, the fourth none.
    assert found.precision.value == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert found.jaccard.value == pytest.approx((0.5 / 2 + 0.5 / 2 + 0) / 3)
    assert found.precision.num_items == 3
    assert found.chance == pytest.approx((2 + 1 + 1) / 9)


def test_without_genres_nothing_is_defined() -> None:
    truth = np.zeros((3, 2), bool)
    found = retrieval(np.array([[1], [0], [0]]), truth, np.arange(3), np.arange(3))
    assert np.isnan(found.precision.value)


def test_better_embeddings_have_a_gain() -> None:
    trailers, films, rows = planted_trailers(), np.arange(90), np.arange(0, 90, 2)
    before, after = (
        nearest_trailers(unit_rows(planted_vectors(noise=noise)), films, 5) for noise in (2.0, 0.1)
    )
    gain = precision_gain(before, after, trailers.truth, films, rows)
    low, high = (
        retrieval(near, trailers.truth, films, rows).precision.value for near in (before, after)
    )
    assert gain.value == pytest.approx(high - low)
    assert gain.interval.low > 0
