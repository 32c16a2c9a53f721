"""Planted groups are found, and what cannot be grouped is refused."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from tests.factories.trailers import planted_labels, planted_vectors

from mastershot.core.errors import GenresError, SettingError
from mastershot.genres import clustering
from mastershot.genres.clustering import (
    ClusterSettings,
    check_embeddings,
    cluster,
    numbers_tried,
    silhouettes,
    unit_rows,
)


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_planted_groups_are_recovered_the_largest_first(method: clustering.Method) -> None:
    kept = np.r_[0:90, 90:120:3]  # ten more of the first
    unit = unit_rows(planted_vectors(120)[kept])
    found = cluster(unit, ClusterSettings(method))
    assigned = found.labels >= 0
    assert found.num_groups == 3
    assert assigned.mean() > 0.9
    assert adjusted_rand_score(planted_labels(120)[kept][assigned], found.labels[assigned]) == 1
    counts = np.bincount(found.labels[assigned])
    assert list(counts) == sorted(counts, reverse=True)
    again = cluster(unit, ClusterSettings(method))
    assert (again.labels == found.labels).all()


def test_k_is_the_one_of_the_highest_silhouette() -> None:
    found = cluster(unit_rows(planted_vectors()), ClusterSettings(least_k=2, most_k=6))
    assert list(found.tried) == [2, 3, 4, 5, 6]
    assert max(found.tried, key=lambda k: found.tried[k]) == found.num_groups == 3
    assert found.num_sampled == 90


def test_numbers_around_the_best_are_tried_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "MOST_TRIED", 9)
    centres = np.repeat(np.eye(13), 12, axis=0)
    vectors = centres + 0.1 * np.random.default_rng(0).normal(size=centres.shape)
    assert 13 not in numbers_tried(2, 20)
    found = cluster(unit_rows(vectors.astype(np.float32)), ClusterSettings(least_k=2, most_k=20))
    assert found.num_groups == 13
    assert list(found.tried) == sorted(found.tried)


def test_a_number_that_is_given_is_not_chosen() -> None:
    found = cluster(unit_rows(planted_vectors()), ClusterSettings(least_k=5, most_k=5))
    assert (found.num_groups, found.tried) == (5, {})


def test_silhouettes_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "_BLOCK", 7)
    unit = unit_rows(planted_vectors(noise=0.6))
    labels = np.r_[planted_labels(89), 3]  # a group of one
    rows = np.array([0, 5, 88, 89])
    expected = silhouette_samples(unit, labels)[rows]
    np.testing.assert_allclose(silhouettes(unit, labels, rows), expected, atol=1e-4)


def test_silhouettes_chosen_by_a_sample_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "SILHOUETTE_SAMPLE", 30)
    found = cluster(unit_rows(planted_vectors()), ClusterSettings())
    assert (found.num_groups, found.num_sampled) == (3, 30)


def test_trailers_of_no_group_have_no_silhouette() -> None:
    unit, labels = unit_rows(planted_vectors(9)), planted_labels(9).copy()
    labels[4] = clustering.UNASSIGNED
    assert np.isnan(silhouettes(unit, labels, np.arange(9))).tolist() == [i == 4 for i in range(9)]


def test_a_wide_range_is_tried_in_a_geometric_series() -> None:
    assert numbers_tried(2, 5) == [2, 3, 4, 5]
    tried = numbers_tried(2, 200)
    assert (tried[0], tried[-1]) == (2, 200)
    assert len(tried) <= clustering.MOST_TRIED


def test_hdbscan_calls_scattered_trailers_no_group() -> None:
    scattered = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    unit = unit_rows(np.concatenate([planted_vectors(60, noise=0.05), scattered]))
    found = cluster(unit, ClusterSettings("hdbscan", min_size=8))
    assert found.num_groups == 3
    assert (found.labels[60:] == clustering.UNASSIGNED).mean() > 0.5


def test_duplicates_are_grouped_but_are_no_more_than_one() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    found = cluster(vectors, ClusterSettings(least_k=4, most_k=4))
    assert sorted(np.bincount(found.labels)) == [10] * 4
    with pytest.raises(GenresError, match="5 sub-genres were asked for of 4 distinct trailers"):
        cluster(vectors, ClusterSettings(least_k=5, most_k=5))


def test_a_group_larger_than_all_trailers_is_refused() -> None:
    with pytest.raises(GenresError, match="sub-genre of 99 trailers was asked for of 90"):
        cluster(unit_rows(planted_vectors()), ClusterSettings("hdbscan", min_size=99))


def test_embeddings_that_are_not_finite_or_all_equal_are_refused() -> None:
    vectors = planted_vectors(6)
    check_embeddings(vectors, "fine")
    vectors[2, 3] = np.nan
    with pytest.raises(GenresError, match="fine embeddings of 1 of 6 trailers are not finite"):
        check_embeddings(vectors, "fine")
    with pytest.raises(GenresError, match="coarse embeddings of 6 trailers are all equal"):
        check_embeddings(np.full((6, 3), 0.3, np.float32), "coarse")


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(SettingError, match="'dbscan' is unknown; use kmeans or hdbscan"):
        ClusterSettings("dbscan")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="5-3 sub-genres are not possible"):
        ClusterSettings(least_k=5, most_k=3)
    with pytest.raises(SettingError, match="1 sub-genres are not possible"):
        ClusterSettings(least_k=1)
    with pytest.raises(SettingError, match="takes 2 trailers"):
        ClusterSettings("hdbscan", min_size=1)
