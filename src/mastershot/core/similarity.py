"""Which movies are similar to which: one table, whatever the measure (METHODS B2)."""

# N movies, R rows, one a movie and one of its similar movies

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import MiningError

NUM_SIMILAR = 3
"""Similar movies a movie, on average (Movies2Scenes section 4.1.1)."""


@dataclass(frozen=True, eq=False)
class SimilarityTable:
    """For each of some movies its most similar among them, best first.

    Attributes:
        movies: The ids of all movies that were compared, also of those without a neighbour.
        movie: Place in `movies` of each row's movie, ascending, shape (R,).
        similar: Place of the movie similar to it, shape (R,).
        scores: How similar, shape (R,), descending within a movie; scores of two measures do not
            compare.
        made_by: How: the measure, its settings, and what it counted.
    """

    movies: tuple[str, ...]
    movie: IntArray
    similar: IntArray
    scores: FloatArray
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.movie.shape == self.similar.shape == self.scores.shape, self.movie.shape
        assert (np.diff(self.movie) >= 0).all(), "movies must ascend"
        assert (self.movie != self.similar).all(), "a movie is similar to itself"

    def __len__(self) -> int:
        return len(self.movie)

    @property
    def ranks(self) -> IntArray:
        """Rank of each row within its movie, from 1, shape (R,)."""
        firsts = np.searchsorted(self.movie, self.movie, side="left")
        return np.arange(1, len(self) + 1) - firsts

    def rows(self) -> Iterator[tuple[str, str, int, float]]:
        """Yield (movie, similar, rank, score) of each row."""
        columns = self.movie.tolist(), self.similar.tolist(), self.ranks.tolist()
        for movie, similar, rank, score in zip(*columns, self.scores.tolist(), strict=True):
            yield self.movies[movie], self.movies[similar], rank, score

    def similar_to(self, movie: str) -> list[tuple[str, float]]:
        """Return the movies similar to one, best first, with their scores.

        Raises:
            MiningError: The movie was not compared.
        """
        if movie not in self._place_of:
            raise MiningError(
                f"movie {movie!r} is not one of the {len(self.movies)} that were compared"
            )
        place = self._place_of[movie]
        first, end = np.searchsorted(self.movie, [place, place + 1]).tolist()
        found = zip(self.similar[first:end].tolist(), self.scores[first:end].tolist(), strict=True)
        return [(self.movies[similar], score) for similar, score in found]

    @cached_property
    def without_neighbours(self) -> tuple[str, ...]:
        """The movies that no movie is similar to by this measure."""
        found = np.zeros(len(self.movies), np.bool_)
        found[self.movie] = True
        return tuple(self.movies[place] for place in np.flatnonzero(~found))

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {movie: place for place, movie in enumerate(self.movies)}


def table_of(
    movies: Sequence[str],
    found: Iterable[tuple[str, str, float]],
    made_by: Mapping[str, Any],
) -> SimilarityTable:
    """Return a table of (movie, similar, score); rows of a movie keep their order if equal.

    Raises:
        MiningError: A row names a movie that is not among them, makes a movie similar to itself,
            repeats another, or has a score that is not a finite number.
    """
    place_of = places_of(movies)
    rows: dict[tuple[int, int], float] = {}
    for movie, similar, score in found:
        for name in (movie, similar):
            if name not in place_of:
                raise MiningError(
                    f"movie {name!r} of a similarity is not one of the {len(movies)} given"
                )
        if movie == similar:
            raise MiningError(f"movie {movie!r} is said to be similar to itself; drop that row")
        if not np.isfinite(score):
            raise MiningError(f"the score of {movie!r} and {similar!r} is {score}, not a number")
        key = place_of[movie], place_of[similar]
        if key in rows:
            raise MiningError(f"{similar!r} is said twice to be similar to {movie!r}; keep one row")
        rows[key] = score
    order = sorted(rows, key=lambda key: (key[0], -rows[key]))
    places = np.array(order, np.int64).reshape(-1, 2)
    scores = np.array([rows[key] for key in order], np.float32)
    return SimilarityTable(tuple(movies), places[:, 0], places[:, 1], scores, made_by)


def places_of(movies: Sequence[str]) -> dict[str, int]:
    """Return each movie's place among them.

    Raises:
        MiningError: A movie is named twice.
    """
    place_of: dict[str, int] = {}
    for place, movie in enumerate(movies):
        if place_of.setdefault(movie, place) != place:
            raise MiningError(f"movie {movie!r} is named twice; each id may stand for one movie")
    return place_of
