"""The decoding pass: one pass over the frames gives cuts, pictures and the frames' vectors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.movie import DamagedSpan, Movie, Shot
from mastershot.core.protocols import Encoder, FeatureStore, ShotDetector
from mastershot.media.pictures import JpegWriter
from mastershot.media.sampling import (
    HeldFrames,
    RateClock,
    Sampling,
    nearest_frames,
    uniform_frames,
)
from mastershot.media.video import Film, Frame
from mastershot.pipeline.analysis.plan import LoadedPlan
from mastershot.scenes.grouping import color_histogram
from mastershot.shots.content import cut_into_shots, detector_view, make_detector
from mastershot.shots.lists import ListedShots

# Called with the stage's name, how much is done, and of how much (None if unknown).
Progress: TypeAlias = Callable[[str, int, int | None], None]

_THUMB_SIDE_PX = 320
_COLOR_SIDE_PX = 160
_BATCH_FRAMES = 32
_BATCH_BYTES = 64 << 20
_FRAMES_A_CHUNK = 256
_KNOWN_BLOCK = 8192
_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Decoded:
    """What one decoding pass found.

    Attributes:
        movie: The film as it was decoded.
        shots: Its shots, with their pictures and the frames that were sampled.
        damaged: The spans of which frames could not be decoded.
        notes: What the user should know of how the film was read.
    """

    movie: Movie
    shots: tuple[Shot, ...]
    damaged: tuple[DamagedSpan, ...] = ()
    notes: tuple[str, ...] = ()


def decode_film(
    film: Film,
    loaded: LoadedPlan,
    *,
    store: FeatureStore | None = None,
    thumbs: Path | None = None,
    progress: Progress = no_progress,
) -> Decoded:
    """Return the film's shots, after one pass over its frames.

    Vectors of the frames that the plan samples go to the store, pictures to the folder ``thumbs``;
    without these none are made.

    Raises:
        MediaError: The film cannot be decoded to its end.
        ShotListError: A list of shots does not fit the film.
    """
    vectors: tuple[FrameVectors, ...] = ()
    if store is not None:
        vectors = tuple(FrameVectors(*each, store) for each in loaded.encoders.items())
    detector, view = _detector(film, loaded)
    sampler = ShotSampler(film, loaded.plan.sampling, detector.max_lag_frames, vectors, thumbs)
    for frame in film.frames():
        cuts = detector.process(frame=frame.index, pts=frame.pts, image=view(frame))
        sampler.add(frame)
        sampler.end_shots(cuts)
        progress("shots", frame.index + 1, film.file.stated_frames)
    sampler.end_shots(detector.finish())
    movie = film.movie()
    sampler.end_shots([movie.num_frames])
    for space_vectors in vectors:
        space_vectors.finish()
    shots = cut_into_shots(movie, film.pts, sampler.ends[:-1])
    sampled = tuple(
        replace(shot, sampled_frames=frames, thumb=thumb)
        for shot, frames, thumb in zip(shots, sampler.sampled, sampler.thumbs, strict=True)
    )
    return Decoded(movie, sampled, film.damaged, film.notes())


def _detector(film: Film, loaded: LoadedPlan) -> tuple[ShotDetector, Callable[[Frame], ImageArray]]:
    if loaded.listed is not None:
        return ListedShots(loaded.listed, film.file), lambda frame: _NO_PICTURE
    return make_detector(loaded.plan.shots, film.file), detector_view(loaded.plan.shots)


class ShotSampler:
    """Follows the film shot by shot: a picture of each, and the frames whose vectors are taken.

    Attributes:
        ends: The end of each shot so far, as an ordinal.
        sampled: Its sampled frames; empty where every frame is.
        thumbs: The place of its picture, relative to the timeline.
    """

    def __init__(
        self,
        film: Film,
        sampling: Sampling,
        max_lag_frames: int,
        vectors: tuple["FrameVectors", ...],
        thumbs: Path | None,
    ) -> None:
        # Of `rate`, a shot between two ticks gets one frame.
        self._wanted = int(sampling.amount) if sampling.kind == "uniform" else 1
        self._kind, self._clock = sampling.kind, RateClock(sampling.amount, film.file.time_base)
        self._held = HeldFrames(self._wanted, max_lag_frames)
        self._vectors, self._folder, self._jpeg = vectors, thumbs, JpegWriter()
        self._ticked: list[int] = []
        self.ends: list[int] = []
        self.sampled: list[tuple[int, ...]] = []
        self.thumbs: list[str | None] = []

    def add(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        self._held.add(frame)
        if not self._vectors or self._kind == "uniform":
            return
        if self._kind == "every":
            self._take(frame)
        elif self._clock.takes(frame):
            self._take(frame)
            self._ticked.append(frame.index)

    def end_shots(self, ends: list[int]) -> None:
        """Close the shots that end before these frames."""
        for end in ends:
            first, held = self.ends[-1] if self.ends else 0, self._held.cut(end)
            self.thumbs.append(self._picture(held, first, end))
            sampled = tuple(frame for frame in self._ticked if frame < end)
            self._ticked = self._ticked[len(sampled) :]
            if self._vectors and self._kind != "every" and not sampled:
                chosen = nearest_frames(held, uniform_frames(first, end, self._wanted))
                for frame in chosen:
                    self._take(frame)
                sampled = tuple(frame.index for frame in chosen)
            self.sampled.append(sampled)
            self.ends.append(end)

    def _take(self, frame: Frame) -> None:
        for vectors in self._vectors:
            vectors.take(frame)

    def _picture(self, held: list[Frame], first: int, end: int) -> str | None:
        """Write the picture of a shot, its middle frame; return its place."""
        if self._folder is None:
            return None
        middle = nearest_frames(held, uniform_frames(first, end, 1))[0]
        name = f"{len(self.ends):05}.jpg"
        jpeg = self._jpeg.encode(middle.rgb(longest_side_px=_THUMB_SIDE_PX))
        (self._folder / name).write_bytes(jpeg)
        return f"thumbs/{name}"


class FrameVectors:
    """Turns sampled frames into vectors of one space, in batches; none that are stored already.

    Without an encoder, vectors are colour histograms.
    """

    def __init__(self, space: EmbeddingSpace, encoder: Encoder | None, store: FeatureStore) -> None:
        self._space, self._encoder, self._store = space, encoder, store
        self._images: dict[int, ImageArray] = {}
        self._fresh: dict[int, FloatArray] = {}
        self._kept: set[int] = set()
        self._known_until = 0

    def take(self, frame: Frame) -> None:
        """Take a sampled frame."""
        if not self._is_missing(frame.index):
            return
        side_px = _COLOR_SIDE_PX if self._encoder is None else None
        self._images[frame.index] = frame.rgb(longest_side_px=side_px)
        held_bytes = len(self._images) * self._images[frame.index].nbytes
        if len(self._images) >= _BATCH_FRAMES or held_bytes >= _BATCH_BYTES:
            self._encode()

    def finish(self) -> None:
        """Encode and keep all that is held."""
        self._encode()
        self._keep()

    def _encode(self) -> None:
        if not self._images:
            return
        images = list(self._images.values())
        if self._encoder is None:
            vectors = np.stack([color_histogram(image) for image in images])
        else:
            vectors = self._encoder.encode_images(images)
        self._fresh.update(zip(self._images, vectors, strict=True))
        self._images.clear()
        if len(self._fresh) >= _FRAMES_A_CHUNK:
            self._keep()

    def _keep(self) -> None:
        if not self._fresh:
            return
        frames = np.array(sorted(self._fresh), np.int64)
        vectors = np.stack([self._fresh[frame] for frame in frames.tolist()])
        self._store.put(Embeddings(self._space, frames, vectors))
        self._kept.update(self._fresh)
        self._fresh.clear()

    def _is_missing(self, frame: int) -> bool:
        while frame >= self._known_until:
            block = np.arange(self._known_until, self._known_until + _KNOWN_BLOCK)
            kept = np.setdiff1d(block, self._store.missing(self._space, block))
            self._kept.update(kept.tolist())
            self._known_until += _KNOWN_BLOCK
        return not any(frame in taken for taken in (self._kept, self._fresh, self._images))
