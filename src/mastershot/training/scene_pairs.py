"""Which scenes belong together: one table of pairs over many films, however they were found."""
# P pairs, M movies, S shots of a film, n shots a scene

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError, SettingError
from mastershot.store.shot_arrays import ShotArrays

_COLUMNS = ("movie_a", "shot_a", "movie_b", "shot_b")


@dataclass(frozen=True, eq=False)
class ScenePairs:
    """Pairs of scenes of the same length.

    Attributes:
        window: Shots a scene, n.
        movies: Names of the films that the pairs point into.
        movie_a: Index of the first scene's film, (P,).
        shot_a: Its first shot, (P,).
        movie_b: Index of the second scene's film, (P,).
        shot_b: Its first shot, (P,).
        scores: How alike the two are, (P,).
    """

    window: int
    movies: tuple[str, ...]
    movie_a: IntArray
    shot_a: IntArray
    movie_b: IntArray
    shot_b: IntArray
    scores: FloatArray

    def __len__(self) -> int:
        return len(self.movie_a)

    def rows(self, arrays: ShotArrays) -> tuple[IntArray, IntArray]:
        """Return the running number of each pair's two scenes in other arrays of the same films.

        Raises:
            DatasetError: A film is not among the arrays, or is shorter there than its pairs say.
        """
        place = {name: index for index, name in enumerate(arrays.movies)}
        absent = [name for name in self.movies if name not in place]
        if absent:
            raise DatasetError(
                f"{len(absent)} films of the scene pairs are not in {arrays.folder}, the first: "
                f"{absent[0]}; mine pairs of the same films"
            )
        index = np.array([place[name] for name in self.movies], np.int64)
        rows = []
        for movies, shots in ((self.movie_a, self.shot_a), (self.movie_b, self.shot_b)):
            first = arrays.offsets[index[movies]] + shots
            beyond = first + self.window > arrays.offsets[index[movies] + 1]
            if (beyond | (shots < 0)).any():
                name = self.movies[int(movies[beyond | (shots < 0)][0])]
                raise DatasetError(
                    f"a scene pair runs past the last shot of {name} in {arrays.folder}; mine "
                    "pairs of the same shots"
                )
            rows.append(first)
        return rows[0], rows[1]

    def save(self, path: Path) -> None:
        """Write the table, whole or not at all."""
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            np.savez(
                file,
                window=np.int64(self.window),
                movies=np.array(self.movies),
                scores=self.scores.astype(np.float32),
                **{name: getattr(self, name).astype(np.int32) for name in _COLUMNS},
            )
        partial.replace(path)


def load_pairs(path: Path) -> ScenePairs:
    """Return a table of scene pairs.

    Raises:
        DatasetError: The file is missing, damaged or no such table.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            columns = {name: file[name].astype(np.int64) for name in _COLUMNS}
            names, scores = file["movies"], file["scores"].astype(np.float32)
            window = int(file["window"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} is not a file of scene pairs ({error})") from error
    movies = tuple(map(str, names.tolist()))
    shapes = {column.shape for column in (*columns.values(), scores)}
    inside = all(
        column.size == 0 or (0 <= column.min() and column.max() < len(movies))
        for column in (columns["movie_a"], columns["movie_b"])
    )
    if len(shapes) != 1 or len(next(iter(shapes))) != 1 or window < 1 or not inside:
        raise DatasetError(f"{path} is not a file of scene pairs: its columns contradict each other")
    return ScenePairs(window, movies, scores=scores, **columns)


def same_scenes(arrays: ShotArrays, window: int, stride: int) -> ScenePairs:
    """Return every scene paired with itself, for controls whose positives are views of it.

    Raises:
        SettingError: Every film is shorter than a scene.
    """
    movies, starts = [], []
    for movie in range(len(arrays.movies)):
        first = np.arange(0, arrays.num_shots_of(movie) - window + 1, stride)
        starts.append(first)
        movies.append(np.full(len(first), movie))
    movie, shot = np.concatenate(movies), np.concatenate(starts)
    if not len(shot):
        raise SettingError(f"every film is shorter than a scene of {window} shots")
    return ScenePairs(
        window, arrays.movies, movie, shot, movie, shot, np.ones(len(shot), np.float32)
    )


def nearest_scenes(features: ShotArrays, window: int, stride: int, reach: int = 8) -> ScenePairs:
    """Return every scene paired with the most alike of those that begin up to `reach` shots away.

    The positive of ShotCoL (Chen et al. 2021, section 3.2), for scenes of n shots: a scene's
    feature is the mean of its shots'. ShotCoL compares by the encoder as it learns; here cached
    features do, so that the table is made once.
    """
    pairs = same_scenes(features, window, stride)
    nearest, scores = pairs.shot_a.copy(), pairs.scores.copy()
    for movie in np.unique(pairs.movie_a).tolist():
        rows = np.flatnonzero(pairs.movie_a == movie)
        means = _window_means(np.asarray(features.movie(movie), np.float32), window)
        for row in rows.tolist():
            first = int(pairs.shot_a[row])
            low, high = max(0, first - reach), min(len(means), first + reach + 1)
            alike = means[low:high] @ means[first]
            alike[first - low] = -np.inf
            if len(alike) > 1:
                best = int(alike.argmax())
                nearest[row], scores[row] = low + best, alike[best]
    return ScenePairs(
        window, pairs.movies, pairs.movie_a, pairs.shot_a, pairs.movie_b, nearest, scores
    )


def _window_means(features: FloatArray, window: int) -> FloatArray:
    """Return the mean of each run of n shots as a unit vector, shape (S - n + 1, D)."""
    sums = np.cumsum(np.vstack([np.zeros_like(features[:1]), features]), axis=0, dtype=np.float64)
    means = sums[window:] - sums[:-window]
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    unit: FloatArray = (means / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
