"""Sub-genres as files: what was found as JSON, which trailer is where as CSV, and lines."""

import csv
import json
from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any

from mastershot.core.files import written_whole
from mastershot.evaluation.bootstrap import Figure
from mastershot.exports.tables import as_text
from mastershot.genres.analysis import Analysis, Side
from mastershot.genres.clustering import SILHOUETTE_SAMPLE, UNASSIGNED
from mastershot.genres.subgenres import SubGenre
from mastershot.genres.trailers import TrailerSet

SCHEMA = "mastershot/subgenres/1"
COLUMNS = ("id", "title", "year", "genres", "subgenre", "name", "rank")


def subgenre_facts(analysis: Analysis, made_by: Mapping[str, Any]) -> dict[str, Any]:
    """Return all figures as JSON takes them; what is not defined is null."""
    trailers, found = analysis.trailers, analysis.subgenres
    purity, clusters = analysis.purity, found.clusters
    return {
        "schema": SCHEMA,
        "made_by": dict(made_by),
        "num_trailers": len(trailers),
        "num_subgenres": len(found.found),
        "num_unassigned": len(found.unassigned),
        "settings": vars(analysis.settings),
        "silhouette": _number(found.silhouette),
        "silhouettes_tried": {str(k): _number(value) for k, value in clusters.tried.items()},
        "silhouettes_tried_on": clusters.num_sampled,
        "stability": _figure(analysis.stability),
        "nmi_primary_genre": _figure(purity.primary),
        "uncertainty_of_genres_removed": _figure(purity.any_genre),
        "num_queries": len(analysis.queries),
        "coarse": _side(analysis.coarse),
        "fine": _side(analysis.fine),
        "precision_gain": _figure(analysis.gain),
        "subgenres": [
            _subgenre(trailers, number, one) for number, one in enumerate(found.found, start=1)
        ],
    }


def subgenre_lines(analysis: Analysis) -> Iterator[str]:
    """Yield what was found as lines for people."""
    found, trailers = analysis.subgenres, analysis.trailers
    yield f"{len(found.found)} sub-genres of {len(trailers):,} trailers"
    if len(found.unassigned):
        yield f"{len(found.unassigned):,} trailers are unassigned"
    for number, one in enumerate(found.found, start=1):
        driver = "none stands out" if one.driver is None else one.driver.expert
        yield f"{number:4}  {len(one):>6,}  {one.name}  ({driver})"
    for name, text, _ in measured(analysis):
        yield f"{name}: {text}"


def measured(analysis: Analysis) -> Iterator[tuple[str, str, str]]:
    """Yield name and value of each measure, and a sentence that says what it is."""
    found = analysis.subgenres
    before, after = analysis.coarse.retrieval, analysis.fine.retrieval
    yield (
        "Silhouette",
        "undefined" if isnan(found.silhouette) else f"{found.silhouette:.3f}",
        "How much nearer trailers are to their own sub-genre than to the next, from -1 to 1; near "
        f"0 sub-genres run into each other. {_how_chosen(analysis)}",
    )
    yield (
        "Stability",
        figure_text(analysis.stability),
        "Adjusted Rand index of the sub-genres of two resamples of the trailers: 1 where the same "
        "are found again, 0 where chance decides.",
    )
    yield (
        "Primary genre (NMI)",
        figure_text(analysis.purity.primary),
        "Normalised mutual information of sub-genres and the rarest coarse genre of each trailer: "
        "1 where they say the same, 0 where sub-genres cut across genres.",
    )
    yield (
        "All genres",
        figure_text(analysis.purity.any_genre),
        "How much of the uncertainty whether a trailer has a genre its sub-genre removes, over all "
        "genres, weighted by their trailers.",
    )
    for name, side in (("before", before), ("after", after)):
        yield (
            f"Precision at {side.num_neighbours}, {name}",
            figure_text(side.precision),
            f"Share of the {side.num_neighbours} nearest trailers that have any genre of the "
            f"trailer asked for, over {side.precision.num_items:,} trailers; trailers drawn at "
            f"random have {side.chance:.3f}.",
        )
        yield (
            f"Jaccard at {side.num_neighbours}, {name}",
            figure_text(side.jaccard),
            "Mean overlap of the genres of the same trailers.",
        )
    yield ("Gain in precision", figure_text(analysis.gain), "After minus before, paired.")
    for name, one in (("before", analysis.coarse), ("after", analysis.fine)):
        if one.triplets is not None:
            yield (
                f"Triplets, {name}",
                figure_text(one.triplets),
                "Share of triplets whose closer trailer is closer; 0.5 is chance.",
            )


def figure_text(figure: Figure) -> str:
    """Return a figure with its interval, such as ``0.512 (0.480 to 0.540)``."""
    if isnan(figure.value):
        return "undefined"
    low, high = figure.interval.low, figure.interval.high
    interval = "" if isnan(low) else f" ({low:.3f} to {high:.3f})"
    return f"{figure.value:.3f}{interval}"


def write_subgenres_json(facts: Mapping[str, Any], path: Path) -> None:
    """Write the figures.

    Raises:
        OutputError: The file cannot be written.
    """
    with written_whole(path) as file:
        file.write(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def write_subgenres_csv(analysis: Analysis, path: Path) -> None:
    """Write one row a trailer: its sub-genre, from 1, and its rank from the sub-genre's centre.

    Trailers of no sub-genre have ``unassigned`` for a name, and no number. A text that a
    spreadsheet would run as a formula gets an apostrophe in front.

    Raises:
        OutputError: The file cannot be written.
    """
    trailers, found = analysis.trailers, analysis.subgenres
    ranks = {
        int(place): rank for one in found.found for rank, place in enumerate(one.members, start=1)
    }
    with written_whole(path, newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for place, label in enumerate(found.clusters.labels.tolist()):
            year = trailers.years[place]
            known = label != UNASSIGNED
            table.writerow(
                [
                    as_text(trailers.ids[place]),
                    as_text(trailers.titles[place]),
                    "" if year is None else year,
                    as_text("|".join(genres_of(trailers, place))),
                    label + 1 if known else "",
                    as_text(found.found[label].name) if known else "unassigned",
                    ranks[place] if known else "",
                ]
            )


def genres_of(trailers: TrailerSet, place: int) -> list[str]:
    """Return the names of a trailer's genres."""
    return [trailers.genres[index] for index in trailers.truth[place].nonzero()[0]]


def _how_chosen(analysis: Analysis) -> str:
    clusters = analysis.subgenres.clusters
    if not clusters.tried:
        return "The mean over all trailers in one."
    basis = "all trailers"
    if clusters.num_sampled == SILHOUETTE_SAMPLE:
        basis = f"{clusters.num_sampled:,} trailers drawn at random"
    tried = list(clusters.tried)
    return (
        f"The mean over all trailers; their number is the best of {len(tried)} between {tried[0]} "
        f"and {tried[-1]}, by the mean over {basis}."
    )


def _side(side: Side) -> dict[str, Any]:
    one = side.retrieval
    return {
        "num_neighbours": one.num_neighbours,
        "precision": _figure(one.precision),
        "jaccard": _figure(one.jaccard),
        "precision_by_chance": one.chance,
        "triplets": None if side.triplets is None else _figure(side.triplets),
    }


def _subgenre(trailers: TrailerSet, number: int, one: SubGenre) -> dict[str, Any]:
    shares = zip(trailers.genres, one.genre_shares.tolist(), strict=True)
    return {
        "number": number,
        "name": one.name,
        "size": len(one),
        "words": [vars(word) for word in one.words],
        "exemplars": [trailers.ids[place] for place in one.exemplars],
        "genre_shares": dict(shares),
        "driver": None if one.driver is None else vars(one.driver),
        "silhouette": _number(one.silhouette),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "value": _number(figure.value),
        "low": _number(figure.interval.low),
        "high": _number(figure.interval.high),
        "num_items": figure.num_items,
    }


def _number(value: float) -> float | None:
    return None if isnan(value) else value
