"""Pairs of scenes over many films, as rows of their shots; and the pairs of controls."""
# R pairs, S shots of a film, n shots a scene

from collections.abc import Mapping

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.pair_table import ScenePairs
from mastershot.mining.pairs import scene_means
from mastershot.store.shot_arrays import ShotArrays


def window_of(pairs: ScenePairs) -> int:
    """Return how many shots the scenes of a table have.

    Raises:
        DatasetError: The table does not say it.
    """
    settings = pairs.made_by.get("settings")
    window = settings.get("window") if isinstance(settings, Mapping) else None
    if type(window) is not int or window < 1:
        raise DatasetError("the scene pairs do not say how many shots a scene has; mine them anew")
    return window


def rows_of(pairs: ScenePairs, arrays: ShotArrays) -> tuple[IntArray, IntArray]:
    """Return the running number of the first shot of each pair's two scenes, (R,) both.

    Raises:
        DatasetError: A film is not among the arrays, or is shorter there than its pairs say.
    """
    window, place = window_of(pairs), {name: index for index, name in enumerate(arrays.movies)}
    absent = [name for name in pairs.movies if name not in place]
    if absent:
        raise DatasetError(
            f"{len(absent)} films of the scene pairs are not in {arrays.folder}, the first: "
            f"{absent[0]}; mine pairs of the same films"
        )
    index = np.array([place[name] for name in pairs.movies], np.int64)
    sides = (pairs.movie, pairs.first_shot), (pairs.similar, pairs.similar_first_shot)
    rows = []
    for movies, shots in sides:
        starts, ends = arrays.offsets[index[movies]], arrays.offsets[index[movies] + 1]
        first = starts + shots
        outside = (shots < 0) | (first + window > ends)
        if outside.any():
            name = pairs.movies[int(movies[outside][0])]
            raise DatasetError(
                f"a scene pair runs past the last shot of {name} in {arrays.folder}; mine pairs "
                "of the same shots"
            )
        rows.append(first)
    return rows[0], rows[1]


def same_scenes(arrays: ShotArrays, window: int, stride: int) -> ScenePairs:
    """Return every scene paired with itself, for controls whose positives are views of it.

    Raises:
        DatasetError: Every film is shorter than a scene.
    """
    starts = [
        np.arange(0, arrays.num_shots_of(index) - window + 1, stride, dtype=np.int64)
        for index in range(len(arrays.movies))
    ]
    movie = np.repeat(np.arange(len(starts), dtype=np.int64), [len(first) for first in starts])
    shot = np.concatenate(starts)
    if not len(shot):
        raise DatasetError(f"every film is shorter than a scene of {window} shots")
    return _table(arrays, window, (movie, shot, shot), np.ones(len(shot), np.float32), "same")


def nearest_scenes(features: ShotArrays, window: int, stride: int, reach: int = 8) -> ScenePairs:
    """Return every scene paired with the most alike of those that begin up to `reach` shots away.

    The positive of ShotCoL (Chen et al. 2021, section 3.2), for scenes of n shots: the mean of a
    scene's features is compared. ShotCoL compares by the encoder as it learns; here cached features
    do, so that the table is made once.

    Raises:
        DatasetError: Every film is shorter than a scene.
        MiningError: The features of a film are not finite numbers.
    """
    pairs = same_scenes(features, window, stride)
    nearest, scores = pairs.first_shot.copy(), pairs.scores.copy()
    for movie in np.unique(pairs.movie).tolist():
        means = scene_means(np.asarray(features.movie(movie)), window, features.movies[movie])
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        for row in np.flatnonzero(pairs.movie == movie).tolist():
            nearest[row], scores[row] = _nearest(means, int(pairs.first_shot[row]), reach)
    columns = pairs.movie, pairs.first_shot, nearest
    return _table(features, window, columns, scores, "nearest")


def _nearest(means: FloatArray, first: int, reach: int) -> tuple[int, float]:
    """Return the window most like one, of those so near, and their cosine; itself if alone."""
    low, high = max(0, first - reach), min(len(means), first + reach + 1)
    if high - low == 1:
        return first, 1.0
    alike = means[low:high] @ means[first]
    alike[first - low] = -np.inf
    best = int(alike.argmax())
    return low + best, float(alike[best])


def _table(
    arrays: ShotArrays,
    window: int,
    columns: tuple[IntArray, IntArray, IntArray],
    scores: FloatArray,
    positives: str,
) -> ScenePairs:
    movie, first, other = columns
    about = {"settings": {"window": window}, "positives": positives}
    return ScenePairs(arrays.movies, movie, first, movie, other, scores, about)
