"""A canvas for shapes in units of a place, which shows any part of it at any resolution."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, IntArray

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Colour: TypeAlias = Floats
"""Red, green and blue in 0 to 255, shape (3, 1, 1), or (3, H, W) where each pixel has its own."""
Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in heights of the place."""
Distance: TypeAlias = Callable[[Floats, Floats], Floats]
"""Signed distance to a shape's edge, below 0 inside, of x (1, W) and y (H, 1)."""

PLACE_WIDTH = 3.0
"""A place is this wide and 1 high; y grows downwards."""


class Palette(NamedTuple):
    """The colours a place is painted in.

    Attributes:
        upper: The top of the sky, or the ceiling.
        lower: The sky at the horizon, or the wall.
        far: What stands far away.
        near: What stands close.
        ground: What lies below: earth, floor, water.
        thing: The objects in the place.
        accent: Small things that catch the eye.
        light: Sun, lamps and windows.
    """

    upper: Colour
    lower: Colour
    far: Colour
    near: Colour
    ground: Colour
    thing: Colour
    accent: Colour
    light: Colour


def colour_of(digits: str) -> Colour:
    """Return the colour that six hexadecimal digits name, shape (3, 1, 1)."""
    return np.array(list(bytes.fromhex(digits)), np.float32)[:, None, None]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour ``share`` of the way from one to the other."""
    return one + (other - one) * np.float32(share)


BLACK, WHITE = colour_of("000000"), colour_of("ffffff")


@dataclass(frozen=True)
class Window:
    """The part of a place that a canvas shows, in heights of the place."""

    left: float
    top: float
    width: float
    height: float


class Canvas:
    """Pixels of one window of a place, painted back to front; ``pixels`` has shape (3, H, W).

    A painter draws the same random numbers from ``rng`` whatever is in view, so that two windows
    of one place agree, and so do two resolutions.
    """

    def __init__(self, window: Window, *, width_px: int, height_px: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.window, self.pixel = window, window.height / height_px
        x = window.left + (np.arange(width_px) + 0.5) * (window.width / width_px)
        y = window.top + (np.arange(height_px) + 0.5) * self.pixel
        self.x: FloatArray = x.astype(np.float32)[None, :]
        self.y: FloatArray = y.astype(np.float32)[:, None]
        self.pixels: FloatArray = np.zeros((3, height_px, width_px), np.float32)

    def gradient(self, bottom: float, upper: Colour, lower: Colour) -> None:
        """Fill everything above a height, from one colour at y = 0 to another at the height."""
        rows = slice(0, int(np.searchsorted(self.y[:, 0], bottom)))
        share = np.clip(self.y[rows] / bottom, 0, 1)
        self.pixels[:, rows] = upper + (lower - upper) * share

    def shape(self, box: Box, distance: Distance, colour: Colour) -> None:
        """Fill the inside of a shape that lies within the box, its edge one pixel soft."""
        rows, columns = self._region(box)
        x, y = self.x[:, columns], self.y[rows]
        if x.size and y.size:
            cover = np.clip(0.5 - distance(x, y) / self.pixel, 0, 1).astype(np.float32)
            region = self.pixels[:, rows, columns]
            region += cover * (colour - region)

    def box(self, box: Box, colour: Colour) -> None:
        """Fill an upright rectangle."""
        left, top, right, bottom = box
        self.shape(
            box,
            lambda x, y: np.maximum(
                np.abs(x - (left + right) / 2) - (right - left) / 2,
                np.abs(y - (top + bottom) / 2) - (bottom - top) / 2,
            ),
            colour,
        )

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        box = (x - radius, y - radius, x + radius, y + radius)
        self.shape(box, lambda u, v: np.hypot(u - x, v - y) - radius, colour)

    def capsule(self, start: Point, end: Point, radius: float, colour: Colour) -> None:
        """Fill a stroke with round ends."""
        (x0, y0), (x1, y1) = start, end
        squared = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-9)

        def distance(x: Floats, y: Floats) -> Floats:
            along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / squared, 0, 1)
            return np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) - radius

        left, right = min(x0, x1) - radius, max(x0, x1) + radius
        self.shape((left, min(y0, y1) - radius, right, max(y0, y1) + radius), distance, colour)

    def polygon(self, corners: list[Point], colour: Colour) -> None:
        """Fill a convex polygon, its corners given in order."""
        edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
        turn = np.sign(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in edges))

        def distance(x: Floats, y: Floats) -> Floats:
            worst: Floats = np.full((1, 1), -np.inf)
            for (x0, y0), (x1, y1) in edges:
                length = max(float(np.hypot(x1 - x0, y1 - y0)), 1e-6)
                outside = ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) * (turn / length)
                worst = np.maximum(worst, outside)
            return worst

        xs, ys = zip(*corners, strict=True)
        self.shape((min(xs), min(ys), max(xs), max(ys)), distance, colour)

    def ridge(self, line: Floats | float, upper: Colour, lower: Colour, depth: float) -> None:
        """Fill everything below a line, one height a column (1, W), shading down over a depth."""
        start = int(np.searchsorted(self.y[:, 0], float(np.min(line)) - self.pixel))
        below = (self.y[start:] - line).astype(np.float32)
        cover = np.clip(0.5 + below / self.pixel, 0, 1)
        share = np.clip(below / depth, 0, 1)
        region = self.pixels[:, start:]
        region += cover * (upper + (lower - upper) * share - region)

    def glow(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Add light around a point, never past white."""
        reach = 3 * radius
        rows, columns = self._region((x - reach, y - reach, x + reach, y + reach))
        across = np.exp(-(((self.x[:, columns] - x) / radius) ** 2))
        down = np.exp(-(((self.y[rows] - y) / radius) ** 2))
        region = self.pixels[:, rows, columns]
        region += down * across * (colour / 255) * np.maximum(255 - region, 0)

    def cover(self, share: Floats, colour: Colour) -> None:
        """Paint the whole canvas over, by a share a pixel (H, W)."""
        self.pixels += share.astype(np.float32) * (colour - self.pixels)

    def shade(self, noise: Floats, *, below: float = -9.0) -> None:
        """Lighten (above 0) and darken (down to -1) each pixel below a height by noise (H, W)."""
        start = int(np.searchsorted(self.y[:, 0], below))
        self.pixels[:, start:] *= 1 + noise[start:].astype(np.float32)

    def noise(self, cells: float, *, stretch: float = 1.0, octaves: int = 4) -> Floats:
        """Return smooth noise in about [-1, 1], shape (H, W), with ``cells`` lumps to the height.

        ``stretch`` makes lumps that many times wider than high. Octaves finer than two pixels are
        left out.
        """
        visible = sum(cells * 2**octave * self.pixel <= 0.5 for octave in range(octaves))
        return self._octaves(self.y[:, 0], cells, stretch, visible)

    def line(self, cells: float, *, octaves: int = 4) -> Floats:
        """Return smooth noise along x in about [-1, 1], shape (1, W)."""
        return self._octaves(np.zeros(1, np.float32), cells, 1.0, octaves)

    def _octaves(self, y: FloatArray, cells: float, stretch: float, octaves: int) -> FloatArray:
        """Return the sum of octaves of random values on a lattice, smoothly joined."""
        total = np.zeros((len(y), self.x.shape[1]), np.float32)
        seed, weight = int(self.rng.integers(2**32)), 0.6
        for octave in range(octaves):
            rng = np.random.default_rng([seed, octave])
            values = rng.uniform(-1, 1, (64, 64)).astype(np.float32)
            row, row_share = _cells(y * cells)
            column, column_share = _cells(self.x[0] * (cells / stretch))
            values = values[row] + (values[(row + 1) % 64] - values[row]) * row_share[:, None]
            noise: FloatArray = values.take(column, axis=1)
            noise += (values.take((column + 1) % 64, axis=1) - noise) * column_share
            total += weight * noise
            weight, cells = weight / 2, cells * 2
        return total

    def _region(self, box: Box) -> tuple[slice, slice]:
        """Return the rows and columns that hold a box, with a pixel or two to spare."""
        left, top, right, bottom = box
        window, (_, height_px, width_px) = self.window, self.pixels.shape
        rows = _span(top - window.top, bottom - window.top, height_px / window.height)
        columns = _span(left - window.left, right - window.left, width_px / window.width)
        return rows, columns


def _span(start: float, end: float, pixels: float) -> slice:
    return slice(max(0, int(start * pixels) - 2), max(0, int(end * pixels) + 3))


def _cells(positions: FloatArray) -> tuple[IntArray, FloatArray]:
    whole = np.floor(positions)
    share = positions - whole
    return whole.astype(np.int64) % 64, share * share * (3 - 2 * share)
