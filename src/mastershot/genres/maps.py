"""Embeddings on a plane, before and after: t-SNE, and UMAP where it is installed."""
# T trailers, D width

from importlib.util import find_spec
from typing import Literal, TypeAlias, get_args

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import GenresError, SettingError
from mastershot.mining.layout import MIN_POINTS, lay_out

Layout: TypeAlias = Literal["tsne", "umap"]
LAYOUTS = get_args(Layout)

TSNE_WIDTH = 50
"""Principal components that t-SNE sees (van der Maaten and Hinton 2008, section 4.2)."""
_PERPLEXITY, _STEPS = 30.0, 500


def layouts_here() -> tuple[Layout, ...]:
    """Return the layouts that this machine can make."""
    return LAYOUTS if find_spec("umap") else ("tsne",)


def place_trailers(unit: FloatArray, layout: Layout, *, seed: int = 0) -> FloatArray:
    """Return a place for each unit vector, in [0, 1], (T, 2); the same on one machine.

    t-SNE sees `TSNE_WIDTH` principal components, with perplexity 30, or a third of the trailers
    where they are few, and starts from the first two. Distances across a map mean little.

    Raises:
        GenresError: There are too few trailers for a map.
        SettingError: The layout is unknown.
        MiningError: UMAP is not installed.
    """
    if layout not in LAYOUTS:
        raise SettingError(f"a map by {layout!r} is unknown; use {' or '.join(LAYOUTS)}")
    if len(unit) < MIN_POINTS:
        raise GenresError(f"a map of {len(unit)} trailers says nothing; it takes {MIN_POINTS}")
    return lay_out(unit, seed=seed) if layout == "umap" else _tsne(unit, seed)


def _tsne(unit: FloatArray, seed: int) -> FloatArray:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    width = min(TSNE_WIDTH, *unit.shape)
    reduced = PCA(width, svd_solver="covariance_eigh").fit_transform(unit.astype(np.float64))
    start = np.zeros((len(unit), 2))
    start[:, : min(width, 2)] = reduced[:, :2]
    # Equal trailers would stay one point; the scale is that of t-SNE's own start.
    start = 1e-4 * start / max(start[:, 0].std(), np.finfo(np.float64).tiny)
    start += 1e-6 * np.random.default_rng(seed).standard_normal(start.shape)
    perplexity = min(_PERPLEXITY, (len(unit) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init=start, max_iter=_STEPS, random_state=seed)
    places = tsne.fit_transform(reduced)
    low, extent = places.min(axis=0), np.ptp(places, axis=0)
    scaled = (places - low) / np.maximum(extent, np.finfo(np.float32).tiny)
    return np.asarray(scaled, np.float32)
