"""Precision of the nearest neighbours (METHODS B6; Movies2Scenes, supplement, Table 2)."""
# Q queries, G items of the gallery, D width, K sizes of the retrieved set

from collections.abc import Sequence

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.evaluation.bootstrap import RealArray

SIZES = (1, 5, 10)
"""Sizes of the retrieved set in the paper."""
_BLOCK = 512


def nearest(queries: FloatArray, gallery: FloatArray, most: int) -> IntArray:
    """Return the places of each query's nearest gallery items, nearest first, shape (Q, most).

    Nearest by Euclidean (L2) distance, computed from differences in float64; of equal distances
    the earlier item of the gallery.

    Args:
        queries: Shape (Q, D).
        gallery: Shape (G, D).
        most: How many to return.

    Raises:
        SettingError: The gallery holds fewer, or vectors differ in width.
    """
    if queries.shape[1] != gallery.shape[1]:
        raise SettingError(
            f"queries have {queries.shape[1]} numbers and the gallery {gallery.shape[1]}; both "
            "must be of one space"
        )
    if len(gallery) < most:
        raise SettingError(
            f"the gallery holds {len(gallery)} items, fewer than the {most} to retrieve"
        )
    found = np.empty((len(queries), most), np.int64)
    wide = gallery.astype(np.float64)
    for row, query in enumerate(queries.astype(np.float64)):
        squares = np.empty(len(wide))
        for first in range(0, len(wide), _BLOCK):
            part = wide[first : first + _BLOCK] - query
            squares[first : first + _BLOCK] = np.einsum("gd,gd->g", part, part)
        found[row] = np.argsort(squares, kind="stable")[:most]
    return found


def precisions_at(
    queries: FloatArray,
    query_labels: IntArray,
    gallery: FloatArray,
    gallery_labels: IntArray,
    sizes: Sequence[int] = SIZES,
) -> RealArray:
    """Return for each query the share of its k nearest items that have its label, shape (Q, K).

    Args:
        queries: Shape (Q, D); labels (Q,).
        query_labels: Class of each.
        gallery: Shape (G, D).
        gallery_labels: Class of each, (G,).
        sizes: The values of k.

    Raises:
        SettingError: As in `nearest`.
    """
    places = nearest(queries, gallery, max(sizes))
    hits = gallery_labels[places] == query_labels[:, None]
    counts = np.cumsum(hits, axis=1)
    return np.stack([counts[:, k - 1] / k for k in sizes], axis=1)


def chance_precision(query_labels: IntArray, gallery_labels: IntArray) -> RealArray:
    """Return what a random order retrieves for each query, at any k: the share of its label."""
    return np.array([(gallery_labels == label).mean() for label in query_labels])
