"""Maps keep planted groups apart, in [0, 1], the same each time."""

import numpy as np
import pytest
from tests.factories.trailers import planted_labels, planted_vectors

from mastershot.core.errors import GenresError, SettingError
from mastershot.genres.clustering import silhouettes, unit_rows
from mastershot.genres.maps import Layout, place_trailers


@pytest.mark.parametrize("layout", ["tsne", pytest.param("umap", marks=pytest.mark.slow)])
def test_planted_groups_lie_apart(layout: Layout) -> None:
    unit = unit_rows(planted_vectors(60, noise=0.1))
    found = place_trailers(unit, layout)
    assert found.shape == (60, 2)
    assert (found.min(), found.max()) == (0, 1)
    assert silhouettes(found, planted_labels(60), np.arange(60)).mean() > 0.5
    assert (place_trailers(unit, layout) == found).all()


def test_equal_trailers_have_places_too() -> None:
    found = place_trailers(np.repeat(np.eye(2, dtype=np.float32), 5, axis=0), "tsne")
    assert np.isfinite(found).all()


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(GenresError, match="a map of 3 trailers says nothing; it takes 4"):
        place_trailers(planted_vectors(3), "tsne")
    with pytest.raises(SettingError, match="'pca' is unknown; use tsne or umap"):
        place_trailers(planted_vectors(9), "pca")  # type: ignore[arg-type]
