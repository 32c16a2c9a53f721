"""Trailers that are the same film in two splits: by the content of their files, or by vectors."""
# T trailers, D width of all experts together

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.table import GenreDataset

_ALIKE = 0.9995  # cosine of the mean vectors of every expert
_LONGER = 1.1  # clips of the longer one, over those of the shorter one
_AT_ONCE = 1024


def duplicates_across_splits(data: GenreDataset) -> Iterator[tuple[str, str, str]]:
    """Yield the ids of two trailers of different splits that are the same film, and why.

    They are where their files are equal, or the mean vectors of every expert point the same way
    (cosine 0.9995 after standardisation) and the trailers are about as long.
    """
    by_hash: dict[str, list[int]] = defaultdict(list)
    for place, trailer in enumerate(data.trailers):
        if trailer.content_hash and trailer.split:
            by_hash[trailer.content_hash].append(place)
    for same in by_hash.values():
        for place in same[1:]:
            one, other = data.trailers[same[0]], data.trailers[place]
            if one.split != other.split:
                yield one.id, other.id, "their files are equal"
    used = [
        place for place, trailer in enumerate(data.trailers) if trailer.split and trailer.num_clips
    ]
    splits = np.array([data.trailers[place].split for place in used])
    lengths = np.array([data.trailers[place].num_clips for place in used])
    means = [_unit_means(data, name, used) for name in data.experts]
    for first in range(0, len(used), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        alike = splits[rows, None] != splits[None]
        longer = np.maximum(lengths[rows, None], lengths[None])
        alike &= longer <= _LONGER * np.minimum(lengths[rows, None], lengths[None])
        for vectors in means:
            cosines = vectors[rows] @ vectors.T
            # Where neither has the expert there is nothing to tell them apart by.
            said = np.asarray(vectors.any(axis=1))
            alike &= (cosines > _ALIKE) | ~(said[rows, None] | said[None])
        said_by_any = np.asarray(np.any([vectors.any(axis=1) for vectors in means], axis=0))
        alike &= said_by_any[rows, None] & said_by_any[None]
        for row, column in np.argwhere(alike).tolist():
            if row + first < column:
                earlier, later = (data.trailers[used[at]].id for at in (row + first, column))
                yield earlier, later, "their vectors are the same"


def require_no_duplicates(data: GenreDataset) -> None:
    """Refuse a data set whose splits share a film.

    Raises:
        DatasetError: Two trailers of different splits are the same.
    """
    found = list(duplicates_across_splits(data))
    if found:
        one, other, why = found[0]
        raise DatasetError(
            f"{data.folder} has the same trailer in two splits, which would be tested on what was "
            f"taught: {one} and {other} ({why}); pairs: {len(found)}; put both in one split, or "
            "leave one out"
        )


def _unit_means(data: GenreDataset, expert: str, trailers: list[int]) -> FloatArray:
    """Return the mean vector of each trailer, standardised and of length 1, (T, D).

    Zeros where the expert says nothing of a trailer.
    """
    width = data.experts[expert].width
    means = np.zeros((len(trailers), width), np.float64)
    there = np.zeros(len(trailers), bool)
    for row, place in enumerate(trailers):
        rows = data.vectors(expert, place).reshape(-1, width)
        rows = rows[np.isfinite(rows).all(axis=1)]
        if len(rows):
            means[row], there[row] = rows.mean(axis=0, dtype=np.float64), True
    if there.sum() > 2:
        deviation = means[there].std(axis=0)
        means[there] = (means[there] - means[there].mean(axis=0)) / np.maximum(deviation, 1e-9)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    unit: FloatArray = (means / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
