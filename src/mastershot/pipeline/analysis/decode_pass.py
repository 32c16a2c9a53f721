"""The decoding pass: one look at every frame gives cuts, pictures and the frames' vectors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.movie import DamagedSpan, Movie, Shot
from mastershot.core.protocols import FeatureStore, ShotDetector
from mastershot.media.pictures import JpegWriter
from mastershot.media.sampling import (
    HeldFrames,
    RateClock,
    Sampling,
    nearest_frames,
    uniform_frames,
)
from mastershot.media.video import Film, Frame
from mastershot.pipeline.analysis.plan import Kit
from mastershot.scenes.grouping import color_histogram
from mastershot.shots.content import cut_into_shots, detector_view, make_detector
from mastershot.shots.lists import ListedShots

# Called with the stage's name, how much is done, and of how much (None if unknown).
Progress: TypeAlias = Callable[[str, int, int | None], None]

THUMB_SIDE_PX = 320
_COLOR_SIDE_PX = 160
_BATCH_FRAMES = 32
_BATCH_BYTES = 64 << 20
_FRAMES_A_CHUNK = 256
_KNOWN_BLOCK = 8192
_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Watched:
    """What one decoding pass found.

    Attributes:
        movie: What the film turned out to be.
        shots: Its shots, with their pictures and the frames that were looked at.
        damaged: The spans of which frames could not be decoded.
        notes: What the user should know of how the film was read.
    """

    movie: Movie
    shots: tuple[Shot, ...]
    damaged: tuple[DamagedSpan, ...] = ()
    notes: tuple[str, ...] = ()


class FrameVectors:
    """Turns chosen frames into vectors of one space, passing over those that are kept already."""

    def __init__(self, space: EmbeddingSpace, kit: Kit, store: FeatureStore) -> None:
        self._space = space
        self._encoder = kit.encoder_of(space)
        self._store = store
        self._images: dict[int, ImageArray] = {}
        self._fresh: dict[int, FloatArray] = {}
        self._kept: set[int] = set()
        self._known_until = 0

    def take(self, frame: Frame) -> None:
        """Take a chosen frame."""
        if not self._is_missing(frame.index):
            return
        side_px = _COLOR_SIDE_PX if self._encoder is None else None
        self._images[frame.index] = frame.rgb(longest_side_px=side_px)
        held_bytes = len(self._images) * self._images[frame.index].nbytes
        if len(self._images) >= _BATCH_FRAMES or held_bytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Encode the images that are held."""
        if not self._images:
            return
        vectors = self._encode(list(self._images.values()))
        self._fresh.update(zip(self._images, vectors, strict=True))
        self._images.clear()
        if len(self._fresh) >= _FRAMES_A_CHUNK:
            self._keep()

    def finish(self) -> None:
        """Encode and keep all that is held."""
        self.flush()
        self._keep()

    def _keep(self) -> None:
        if not self._fresh:
            return
        frames = np.array(sorted(self._fresh), np.int64)
        vectors = np.stack([self._fresh[frame] for frame in frames.tolist()])
        self._store.put(Embeddings(self._space, frames, vectors))
        self._kept.update(self._fresh)
        self._fresh.clear()

    def _encode(self, images: list[ImageArray]) -> FloatArray:
        if self._encoder is None:
            return np.stack([color_histogram(image) for image in images])
        return self._encoder.encode_images(images)

    def _is_missing(self, frame: int) -> bool:
        while frame >= self._known_until:
            block = np.arange(self._known_until, self._known_until + _KNOWN_BLOCK)
            kept = np.setdiff1d(block, self._store.missing(self._space, block))
            self._kept.update(kept.tolist())
            self._known_until += _KNOWN_BLOCK
        return not any(frame in taken for taken in (self._kept, self._fresh, self._images))


class ShotViewer:
    """Follows the film shot by shot: a picture of each, and the frames to look at."""

    def __init__(
        self,
        sampling: Sampling,
        *,
        time_base: Fraction,
        max_lag_frames: int,
        vectors: tuple[FrameVectors, ...],
        thumbs: Path | None,
    ) -> None:
        self._sampling = sampling
        self._vectors = vectors
        self._thumbs = thumbs
        self._jpeg = JpegWriter()
        wanted = int(sampling.amount) if sampling.kind == "uniform" else 1
        self._held = HeldFrames(wanted, max_lag_frames)
        self._clock = RateClock(sampling.amount, time_base)
        self._ticked: list[int] = []
        self._first_frame = 0
        self.sampled: list[tuple[int, ...]] = []

    def see(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        self._held.add(frame)
        if not self._vectors or self._sampling.kind == "uniform":
            return
        if self._sampling.kind == "every":
            self._look_at(frame)
        elif self._clock.takes(frame):
            self._look_at(frame)
            self._ticked.append(frame.index)

    def end_shot(self, end_frame: int) -> None:
        """Close the shot that ends before this frame."""
        held = self._held.cut(end_frame)
        middle = uniform_frames(self._first_frame, end_frame, 1)
        if self._thumbs is not None:
            self._write_thumb(nearest_frames(held, middle)[0])
        sampled: tuple[int, ...] = ()
        if self._vectors and self._sampling.kind != "every":
            sampled = tuple(frame for frame in self._ticked if frame < end_frame)
            self._ticked = self._ticked[len(sampled) :]
            sampled = sampled or self._take_held(held, end_frame)
        self.sampled.append(sampled)
        self._first_frame = end_frame

    def _take_held(self, held: list[Frame], end_frame: int) -> tuple[int, ...]:
        """Look at evenly spaced frames of a shot; at its middle one if the rate left it out."""
        count = int(self._sampling.amount) if self._sampling.kind == "uniform" else 1
        chosen = nearest_frames(held, uniform_frames(self._first_frame, end_frame, count))
        for frame in chosen:
            self._look_at(frame)
        return tuple(frame.index for frame in chosen)

    def _look_at(self, frame: Frame) -> None:
        for vectors in self._vectors:
            vectors.take(frame)

    def _write_thumb(self, frame: Frame) -> None:
        assert self._thumbs is not None
        jpeg = self._jpeg.encode(frame.rgb(longest_side_px=THUMB_SIDE_PX))
        (self._thumbs / thumb_name(len(self.sampled))).write_bytes(jpeg)


def watch(
    film: Film,
    kit: Kit,
    *,
    store: FeatureStore | None = None,
    thumbs: Path | None = None,
    progress: Progress = no_progress,
) -> Watched:
    """Return the film's shots, after one pass over its frames.

    Vectors of the frames that the plan samples go to the store, pictures to the folder ``thumbs``;
    where there is none, none are made.

    Raises:
        MediaError: The film cannot be decoded to its end.
        ShotListError: A list of shots does not fit the film.
    """
    spaces = () if store is None else kit.spaces
    vectors = tuple(FrameVectors(space, kit, store) for space in spaces if store is not None)
    detector, view = _detector(film, kit)
    viewer = ShotViewer(
        kit.plan.sampling,
        time_base=film.file.time_base,
        max_lag_frames=detector.max_lag_frames,
        vectors=vectors,
        thumbs=thumbs,
    )
    cuts: list[int] = []

    def cut_at(frames: list[int]) -> None:
        for frame in frames:
            cuts.append(frame)
            viewer.end_shot(frame)

    total = film.file.stated_frames
    for frame in film.frames():
        found = detector.process(frame=frame.index, pts=frame.pts, image=view(frame))
        viewer.see(frame)
        cut_at(found)
        progress("shots", frame.index + 1, total)
    cut_at(detector.finish())
    movie = film.movie()
    viewer.end_shot(movie.num_frames)
    for space_vectors in vectors:
        space_vectors.finish()
    shots = cut_into_shots(movie, film.pts, cuts)
    viewed = tuple(_with_views(shots, viewer, thumbs is not None))
    return Watched(movie, viewed, film.damaged, film.notes())


def thumb_name(index: int) -> str:
    """Return the file name of a shot's picture."""
    return f"{index:05}.jpg"


def _detector(film: Film, kit: Kit) -> tuple[ShotDetector, Callable[[Frame], ImageArray]]:
    if kit.listed is not None:
        return ListedShots(kit.listed, film.file), lambda frame: _NO_PICTURE
    return make_detector(kit.plan.shots, film.file), detector_view(kit.plan.shots)


def _with_views(shots: tuple[Shot, ...], viewer: ShotViewer, pictured: bool) -> list[Shot]:
    return [
        replace(
            shot,
            sampled_frames=sampled,
            thumb=f"thumbs/{thumb_name(index)}" if pictured else None,
        )
        for index, (shot, sampled) in enumerate(zip(shots, viewer.sampled, strict=True))
    ]
