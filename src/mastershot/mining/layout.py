"""Vectors laid out on a plane, so that near ones stay near."""
# N vectors, D width

import warnings

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import MiningError

MIN_POINTS = 4
NEIGHBOURS = 15
"""Neighbours that UMAP keeps near, its default; fewer points have fewer."""


def lay_out(vectors: FloatArray, *, seed: int = 0) -> FloatArray:
    """Return a place for each vector by UMAP under the cosine, in [0, 1], shape (N, 2).

    The same vectors and seed give the same map on one machine. Distances across it mean little;
    neighbourhoods do (McInnes et al., arXiv 1802.03426).

    Raises:
        MiningError: UMAP is not installed, there are too few vectors for a map, or they are not
            finite.
    """
    if len(vectors) < MIN_POINTS:
        raise MiningError(f"a map of {len(vectors)} points says nothing; it takes {MIN_POINTS}")
    if not np.isfinite(vectors).all():
        raise MiningError("vectors are not all finite; analyse their films anew")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)  # It has a part that wants TensorFlow.
            from umap import UMAP
    except ImportError as error:
        raise MiningError(
            "a map needs umap-learn; `pip install 'mastershot[map]'` brings it"
        ) from error
    umap = UMAP(
        n_neighbors=min(NEIGHBOURS, len(vectors) - 1),
        metric="cosine",
        # Its spectral start needs more points than there are dimensions.
        init="spectral" if len(vectors) > NEIGHBOURS else "random",
        random_state=seed,
        n_jobs=1,
    )
    places: FloatArray = np.asarray(umap.fit_transform(vectors), np.float32)
    low, extent = places.min(axis=0), np.ptp(places, axis=0)
    on_page: FloatArray = (places - low) / np.maximum(extent, np.finfo(np.float32).tiny)
    return on_page
