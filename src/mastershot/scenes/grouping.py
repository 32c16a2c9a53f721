"""Consecutive shots into scenes, without training: optimal sequential grouping."""

# S shots, D dimensions

from functools import cache

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray, IntArray
from mastershot.core.errors import SettingError

PENALTY = 0.75
"""What one more scene must gain above the mean, as a share of the best gain by chance.

Chosen on BBC Planet Earth 01-05 (docs/scenes.md).
"""

SAME_DISTANCE = 1e-6
"""Mean squared distance of unit vectors below which all shots count as identical."""

HUES, SATURATIONS, VALUES = 16, 4, 4
COLOR_SPACE = EmbeddingSpace("hsv-histogram", "16x4x4-root-1", HUES * SATURATIONS * VALUES)
"""The space of `color_histogram`, for films analysed without an encoder."""

DoubleArray = npt.NDArray[np.float64]


def group_shots(features: FloatArray, *others: FloatArray, penalty: float = PENALTY) -> list[int]:
    """Return the index of each scene's first shot, ascending; the first is 0.

    The grouping minimises, over all ways to cut the film between shots, the sum over scenes of

        (1/n) sum of d(i, j) over all i, j in the scene  +  price,      n its number of shots,

    where d is the squared Euclidean distance of unit vectors (twice the cosine distance), divided
    by its mean over all pairs of shots, so that neither the scale nor the kind of the features
    matters. Several features, such as colours and an encoder's, count equally: their d is added
    up. The problem and its solution by dynamic programming are those of Rotman, Porat and
    Ashour, "Robust and Efficient Video Scene Detection Using Optimal Sequential Grouping", ISM
    2016. The cost differs: each scene's sum is divided by its own n, which makes it kernel
    change-point detection (Harchaoui and Cappé, SSP 2007), and the price finds the number of
    scenes. docs/scenes.md has both costs measured.

    Args:
        features: One row a shot, shape (S, D), S at least 1.
        others: More features of the same shots, each of shape (S, its own D).
        penalty: As `PENALTY` (see `_price_of_a_scene`); a higher one gives fewer scenes.

    Raises:
        SettingError: The penalty is below 0.
    """
    if not penalty >= 0:
        raise SettingError(f"a scene penalty of {penalty:g} means nothing; it must be 0 or more")
    scaled = [points for points in map(_scaled, (features, *others)) if points is not None]
    if not scaled:
        return [0]
    points = np.hstack(scaled)
    return _cheapest_grouping(points, _price_of_a_scene(points, penalty))


def color_histogram(image: ImageArray) -> FloatArray:
    """Return a frame's colours as a unit vector of `COLOR_SPACE`, shape (256,).

    It holds the square roots of the shares of 16 hues x 4 saturations x 4 values, so that the
    cosine of two is the Bhattacharyya coefficient of the histograms. The frame is RGB, (H, W, 3).
    """
    red, green, blue = (image[..., channel].ravel() >> 3 for channel in range(3))
    colors = (red.astype(np.int64) << 10) | (green.astype(np.int64) << 5) | blue
    counts = np.bincount(_bin_of_color()[colors], minlength=COLOR_SPACE.width)
    return np.sqrt(counts / len(colors)).astype(np.float32)


@cache
def _bin_of_color() -> IntArray:
    """Return the histogram bin of each colour of 5 bits a channel, shape (32768,)."""
    levels = (np.arange(32) + 0.5) / 32
    red, green, blue = (axis.ravel() for axis in np.meshgrid(levels, levels, levels, indexing="ij"))
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    divisor = np.where(chroma > 0, chroma, 1)
    sextant = np.select(
        [value == red, value == green],
        [(green - blue) / divisor % 6, (blue - red) / divisor + 2],
        (red - green) / divisor + 4,
    )
    hue = (sextant * HUES / 6).astype(np.int64)
    saturation = (chroma / value * SATURATIONS).astype(np.int64)
    return (hue * SATURATIONS + saturation) * VALUES + (value * VALUES).astype(np.int64)


def _scaled(features: FloatArray) -> DoubleArray | None:
    """Return the shots as points whose mean squared distance is 1; None if all are identical."""
    assert features.ndim == 2, features.shape
    assert len(features) > 0
    assert np.isfinite(features).all()
    lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    points = features / np.where(lengths > 0, lengths, 1)
    points -= points.mean(axis=0)
    mean_distance = 2 * float(np.sum(points**2)) / max(len(points) - 1, 1)
    return points / np.sqrt(mean_distance) if mean_distance > SAME_DISTANCE else None


def _price_of_a_scene(points: DoubleArray, penalty: float) -> float:
    """Return what one more scene must gain to be more than chance.

    Were a film without scenes, its shots independent draws of a normal law, then cutting it at a
    given place would lower the cost by r times a chi-square variable of D degrees of freedom
    over D: mean r, standard deviation r sqrt(2 / D). The best of S places is sqrt(2 ln S)
    deviations above that, so a long film asks more of a scene than a short one. Here r is the mean
    distance of neighbouring shots, most of which share a scene, and D the number of dimensions
    that the points fill, the participation ratio of their covariance C: trace(C)^2 / trace(C^2).
    """
    neighbour_distance = float(np.mean(np.sum(np.diff(points, axis=0) ** 2, axis=1)))
    wide = points.shape[1] > len(points)
    covariance = points @ points.T if wide else points.T @ points
    dimensions = float(np.trace(covariance)) ** 2 / float(np.sum(covariance**2))
    by_chance = np.sqrt(2 * np.log(len(points))) * np.sqrt(2 / dimensions)
    return neighbour_distance * (1 + penalty * float(by_chance))


def _cheapest_grouping(points: DoubleArray, price: float) -> list[int]:
    """Return the first shot of each scene of the grouping that `group_shots` defines.

    A scene's cost is twice the squared distance of its shots to their mean, which prefix sums
    give at once: no S x S matrix is formed. Cutting a scene never raises that cost, so a start
    that has fallen behind the best one by a price cannot win again; the oldest such starts are
    dropped, which changes no result (PELT: Killick, Fearnhead and Eckley, JASA 2012, section 3).
    """
    sums = np.vstack([np.zeros(points.shape[1]), np.cumsum(points, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum(np.sum(points**2, axis=1))])
    sums_squared = np.sum(sums**2, axis=1)
    lowest = np.zeros(len(sums))
    start_of_last = np.zeros(len(sums), dtype=np.int64)
    oldest = 0
    for end in range(1, len(sums)):
        starts = slice(oldest, end)
        squared_sum = sums_squared[end] + sums_squared[starts] - 2 * (sums[starts] @ sums[end])
        cost = 2 * (squares[end] - squares[starts] - squared_sum / np.arange(end - oldest, 0, -1))
        total = lowest[starts] + cost
        best = int(total.argmin())
        start_of_last[end] = oldest + best
        lowest[end] = total[best] + price
        oldest += int(np.argmax(total <= lowest[end]))
    starts_found = [int(start_of_last[-1])]
    while starts_found[-1] > 0:
        starts_found.append(int(start_of_last[starts_found[-1]]))
    return starts_found[::-1]
