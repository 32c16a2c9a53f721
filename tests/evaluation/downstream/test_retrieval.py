import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from mastershot.core.errors import SettingError
from mastershot.evaluation.downstream.retrieval import chance_precision, nearest, precisions_at

RNG = np.random.default_rng(5)


def test_the_nearest_are_those_of_scikit_learn() -> None:
    queries, gallery = RNG.normal(size=(20, 6)), RNG.normal(size=(700, 6))
    expected = NearestNeighbors(n_neighbors=10).fit(gallery).kneighbors(queries)[1]
    assert (nearest(queries, gallery, 10) == expected).all()


def test_of_equal_distances_the_earlier_item_is_the_nearer() -> None:
    gallery = np.array([[1.0], [0.0], [1.0], [-1.0]], np.float32)
    assert nearest(np.zeros((1, 1), np.float32), gallery, 4).tolist() == [[1, 0, 2, 3]]


def test_precision_is_that_of_a_plain_loop() -> None:
    queries = RNG.integers(0, 3, (30, 2)).astype(np.float32)  # Many distances are tied.
    gallery = RNG.integers(0, 3, (40, 2)).astype(np.float32)
    own, others = RNG.integers(0, 4, 30), RNG.integers(0, 3, 40)  # Class 3 has no gallery item.
    found = precisions_at(queries, own, gallery, others, (1, 5, 10))
    for row, (query, label) in enumerate(zip(queries, own, strict=True)):
        order = sorted(range(40), key=lambda at: (((gallery[at] - query) ** 2).sum(), at))
        for column, k in enumerate((1, 5, 10)):
            assert found[row, column] == sum(others[at] == label for at in order[:k]) / k
    assert (found[own == 3] == 0).all()
    assert chance_precision(own, others).tolist() == [(others == label).mean() for label in own]


@pytest.mark.parametrize(
    ("queries", "gallery", "message"),
    [
        ((2, 3), (12, 4), "queries have 3 numbers and the gallery 4; both must be of one space"),
        ((2, 3), (9, 3), "the gallery holds 9 items, fewer than the 10 to retrieve"),
    ],
)
def test_what_cannot_be_retrieved_from_is_one_sentence(
    queries: tuple[int, int], gallery: tuple[int, int], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        nearest(np.zeros(queries, np.float32), np.zeros(gallery, np.float32), 10)
