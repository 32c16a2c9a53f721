"""An evaluation as JSON, as Markdown, and as lines for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any

from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.precision import RECALLS
from mastershot.evaluation.tagging import TaggingResult

FIGURES = {
    "mean_precision": "mAP",
    "weighted_precision": "weighted mAP",
    "micro_precision": "micro AP",
    "pearson": "Pearson",
    "spearman": "Spearman",
}
"""Figures of tagging by their attribute, and what they are called."""
MOST_CONFUSIONS = 30
"""How many pairs of confused classes Markdown and the page show; JSON has all."""


def figure_text(figure: Figure, *, signed: bool = False) -> str:
    """Return a figure with its interval, such as ``0.452 [0.436, 0.475]``."""
    ends = (figure.value, figure.interval.low, figure.interval.high)
    value, low, high = (f"{end:+.3f}" if signed else f"{end:.3f}" for end in ends)
    if not isfinite(figure.value):
        return "not defined"
    return f"{value} [{low}, {high}]" if isfinite(figure.interval.low) else value


def figure_facts(figure: Figure) -> dict[str, float | int | None]:
    """Return a figure as JSON takes it; what the data do not define is null."""
    values = {"value": figure.value, **vars(figure.interval), "num_items": figure.num_items}
    return {name: value if isfinite(value) else None for name, value in values.items()}


def tagging_facts(result: TaggingResult) -> dict[str, Any]:
    """Return an evaluation of tagging as JSON takes it."""
    figures, gains = result.figures, result.gains
    facts: dict[str, Any] = {
        "name": result.name,
        "num_samples": figures.num_samples,
        "num_films": figures.num_films,
        "num_classes": len(figures.per_class),
        "num_classes_counted": figures.num_classes,
        "num_constant_truth": figures.num_constant_truth,
    }
    facts |= {name: figure_facts(getattr(figures, name)) for name in FIGURES}
    facts["per_class"] = {
        row.name: {
            "num_positives": row.num_positives,
            "num_films": row.num_films,
            "average_precision": figure_facts(row.average_precision),
        }
        for row in figures.per_class
    }
    facts["confusions"] = [vars(pair) for pair in figures.confusions]
    facts["recalls"] = RECALLS.tolist()
    facts["precisions"] = {
        row.name: curve.round(6).tolist()
        for row, curve in zip(figures.per_class, figures.curves, strict=True)
        if row.num_positives
    }
    if gains is not None:
        facts["gains"] = {
            "mean_precision": figure_facts(gains.mean_precision),
            "per_class": {row.name: figure_facts(row.gain) for row in gains.per_class},
        }
    return facts


def tagging_rows(results: Sequence[TaggingResult]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the columns and the rows of one table that compares the results."""
    compared = len(results) > 1
    columns = ("scores", *(["gain in mAP"] if compared else []), *FIGURES.values())
    rows = []
    for result in results:
        gains = result.gains
        gain = [figure_text(gains.mean_precision, signed=True) if gains else "–"]
        texts = [figure_text(getattr(result.figures, name)) for name in FIGURES]
        rows.append((result.name, *(gain if compared else []), *texts))
    return columns, rows


def tagging_table(results: Sequence[TaggingResult]) -> Iterator[str]:
    """Yield the lines of the table for a terminal, and what it rests on."""
    columns, rows = tagging_rows(results)
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield basis_of(results)


def basis_of(results: Sequence[TaggingResult]) -> str:
    """Return the sentence that says what the figures rest on."""
    figures = results[0].figures
    text = (
        f"{figures.num_samples:,} samples of {figures.num_films:,} films; means are over the "
        f"{figures.num_classes} of {len(figures.per_class)} classes that have a sample; "
    )
    if figures.num_films > 1:
        text += "in brackets, 95 % intervals by bootstrap over films"
    else:
        text += "no intervals, which take two films"
    if len(results) > 1:
        text += f"; gains are over {results[0].name}"
    return text


def tagging_markdown(results: Sequence[TaggingResult], *, notes: Sequence[str] = ()) -> str:
    """Return the results as one Markdown page: the table, then each one's classes."""
    columns, rows = tagging_rows(results)
    lines = ["# Evaluation: tagging", "", basis_of(results) + ".", ""]
    lines += [line for note in notes for line in (f"{note}.", "")]
    lines += [*markdown_table(columns, rows), ""]
    for result in results:
        figures, gains = result.figures, result.gains
        gain_of = {row.name: row.gain for row in gains.per_class} if gains else {}
        columns = ("class", "samples", "films", "AP", *(["gain"] if gains else []))
        ranked = sorted(figures.per_class, key=lambda row: (-row.num_positives, row.name))
        cells = [
            (
                row.name,
                f"{row.num_positives:,}",
                f"{row.num_films:,}",
                figure_text(row.average_precision),
                *([figure_text(gain_of[row.name], signed=True)] if row.name in gain_of else []),
            )
            for row in ranked
            if row.num_positives
        ]
        lines += [f"## {escaped(result.name)}: classes", "", *markdown_table(columns, cells), ""]
        pairs = [
            (pair.true, pair.predicted, f"{pair.num_samples:,}", f"{pair.share:.1%}")
            for pair in figures.confusions[:MOST_CONFUSIONS]
        ]
        heading = f"## {escaped(result.name)}: classes that are confused"
        columns = ("true", "scores highest", "samples", "of the true class")
        lines += [heading, "", *markdown_table(columns, pairs), ""]
    return "\n".join(lines)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield f"| {' | '.join(map(escaped, row))} |"


def escaped(text: str) -> str:
    """Return a text as a cell of such a table can hold it."""
    return text.replace("|", r"\|").replace("<", "&lt;").replace("\n", " ")
