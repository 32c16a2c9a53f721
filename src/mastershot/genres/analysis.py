"""The analysis of sub-genres: groups, maps and neighbours of trailers, before and after."""
# T trailers, D width, M triplets, N neighbours

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import GenresError
from mastershot.evaluation.bootstrap import Figure
from mastershot.genres.clustering import (
    ClusterSettings,
    check_embeddings,
    cluster,
    least_size,
    unit_rows,
)
from mastershot.genres.maps import Layout, place_trailers
from mastershot.genres.measures import Purity, purity, stability, triplet_agreement
from mastershot.genres.neighbours import (
    NUM_NEIGHBOURS,
    Retrieval,
    nearest_trailers,
    precision_gain,
    retrieval,
)
from mastershot.genres.subgenres import SubGenres, find_subgenres
from mastershot.genres.trailers import TrailerSet


@dataclass(frozen=True, eq=False)
class Side:
    """What one of two embeddings says of the trailers.

    Attributes:
        nearest: The nearest trailers of each, or -1, (T, N).
        retrieval: How far they have its genres.
        triplets: How far it agrees with triplets, where there are some.
        places: By layout, where each trailer lies, in [0, 1], (T, 2).
    """

    nearest: IntArray
    retrieval: Retrieval
    triplets: Figure | None
    places: dict[Layout, FloatArray]


@dataclass(frozen=True, eq=False)
class Analysis:
    """Sub-genres by the fine embeddings, and what sets these apart from the coarse ones.

    Attributes:
        trailers: The trailers.
        settings: How they were grouped.
        subgenres: The sub-genres.
        stability: How far resamples find the same ones.
        purity: What they say of coarse genres.
        coarse: Before the fine-grained stage.
        fine: After it.
        gain: How much more precise the fine embeddings' neighbours are.
        queries: Places of the trailers whose neighbours were counted.
    """

    trailers: TrailerSet
    settings: ClusterSettings
    subgenres: SubGenres
    stability: Figure
    purity: Purity
    coarse: Side
    fine: Side
    gain: Figure
    queries: IntArray


@dataclass(frozen=True, eq=False)
class Questions:
    """What is asked of both embeddings.

    Attributes:
        layouts: The maps to draw.
        queries: Places of the trailers whose neighbours are counted; all if not given.
        triplets: Places of anchor, closer and farther trailers, (M, 3).
    """

    layouts: Sequence[Layout] = ("tsne",)
    queries: IntArray | None = None
    triplets: IntArray | None = None


def analyse_subgenres(
    trailers: TrailerSet,
    coarse: FloatArray,
    fine: FloatArray,
    settings: ClusterSettings,
    questions: Questions,
) -> Analysis:
    """Return the sub-genres of trailers by their fine embeddings, beside the coarse ones.

    Args:
        trailers: The trailers, T.
        coarse: Their embeddings before the fine-grained stage, (T, D).
        fine: Their embeddings after it, (T, D).
        settings: How they are grouped.
        questions: What else is asked of the embeddings.

    Raises:
        GenresError: Embeddings are not finite or all equal, or trailers too few.
        MiningError: A map needs UMAP, which is not installed.
    """
    if len(trailers) != len(coarse) or len(trailers) != len(fine):
        raise GenresError(
            f"there are {len(trailers):,} trailers, but {len(coarse):,} coarse and {len(fine):,} "
            "fine embeddings"
        )
    check_embeddings(coarse, "coarse")
    check_embeddings(fine, "fine")
    before, after = unit_rows(coarse), unit_rows(fine)
    subgenres = find_subgenres(trailers, after, settings)
    queries = np.arange(len(trailers)) if questions.queries is None else questions.queries
    asked = replace(questions, queries=queries)
    sides = [_side(trailers, unit, settings.seed, asked) for unit in (before, after)]
    labels = subgenres.clusters.labels
    return Analysis(
        trailers=trailers,
        settings=settings,
        subgenres=subgenres,
        stability=_stability(after, subgenres, settings),
        purity=purity(labels, trailers.truth, trailers.primary, seed=settings.seed),
        coarse=sides[0],
        fine=sides[1],
        gain=precision_gain(
            sides[0].nearest, sides[1].nearest, trailers.truth, trailers.films, queries
        ),
        queries=queries,
    )


def _side(trailers: TrailerSet, unit: FloatArray, seed: int, questions: Questions) -> Side:
    assert questions.queries is not None
    nearest = nearest_trailers(unit, trailers.films, NUM_NEIGHBOURS)
    triplets = None
    if questions.triplets is not None:
        triplets = triplet_agreement(unit, questions.triplets, trailers.films, seed=seed)
    return Side(
        nearest=nearest,
        retrieval=retrieval(nearest, trailers.truth, trailers.films, questions.queries, seed=seed),
        triplets=triplets,
        places={one: place_trailers(unit, one, seed=seed) for one in questions.layouts},
    )


def _stability(unit: FloatArray, subgenres: SubGenres, settings: ClusterSettings) -> Figure:
    """Return how far resamples, grouped with the number or size that was chosen, agree."""
    number = subgenres.clusters.num_groups
    whole_size = settings.min_size or least_size(len(unit))

    def group(drawn: FloatArray, seed: int) -> IntArray:
        if settings.method == "hdbscan":
            size = max(2, round(whole_size * len(drawn) / len(unit)))
            return cluster(drawn, replace(settings, min_size=size)).labels
        fewest = min(number, len(np.unique(drawn, axis=0)))
        if fewest < 2:
            return np.zeros(len(drawn), np.int64)
        fixed = replace(settings, least_k=fewest, most_k=fewest, seed=seed)
        return cluster(drawn, fixed).labels

    return stability(unit, group, seed=settings.seed)
