"""The vectors that are stored of a film's shots, read shot by shot in bounded memory."""
# S shots, D width of a space

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.movie import Shot
from mastershot.core.protocols import FeatureStore
from mastershot.media.sampling import clip_frames

# Vectors read from the store at once: a few megabytes, whatever the film's length.
_FRAMES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of the sampled frames of one shot; all of them, unless it is very long.

    Attributes:
        shot: Index of the shot.
        frames: Ordinals of the frames, ascending, at least one.
    """

    shot: int
    frames: IntArray


def sampled_blocks(shots: tuple[Shot, ...]) -> Iterator[list[Piece]]:
    """Yield the sampled frames of each shot, shot after shot, in blocks of some thousand frames."""
    block: list[Piece] = []
    count = 0
    for index, shot in enumerate(shots):
        every = range(shot.span.first_frame, shot.span.end_frame)
        frames = np.asarray(shot.sampled_frames or every, np.int64)
        for first in range(0, len(frames), _FRAMES_AT_ONCE):
            piece = Piece(index, frames[first : first + _FRAMES_AT_ONCE])
            if block and count + len(piece.frames) > _FRAMES_AT_ONCE:
                yield block
                block, count = [], 0
            block.append(piece)
            count += len(piece.frames)
    yield block


def frames_of(block: Sequence[Piece]) -> IntArray:
    """Return the frames of a block, ascending."""
    return np.concatenate([piece.frames for piece in block])


def middle_frames(shots: Sequence[Shot]) -> IntArray:
    """Return the frame in the middle of each shot, which stands for all of it, shape (S,)."""
    spans = [shot.span for shot in shots]
    middles = [clip_frames(span.first_frame, span.end_frame, 1)[0] for span in spans]
    return np.array(middles, np.int64)


def needed_frames(
    shots: tuple[Shot, ...],
    spaces: Collection[EmbeddingSpace],
    clip_space: EmbeddingSpace | None = None,
) -> Iterator[tuple[EmbeddingSpace, IntArray]]:
    """Yield the frames that need a vector in each space, in parts; in that of clips one a shot."""
    for space in spaces:
        for block in sampled_blocks(shots):
            yield space, frames_of(block)
    if clip_space is not None:
        yield clip_space, middle_frames(shots)


def has_vectors(
    shots: tuple[Shot, ...],
    spaces: Collection[EmbeddingSpace],
    store: FeatureStore,
    clip_space: EmbeddingSpace | None = None,
) -> bool:
    """Return True if every sampled frame has its vector in each space, and every shot its clip's.

    Without ``clip_space``, those of clips are not asked for.
    """
    needed = needed_frames(shots, spaces, clip_space)
    return not any(len(store.missing(space, frames)) for space, frames in needed)


def first_vectors(
    shots: tuple[Shot, ...], space: EmbeddingSpace, most: int, store: FeatureStore
) -> Iterator[list[FloatArray]]:
    """Yield the vectors of each shot's first frames, (T, D), some shots at a time."""
    latest = -1
    for block in sampled_blocks(shots):
        # A piece of a shot that began in an earlier block has none of its first frames.
        pieces = [piece for piece in block if piece.shot > latest]
        if pieces:
            latest = pieces[-1].shot
            yield [store.get(space, piece.frames[:most]).vectors for piece in pieces]


def mean_of_shots(
    shots: tuple[Shot, ...],
    space: EmbeddingSpace,
    store: FeatureStore,
    summary: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """Return the mean over each shot's frames, from the means of its pieces, one row a shot.

    The vectors of one block are in memory at a time, however long a shot is.
    """
    rows: list[FloatArray] = []
    earlier = 0  # frames in the last row
    for block in sampled_blocks(shots):
        vectors = store.get(space, frames_of(block)).vectors
        ends = np.cumsum([len(piece.frames) for piece in block])
        for piece, part in zip(block, np.split(vectors, ends[:-1]), strict=True):
            mean, count = summary(part), len(part)
            if piece.shot == len(rows):
                rows.append(mean)
            else:
                rows[-1] = np.average([rows[-1], mean], axis=0, weights=[earlier, count])
                count += earlier
            earlier = count
    return np.stack(rows).astype(np.float32)
