"""How a picture moves from one frame to the next: figures of the optical flow between them.

Flow is that of DIS (Kroeger et al. 2016) on the small grid of points that shots are found by. A
camera that pans, zooms and rolls moves all points by a similarity; what is left is of things.
"""
# H × W points of the grid, M figures

from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, ImageArray

_DIRECTIONS = 8
_SPEED_QUANTILES = (0.25, 0.5, 0.75, 0.9)
_RESIDUAL_QUANTILES = (0.5, 0.9, 0.99)
FLOW_FIGURES = (
    *(f"direction {number * 45}°" for number in range(_DIRECTIONS)),
    *(f"speed, quantile {share:g}" for share in _SPEED_QUANTILES),
    "camera to the right", "camera down", "camera", "zoom", "roll", "residual",
    *(f"residual, quantile {share:g}" for share in _RESIDUAL_QUANTILES),
)  # fmt: skip
"""Names of the M figures. Speeds are ln(1 + v), v in longest sides of the frame a second; signed
ones likewise, with their sign. Directions are shares of all motion."""
# DIS looks at patches of 8 points of a quarter of the picture, and crashes where there are none.
_MIN_SIDE = 48
_REWEIGHTED = 3
_STEP = 2
Numbers: TypeAlias = npt.NDArray[np.float64]


class FlowMeter:
    """Measures the motion between two frames."""

    def __init__(self) -> None:
        self._flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def measure(self, before: ImageArray, after: ImageArray, *, seconds: float) -> FloatArray:
        """Return the `FLOW_FIGURES`, float32 (M,), of frames BGR (H, W, 3), this far apart."""
        height, width = before.shape[:2]
        greys = [_grey(image) for image in (before, after)]
        flow = self._flow.calc(greys[0], greys[1], None)[:height, :width]
        flow = flow.astype(np.float64) / max(height, width) / seconds
        return figures_of(flow[::2, ::2])


def figures_of(flow_HW2: Numbers) -> FloatArray:
    """Return the `FLOW_FIGURES` of a flow (H, W, 2) in longest sides a second, right and down."""
    speed = np.hypot(flow_HW2[..., 0], flow_HW2[..., 1])
    angle = np.arctan2(flow_HW2[..., 1], flow_HW2[..., 0])
    sector = np.rint(angle / (2 * np.pi / _DIRECTIONS)).astype(np.int64) % _DIRECTIONS
    motion = np.bincount(sector.ravel(), speed.ravel(), _DIRECTIONS)
    shares = motion / max(float(speed.sum()), 1e-6)
    camera, residual_HW2 = _camera(flow_HW2)
    residual = np.hypot(residual_HW2[..., 0], residual_HW2[..., 1])
    right, down, zoom, roll = camera
    speeds = [*np.quantile(speed, _SPEED_QUANTILES), right, down, np.hypot(right, down), zoom, roll]
    speeds += [residual.mean(), *np.quantile(residual, _RESIDUAL_QUANTILES)]
    values = np.array(speeds, np.float64)
    return np.concatenate([shares, np.sign(values) * np.log1p(np.abs(values))]).astype(np.float32)


def _camera(flow_HW2: Numbers) -> tuple[Numbers, Numbers]:
    """Return the similarity that moves most points, (right, down, zoom, roll), and what is left.

    Least squares over every other point each way, weighted anew so that points which move
    otherwise count little.
    """
    height, width = flow_HW2.shape[:2]
    y, x = np.mgrid[:height, :width] / max(height, width)
    x, y = x - x.mean(), y - y.mean()
    some = slice(None, None, _STEP), slice(None, None, _STEP)
    design = _similarity(x[some].ravel(), y[some].ravel())
    due = np.concatenate([flow_HW2[..., 0][some].ravel(), flow_HW2[..., 1][some].ravel()])
    weights = np.ones(len(due) // 2)
    for _ in range(_REWEIGHTED):
        weighted = design * np.tile(weights, 2)[:, None]
        # A ridge too small to matter, for grids of one row of points.
        found = np.linalg.solve(design.T @ weighted + 1e-9 * np.eye(4), weighted.T @ due)
        length = np.hypot(*(due - design @ found).reshape(2, -1))
        weights = 1 / np.maximum(length, max(float(np.median(length)), 1e-4))
    right, down, zoom, roll = found
    moved = np.stack([right + zoom * x - roll * y, down + zoom * y + roll * x], axis=2)
    return found, flow_HW2 - moved


def _similarity(x: Numbers, y: Numbers) -> Numbers:
    """Return what right, down, zoom and roll do to points: first to all x, then to all y."""
    ones, zeros = np.ones_like(x), np.zeros_like(x)
    return np.concatenate([np.stack([ones, zeros, x, -y], 1), np.stack([zeros, ones, y, x], 1)])


def _grey(image: ImageArray) -> ImageArray:
    """Return a picture in grey, its border repeated below and right up to the least size."""
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    below, right = max(0, _MIN_SIDE - height), max(0, _MIN_SIDE - width)
    if below or right:
        grey = cv2.copyMakeBorder(grey, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(grey, np.uint8)
