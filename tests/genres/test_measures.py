"""Stability, purity, triplets: near 1 for what is planted, near 0 for noise."""

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score
from tests.factories.trailers import planted_labels, planted_trailers, planted_vectors

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import GenresError
from mastershot.genres.clustering import k_means, unit_rows
from mastershot.genres.measures import normalised_information, purity, stability, triplet_agreement


def three_groups(unit: FloatArray, seed: int) -> IntArray:
    return k_means(unit, 3, seed)


def test_planted_groups_are_found_again_and_noise_is_not() -> None:
    planted = stability(unit_rows(planted_vectors()), three_groups, num_pairs=5)
    assert planted.value > 0.95
    noise = np.random.default_rng(3).normal(size=(120, 16)).astype(np.float32)
    by_chance = stability(unit_rows(noise), three_groups, num_pairs=5)
    assert by_chance.value < 0.3
    assert by_chance.interval.low <= by_chance.value <= by_chance.interval.high
    assert stability(unit_rows(noise), three_groups, num_pairs=5) == by_chance


def test_a_resample_without_two_groups_finds_nothing_again() -> None:
    unit = unit_rows(planted_vectors())
    for label in (0, -1):  # all in one group, and none in any
        figure = stability(unit, lambda one, _, at=label: np.full(len(one), at), num_pairs=2)
        assert figure.value == 0


def test_purity_is_one_where_sub_genres_are_the_genres() -> None:
    trailers = planted_trailers()
    found = purity(planted_labels(), trailers.truth, trailers.primary)
    assert found.primary.value == pytest.approx(1)
    assert found.any_genre.value == pytest.approx(1)
    shuffled = np.random.default_rng(0).permutation(planted_labels())
    by_chance = purity(shuffled, trailers.truth, trailers.primary)
    assert by_chance.primary.value < 0.1
    assert by_chance.any_genre.value < 0.1
    assert by_chance.primary.interval.low < 0.1


def test_information_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.integers(0, 4, 200), generator.integers(0, 3, 200)
    other[:100] = one[:100] % 3
    table = np.zeros((4, 3))
    np.add.at(table, (one, other), 1)
    expected = normalized_mutual_info_score(one, other)
    assert normalised_information(table) == pytest.approx(expected)
    assert np.isnan(normalised_information(np.array([[5.0]])))


def test_trailers_without_a_genre_or_a_sub_genre_do_not_count() -> None:
    trailers = planted_trailers()
    labels, primary = planted_labels().copy(), trailers.primary.copy()
    labels[:3], primary[3:6] = -1, -1
    assert purity(labels, trailers.truth, primary).primary.num_items == 84
    nothing = purity(np.full(90, -1), trailers.truth, primary)
    assert np.isnan(nothing.primary.value)


def test_triplets_count_where_the_closer_one_is_closer() -> None:
    unit = np.array([[1, 0], [0.9, 0.1], [0, 1], [0, 1]], np.float32)
    triplets = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 3], [0, 2, 3]])
    figure = triplet_agreement(unit_rows(unit), triplets, np.arange(4))
    assert figure.value == (1 + 0 + 1 + 0.5) / 4
    assert figure.num_items == 4
    with pytest.raises(GenresError, match="there is no triplet"):
        triplet_agreement(unit, np.empty((0, 3), np.int64), np.arange(4))
