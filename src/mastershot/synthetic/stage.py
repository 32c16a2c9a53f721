"""A set-up painted once, then seen frame by frame through a moving camera."""

from dataclasses import dataclass
from math import ceil, pi, sin
from typing import TypeAlias

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray, IntArray
from mastershot.synthetic.canvas import PLACE_WIDTH, Window
from mastershot.synthetic.figures import paint_figure
from mastershot.synthetic.places import paint_place
from mastershot.synthetic.plan import Picture, Setup, ShotPlan

GRAIN = 12
"""Film grain adds 0 to this much light to every pixel, so a stage stays below 255 - GRAIN."""
MARGIN = 0.25
"""A set-up is painted this much larger than the frame, for the camera to move in."""
BLUR = 48
"""Close set-ups show the place in this many rows only: the lens is focused on the person."""

_View: TypeAlias = tuple[float, float, float]
"""Left and top of what the camera sees, in stage pixels, and how many of them a frame pixel is."""


@dataclass(frozen=True, eq=False)
class _Figure:
    """A person on a stage: for each pose colours and opacity, both as `_halves`.

    ``left`` and ``top`` are where the picture lies when the person stands still, ``height`` the
    person's own height, all in frame pixels.
    """

    poses: tuple[tuple[ImageArray, ImageArray], ...]
    left: float
    top: float
    height: float


@dataclass(frozen=True, eq=False)
class Stage:
    """A painted set-up: the place as `_halves`, and the people before it."""

    backdrop: ImageArray
    figures: tuple[_Figure, ...]


def build_stage(setup: Setup, picture: Picture) -> Stage:
    """Return the set-up painted for frames of that size, with a margin to move in."""
    width, height = (ceil(size * (1 + MARGIN)) for size in (picture.width_px, picture.height_px))
    top, shown = {"wide": (0.0, 1.0), "medium": (0.2, 0.52), "close": (0.24, 0.42)}[setup.framing]
    pixel = shown / (picture.height_px * (1 + MARGIN))
    left = setup.look_at * (PLACE_WIDTH - picture.width_px * (1 + MARGIN) * pixel)
    window = Window(left, top + setup.tilt, width * pixel, height * pixel)
    if setup.framing == "close":
        columns = max(4, round(BLUR * width / height))
        painted = paint_place(setup.place, window, width_px=columns, height_px=BLUR)
        painted = _soften(_soften(painted, axis=1), axis=2)
        painted = _stretch(_stretch(painted, height, axis=1), width, axis=2)
    else:
        painted = paint_place(setup.place, window, width_px=width, height_px=height)
    figures = tuple(_build_figure(setup, i, width, height) for i in range(len(setup.actors)))
    return Stage(_halves(_develop(painted, setup)), figures)


def _soften(pixels: FloatArray, axis: int) -> FloatArray:
    beside = np.roll(pixels, 1, axis) + np.roll(pixels, -1, axis)
    return (beside + 2 * pixels) * np.float32(0.25)


def _stretch(pixels: FloatArray, size: int, axis: int) -> FloatArray:
    """Return the pixels enlarged along an axis, their outermost row left out on either side."""
    places = np.linspace(1, pixels.shape[axis] - 2.001, size)
    first = places.astype(np.int64)
    share = (places - first).astype(np.float32)
    share = share[:, None] if axis == 1 else share
    start = pixels.take(first, axis)
    return start + (pixels.take(first + 1, axis) - start) * share


def _develop(pixels: FloatArray, setup: Setup) -> ImageArray:
    """Return painted pixels (3, H, W) as bytes (H, W, 3), lit and tinted, below 255 - GRAIN."""
    tint = np.array([1 + 0.2 * setup.warmth, 1, 1 - 0.2 * setup.warmth], np.float32)
    exposed = pixels * (tint * np.float32(setup.light * (255 - GRAIN) / 255))[:, None, None]
    planes = np.clip(exposed, 0, 255 - GRAIN).astype(np.uint8)
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def _halves(image: ImageArray) -> ImageArray:
    """Return the image shifted up and left by no or half a pixel, shape (2, 2, H, W, 3)."""
    shifted = np.empty((2, 2, *image.shape), np.uint8)
    shifted[0, 0] = image
    for into, start, axis in (((1, 0), (0, 0), 0), ((0, 1), (0, 0), 1), ((1, 1), (1, 0), 1)):
        before = shifted[start] >> 1
        shifted[into] = before + np.roll(before, -1, axis)
    return shifted


def _crop(halves: ImageArray, rows: IntArray, columns: IntArray) -> ImageArray:
    """Return the pixels of `_halves` at rows and columns, both counted in half pixels."""
    height, width = len(rows), len(columns)
    if rows[-1] - rows[0] == 2 * (height - 1) and columns[-1] - columns[0] == 2 * (width - 1):
        (top, row), (left, column) = divmod(int(rows[0]), 2), divmod(int(columns[0]), 2)
        return halves[row, column, top : top + height, left : left + width]
    lines = halves[rows % 2, :, rows // 2].reshape(height, -1, 3)
    picked: ImageArray = lines.take(columns % 2 * halves.shape[3] + columns // 2, axis=1)
    return picked


def _build_figure(setup: Setup, number: int, width: int, height: int) -> _Figure:
    size, head, shown = {
        "wide": (0.4, 0.46, 1.04),
        "medium": (2.0, 0.16, 0.5),
        "close": (2.3, 0.2, 0.42),
    }[setup.framing]
    middle = (0.42, 0.58)[number] if len(setup.actors) > 1 else 0.38 + 0.24 * (setup.look_at < 0.5)
    window = Window(-0.25, -0.02, 0.5, shown)
    rows = round(size * height * shown)
    poses = []
    for pose in (0, 1):
        painted = paint_figure(setup.actors[number], window, height_px=rows, pose=pose)
        opacity = np.repeat(painted[3, :, :, None].astype(np.uint8), 3, axis=2)
        colours = np.minimum(_develop(painted[:3], setup), opacity)
        poses.append((_halves(colours), _halves(opacity)))
    left, top = middle * width - 0.25 * size * height, (head - 0.02 * size) * height
    return _Figure(tuple(poses), left, top, size * height)


def shoot(shot: ShotPlan, frame: int, stage: Stage, picture: Picture) -> ImageArray:
    """Return one frame of a shot, which may lie before its start or after its end."""
    left, top, scale = view = _camera(shot, frame, picture)
    rows = _lines(top, scale, picture.height_px)
    columns = _lines(left, scale, picture.width_px)
    image = _crop(stage.backdrop, rows, columns).copy()
    time_s = float((frame - shot.num_frames // 2) / picture.frame_rate)
    for number, figure in enumerate(stage.figures):
        _paste(image, figure, view, _step(shot, time_s, shot.take + number))
    if frame in shot.flashes:
        image = 255 - GRAIN - (255 - GRAIN - image) // 4
    return image


def _lines(start: float, scale: float, count: int) -> IntArray:
    return ((start + (np.arange(count) + 0.5) * scale) * 2).astype(np.int64)


def _camera(shot: ShotPlan, frame: int, picture: Picture) -> _View:
    """Return what the camera sees, moving from one side of the margin to the other."""
    across, down = picture.width_px * MARGIN, picture.height_px * MARGIN
    share = min(1.0, max(0.0, (frame + 0.5) / shot.num_frames))
    if shot.move == "pan":
        share = share if shot.take % 2 else 1 - share
        return across * share, down / 2, 1.0
    if shot.move in ("zoom_in", "zoom_out"):
        share = share if shot.move == "zoom_out" else 1 - share
        return across / 2 * (1 - share), down / 2 * (1 - share), 1 + MARGIN * share
    sway = 0.02 * picture.height_px * (shot.move == "shake")
    turn = 2 * pi * float(frame / picture.frame_rate)
    phase = shot.take % 97
    left = across / 2 + sway * (sin(1.1 * turn + phase) + 0.5 * sin(2.7 * turn + 2 * phase))
    return left, down / 2 + sway * sin(1.7 * turn + 3 * phase), 1.0


def _step(shot: ShotPlan, time_s: float, take: int) -> tuple[int, float, float]:
    """Return a figure's pose, and how far it has moved right and down, in its own heights.

    Time counts from the middle of the shot, where everybody is in place.
    """
    beat_hz, speed, hop, swing = {
        "talk": (5.0, 0.0, 0.0, 0.006),
        "walk": (1.8, 0.3, 0.012, 0.0),
        "run": (3.6, 1.0, 0.035, 0.0),
        "dance": (2.0, 0.0, 0.03, 0.1),
    }[shot.setup.action]
    pose = int(time_s * beat_hz) % 2
    if shot.setup.action == "talk" and sin(1.9 * time_s + take % 89) < 0:
        pose = 0
    speed *= (shot.setup.framing == "wide") * (1 if shot.take % 2 else -1)
    right = speed * time_s + swing * sin(pi * time_s + take % 83)
    return pose, right, -hop * abs(sin(pi * beat_hz * time_s))


def _paste(image: ImageArray, figure: _Figure, view: _View, step: tuple[int, float, float]) -> None:
    """Put a figure before what is in the image: a `_camera`'s view of it after a `_step`."""
    (left, top, scale), (pose, right, down) = view, step
    colours, opacity = figure.poses[pose]
    rows = _lines(top - figure.top - down * figure.height, scale, image.shape[0])
    columns = _lines(left - figure.left - right * figure.height, scale, image.shape[1])
    y = slice(*np.searchsorted(rows, [0, 2 * colours.shape[2]]))
    x = slice(*np.searchsorted(columns, [0, 2 * colours.shape[3]]))
    if rows[y].size and columns[x].size:
        behind = image[y, x].astype(np.uint16)
        behind *= ~_crop(opacity, rows[y], columns[x])
        behind >>= 8
        image[y, x] = behind.astype(np.uint8) + _crop(colours, rows[y], columns[x])
