"""The page of an evaluation of tagging: figures, classes, curves, classes that are confused."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np

from mastershot.evaluation.tagging import ClassFigures, Confusion, TaggingFigures, TaggingResult
from mastershot.exports.drawings import Scale
from mastershot.exports.evaluation import MOST_CONFUSIONS, basis_of, tagging_rows
from mastershot.exports.pages.templates import count_text, write_page
from mastershot.exports.plots import Bar, Curve, draw_bars, draw_curves_of_precision, draw_gains

MOST_CURVES = 4
LEAST_POSITIVES = 5
"""A class of fewer samples has a curve of a few steps; it is not shown among best and worst."""


@dataclass(frozen=True)
class ResultPlots:
    """What the page shows of one result.

    Attributes:
        name: What the scores are called.
        figures: Its figures.
        bars: SVG of the classes' average precisions, highest first.
        gains: SVG of the classes' gains over the first result, or None for that itself.
        curves: SVG of precision against recall.
        confusions: The most frequent confusions.
    """

    name: str
    figures: TaggingFigures
    bars: str
    gains: str | None
    curves: str
    confusions: tuple[Confusion, ...]


def write_tagging_page(
    results: Sequence[TaggingResult], path: Path, *, notes: Sequence[str] = ()
) -> None:
    """Write the results as one HTML page; gains are over the first.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    first = results[0]
    columns, rows = tagging_rows(results)
    write_page(
        "evaluation.html",
        path,
        title=f"Tagging: {', '.join(result.name for result in results)}",
        facts=(
            count_text(first.figures.num_samples, "sample"),
            count_text(first.figures.num_films, "film"),
            f"{first.figures.num_classes} of {len(first.figures.per_class)} classes have a sample",
        ),
        notes=notes,
        basis=basis_of(results),
        columns=columns,
        rows=rows,
        headline=list(zip(columns, rows[0], strict=True))[1:],
        plots=[plots_of(result, first.name) for result in results],
        measured="scores",
        made_by=[(result.name, sorted(result.scores.made_by.items())) for result in results],
        least_positives=LEAST_POSITIVES,
    )


def plots_of(result: TaggingResult, first: str) -> ResultPlots:
    """Return the plots of a result, whose gains are over the scores named ``first``."""
    ranked = _ranked_classes(result.figures)
    gains = None
    if result.gains is not None:
        gains = draw_gains(
            [Bar(row.name, row.gain) for row in result.gains.per_class],
            title=f"Gain of {result.name} over {first} in average precision, with paired 95 % "
            "intervals; pale where they hold 0",
        )
    return ResultPlots(
        name=result.name,
        figures=result.figures,
        bars=draw_bars(
            [Bar(row.name, row.average_precision) for _, row in ranked],
            axis=Scale(0, 1),
            title=f"Average precision (AP) of each class: {result.name}, with 95 % intervals",
            value_name="AP",
        ),
        gains=gains,
        curves=draw_curves_of_precision(
            curves_of(result.figures), title=f"Precision against recall: {result.name}"
        ),
        confusions=result.figures.confusions[:MOST_CONFUSIONS],
    )


def curves_of(figures: TaggingFigures) -> list[Curve]:
    """Return the mean curve over classes, then those of the best and of the worst classes."""
    has_positive = ~np.isnan(figures.curves[:, 0])
    mean = figures.curves[has_positive].mean(axis=0).tolist()
    note = f"mAP {figures.mean_precision.value:.3f}, {figures.num_classes} classes"
    ranked = [pair for pair in _ranked_classes(figures) if pair[1].num_positives >= LEAST_POSITIVES]
    best = ranked[:MOST_CURVES]
    worst = ranked[len(best) :][-MOST_CURVES - 1 :]
    return [
        Curve("mean over classes", note, mean, nan),
        *(_curve_of(figures, place, row) for place, row in best + worst),
    ]


def _curve_of(figures: TaggingFigures, place: int, row: ClassFigures) -> Curve:
    note = f"AP {row.average_precision.value:.3f}, {count_text(row.num_positives, 'sample')}"
    share = row.num_positives / figures.num_samples
    return Curve(row.name, note, figures.curves[place].tolist(), share)


def _ranked_classes(figures: TaggingFigures) -> list[tuple[int, ClassFigures]]:
    """Return place and figures of the classes that have a positive, highest precision first."""
    held = [(place, row) for place, row in enumerate(figures.per_class) if row.num_positives]
    return sorted(held, key=lambda pair: -pair[1].average_precision.value)
