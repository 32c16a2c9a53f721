"""Photograph films: each shot is a camera move over one photograph, which the caller gives.

Labels of real pixels come with photographs, not with films; such a film has both. All shots of a
film share its colour grade and its grain, which say nothing of the places.
"""
# S shots of a film, T frames of a shot, H height and W width of a frame

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.media.write import Encoding, write_frames
from mastershot.synthetic.plan import Picture

CameraMove: TypeAlias = Literal["pan", "zoom_in", "zoom_out", "hand_held"]
SHOWN = (0.8, 0.98)
"""How much of a photograph's shorter side is in view, least and most."""
SHAKE = 0.012
"""How far a hand-held camera strays from a frame to the next, in photographs."""
_GRAIN_PLAY = 32


@dataclass(frozen=True)
class PhotographShot:
    """One shot of a photograph film.

    Attributes:
        place: What its photograph shows; the truth.
        num_frames: Its length.
        move: What the camera does.
        seed: Fixes the camera's path.
    """

    place: str
    num_frames: int
    move: CameraMove
    seed: int


@dataclass(frozen=True)
class Grade:
    """The colours and the grain of a whole film.

    Attributes:
        gains: Factor of red, green and blue.
        gamma: Exponent of the light, below 1 for a brighter film.
        saturation: 1 keeps the colours, 0 would leave greys.
        grain: Standard deviation of the grain, in levels of 255.
    """

    gains: tuple[float, float, float]
    gamma: float
    saturation: float
    grain: float


@dataclass(frozen=True)
class PhotographFilm:
    """A planned film, and with it the truth of each shot.

    Attributes:
        shots: The shots in order, joined by hard cuts.
        grade: Its colours and grain.
        picture: Size and rate of its frames.
        seed: Fixes the grain.
    """

    shots: tuple[PhotographShot, ...]
    grade: Grade
    picture: Picture
    seed: int

    @property
    def starts(self) -> tuple[int, ...]:
        """The first frame of each shot, then the number of frames of the film."""
        return tuple(accumulate((shot.num_frames for shot in self.shots), initial=0))


def plan_photograph_film(
    places: Sequence[str],
    *,
    picture: Picture,
    shot_s: tuple[float, float] = (1.5, 3.0),
    seed: int | Sequence[int] = 0,
) -> PhotographFilm:
    """Return a film of one shot a place, in that order, the same for the same seed.

    Args:
        places: What the photograph of each shot shows, at least one.
        picture: Size and rate of the frames.
        shot_s: Shortest and longest shot, in seconds.
        seed: Fixes lengths, moves, grade and grain.
    """
    assert places, "a film has a shot"
    rng = np.random.default_rng(seed)
    moves: tuple[CameraMove, ...] = get_args(CameraMove)
    shots = []
    for place in places:
        num_frames = max(1, round(float(rng.uniform(*shot_s)) * picture.frame_rate))
        move = moves[int(rng.integers(len(moves)))]
        shots.append(PhotographShot(place, num_frames, move, int(rng.integers(2**31))))
    return PhotographFilm(tuple(shots), _draw_grade(rng), picture, int(rng.integers(2**31)))


def write_photograph_film(
    film: PhotographFilm,
    photographs: Sequence[ImageArray],
    path: str | Path,
    encoding: Encoding | None = None,
) -> None:
    """Write a film to a file, which appears only when it is complete.

    Arguments are those of `photograph_frames`.

    Raises:
        OutputError: The file cannot be written.
    """
    frames = photograph_frames(film, photographs)
    write_frames(path, frames, film.picture.frame_rate, encoding=encoding)


def photograph_frames(
    film: PhotographFilm, photographs: Sequence[ImageArray]
) -> Iterator[ImageArray]:
    """Return a film's frames one by one, RGB, shape (H, W, 3).

    Args:
        film: The plan.
        photographs: One a shot, RGB (height, width, 3), of any size. They are sampled without a
            filter, so they should not be much larger than the frames.
    """
    assert len(photographs) == len(film.shots), (len(photographs), len(film.shots))
    height, width = film.picture.height_px, film.picture.width_px
    rng = np.random.default_rng(film.seed)
    grain = rng.normal(0, film.grade.grain, (height + _GRAIN_PLAY, width + _GRAIN_PLAY, 1))
    for shot, photograph in zip(film.shots, photographs, strict=True):
        graded = _graded(photograph, film.grade)
        for window in _windows(shot, photograph.shape[:2], film.picture):
            top, left = rng.integers(_GRAIN_PLAY, size=2)
            clean = view(graded, window, width, height)
            noisy = clean + grain[top : top + height, left : left + width]
            yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _draw_grade(rng: np.random.Generator) -> Grade:
    light, warmth, green = rng.uniform((0.85, -0.12, -0.04), (1.1, 0.12, 0.04))
    gains = (light * (1 + warmth), light * (1 + green), light * (1 - warmth))
    gamma, saturation, grain = rng.uniform((0.85, 0.6, 0.5), (1.2, 1.2, 3.5))
    return Grade(gains, float(gamma), float(saturation), float(grain))


def _graded(photograph: ImageArray, grade: Grade) -> FloatArray:
    """Return a photograph in a film's colours, in 0 to 255."""
    light = (photograph.astype(np.float32) / 255) ** np.float32(grade.gamma)
    grey = light.mean(axis=2, keepdims=True)
    coloured = (grey + (light - grey) * grade.saturation) * np.array(grade.gains) * 255
    graded: FloatArray = np.clip(coloured, 0, 255).astype(np.float32)
    return graded


def _windows(shot: PhotographShot, size: tuple[int, ...], picture: Picture) -> FloatArray:
    """Return what the camera sees in each frame: left, top, width, height, shape (T, 4).

    In pixels of the photograph, wholly inside it, in the shape of the film's frames.
    """
    rng = np.random.default_rng(shot.seed)
    bounds = np.array([size[1], size[0]], float) - 1
    frame = np.array([picture.width_px, picture.height_px], float)
    least, most = np.sort(rng.uniform(*SHOWN, size=2))
    if shot.move.startswith("zoom"):
        least = min(least, most - 0.1)
        ends = (most, least) if shot.move == "zoom_in" else (least, most)
    else:
        ends = (least, least)
    time = np.linspace(0, 1, shot.num_frames)[:, None]
    extent = (ends[0] + (ends[1] - ends[0]) * time) * frame * (bounds / frame).min()
    start, end = rng.uniform(0, 1, (2, 2))
    if shot.move != "pan":
        end = start
    places = start + (end - start) * time
    if shot.move == "hand_held":
        steps = rng.normal(0, SHAKE, (shot.num_frames, 2))
        places = places + np.cumsum(steps, axis=0) / (1 - least)
    corner = np.clip(places, 0, 1) * (bounds - extent)
    return np.concatenate([corner, extent], axis=1).astype(np.float32)


def view(pixels: FloatArray, window: FloatArray, width_px: int, height_px: int) -> FloatArray:
    """Return a window of a photograph as a frame, shape (H, W, 3), interpolated linearly.

    Args:
        pixels: The photograph, shape (height, width, 3).
        window: Left, top, width and height of what is seen, in its pixels, wholly inside it.
        width_px: Width of the frame.
        height_px: Height of the frame.
    """
    left, top, width, height = window.tolist()
    rows = np.linspace(top, top + height, height_px)
    columns = np.linspace(left, left + width, width_px)
    return _interpolated(_interpolated(pixels, rows, axis=0), columns, axis=1)


def _interpolated(pixels: FloatArray, places: FloatArray, axis: Literal[0, 1]) -> FloatArray:
    first = np.minimum(places.astype(np.int64), pixels.shape[axis] - 2)
    share = (places - first).astype(np.float32)
    share = share[:, None, None] if axis == 0 else share[:, None]
    start = pixels.take(first, axis)
    mixed: FloatArray = start + (pixels.take(first + 1, axis) - start) * share
    return mixed
