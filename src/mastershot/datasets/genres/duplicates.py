"""Trailers that are the same film: by the content of their files, or by vectors and length.

One rule for building a data set and for training on one. Mean vectors are compared as they are. Of
28 pieces of films and their copies, at two thirds of the size and strongly compressed, 3 have a
cosine above `NEAR_COSINE` of the starter's image vectors, and none of 1,512 pairs of other pieces,
many of one film. Standardised, at 0.9995 and for all experts, as training compared them before,
none of the copies is found (`python bench/genre_copies.py`; black pieces left out). So what is
found is most likely one film, and that nothing is found proves little. At 0.99 it would be 15
copies and none of the others; but the means of whole trailers, which were not at hand, may lie
closer to each other than those of pieces.
"""
# T trailers, D width of an expert's vectors

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.table import GenreDataset

NEAR_COSINE = 0.995
"""Two trailers whose mean vectors are closer than this may be of one film."""
NEAR_SECONDS = 0.05
"""And whose lengths differ by less than this share of the longer one: a copy is as long."""
NEAR_CLIPS = 0.1
"""Where lengths are known in clips alone, by this share, or by one clip: the cuts of a copy may be
found otherwise."""
LOOKS = "image"
"""The expert that decides alone. Without it all have to agree, and there have to be two: one alone,
such as the words of a synopsis, says too little."""
_BLOCK = 1024


@dataclass(frozen=True)
class Twins:
    """Two trailers that seem to be one.

    Attributes:
        one: Place of the first.
        other: Place of the second.
        cosine: How close their mean vectors are, the least of several experts; None for files that
            are the same.
        by: Which vectors are.
    """

    one: int
    other: int
    cosine: float | None = None
    by: str = LOOKS

    @property
    def how(self) -> str:
        """How they are alike."""
        if self.cosine is None:
            return "are the same file"
        return f"look the same (their mean {self.by} vectors have cosine {self.cosine:.4f})"


def same_files(hashes: Sequence[str]) -> list[Twins]:
    """Return the trailers whose files are the same, each with the first of its kind."""
    first: dict[str, int] = {}
    return [
        Twins(first[one], place)
        for place, one in enumerate(hashes)
        if one and first.setdefault(one, place) != place
    ]


def mean_vector(rows: FloatArray) -> FloatArray:
    """Return the mean (D,) of a trailer's vectors, (N, D) or (N, P, D); zeros if there is none."""
    flat = rows.reshape(-1, rows.shape[-1])
    flat = flat[np.isfinite(flat).all(axis=1)]
    if not len(flat):
        return np.zeros(rows.shape[-1], np.float32)
    mean: FloatArray = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def near_duplicates(
    means: Mapping[str, FloatArray], lengths: Sequence[float], *, share: float, least: float = 0
) -> Iterator[Twins]:
    """Yield the pairs of trailers that look the same and are about as long.

    Memory is that of `_BLOCK` rows of cosines.

    Args:
        means: Mean vectors of the trailers by expert, (T, D) each, zeros where there is none.
        lengths: How long the trailers are.
        share: By how much of the longer one's length the two may differ.
        least: By how much they may differ in any case.
    """
    used = {LOOKS: means[LOOKS]} if LOOKS in means else means
    least_agreeing = 1 if LOOKS in used else 2
    if len(used) < least_agreeing:
        return
    long = np.array(lengths, np.float64)
    units = [
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        for rows in used.values()
    ]
    for first in range(0, len(long), _BLOCK):
        some = slice(first, first + _BLOCK)
        rows, columns = long[some, None], long[None, first:]
        lowest = np.full((len(rows), columns.shape[1]), np.inf, np.float32)
        agreeing = np.zeros(lowest.shape, np.int8)
        for unit in units:
            said = unit.any(axis=1)
            # Where neither has the expert, there is nothing to tell them apart by.
            either = said[some, None] | said[None, first:]
            lowest = np.where(either, np.minimum(lowest, unit[some] @ unit[first:].T), lowest)
            agreeing += either
        as_long = np.abs(rows - columns) <= np.maximum(share * np.maximum(rows, columns), least)
        near = (lowest > NEAR_COSINE) & (agreeing >= least_agreeing) & as_long
        for row, column in np.argwhere(np.triu(near, 1)).tolist():
            cosine = float(lowest[row, column])
            yield Twins(first + row, first + column, cosine, " and ".join(used))


def duplicates_across_splits(data: GenreDataset) -> list[Twins]:
    """Return the pairs of trailers of different splits that are the same film.

    Raises:
        DatasetError: Vectors cannot be read.
    """
    trailers = data.trailers
    means = {
        name: np.stack([mean_vector(data.vectors(name, place)) for place in range(len(trailers))])
        for name in data.experts
        if trailers and (name == LOOKS or LOOKS not in data.experts)
    }
    clips = [float(one.num_clips) for one in trailers]
    found = [
        *same_files([one.content_hash for one in trailers]),
        *near_duplicates(means, clips, share=NEAR_CLIPS, least=1),
    ]
    splits = [one.split for one in trailers]
    return [one for one in found if _differ(splits[one.one], splits[one.other])]


def require_no_duplicates(data: GenreDataset) -> None:
    """Refuse a data set whose splits share a film.

    Raises:
        DatasetError: Two trailers of different splits are the same.
    """
    found = duplicates_across_splits(data)
    if found:
        one, other = (data.trailers[place] for place in (found[0].one, found[0].other))
        raise DatasetError(
            f"{data.folder} has the same film in two splits, which would be tested on what was "
            f"taught: trailers {one.id} ({one.split}) and {other.id} ({other.split}) "
            f"{found[0].how}; pairs: {len(found)}; put both into one split, or leave one out"
        )


def require_apart(ids: Sequence[str], splits: Sequence[str], twins: Sequence[Twins]) -> None:
    """Raise `DatasetError` where two that are alike are in two splits."""
    for pair in twins:
        one, other = splits[pair.one], splits[pair.other]
        if _differ(one, other):
            raise DatasetError(
                f"trailers {ids[pair.one]} ({one}) and {ids[pair.other]} ({other}) {pair.how}, but "
                "splits should share no film; put both into one split, or leave one out"
            )


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)
