"""What is known of trailers besides their embeddings: titles, genres, words, open gates."""
# T trailers, G genres, E experts

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import GenresError
from mastershot.evaluation.bootstrap import BoolArray

NO_GENRE = -1
"""Stands for the primary genre of a trailer that has none."""

Words = Mapping[str, float]
"""How much each word counts of a trailer's texts."""


@dataclass(frozen=True, eq=False)
class TrailerSet:
    """Trailers, row by row.

    Attributes:
        ids: Unique, T of them.
        titles: Their titles; may be empty.
        years: Years of release, where known.
        genres: All coarse genres.
        truth: Which genres each trailer has, (T, G).
        words: Of each trailer; may be empty.
        experts: Names of the experts.
        opened: How far the gate of each expert was open, in [0, 1], (T, E); 0 where a trailer does
            not have the expert.
        films: A number for each trailer, equal where two are one film, (T,).
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    years: tuple[int | None, ...]
    genres: tuple[str, ...]
    truth: BoolArray
    words: tuple[Words, ...]
    experts: tuple[str, ...]
    opened: FloatArray
    films: IntArray

    def __post_init__(self) -> None:
        count = len(self.ids)
        assert len(self.titles) == len(self.years) == len(self.words) == count
        assert self.truth.shape == (count, len(self.genres)), self.truth.shape
        assert self.opened.shape == (count, len(self.experts)), self.opened.shape
        assert self.films.shape == (count,), self.films.shape

    def __len__(self) -> int:
        return len(self.ids)

    def name_of(self, trailer: int) -> str:
        """Return a trailer's title, or its id where it has none."""
        return self.titles[trailer].strip() or self.ids[trailer]

    @property
    def primary(self) -> IntArray:
        """The rarest of each trailer's genres, which says the most of it, (T,), or `NO_GENRE`.

        Of the order in which a data set names genres nothing is assumed: many sort them by name.
        """
        counts = self.truth.sum(axis=0)
        ranked = np.where(self.truth, counts, len(self) + 1)
        if not self.genres:
            return np.full(len(self), NO_GENRE, np.int64)
        found = ranked.argmin(axis=1)
        return np.where(self.truth.any(axis=1), found, NO_GENRE).astype(np.int64)

    def rows_of(self, genre: str) -> IntArray:
        """Return the places of the trailers that have a genre.

        Raises:
            GenresError: There is no such genre, or no trailer has it.
        """
        if genre not in self.genres:
            raise GenresError(
                f"genre {genre!r} is unknown; the data set has {', '.join(self.genres) or 'none'}"
            )
        rows = np.flatnonzero(self.truth[:, self.genres.index(genre)])
        if not len(rows):
            raise GenresError(f"no trailer with an embedding has the genre {genre!r}")
        return rows

    def within(self, genre: str) -> "TrailerSet":
        """Return the trailers of a genre, which is itself no longer one of their genres.

        Raises:
            GenresError: As `rows_of`.
        """
        rows = self.rows_of(genre)
        kept = [place for place, name in enumerate(self.genres) if name != genre]
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            titles=tuple(self.titles[row] for row in rows),
            years=tuple(self.years[row] for row in rows),
            genres=tuple(self.genres[place] for place in kept),
            truth=self.truth[rows][:, kept],
            words=tuple(self.words[row] for row in rows),
            opened=self.opened[rows],
            films=self.films[rows],
        )
