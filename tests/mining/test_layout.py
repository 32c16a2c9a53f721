import sys
import types

import numpy as np
import pytest

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import MiningError
from mastershot.mining.layout import lay_out


def groups(size: int) -> FloatArray:
    """Return two groups of vectors that point apart."""
    rng = np.random.default_rng(0)
    towards = np.repeat(np.eye(8, dtype=np.float32)[:2], size, axis=0)
    return towards + rng.normal(scale=0.05, size=(2 * size, 8)).astype(np.float32)


@pytest.mark.slow  # UMAP compiles itself when it is first imported.
@pytest.mark.parametrize("size", [2, 4, 30])
def test_what_is_alike_lies_near_and_the_map_is_the_same_again(size: int) -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed", exc_type=ImportError)
    vectors = groups(size)
    places = lay_out(vectors)
    assert places.shape == (2 * size, 2)
    assert places.min(axis=0) == pytest.approx([0, 0])
    assert places.max(axis=0) == pytest.approx([1, 1])
    assert np.array_equal(places, lay_out(vectors))
    if size == 30:
        middles = places[:size].mean(axis=0), places[size:].mean(axis=0)
        spread = max(places[:size].std(), places[size:].std())
        assert np.linalg.norm(middles[0] - middles[1]) > 2 * spread


def test_too_few_or_damaged_vectors_are_sentences() -> None:
    with pytest.raises(MiningError, match="a map of 3 points says nothing; it takes 4"):
        lay_out(np.eye(3, dtype=np.float32))
    with pytest.raises(MiningError, match="not all finite"):
        lay_out(np.full((5, 2), np.nan, np.float32))


def test_without_umap_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", types.ModuleType("umap"))
    with pytest.raises(MiningError, match=r"needs umap-learn; `pip install 'mastershot\[map\]'`"):
        lay_out(groups(4))
