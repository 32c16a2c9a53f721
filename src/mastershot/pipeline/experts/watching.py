"""Experts that see: places and pictures of sampled frames, motion between neighbouring ones."""
# N clips, T frames of a clip, D width of an expert, M figures of motion

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from weakref import ref

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.movie import Movie, Shot
from mastershot.core.protocols import Encoder
from mastershot.core.time import FrameTimes
from mastershot.datasets.genres.table import Expert
from mastershot.encoders.experts.flow import FLOW_FIGURES, FlowMeter
from mastershot.encoders.experts.students import PlaceFeatures
from mastershot.media.probe import FilmFile
from mastershot.media.sound import SoundPiece
from mastershot.media.video import Frame

PAIRS_HZ = 12
"""Pairs of neighbouring frames whose motion is measured, a second at most."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A trailer whose every frame has been seen.

    Attributes:
        path: Its file; None where it lies in several.
        movie: The film as it was decoded.
        clips: Its shots.
        times: When each frame is shown.
        sound_shifts_s: What to add to the times of each recording's sound.
        synopsis: What it is about; may be empty.
    """

    path: Path | None
    movie: Movie
    clips: tuple[Shot, ...]
    times: FrameTimes
    sound_shifts_s: tuple[float, ...]
    synopsis: str


class Watcher:
    """What an expert does with one trailer, in the decoding pass: by itself, nothing."""

    hears = False
    """Whether the trailer's sound is to be decoded for it."""
    sees_all = False
    """Whether it sees every frame, not only sampled ones."""

    def see(self, frame: Frame, points: ImageArray) -> None:
        """Take the next frame, and what of it shots are found by, BGR (H, W, 3)."""

    def sample(self, frames: Sequence[Frame], clip: range) -> None:
        """Take the sampled frames of the next clip, (T,), and which frames of the film it is."""

    def hear(self, piece: SoundPiece) -> None:
        """Take the next piece of sound."""

    def finish(self, seen: Seen) -> FloatArray:
        """Return the vectors of the clips, float32 (N, D), or (N, P, D); NaN is nothing to say."""
        raise NotImplementedError


class ClipExpert(Protocol):
    """Gives each clip of a trailer a vector, or several."""

    @property
    def described(self) -> Expert:
        """Its name, the width of its vectors, and how they are made."""
        ...

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what sees one trailer, whose cuts are reported at most so many frames late."""
        ...


class SharedPlaces:
    """The starter's features of sampled frames, computed once for all experts that want them."""

    def __init__(self, features: PlaceFeatures) -> None:
        self.features = features
        self._latest: tuple[FloatArray, FloatArray] | None = None
        self._latest_of: list[ref[Frame]] = []  # Weak, so that no picture is kept for it.

    def of(self, frames: Sequence[Frame]) -> tuple[FloatArray, FloatArray]:
        """Return places (T, P) and pooled maps (T, D) of frames."""
        known = [one() for one in self._latest_of]
        if (
            self._latest is None
            or len(known) != len(frames)
            or any(one is not other for one, other in zip(known, frames, strict=True))
        ):
            images = [one.rgb(longest_side_px=_SIDE_PX) for one in frames]
            self._latest = self.features.encode(images)
            self._latest_of = [ref(one) for one in frames]
        return self._latest


_SIDE_PX = 320  # more than the starter's 112 points a side


class LocationExpert:
    """Which places a clip shows: the starter's probabilities of them."""

    def __init__(self, places: SharedPlaces) -> None:
        self._places = places
        features = places.features
        made = {"network": "starter", "weights_hash": features.weights_hash, "of": "places"}
        self.described = Expert(
            "location", len(features.places), made_by=made | {"classes": list(features.places)}
        )

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what sees one trailer."""
        return _MeanOfFrames(lambda frames: self._places.of(frames)[0])


class ImageExpert:
    """What a clip looks like: the starter's last maps, pooled, before any concept is named."""

    def __init__(self, places: SharedPlaces) -> None:
        self._places = places
        features = places.features
        made = {"network": "starter", "weights_hash": features.weights_hash, "of": "last maps"}
        self.described = Expert("image", features.width, made_by=made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what sees one trailer."""
        return _MeanOfFrames(lambda frames: self._places.of(frames)[1])


class EncoderExpert:
    """What a clip looks like, or where it is: an encoder's vectors of frames."""

    def __init__(self, encoder: Encoder, name: str) -> None:
        self._encoder = encoder
        space = encoder.space
        made = {"network": space.model, "weights_hash": space.weights_hash}
        self.described = Expert(name, space.width, made_by=made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what sees one trailer."""
        return _MeanOfFrames(lambda frames: self._encoder.encode_images([f.rgb() for f in frames]))


class _MeanOfFrames(Watcher):
    def __init__(self, encode: Any) -> None:
        self._encode = encode
        self._rows: list[FloatArray] = []

    def sample(self, frames: Sequence[Frame], clip: range) -> None:
        self._rows.append(self._encode(frames).mean(axis=0))

    def finish(self, seen: Seen) -> FloatArray:
        return np.stack(self._rows).astype(np.float32)


class MotionExpert:
    """How a clip moves: figures of optical flow, their mean and spread, and how long it is."""

    def __init__(self) -> None:
        made: Mapping[str, Any] = {
            "method": "optical flow (DIS, fast preset) on the detector's grid of points",
            "pairs_hz": PAIRS_HZ,
            "figures": list(FLOW_FIGURES),
            "pooled": ["mean", "standard deviation", "ln of seconds"],
        }
        self.described = Expert("motion", 2 * len(FLOW_FIGURES) + 1, made_by=made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what sees one trailer."""
        return _Motion(file)


class _Motion(Watcher):
    sees_all = True

    def __init__(self, file: FilmFile) -> None:
        self._stride = max(1, round((file.mean_rate or PAIRS_HZ) / PAIRS_HZ))
        self._time_base, self._meter = file.time_base, FlowMeter()
        self._before: tuple[int, int, ImageArray] | None = None
        self._seconds: list[int] = []  # the second frame of each pair
        self._rows: list[FloatArray] = []

    def see(self, frame: Frame, points: ImageArray) -> None:
        if self._before is not None and self._before[0] == frame.index - 1:
            pts, before = self._before[1:]
            if before.shape == points.shape and frame.pts > pts:
                seconds = float((frame.pts - pts) * self._time_base)
                self._rows.append(self._meter.measure(before, points, seconds=seconds))
                self._seconds.append(frame.index)
        if frame.index % self._stride == 0:
            self._before = frame.index, frame.pts, points

    def finish(self, seen: Seen) -> FloatArray:
        places = np.array(self._seconds, np.int64)
        width = len(FLOW_FIGURES)
        figures_PM = np.array(self._rows, np.float32).reshape(-1, width)
        rows = np.full((len(seen.clips), 2 * width + 1), np.nan, np.float32)
        for row, clip in zip(rows, seen.clips, strict=True):
            span = clip.span
            # Both frames of a pair lie in the clip.
            inside = figures_PM[(places > span.first_frame) & (places < span.end_frame)]
            if len(inside):
                row[:width], row[width:-1] = inside.mean(axis=0), inside.std(axis=0)
                row[-1] = np.log(span.end_s - span.start_s)
        return rows
