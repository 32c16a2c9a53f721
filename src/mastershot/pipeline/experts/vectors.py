"""From decoded frames to vectors: of single frames, and of clips of whole shots, in batches."""
# T frames of a clip, S side of a square in pixels, D width of a space

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial

import numpy as np

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.protocols import Encoder, FeatureStore
from mastershot.encoders.recogniser import TrainedRecogniser
from mastershot.labelling.perception.light import LIGHT_SPACE, light_statistics
from mastershot.media.sampling import HeldFrames, clip_frames, grid_frames, nearest_frame
from mastershot.media.video import Frame
from mastershot.models.devices import on_one_thread
from mastershot.scenes.grouping import COLOR_SPACE, color_histogram

_STATISTICS_SIDE_PX = 160
_STATISTICS = {COLOR_SPACE: color_histogram, LIGHT_SPACE: light_statistics}
_BATCH_FRAMES = 8  # No encoder gains from more on a CPU, and few are left when a film ends.
_BATCH_CLIPS = 8
_BATCH_BYTES = 64 << 20
_EVEN = 8  # Encoders compute so many at once: of large frames a multiple is collected.
# Latest frames are squared only if they are chosen, unless they take more memory than this.
_MAX_LATEST_BYTES = 96 << 20
_FRAMES_A_CHUNK = 256
_CLIPS_A_CHUNK = 32
_KNOWN_BLOCK = 8192


class VectorBatches:
    """Turns images into vectors of one space, in batches, and keeps them under a frame each.

    With a worker, batches are encoded there while the film is decoded on and the next is filled. At
    most `_BATCH_BYTES` of images wait for it, or one batch. The batches, and thus the vectors, are
    the same without it.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        encode: Callable[[list[ImageArray]], FloatArray],
        store: FeatureStore,
        *,
        batch: int = _BATCH_FRAMES,
        chunk: int = _FRAMES_A_CHUNK,
        worker: Executor | None = None,
    ) -> None:
        """Take how many images are encoded at once, and how many vectors are put at once."""
        self._space, self._encode_images, self._store = space, encode, store
        self._batch, self._chunk, self._worker = batch, chunk, worker
        self._images: dict[int, ImageArray] = {}
        self._at_work: deque[_Batch] = deque()
        self._waiting: set[int] = set()
        self._fresh: dict[int, FloatArray] = {}
        self._kept: set[int] = set()
        self._known_until = 0

    def lacks(self, frame: int) -> bool:
        """Return True if nothing was taken for a frame yet, and nothing is stored."""
        while frame >= self._known_until:
            block = np.arange(self._known_until, self._known_until + _KNOWN_BLOCK)
            kept = np.setdiff1d(block, self._store.missing(self._space, block))
            self._kept.update(kept.tolist())
            self._known_until += _KNOWN_BLOCK
        known = self._kept, self._fresh, self._waiting, self._images
        return not any(frame in taken for taken in known)

    def add(self, frame: int, image: ImageArray) -> None:
        """Take the image of a frame that has no vector."""
        self._images[frame] = image
        fitting = math.ceil(_BATCH_BYTES / image.nbytes)
        if fitting > _EVEN:
            fitting -= fitting % _EVEN
        if len(self._images) >= min(self._batch, fitting):
            self._encode()

    def finish(self) -> None:
        """Encode and keep all that is held."""
        self._encode()
        while self._at_work:
            self._collect()
        self._keep()

    def _encode(self) -> None:
        if not self._images:
            return
        images = list(self._images.values())
        size_bytes = sum(image.nbytes for image in images)
        frames = list(self._images)
        self._images.clear()
        while self._at_work and size_bytes + self._bytes_at_work() > _BATCH_BYTES:
            self._collect()
        vectors: Future[FloatArray] = Future()
        if self._worker is None:
            vectors.set_result(self._encode_images(images))
        else:
            vectors = self._worker.submit(self._encode_images, images)
        self._at_work.append(_Batch(frames, size_bytes, vectors))
        self._waiting.update(frames)
        while self._at_work and self._at_work[0].vectors.done():
            self._collect()

    def _bytes_at_work(self) -> int:
        return sum(batch.size_bytes for batch in self._at_work)

    def _collect(self) -> None:
        """Wait for the batch that was given to the worker first."""
        batch = self._at_work.popleft()
        self._fresh.update(zip(batch.frames, batch.vectors.result(), strict=True))
        self._waiting.difference_update(batch.frames)
        if len(self._fresh) >= self._chunk:
            self._keep()

    def _keep(self) -> None:
        if not self._fresh:
            return
        frames = np.array(sorted(self._fresh), np.int64)
        vectors = np.stack([self._fresh[frame] for frame in frames.tolist()])
        self._store.put(Embeddings(self._space, frames, vectors))
        self._kept.update(self._fresh)
        self._fresh.clear()


@dataclass(frozen=True)
class _Batch:
    """Images that are being encoded: their frames, their size, and their vectors to come."""

    frames: list[int]
    size_bytes: int
    vectors: Future[FloatArray]


class FrameVectors:
    """Turns sampled frames into vectors of one space, in batches; none that are stored already.

    Without an encoder, vectors are what is computed of pixels: colour histograms, or light.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        encoder: Encoder | None,
        store: FeatureStore,
        worker: Executor | None = None,
    ) -> None:
        # Detectors want frames of a size of their own; other encoders scale them themselves.
        own_px = getattr(encoder, "longest_side_px", None)
        self._side_px = _STATISTICS_SIDE_PX if encoder is None else own_px
        encode = partial(_statistics, space) if encoder is None else encoder.encode_images
        if encoder is not None and own_px is not None:
            encode = partial(_on_one_thread, encode)
        self._batches = VectorBatches(space, encode, store, worker=worker)

    def take(self, frame: Frame, made: dict[int | None, ImageArray] | None = None) -> None:
        """Take a sampled frame, and images of it by their longest side, to use and to add to."""
        if self._batches.lacks(frame.index):
            images, side_px = {} if made is None else made, self._side_px
            if side_px not in images:
                images[side_px] = frame.rgb(longest_side_px=side_px)
            self._batches.add(frame.index, images[side_px])

    def finish(self) -> None:
        """Encode and keep all that is held."""
        self._batches.finish()


class ClipVectors:
    """Turns each shot into a recogniser's features, in batches; none that are stored already.

    A clip is T evenly spaced frames of a shot, or the nearest of its `grid_frames`, as squares: a
    few megabytes, however long the shot is. It depends on the shot's frames alone, not on how late
    its end is reported. Its features are kept under the shot's middle frame.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        recogniser: TrainedRecogniser,
        store: FeatureStore,
        max_lag_frames: int = 0,
        worker: Executor | None = None,
    ) -> None:
        self._count, self._size_px = recogniser.card.frames, recogniser.card.size_px
        self._held = HeldFrames[_Square](self._count, max_lag_frames, whole_lag=True)
        self._num_latest = 1 + max_lag_frames
        self._batches = VectorBatches(
            space,
            recogniser.features,
            store,
            batch=_BATCH_CLIPS,
            chunk=_CLIPS_A_CHUNK,
            worker=worker,
        )

    def add(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        square = _Square(frame, self._size_px)
        if self._held.add(square) or self._num_latest * frame.size_bytes > _MAX_LATEST_BYTES:
            square.pixels()

    def end_shot(self, first: int, end: int) -> None:
        """Close the shot of these frames."""
        held, (middle,) = self._held.cut(end), clip_frames(first, end, 1)
        if self._batches.lacks(middle):
            grid = grid_frames(first, end, self._held.capacity)
            # Where the frame rate varies, a cut may be reported later still, without its grid.
            even = [square for square in held if square.index in grid] or held
            wanted = clip_frames(first, end, self._count)
            clip = np.stack([nearest_frame(even, ordinal).pixels() for ordinal in wanted])
            self._batches.add(middle, clip)

    def finish(self) -> None:
        """Encode and keep all that is held."""
        self._batches.finish()


class _Square:
    """A frame until its pixels are asked for, then only these, squeezed into a square."""

    __slots__ = ("_frame", "_pixels", "_size_px", "index")

    def __init__(self, frame: Frame, size_px: int) -> None:
        self.index, self._size_px = frame.index, size_px
        self._frame: Frame | None = frame
        self._pixels: ImageArray | None = None

    @property
    def size_bytes(self) -> int:
        return 3 * self._size_px**2

    def pixels(self) -> ImageArray:
        """Return the whole frame as RGB (S, S, 3)."""
        if self._pixels is None:
            assert self._frame is not None
            self._pixels, self._frame = self._frame.square(self._size_px), None
        return self._pixels


def _on_one_thread(
    encode: Callable[[list[ImageArray]], FloatArray], images: list[ImageArray]
) -> FloatArray:
    with on_one_thread():
        return encode(images)


def _statistics(space: EmbeddingSpace, images: list[ImageArray]) -> FloatArray:
    return np.stack([_STATISTICS[space](image) for image in images])
