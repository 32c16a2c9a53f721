"""From the vectors of trailers' clips to what the network takes: sequences, padded and masked."""
# B trailers, N clips of one, S sequences, L clips of a sequence, E experts, P pieces, D width

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

FloatRows = npt.NDArray[np.float32]


def clips_seen(num_clips: int, *, length: int, sequences: int) -> npt.NDArray[np.int64]:
    """Return the clips that are seen of a trailer: all, or sequences evenly spaced, ascending.

    Args:
        num_clips: How many it has.
        length: Clips of a sequence.
        sequences: Most sequences of a trailer.
    """
    if -(-num_clips // length) <= sequences:
        return np.arange(num_clips)
    whole = num_clips // length  # The last one may be short.
    chosen = (np.arange(sequences) * whole) // sequences
    return (chosen[:, None] * length + np.arange(length)).reshape(-1)


def in_sequences(
    trailers: Sequence[Mapping[str, FloatRows]],
    shapes: Mapping[str, tuple[int, ...]],
    length: int,
) -> tuple[dict[str, Tensor], Tensor]:
    """Return the experts' vectors, each (B, S, L, D) or (B, S, L, P, D), and which there are.

    The latter is (B, S, L, E). S is as many sequences as the longest trailer has.

    Args:
        trailers: Of each trailer the clips that are seen, by expert, (N, D) or (N, P, D) in pieces;
            NaN where an expert has nothing to say.
        shapes: Of each expert the shape of a clip's row, in the order of the network.
        length: Clips of a sequence.
    """
    first = next(iter(shapes))
    counts = [len(one[first]) for one in trailers]
    longest = max(1, *(-(-count // length) for count in counts))
    shape = (len(trailers), longest * length)
    present = np.zeros((*shape, len(shapes)), bool)
    vectors = {}
    for place, (name, row_shape) in enumerate(shapes.items()):
        rows = np.zeros((*shape, *row_shape), np.float32)
        for index, (one, count) in enumerate(zip(trailers, counts, strict=True)):
            rows[index, :count] = one[name]
            there = np.asarray(np.isfinite(one[name]).all(axis=-1))
            present[index, :count, place] = there.any(axis=1) if there.ndim > 1 else there
        vectors[name] = torch.from_numpy(_split(rows, length))
    return vectors, torch.from_numpy(_split(present, length))


def _split(clips: "npt.NDArray[Any]", length: int) -> "npt.NDArray[Any]":
    """Return clips (B, S L, …) as (B, S, L, …)."""
    return clips.reshape(len(clips), -1, length, *clips.shape[2:])
