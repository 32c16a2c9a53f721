"""A library's shots as one vector each, pooled from the vectors of their frames."""
# S shots, D width of the space

from collections.abc import Collection
from itertools import pairwise
from typing import Literal

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import LibraryError
from mastershot.core.movie import shot_id
from mastershot.store.library import Library, LibraryMovie

Pooling = Literal["mean", "middle"]


def feature_space(
    library: Library, encoder: str = "", *, last: Collection[EmbeddingSpace] = ()
) -> EmbeddingSpace:
    """Return the one space whose vectors are meant.

    Args:
        library: The library.
        encoder: The encoder whose vectors to take; empty for the only one's.
        last: Spaces that are meant only where the library holds no other.

    Raises:
        LibraryError: The library holds no vectors, none of the encoder, or those of several.
    """
    spaces = library.spaces()
    if encoder:
        found = [space for space in spaces if space.model == encoder]
    else:
        found = [space for space in spaces if space not in last] or spaces
    if len(found) == 1:
        return found[0]
    held = ", ".join(space.model for space in spaces) or "none"
    raise LibraryError(
        f"library {library.path} holds vectors of {held}; name the encoder whose to take"
        if len(found) > 1 or encoder
        else f"library {library.path} holds no vectors; analyse its films with an encoder"
    )


def shot_vectors(
    library: Library,
    movie: LibraryMovie,
    starts: IntArray,
    space: EmbeddingSpace,
    *,
    pooling: Pooling = "mean",
) -> FloatArray:
    """Return a film's shots, one row each, float32 (S, D).

    Args:
        library: The library.
        movie: A film of it.
        starts: First frame of each of its shots, ascending.
        space: Whose vectors.
        pooling: The mean of a shot's frames, or the middle one, as Movies2Scenes has it.

    Raises:
        LibraryError: A shot has no vector of the space, or the library cannot be read.
    """
    kept = library.features(movie.id).get(space)
    bounds = [*np.searchsorted(kept.frames, starts).tolist(), len(kept)]
    rows = np.empty((len(starts), space.width), np.float32)
    for index, (first, end) in enumerate(pairwise(bounds)):
        if first == end:
            raise LibraryError(
                f"shot {shot_id(movie.id, index)} of {movie.path} has no vector of {space.model}; "
                "analyse the film anew with that encoder"
            )
        middle = (first + end) // 2
        pooled = slice(first, end) if pooling == "mean" else slice(middle, middle + 1)
        rows[index] = kept.vectors[pooled].mean(axis=0)
    return rows
