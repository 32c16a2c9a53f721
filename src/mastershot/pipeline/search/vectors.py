"""The scenes of a library's films as vectors: plain means of shots, or an encoder's."""
# S shots, N scenes, n shots a scene, D width of a shot's vector, W width of a scene's

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import EncoderError, LibraryError, ShortMovieError
from mastershot.encoders.catalogue import known_name
from mastershot.mining.pairs import scene_means
from mastershot.mining.settings import WINDOW_SHOTS
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.store.library import Library, LibraryMovie
from mastershot.store.reading import (
    Pooling,
    feature_space,
    first_frames,
    is_called,
    scene_bounds,
    shot_vectors,
)


@dataclass(frozen=True, eq=False)
class SceneView:
    """How scenes become vectors.

    Attributes:
        name: Its name where results are shown.
        encode: Scenes of as many shots each, (N, n, D), to vectors, (N, W); None takes the mean
            of a scene's shots.
        num_shots: Shots of a scene by default, n.
        width: Width D of the shot vectors it takes; None takes any.
        pooling: How a shot's frames make its vector.
        space: Whose vectors of frames it was trained on; None if that is not known.
    """

    name: str
    encode: Callable[[FloatArray], FloatArray] | None = None
    num_shots: int = WINDOW_SHOTS
    width: int | None = None
    pooling: Pooling = "mean"
    space: EmbeddingSpace | None = None


PLAIN_VIEW = SceneView("mean of shots")


class SceneSource:
    """The films of a library, their shots and scenes as vectors by one `SceneView`.

    Raises:
        LibraryError: The library holds no vectors, or those of several encoders and none is named;
            from a method, it lacks a film's shots or scenes, or a shot's vector.
        EncoderError: The view takes vectors of another encoder or width; from a method, it gives
            no finite vector.
    """

    def __init__(self, store: Library, view: SceneView = PLAIN_VIEW, *, vectors: str = "") -> None:
        """Take the vectors of an encoder; empty is the view's own, or the only ones held."""
        self.store, self.view = store, view
        self.space = _space(store, view, vectors)
        self._starts = first_frames(store.tables)

    @cached_property
    def _bounds(self) -> dict[str, IntArray]:
        return scene_bounds(self.store.tables)

    def shots(self, movie: LibraryMovie) -> FloatArray:
        """Return a film's shots, (S, D)."""
        starts = self._starts.get(movie.run_id)
        if starts is None:
            raise LibraryError(f"library {self.store.path} holds no shots of {movie.path}")
        return shot_vectors(self.store, movie, starts, self.space, pooling=self.view.pooling)

    def windows(self, movie: LibraryMovie, window: int) -> FloatArray:
        """Return the vectors of all runs of so many shots, (S - window + 1, W).

        Raises:
            ShortMovieError: The film has fewer shots than that.
        """
        if movie.num_shots < window:
            held = "1 shot" if movie.num_shots == 1 else f"{movie.num_shots} shots"
            raise ShortMovieError(
                f"{movie.path} has {held}, fewer than the {window} of a scene; "
                f"--window {movie.num_shots} compares scenes that short"
            )
        shots = self.shots(movie)
        if self.view.encode is None:
            return scene_means(shots, window, movie.path)
        runs = np.lib.stride_tricks.sliding_window_view(shots, window, axis=0)
        return self._encoded(runs.transpose(0, 2, 1))

    def bounds(self, movie: LibraryMovie) -> IntArray:
        """Return first and end shot of each of a film's own scenes, (N, 2)."""
        if movie.num_scenes is None or movie.run_id not in self._bounds:
            raise LibraryError(
                f"the scenes of {movie.path} were not found; analyse it with --steps shots,scenes"
            )
        return self._bounds[movie.run_id]

    def scenes(self, movie: LibraryMovie) -> FloatArray:
        """Return the vectors of a film's own scenes, of any number of shots each, (N, W)."""
        bounds, shots = self.bounds(movie), self.shots(movie)
        if self.view.encode is None:
            return np.stack([shots[first:end].mean(axis=0) for first, end in bounds])
        return np.concatenate([self._encoded(shots[None, first:end]) for first, end in bounds])

    def _encoded(self, scenes: FloatArray) -> FloatArray:
        """Return unit vectors, so that a dot product is a cosine."""
        assert self.view.encode is not None
        vectors = self.view.encode(scenes)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EncoderError(
                f"encoder {self.view.name} gives a scene no finite direction; its weights are "
                "damaged"
            )
        return np.asarray(vectors / lengths)


def _space(store: Library, view: SceneView, vectors: str) -> EmbeddingSpace:
    """Return the space of the view, or the one asked for, only if it fits the view.

    An encoder may be named as ``mastershot models ls`` does, too.
    """
    vectors = known_name(vectors) or vectors
    if view.space is None:
        space = feature_space(store, vectors, last=(COLOR_SPACE,))
        if view.width not in (None, space.width):
            raise EncoderError(
                f"encoder {view.name} takes shots of {view.width} numbers, and those of "
                f"{space.model} in library {store.path} have {space.width}; name an encoder "
                "trained on them"
            )
        return space
    trained = f"encoder {view.name} was trained on vectors of {view.space.model}"
    if vectors and not is_called(view.space, vectors):
        raise EncoderError(f"{trained}, not {vectors}")
    if view.space in (held := store.spaces()):
        return view.space
    models = sorted({other.model for other in held})
    other = "other weights" if view.space.model in models else ", ".join(models) or "none"
    raise EncoderError(
        f"{trained}; library {store.path} holds those of {other}, so they do not fit"
    )


def left_out(done: str, problems: Sequence[str], num_films: int) -> tuple[str, ...]:
    """Return a note on films that were not compared, or not drawn: how many, and one reason."""
    if not problems:
        return ()
    return (f"not {done}: {len(problems):,} of {num_films:,} films; the first: {problems[0]}",)
