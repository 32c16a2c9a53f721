"""Sub-genres: groups of trailers, named by their words, with what is typical of them."""
# T trailers, D width, G genres, E experts, K sub-genres

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.evaluation.bootstrap import RealArray
from mastershot.genres.clustering import (
    UNASSIGNED,
    Clusters,
    ClusterSettings,
    cluster,
    silhouettes,
)
from mastershot.genres.trailers import TrailerSet
from mastershot.genres.words import GroupWord, distinguishing_words

EXEMPLARS = 6
NAMING_WORDS = 3
LEAST_STANDARD_ERRORS = 2.0
"""Below it an expert is not said to drive a sub-genre."""


@dataclass(frozen=True)
class Driver:
    """The expert whose gate is open most beyond its mean over all trailers.

    Attributes:
        expert: Its name.
        standard_errors: How far beyond, in standard errors of a mean of so many trailers.
        opened: Its mean openness over the sub-genre's trailers, in [0, 1].
        everywhere: Its mean openness over all trailers.
    """

    expert: str
    standard_errors: float
    opened: float
    everywhere: float


@dataclass(frozen=True, eq=False)
class SubGenre:
    """One sub-genre.

    Attributes:
        name: Its first distinguishing words; without any, the titles of its first exemplars.
        members: Places of its trailers, nearest to its centre first.
        words: Words its trailers use more than the rest, best first; may be empty.
        genre_shares: Share of its trailers that have each coarse genre, (G,).
        driver: The expert that drove it, or None where none stands out.
        silhouette: The mean over its trailers, in [-1, 1]; NaN where it is the only one.
    """

    name: str
    members: IntArray
    words: tuple[GroupWord, ...]
    genre_shares: RealArray
    driver: Driver | None
    silhouette: float

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def exemplars(self) -> list[int]:
        """Places of the trailers nearest to its centre, at most `EXEMPLARS`."""
        return [int(place) for place in self.members[:EXEMPLARS]]


@dataclass(frozen=True, eq=False)
class SubGenres:
    """All sub-genres of some trailers.

    Attributes:
        found: The sub-genres, the largest first.
        clusters: Which trailers are in which, and how their number was chosen.
        silhouette: The mean silhouette over all trailers in one; NaN where there are not two.
    """

    found: tuple[SubGenre, ...]
    clusters: Clusters
    silhouette: float

    @property
    def unassigned(self) -> IntArray:
        """Places of the trailers of no sub-genre, which HDBSCAN calls noise."""
        return np.flatnonzero(self.clusters.labels == UNASSIGNED)


def find_subgenres(trailers: TrailerSet, unit: FloatArray, settings: ClusterSettings) -> SubGenres:
    """Return the sub-genres of trailers by their unit vectors, (T, D).

    Silhouettes are of all trailers here; those that chose the number of sub-genres are of a sample.

    Raises:
        GenresError: There are fewer distinct trailers than sub-genres asked for.
    """
    clusters = cluster(unit, settings)
    labels = clusters.labels
    words = distinguishing_words(trailers.words, labels, clusters.num_groups)
    assigned = np.flatnonzero(labels != UNASSIGNED)
    fits = np.full(len(trailers), np.nan)
    if clusters.num_groups > 1:
        fits[assigned] = silhouettes(unit, labels, assigned)
    found: list[SubGenre] = []
    for group in range(clusters.num_groups):
        members = _nearest_first(unit, np.flatnonzero(labels == group))
        names = {one.name for one in found}
        found.append(
            SubGenre(
                name=_name_of(trailers, members, words[group], names),
                members=members,
                words=words[group],
                genre_shares=trailers.truth[members].mean(axis=0),
                driver=driver_of(trailers.opened, trailers.experts, members),
                silhouette=float(fits[members].mean()),
            )
        )
    overall = float(fits[assigned].mean()) if clusters.num_groups > 1 else float("nan")
    return SubGenres(tuple(found), clusters, overall)


def driver_of(opened: FloatArray, experts: Sequence[str], members: IntArray) -> Driver | None:
    """Return the expert that drove some trailers, or None where none stands out.

    A gate that is 0 is that of an expert the trailer does not have; it does not count.

    Args:
        opened: How far each expert's gate was open, (T, E).
        experts: Their names.
        members: Places of the trailers.
    """
    best: Driver | None = None
    for place, expert in enumerate(experts):
        column = opened[:, place].astype(np.float64)
        everywhere, here = column[column > 0], column[members][column[members] > 0]
        if len(here) < 2 or (spread := everywhere.std()) <= 1e-6 * everywhere.mean():
            continue
        beyond = (here.mean() - everywhere.mean()) / (spread / np.sqrt(len(here)))
        if beyond >= LEAST_STANDARD_ERRORS and (best is None or beyond > best.standard_errors):
            best = Driver(expert, float(beyond), float(here.mean()), float(everywhere.mean()))
    return best


def _nearest_first(unit: FloatArray, members: IntArray) -> IntArray:
    centre = unit[members].mean(axis=0, dtype=np.float64)
    distances = np.linalg.norm(unit[members] - centre, axis=1)
    # Rounded, so that equal trailers keep their order whatever the order of a sum.
    return members[np.argsort(np.round(distances, 6), kind="stable")]


def _name_of(
    trailers: TrailerSet, members: IntArray, words: Sequence[GroupWord], taken: set[str]
) -> str:
    """Return a name that no other sub-genre has."""
    texts = _without_parts([word.text for word in words])
    titles = list(dict.fromkeys(trailers.name_of(int(place)) for place in members[:EXEMPLARS]))
    if not texts:
        name = "like " + " and ".join(titles[:2])
    else:
        name = ", ".join(texts[:NAMING_WORDS])
        if name in taken:
            name = f"{name} (like {titles[0]})"
    number, first = 2, name
    while name in taken:
        name, number = f"{first} ({number})", number + 1
    return name


def _without_parts(texts: Sequence[str]) -> list[str]:
    """Return words without those that are part of a better keyword."""
    kept: list[str] = []
    for text in texts:
        parts = {part for better in kept for part in better.split()}
        if not set(text.split()) <= parts:
            kept.append(text)
    return kept
