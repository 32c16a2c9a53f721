"""Measures of each frame against those before it: all that transitions are found by.

A frame is seen as a picture of 32 × 18 cells, each the mean of the points that shot detection takes
of a frame, so that a dissolve of two pictures is the same dissolve of their cells, while grain and
small motion are averaged away. Distances to frames up to 48 earlier tell a cut, which changes all
of them at once, from a dissolve, along which they rise, and from a flash, after which they fall.
"""
# T frames, N new frames, C cells of three colours, M measures

from collections.abc import Sequence

import cv2
import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray, IntArray

WIDTH, HEIGHT = 32, 18
"""Cells of the small picture."""
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""How many frames earlier the frames are that a frame is compared with."""
_HALF_LAGS = (2, 4, 8, 16, 24)
_SHARE_LAGS = (1, 2, 4, 8, 16)
_SHIFT_LAGS = (1, 2)
_MARGIN_X, _MARGIN_Y = 4, 1  # How far the camera may move between two frames, in cells.
_CHANGED = 25  # of 255
_CHANGE = 8  # of 255: mean difference of cells from which a picture is another one
_BLACK, _WHITE = 0.06, 0.94
_LEVELS = 8  # of each colour, in a histogram
BLOCK = 64
"""How many frames are measured at once."""
_HISTORY = max(*LAGS, 2 * max(_HALF_LAGS))

MEASURES: tuple[str, ...] = (
    *(f"distance {lag}" for lag in LAGS),
    *(f"colours {lag}" for lag in LAGS),
    *(f"mixture {lag}" for lag in _HALF_LAGS),
    *(f"changed {lag}" for lag in _SHARE_LAGS),
    *(f"moved {lag}" for lag in _SHIFT_LAGS),
    "light", "contrast", "saturation", "black", "white",
)  # fmt: skip
"""Their names, in order. ``distance`` is the root mean square difference of cells; ``colours`` the
Hellinger distance of colour histograms; ``mixture`` how far the frame so much earlier is from the
mean of this one and the one twice as much earlier; ``changed`` the share of cells that differ
clearly; ``moved`` the distance of grey cells after the best shift of the picture."""


class FrameMeasures:
    """Measures the frames of one film, block by block.

    Usage: `add` every frame in order; `take` what is measured so far, at any time.

    Attributes:
        changed: Whether the latest picture differs clearly from the one before.
    """

    def __init__(self) -> None:
        self.changed = False
        self._last: ImageArray | None = None
        self._cells: ImageArray = np.empty((0, 3, HEIGHT * WIDTH), np.uint8)
        self._colours: FloatArray = np.empty((0, _LEVELS**3), np.float32)
        self._new: list[tuple[ImageArray, FloatArray]] = []

    def add(self, image: ImageArray) -> None:
        """Take the next frame, BGR (H, W, 3), of any size."""
        small = np.asarray(
            cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8
        )
        apart = 0.0 if self._last is None else cv2.norm(small, self._last, cv2.NORM_L1)
        self.changed, self._last = apart > _CHANGE * small.size, small
        points = np.ascontiguousarray(image[::2, ::2])
        counts = cv2.calcHist([points], [0, 1, 2], None, [_LEVELS] * 3, [0, 256] * 3)
        cells = small.reshape(-1, 3).T
        self._new.append((cells, np.asarray(counts, np.float32).reshape(-1) / counts.sum()))

    def take(self) -> FloatArray:
        """Return the measures of the frames added since the last call, float32 (N, M)."""
        if not self._new:
            return np.empty((0, len(MEASURES)), np.float32)
        cells = np.stack([cells for cells, _ in self._new])
        colours = np.sqrt(np.stack([colours for _, colours in self._new]))
        self._new = []
        if not len(self._cells):  # Before its first frame a film shows that frame.
            self._cells = np.repeat(cells[:1], _HISTORY, axis=0)
            self._colours = np.repeat(colours[:1], _HISTORY, axis=0)
        cells = np.concatenate([self._cells, cells])
        colours = np.concatenate([self._colours, colours])
        self._cells, self._colours = cells[-_HISTORY:], colours[-_HISTORY:]
        return _measures(cells, colours)


def measure(images: Sequence[ImageArray]) -> FloatArray:
    """Return the measures of a film's frames, BGR, float32 (T, M)."""
    measures, rows = FrameMeasures(), []
    for first in range(0, len(images), BLOCK):
        for image in images[first : first + BLOCK]:
            measures.add(image)
        rows.append(measures.take())
    return np.concatenate(rows) if rows else measures.take()


def _measures(cells: ImageArray, colours: FloatArray) -> FloatArray:
    """Return the measures of all frames but those of the history in front, (N, M)."""
    flat = cells.reshape(len(cells), -1).astype(np.float32) / 255 - 0.5
    products = flat @ flat.T / flat.shape[1]
    squares = np.diagonal(products)
    now = np.arange(_HISTORY, len(cells))
    alike = colours[_HISTORY:] @ colours.T

    def squared(frames: IntArray, lag: int) -> FloatArray:
        found = squares[frames] + squares[frames - lag] - 2 * products[frames, frames - lag]
        apart: FloatArray = np.maximum(found, 0)
        return apart

    columns = [np.sqrt(squared(now, lag)) for lag in LAGS]
    columns += [np.sqrt(np.clip(1 - alike[now - _HISTORY, now - lag], 0, 1)) for lag in LAGS]
    for lag in _HALF_LAGS:  # By the lengths of a triangle's sides and median.
        sides = squared(now, lag) + squared(now - lag, lag)
        columns.append(np.sqrt(np.maximum(sides / 2 - squared(now, 2 * lag) / 4, 0)))
    columns += [_changed(cells[now], cells[now - lag]) for lag in _SHARE_LAGS]
    grey = flat.reshape(len(cells), 3, HEIGHT, WIDTH).mean(axis=1)
    columns += [_moved(grey[now], grey[now - lag]) for lag in _SHIFT_LAGS]
    present, coloured = grey[now].reshape(len(now), -1) + 0.5, cells[now]
    spread = coloured.max(axis=1) - coloured.min(axis=1)
    columns += [
        present.mean(axis=1),
        present.std(axis=1),
        spread.mean(axis=1) / 255,
        (present < _BLACK).mean(axis=1),
        (present > _WHITE).mean(axis=1),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _changed(now: ImageArray, before: ImageArray) -> FloatArray:
    difference = np.maximum(now, before) - np.minimum(now, before) > _CHANGED
    share: FloatArray = (difference[:, 0] | difference[:, 1] | difference[:, 2]).mean(axis=1)
    return share


def _moved(now: FloatArray, before: FloatArray) -> FloatArray:
    """Return the root mean square difference of grey pictures, (N, H, W), after the best shift."""
    middle = now[:, _MARGIN_Y : HEIGHT - _MARGIN_Y, _MARGIN_X : WIDTH - _MARGIN_X]
    best = np.full(len(now), np.inf, np.float32)
    for down in range(2 * _MARGIN_Y + 1):
        for across in range(2 * _MARGIN_X + 1):
            part = before[:, down : down + middle.shape[1], across : across + middle.shape[2]]
            apart = (middle - part).reshape(len(now), -1)
            np.minimum(best, np.einsum("nc,nc->n", apart, apart), out=best)
    distance: FloatArray = np.sqrt(best / middle[0].size)
    return distance
