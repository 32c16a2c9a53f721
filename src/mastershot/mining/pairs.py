"""The similar scenes of two similar movies (Movies2Scenes 3.2 and supplement, METHODS B4)."""

# M, N shots of the two movies, D width of a feature, k shots of a window
# R = M - k + 1, C = N - k + 1 windows, one a row and a column of B

import math

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import MiningError, ShortMovieError
from mastershot.mining.settings import KEEP, WINDOW_SHOTS, PairSettings

_MAX_LENGTH = float(np.finfo(np.float32).max) ** 0.5
"""Two vectors no longer than this have a dot product in float32 (Cauchy-Schwarz)."""

ScenePairList = list[tuple[int, int, float]]


def mine_scene_pairs(
    features_a: FloatArray,
    features_b: FloatArray,
    window: int = WINDOW_SHOTS,
    keep: float = KEEP,
    consider: float = 1.0,
) -> ScenePairList:
    """Return the most similar scenes of two movies as (row, column, score), best first.

    Row and column are the first shots of two windows of shots; the score is the mean dot product
    of a shot of one with a shot of the other. No two of the pairs found overlap in either movie.
    The mean of a block of dot products is the dot product of the windows' means, so the shots are
    averaged first (METHODS B4). Memory is 4 bytes an entry of (M - window + 1, N - window + 1).

    Args:
        features_a: One row a shot of the first movie, shape (M, D), floating point.
        features_b: Likewise of the second, shape (N, D).
        window: Shots of a scene.
        keep: The first ceil(n * keep) of the n pairs that do not overlap are returned; the paper
            keeps half, because later ones are noisy.
        consider: Only this share of the entries, the highest, can become pairs; 0.5 is what the
            supplement does.

    Raises:
        ShortMovieError: A movie has fewer shots than a window.
        MiningError: Features are not finite numbers in (shots, width), differ in width, or are
            so large that their products overflow.
        SettingError: The window is below 1, or a share is not above 0 and at most 1.
    """
    PairSettings(window, keep, consider)
    rows = scene_means(features_a, window, "the first movie")
    columns = scene_means(features_b, window, "the second movie")
    if rows.shape[1] != columns.shape[1]:
        raise MiningError(
            f"shot features of the first movie are {rows.shape[1]} wide and of the second "
            f"{columns.shape[1]}; both must come from one encoder"
        )
    return pairs_of_scenes(rows, columns, window, keep, consider)


def pairs_of_scenes(
    rows: FloatArray, columns: FloatArray, window: int, keep: float, consider: float
) -> ScenePairList:
    """Return the pairs of `mine_scene_pairs` from the `scene_means` of both movies."""
    pairs = walk_down(rows @ columns.T, window, consider)
    return pairs[: math.ceil(len(pairs) * keep)]


def scene_means(features: FloatArray, window: int, movie: str) -> FloatArray:
    """Return the mean feature of each window of shots, stride 1, float32 (M - window + 1, D).

    Shots are added up, not subtracted from a running sum, so that equal windows have equal means
    to the bit and a large feature does not spoil those after it.

    Raises:
        ShortMovieError: There are fewer shots than a window.
        MiningError: The features are not finite floating point numbers in (shots, width), or are
            so large that dot products may overflow.
    """
    features = _checked(features, movie)
    num_windows = len(features) - window + 1
    if num_windows < 1:
        raise ShortMovieError(
            f"{movie} has {len(features)} shots, fewer than the {window} of a scene"
        )
    share = np.float32(1 / window)
    means = features[:num_windows] * share
    for shot in range(1, window):
        means += features[shot : shot + num_windows] * share
    longest = np.sqrt(np.einsum("ij,ij->i", means, means, dtype=np.float64).max())
    if longest > _MAX_LENGTH:
        raise MiningError(
            f"shot features of {movie} are as long as {longest:.3g}, so their dot products may "
            "overflow; scale them down"
        )
    return means


def walk_down(scores: FloatArray, window: int, consider: float = 1.0) -> ScenePairList:
    """Return the entries of B that a walk from its highest down takes, as (row, column, score).

    An entry is taken if neither its row nor its column lies within ``window`` of one taken
    before; of equal entries the lower row, then the lower column, comes first.

    B is never sorted. Each row's best entry is known; a taken entry blocks at most 2 window - 1
    rows and columns, and of the rows whose best it blocked only those are searched again whose best
    had been at least the highest of the rest.

    Args:
        scores: B, one row and column a window of each movie, shape (R, C), finite.
        window: Shots of a window.
        consider: Share of the entries, the highest, that can be taken.
    """
    num_rows, num_columns = scores.shape
    lowest, last = _last_considered(scores, consider)
    best_column = scores.argmax(axis=1)
    best = scores[np.arange(num_rows), best_column]
    blocked = np.zeros(num_columns, scores.dtype)
    stale = np.zeros(num_rows, np.bool_)
    pairs: ScenePairList = []
    while True:
        fresh = np.where(stale, -np.inf, best)
        row = int(fresh.argmax())
        again = np.flatnonzero(stale & (best >= fresh[row]))
        if len(again):
            open_scores = scores[again] + blocked
            best_column[again] = columns = open_scores.argmax(axis=1)
            best[again] = open_scores[np.arange(len(again)), columns]
            stale[again] = False
            continue
        score, column = best[row], int(best_column[row])
        if score == -np.inf or score < lowest:
            return pairs
        if score == lowest and row * num_columns + column > last:
            return pairs
        pairs.append((row, column, float(score)))
        best[max(row - window + 1, 0) : row + window] = -np.inf
        blocked[max(column - window + 1, 0) : column + window] = -np.inf
        stale = (blocked[best_column] < 0) & (best > -np.inf)


def _last_considered(scores: FloatArray, consider: float) -> tuple[float, int]:
    """Return score and place in row order of the last entry that can be taken."""
    if consider == 1:
        return -np.inf, scores.size
    num_considered = math.ceil(scores.size * consider)
    flat = scores.ravel()
    lowest = np.partition(flat, scores.size - num_considered)[scores.size - num_considered]
    num_higher = np.count_nonzero(flat > lowest)
    last = np.flatnonzero(flat == lowest)[num_considered - num_higher - 1]
    return float(lowest), int(last)


def _checked(features: npt.ArrayLike, movie: str) -> FloatArray:
    """Return features as float32.

    Raises:
        MiningError: They are not finite numbers in (shots, width).
    """
    array = np.asarray(features)
    if array.ndim != 2 or not array.shape[1] or not np.issubdtype(array.dtype, np.floating):
        raise MiningError(
            f"shot features of {movie} are {array.dtype} of shape {array.shape}; they should be "
            "floating point of shape (shots, width)"
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise MiningError(
            f"shot {int(np.argmin(finite))} of {movie} has a feature that is not a finite float32 "
            "number; encode it again"
        )
    return array
