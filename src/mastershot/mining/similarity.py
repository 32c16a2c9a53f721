"""Similar movies by genre, by synopsis, at random, and by several measures at once (METHODS B2)."""

# N movies, G movies of a genre, D width of a sentence vector

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import MiningError, SettingError
from mastershot.core.similarity import NUM_SIMILAR, SimilarityTable, places_of, table_of

_BLOCK_SCORES = 1 << 24
"""How many dot products are in memory at once: 64 MB."""

_NUM_HUBS = 20


def hub_share(table: SimilarityTable, num_hubs: int = _NUM_HUBS) -> float:
    """Return the share of rows that name one of the most similar movies, as popularity would."""
    counts = np.sort(np.bincount(table.similar, minlength=len(table.movies)))
    return float(counts[::-1][:num_hubs].sum() / max(len(table), 1))


@dataclass(frozen=True)
class Guarded:
    """A library's movies after the leakage guard (METHODS D).

    Attributes:
        movies: Those that may be trained on, in the library's order.
        excluded: Those that the benchmark's validation or test set holds.
    """

    movies: tuple[str, ...]
    excluded: tuple[str, ...]


def without_held_out(movies: Sequence[str], held_out: Collection[str]) -> Guarded:
    """Return the movies without those whose name or IMDb id is held out, such as `lvu.movies_of`.

    Raises:
        MiningError: A movie is named twice.
    """
    numbers = {_imdb_number(name) for name in held_out} - {None}
    is_out = {
        movie: movie in held_out or _imdb_number(movie) in numbers for movie in places_of(movies)
    }
    kept = tuple(movie for movie, out in is_out.items() if not out)
    return Guarded(kept, tuple(movie for movie, out in is_out.items() if out))


def _imdb_number(movie: str) -> int | None:
    """Return the number of an IMDb id, so that ``tt0114709`` and ``tt114709`` are one film."""
    digits = movie.strip().lower().removeprefix("tt")
    is_imdb = movie.strip().lower().startswith("tt") and digits.isascii() and digits.isdecimal()
    return int(digits) if is_imdb else None


@dataclass(frozen=True)
class RandomMovies:
    """Any movies: the control.

    Attributes:
        seed: The same seed and movies give the same table.
    """

    seed: int = 0

    def similar(self, movies: Sequence[str], *, num_similar: int = NUM_SIMILAR) -> SimilarityTable:
        """Return for each movie others drawn at random, each with score 0."""
        everyone = {"": np.arange(len(checked_places(movies, num_similar)))}
        draws = _drawn([("",)] * len(movies), everyone, num_similar, self.seed)
        return _table(movies, draws, 0.0, {"measure": "random", "seed": self.seed})


@dataclass(frozen=True)
class SameGenre:
    """Random movies of the same genre, as the paper has it (Movies2Scenes section 4.1.1).

    Attributes:
        genres: The genres of each movie; a movie may have several, or be missing.
        seed: The same seed and movies give the same table.
    """

    genres: Mapping[str, Sequence[str]]
    seed: int = 0

    def similar(self, movies: Sequence[str], *, num_similar: int = NUM_SIMILAR) -> SimilarityTable:
        """Return for each movie others that share a genre, at random, each with score 1.

        Of a movie with several genres each genre has as many candidates, however common it is.
        """
        checked_places(movies, num_similar)
        genres = [tuple(dict.fromkeys(self.genres.get(movie, ()))) for movie in movies]
        members: dict[str, list[int]] = {}
        for place, names in enumerate(genres):
            for name in names:
                members.setdefault(name, []).append(place)
        arrays = {name: np.array(places) for name, places in members.items()}
        draws = _drawn(genres, arrays, num_similar, self.seed)
        about = {"measure": "genre", "seed": self.seed, "num_genres": len(members)}
        return _table(movies, draws, 1.0, about)


@dataclass(frozen=True, eq=False)
class CloseSynopses:
    """Movies whose synopses mean the same, by the dot product of their sentence vectors.

    Attributes:
        movies: The movies that have a synopsis, each once.
        vectors: One vector a movie, float (N, D), such as `SentenceEncoder` gives.
        made_by: Which encoder, and where the synopses are from.
    """

    movies: Sequence[str]
    vectors: FloatArray
    made_by: Mapping[str, Any] | None = None

    def similar(self, movies: Sequence[str], *, num_similar: int = NUM_SIMILAR) -> SimilarityTable:
        """Return for each movie those with the highest dot product; of equal ones the earlier.

        Vectors are compared block by block: never all pairs are in memory.

        Raises:
            MiningError: A movie is named twice, or the vectors are not one finite row a movie.
            SettingError: The number is below 1.
        """
        place_of = checked_places(movies, num_similar)
        row_of = places_of(self.movies)
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.movies):
            raise MiningError(
                f"vectors of {len(self.movies)} synopses have shape {self.vectors.shape}; they "
                "should be one row a movie"
            )
        known = [movie for movie in movies if movie in row_of]
        vectors = self.vectors[[row_of[movie] for movie in known]].astype(np.float32, copy=False)
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            movie = known[int(np.argmin(finite))]
            raise MiningError(f"the synopsis of {movie!r} has a vector that is not finite")
        places = np.array([place_of[movie] for movie in known], np.int64)
        found = list(_nearest(vectors, min(num_similar, len(known) - 1)))
        nearest = np.concatenate([near for near, _ in found] or [np.empty((0, 0), np.int64)])
        scores = np.concatenate([score for _, score in found] or [np.empty((0, 0), np.float32)])
        return SimilarityTable(
            tuple(movies),
            places.repeat(nearest.shape[1]),
            places[nearest].ravel(),
            scores.ravel(),
            {"measure": "synopsis", "num_synopses": len(known), **(self.made_by or {})},
        )


def combine(
    tables: Mapping[str, SimilarityTable],
    weights: Mapping[str, float],
    *,
    num_similar: int = NUM_SIMILAR,
) -> SimilarityTable:
    """Return the most similar movies by several measures together.

    Scores of two measures do not compare, so ranks are combined: a movie's score is the sum over
    the tables that name it of weight / rank. Of equal ones the earlier movie comes first.

    Args:
        tables: A table a measure, all of the same movies.
        weights: What each counts; above 0.
        num_similar: How many a movie to keep at most.

    Raises:
        MiningError: The tables are not of the same movies.
        SettingError: A measure has no weight, or a weight no measure, or it is not above 0.
    """
    if not tables or tables.keys() != weights.keys():
        raise SettingError(
            f"weights are given for {sorted(weights)} and similarities for {sorted(tables)}; give "
            "each similarity one weight"
        )
    wrong = next((name for name, weight in weights.items() if not 0 < weight < np.inf), None)
    if wrong is not None:
        raise SettingError(f"a weight of {weights[wrong]} for {wrong} means nothing; give one > 0")
    movies = next(iter(tables.values())).movies
    checked_places(movies, num_similar)
    totals: dict[tuple[int, int], float] = {}
    for name, table in tables.items():
        if table.movies != movies:
            raise MiningError(f"similarity {name!r} is of other movies; make all for the same ones")
        ranks = zip(table.movie.tolist(), table.similar.tolist(), table.ranks.tolist(), strict=True)
        for movie, similar, rank in ranks:
            totals[movie, similar] = totals.get((movie, similar), 0.0) + weights[name] / rank
    best: dict[int, int] = {}
    kept = []
    for movie, similar in sorted(totals, key=lambda key: (key[0], -totals[key], key[1])):
        best[movie] = best.get(movie, 0) + 1
        if best[movie] <= num_similar:
            kept.append((movies[movie], movies[similar], totals[movie, similar]))
    parts = {name: dict(table.made_by) for name, table in tables.items()}
    about = {"measure": "combined", "weights": dict(weights), "parts": parts}
    return table_of(movies, kept, about)


def checked_places(movies: Sequence[str], num_similar: int) -> dict[str, int]:
    """Return each movie's place among them.

    Raises:
        MiningError: A movie is named twice.
        SettingError: The number of similar movies is below 1.
    """
    if num_similar < 1:
        raise SettingError(f"{num_similar} similar movies a movie are none; ask for 1 or more")
    return places_of(movies)


def _drawn(
    groups: Sequence[Sequence[str]], members: Mapping[str, IntArray], num_drawn: int, seed: int
) -> Iterator[tuple[int, IntArray]]:
    """Yield each movie's place and others drawn from its groups, as many from each.

    Of each group one more than needed is drawn, in case the movie itself is among them, so a movie
    with enough others in its groups gets the full number.
    """
    rng = np.random.default_rng(seed)
    for place, names in enumerate(groups):
        draws = [
            rng.choice(members[name], min(num_drawn + 1, len(members[name])), replace=False)
            for name in names
        ]
        others = np.unique(np.concatenate([*draws, np.empty(0, np.int64)]))
        yield place, rng.permutation(others[others != place])[:num_drawn]


def _table(
    movies: Sequence[str],
    draws: Iterator[tuple[int, IntArray]],
    score: float,
    about: Mapping[str, Any],
) -> SimilarityTable:
    rows = [(place, other) for place, others in draws for other in others.tolist()]
    places = np.array(rows, np.int64).reshape(-1, 2)
    scores = np.full(len(rows), score, np.float32)
    return SimilarityTable(tuple(movies), places[:, 0], places[:, 1], scores, about)


def _nearest(vectors: FloatArray, num_nearest: int) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield rows and scores of the nearest of each row of a block, shapes (B, num_nearest)."""
    if num_nearest < 1:
        return
    block = max(_BLOCK_SCORES // len(vectors), 1)
    for first in range(0, len(vectors), block):
        scores = vectors[first : first + block] @ vectors.T
        rows = np.arange(len(scores))
        scores[rows, first + rows] = -np.inf
        nearest = np.empty((len(scores), num_nearest), np.int64)
        best = np.empty((len(scores), num_nearest), np.float32)
        for rank in range(num_nearest):
            nearest[:, rank] = scores.argmax(axis=1)
            best[:, rank] = scores[rows, nearest[:, rank]]
            scores[rows, nearest[:, rank]] = -np.inf
        yield nearest, best
