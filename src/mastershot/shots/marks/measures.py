"""What is measured of each frame for marks: some twenty bytes that the rules decide by.

All is measured on the small picture that the shot detector sees, reduced to grey halves of 64
points along the longer side, cells of 32 and parts of 16. A frame costs a few calls of OpenCV;
what can be computed for many frames at once is, a block at a time.
"""
# N frames of a block, H height, W width

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import ImageArray
from mastershot.shots.marks.bars import are_bars
from mastershot.shots.marks.settings import MarkSettings
from mastershot.shots.marks.text import TextMeter

Measures: TypeAlias = npt.NDArray[np.void]
"""One row a frame of `MEASURES`."""

UNKNOWN = 255
"""Of an edge of the picture that cannot be told, as where it lies in the dark."""

MEASURES = np.dtype([
    ("bright", "f2"),  # share of halves that are not dark
    ("light", "f2"),  # mean, of 255
    ("contrast", "u1"),  # largest difference between two parts, of 255
    ("held", "?"),  # nothing but noise differs from the frame at which the picture last changed
    ("down", "u1"),  # rows of halves above and below the picture, equal, or UNKNOWN
    ("across", "u1"),  # columns of halves left and right of it
    ("bars", "?"),  # colour bars
    ("plain", "?"),  # much of it is of one light
    ("text", "?"),  # letters on a smooth ground
    ("mixed", "?"),  # lines of letters there beside something taller, such as a figure
    ("still", "?"),  # text that is where it was half a second ago
    ("shift", "i1"),  # by how many points text went up in half a second, where that is clear
    ("lines", "u1"),  # of text
])  # fmt: skip

_BLOCK = 64
_POINTS = 128  # of the longer side, at most about
_BINS = 16  # of a histogram of light
_EMPTY_ROW = 0.03  # share of a row's points that may be bright in a black bar
_EDGE_ROW = 0.35  # share that must be bright in the picture's first row
_TOUCHING_ROW = 0.1  # share that shows that there is no bar
_STEP = 20  # of 255: least by which the picture is lighter than a black bar, within two rows
_SMALL_CHANGE = 2.4  # How much more halves may change than cells, which average four of them.
_OF_CONTRAST = 0.1  # Most that a cell may change, as a share of the picture's contrast,
_NOISE = 0.4  # but at least so much of what it may change in any picture: that is noise.


class FrameMeter:
    """Measures the frames of one film.

    Usage: `add` every frame in order, then `measures`.
    """

    def __init__(self, settings: MarkSettings, rate: float) -> None:
        """Take the thresholds and the film's mean frame rate in Hz."""
        self._settings = settings
        self._dark = 255 * settings.dark
        self._most = 255 * settings.held_change
        self._text = TextMeter(settings, rate)
        self._images: list[ImageArray] = []
        self._greys: list[ImageArray] = []
        self._counts: list[tuple[Any, ...]] = []
        self._anchor: tuple[Any, Any, Any, float] | None = None
        self._blocks: list[Measures] = []

    def add(self, image: ImageArray) -> None:
        """Take the next frame, BGR (H, W, 3); all are of one size."""
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        longest = max(grey.shape)
        if longest > 1.5 * _POINTS:
            grey = _shrunk(grey, longest / _POINTS)
            longest = max(grey.shape)
        half = _shrunk(grey, longest / 64)
        cells = _shrunk(half, max(half.shape) / 32)
        parts = _shrunk(cells, max(cells.shape) / 16)
        _, bright = cv2.threshold(half, self._dark, 1, cv2.THRESH_BINARY)
        rows = cv2.reduce(bright, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
        columns = cv2.reduce(bright, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
        row_light = cv2.reduce(half, 1, cv2.REDUCE_AVG)
        column_light = cv2.reduce(half, 0, cv2.REDUCE_AVG)
        lights = cv2.calcHist([half], [0], None, [_BINS], [0, 256])
        held = self._is_held(half, cells, cv2.mean(image))
        self._images.append(image)
        self._greys.append(grey)  # type: ignore[arg-type]
        counts = (rows, row_light, columns, column_light, lights, parts, held)
        self._counts.append(counts)
        if len(self._images) == _BLOCK:
            self._measure()

    def measures(self) -> Measures:
        """Return the measures of all frames so far, shape (T,)."""
        self._measure()
        return np.concatenate([np.empty(0, MEASURES), *self._blocks])

    def _is_held(self, half: Any, cells: Any, colour: Any) -> bool:
        if self._anchor is not None:
            before, cells_before, colour_before, most = self._anchor
            if (
                cv2.norm(colour, colour_before, cv2.NORM_INF) <= most
                and cv2.norm(cells, cells_before, cv2.NORM_INF) <= most
                and cv2.norm(half, before, cv2.NORM_INF) <= _SMALL_CHANGE * most
            ):
                return True
        darkest, lightest, _, _ = cv2.minMaxLoc(cells)
        share = min(max(_OF_CONTRAST * (lightest - darkest) / self._most, _NOISE), 1.0)
        self._anchor = half, cells, colour, share * self._most
        return False

    def _measure(self) -> None:
        """Measure what was taken since the last block."""
        if not self._images:
            return
        found = np.zeros(len(self._images), MEASURES)
        rows, row_light, columns, column_light, lights, parts, held = (
            np.stack(each).reshape(len(found), -1) for each in zip(*self._counts, strict=True)
        )
        lights = lights / lights.sum(axis=1, keepdims=True)
        found["bright"] = rows.sum(axis=1) / (rows.shape[1] * columns.shape[1])
        found["light"] = parts.mean(axis=1)
        found["contrast"] = parts.max(axis=1) - parts.min(axis=1)
        found["held"] = held[:, 0]
        found["down"] = _bar(rows / columns.shape[1], row_light)
        found["across"] = _bar(columns / rows.shape[1], column_light)
        found["bars"] = are_bars(self._images, self._settings)
        pairs = lights[:, :-1] + lights[:, 1:]
        found["plain"] = pairs.max(axis=1) >= self._settings.ground
        self._text.measure(self._greys, _grounds(lights, pairs), found)
        self._blocks.append(found)
        self._images, self._greys, self._counts = [], [], []


def _shrunk(image: Any, by: float) -> Any:
    """Return an image shrunk to the mean of its points, by about a number, never enlarged."""
    factor = max(1, round(by))
    if factor == 1:
        return image
    height, width = (max(1, side // factor) for side in image.shape[:2])
    within = image[: height * factor, : width * factor]
    return cv2.resize(within, (width, height), interpolation=cv2.INTER_AREA)


def _grounds(lights: Any, pairs: Any) -> Any:
    """Return the light of each frame's commonest two bins of a histogram, of 255, (N,)."""
    first = pairs.argmax(axis=1)
    rows = np.arange(len(pairs))
    share = lights[rows, first + 1] / np.maximum(pairs[rows, first], 1e-9)
    return (first + 0.5 + share) * 256 / _BINS


def _bar(shares: Any, lights: Any) -> npt.NDArray[np.uint8]:
    """Return how many rows are black on both sides of each frame's picture, or `UNKNOWN`.

    Args:
        shares: Share of each row's halves that is bright, (N, rows).
        lights: Mean light of each row, of 255, (N, rows).
    """
    num_rows = shares.shape[1]
    filled = shares > _EMPTY_ROW
    first, last = filled.argmax(axis=1), num_rows - 1 - filled[:, ::-1].argmax(axis=1)
    clear = _is_clear(shares, lights, first, 1) & _is_clear(shares, lights, last, -1)
    above, below = first, num_rows - 1 - last
    found = np.where(clear & (np.abs(above - below) <= 1), np.minimum(above, below), UNKNOWN)
    touching = np.maximum(shares[:, 0], shares[:, -1]) >= _TOUCHING_ROW
    found = np.where(touching, 0, found)
    return np.where(filled.any(axis=1), found, UNKNOWN).astype(np.uint8)


def _is_clear(shares: Any, lights: Any, edge: Any, inwards: int) -> Any:
    """Return whether each frame's picture begins at a row at once, and is bright there, (N,)."""
    numbers, last = np.arange(len(shares)), shares.shape[1] - 1
    inside = np.clip(edge + inwards, 0, last)
    outside = np.clip(edge - inwards, 0, last)
    bright = np.maximum(shares[numbers, edge], shares[numbers, inside]) >= _EDGE_ROW
    step = lights[numbers, inside].astype(np.int16) - lights[numbers, outside]
    return bright & (step >= _STEP)


def measure(images: Sequence[ImageArray], settings: MarkSettings, rate: float) -> Measures:
    """Return the measures of a film's frames, BGR."""
    meter = FrameMeter(settings, rate)
    for image in images:
        meter.add(image)
    return meter.measures()
