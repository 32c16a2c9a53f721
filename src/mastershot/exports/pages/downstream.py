"""The page of an evaluation of downstream tasks: measured figures, and apart, published ones."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from mastershot.evaluation.downstream.figures import MAIN
from mastershot.evaluation.downstream.results import TaskResult
from mastershot.exports.downstream import (
    METRICS,
    PUBLISHED_NOTE,
    basis_of,
    classes_table,
    constant_name,
    lowered_of,
    measured_table,
    metric_name,
    missing_of,
    published_table,
)
from mastershot.exports.drawings import Scale
from mastershot.exports.pages.templates import count_text, write_page
from mastershot.exports.plots import Bar, draw_bars


def write_downstream_page(
    name: str,
    results: Sequence[TaskResult],
    path: Path,
    *,
    notes: Sequence[str] = (),
    items_page: str = "",
) -> None:
    """Write the results as one HTML page, with a link to that of their items if one is named.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    rows: list[tuple[str, list[tuple[str, Any]]]] = []
    for row in (row for result in results for row in result.rows):
        made = (row.name, sorted(row.made_by.items()))
        if made not in rows:
            rows.append(made)
    tasks = [
        {
            "name": result.task.name,
            "about": result.task.about,
            "basis": basis_of(result),
            "missing": [*lowered_of(result), *missing_of(result)],
            "measured": measured_table(result),
            "classes": classes_table(result),
            "published": published_table(result),
            "metric": METRICS[result.task.metric].removeprefix("mean "),
            "bars": _bars(result),
        }
        for result in results
    ]
    write_page(
        "downstream.html",
        path,
        title=f"Evaluation: {name}",
        facts=(count_text(len(results), "task"), count_text(len(rows), "row")),
        notes=notes,
        tasks=tasks,
        items_page=items_page,
        published_note=PUBLISHED_NOTE,
        measured="vectors",
        made_by=rows,
    )


def _bars(result: TaskResult) -> str:
    rows = [(row.name, row.measured.figures[MAIN]) for row in result.rows]
    bars = [Bar(name, figure) for name, figure in (*rows, (constant_name(result), result.constant))]
    most = 1.0
    if result.task.metric == "mse":
        ends = [end for bar in bars for end in (bar.figure.value, bar.figure.interval.high)]
        most = max(filter(isfinite, ends), default=0.0) or 1.0
    metric = metric_name(result)
    return draw_bars(
        bars,
        axis=Scale(0, most),
        title=f"{result.task.name}: {metric}, measured here, with 95 % intervals",
        value_name=metric,
    )
