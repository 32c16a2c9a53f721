"""An evaluation of downstream tasks as JSON, as Markdown, and as lines for a terminal.

What was measured and what papers print are in tables of their own, and nothing is computed from
both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.downstream.boundaries import F1, MIOU, RECALL_3S
from mastershot.evaluation.downstream.figures import MAIN
from mastershot.evaluation.downstream.results import TaskResult
from mastershot.evaluation.downstream.retrieval import SIZES
from mastershot.exports.evaluation import escaped, figure_facts, figure_text, markdown_table

METRICS = {
    "accuracy": "accuracy",
    "mse": "mean squared error",
    "map": "mAP",
    "ap": "mean AP",
    "precision": "precision@1",
}
CONSTANTS = {
    "class": "commonest class of train",
    "value": "mean of train",
    "tags": "equal scores",
    "boundaries": "equal scores",
    "neighbours": "random order",
}
FILM_FIGURES = {F1: "F1", MIOU: "mIoU", RECALL_3S: "recall@3s"}
"""Further figures of scene boundaries, and what they are called."""
PAPER = "Movies2Scenes"
MOST_NAMED = 10
"""How many items without vectors Markdown and the page name; JSON has all."""
PUBLISHED_NOTE = (
    "Published, not measured here: of all items of the split, from the papers' own inputs (pixels, "
    "and text or sound where they say so); not comparable with what is measured on other items or "
    "inputs"
)


def task_facts(result: TaskResult) -> dict[str, Any]:
    """Return what was found of a task as JSON takes it."""
    task = result.task
    return {
        "task": task.name,
        "about": task.about,
        "metric": task.metric,
        "contents": {name: dict(counts) for name, counts in result.contents.items()},
        "split": result.split,
        "probe": asdict(task.probe) if task.probe else None,
        "seeds": list(result.seeds),
        "fingerprint": result.fingerprint,
        "items": dict(result.sizes),
        "labelled": dict(result.labelled),
        "without_vectors": {name: list(items) for name, items in result.without_vectors.items()},
        "missing_labels": {"kept": result.are_missing_kept, **result.missing_labels},
        "counts": dict(result.counts),
        "measured": [
            {
                "name": row.name,
                "width": row.width,
                "figures": {of or "all": figure_facts(one) for of, one in _figures(row.measured)},
                "by_seed": _numbers(row.measured.by_seed.tolist()),
                "gains": {of or "all": figure_facts(one) for of, one in row.gains.items()},
                "epochs": list(row.epochs),
                "validation": _numbers(row.validation),
                "learning_rates": list(row.learning_rates),
                "made_by": dict(row.made_by),
            }
            for row in result.rows
        ],
        "constant": {"name": constant_name(result), **figure_facts(result.constant)},
        "published": [
            {**asdict(one), "of": one.of or "all", "unit": published_unit(result)}
            for one in result.published
        ],
    }


def measured_table(result: TaskResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the columns and rows of the table of what was measured."""
    compared, seeds = len(result.rows) > 1, len(result.seeds) > 1
    keys = _shown(result)
    columns = ("vectors", *(_key_text(result, key) for key in keys))
    first = result.rows[0].name
    gain = f"gain over {first}" if result.task.is_better_high else f"minus {first}; less is better"
    columns += (("seeds",) if seeds else ()) + ((gain,) if compared else ())
    rows = []
    for row in result.rows:
        cells = [figure_text(row.measured.figures[key]) for key in keys]
        if seeds:
            found = row.measured.by_seed
            cells.append(f"{found.min():.3f} to {found.max():.3f}")
        if compared:
            cells.append(figure_text(row.gains[MAIN], signed=True) if row.gains else "–")
        rows.append((row.name, *cells))
    blank = [""] * (len(columns) - 2)
    rows.append((constant_name(result), figure_text(result.constant), *blank))
    return columns, rows


def classes_table(result: TaskResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the table of figures by class; without rows where the task has no class."""
    found = [row.measured.figures for row in result.rows]
    suffix = f"@{SIZES[0]}" if result.task.head == "neighbours" else ""
    rows = [
        (name, f"{count:,}", *(_class_text(figures, name + suffix) for figures in found))
        for name, count in result.counts.items()
        if count
    ]
    return ("class", "items", *(row.name for row in result.rows)), rows


def published_table(result: TaskResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the table of what papers print; without rows where they print nothing."""
    unit = published_unit(result)
    columns = ("method", unit, "of", "source")
    rows: list[tuple[str, ...]] = [
        (one.method, f"{one.value:g}", one.of or "all", f"{PAPER}, {one.source}")
        for one in result.published
    ]
    return columns, rows


def basis_of(result: TaskResult) -> str:
    """Return the sentence that says what a task's figures rest on."""
    if result.contents:
        return _basis_of_films(result)
    of = ", ".join(
        f"{result.sizes[name]:,} of {result.labelled[name]:,} of {name}" for name in result.sizes
    )
    text = f"Labelled items that have vectors: {of}; asked: {result.split}"
    if result.seeds:
        text += f"; {len(result.seeds)} seeds, whose mean is given"
    text += "; in brackets, 95 % intervals by bootstrap over items or, where known, their films"
    if any(result.missing_labels.values()):
        counts = ", ".join(f"{count} of {name}" for name, count in result.missing_labels.items())
        done = "kept as a class" if result.are_missing_kept else "left out"
        text += rf"; items whose label is missing (\N), {done}: {counts}"
    return text


def _basis_of_films(result: TaskResult) -> str:
    of = "; ".join(
        f"{name}: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
        for name, counts in result.contents.items()
    )
    text = f"{of}; asked: {result.split}"
    if result.seeds:
        text += f"; {len(result.seeds)} seeds, whose mean is given"
    text += (
        "; in brackets, 95 % intervals by bootstrap over films; AP is of all gaps together, the "
        "other figures are means over films"
    )
    if RECALL_3S not in result.rows[0].measured.figures:
        text += "; without mIoU and recall@3s, because not all films asked have times of shots"
    return text


def missing_of(result: TaskResult) -> list[str]:
    """Return a sentence for each split with labelled items that have no vectors, naming some."""
    found = []
    for split, names in result.without_vectors.items():
        if names:
            shown = ", ".join(names[:MOST_NAMED])
            more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
            found.append(f"Without vectors, left out of {split}: {shown}{more}")
    return found


def lowered_of(result: TaskResult) -> list[str]:
    """Return a sentence for each row whose probes needed lower learning rates than the table's."""
    usual = result.task.probe.learning_rate if result.task.probe else 0.0
    found = []
    for row in result.rows:
        lower = sorted({rate for rate in row.learning_rates if rate < usual})
        if lower:
            rates = ", ".join(f"{rate:g}" for rate in lower)
            found.append(
                f"With a learning rate of {usual:g}, outputs of some probes of {row.name} cease to "
                f"be finite; theirs is {rates}"
            )
    return found


def constant_name(result: TaskResult) -> str:
    """Return what the constant answer is called."""
    return f"({CONSTANTS[result.task.head]})"


def metric_name(result: TaskResult) -> str:
    """Return what the main figure is called; that of boundaries is of one class, and no mean."""
    name = METRICS[result.task.metric]
    return name.removeprefix("mean ") if result.task.head == "boundaries" else name


def published_unit(result: TaskResult) -> str:
    """Return the unit of published figures."""
    return METRICS["mse"] if result.task.metric == "mse" else "per cent"


def downstream_lines(results: Sequence[TaskResult]) -> Iterator[str]:
    """Yield the lines for a terminal."""
    for result in results:
        columns, rows = measured_table(result)
        yield f"{result.task.name}: {metric_name(result)} of {result.task.about}"
        widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
        for row in (columns, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  " + "  ".join(cells).rstrip()
        yield f"  {basis_of(result)}."
        yield from (f"  {text}." for text in (*lowered_of(result), *missing_of(result)))
        if result.published:
            best = [one for one in result.published if one.of in (MAIN, "@1")]
            shown = ", ".join(f"{one.method} {one.value:g}" for one in best)
            yield f"  {PUBLISHED_NOTE}; in {published_unit(result)}: {shown}."


def downstream_markdown(name: str, results: Sequence[TaskResult], notes: Sequence[str] = ()) -> str:
    """Return the results as one Markdown page."""
    lines = [f"# Evaluation: {escaped(name)}", ""]
    lines += [line for note in notes for line in (f"{note}.", "")]
    for result in results:
        task = result.task
        lines += [f"## {task.name}: {task.about}", "", f"{basis_of(result)}.", ""]
        texts = (*lowered_of(result), *missing_of(result))
        lines += [line for text in texts for line in (f"{text}.", "")]
        lines += ["### Measured here", "", *markdown_table(*measured_table(result)), ""]
        columns, rows = classes_table(result)
        if rows:
            metric = METRICS[task.metric].removeprefix("mean ")
            lines += [f"### By class: {metric}", "", *markdown_table(columns, rows), ""]
        columns, rows = published_table(result)
        if rows:
            lines += ["### Published", "", f"{PUBLISHED_NOTE}.", ""]
            lines += [*markdown_table(columns, rows), ""]
    return "\n".join(lines)


def _figures(measured: Any) -> Iterator[tuple[str, Figure]]:
    yield from measured.figures.items()


def _shown(result: TaskResult) -> tuple[str, ...]:
    """Return the figures of the table: the main one, or precision at each size."""
    if result.task.head == "neighbours":
        return tuple(f"@{size}" for size in SIZES)
    found = result.rows[0].measured.figures
    return (MAIN, *(key for key in FILM_FIGURES if key in found))


def _key_text(result: TaskResult, key: str) -> str:
    if key in FILM_FIGURES:
        return FILM_FIGURES[key]
    return f"precision{key}" if key.startswith("@") else metric_name(result)


def _class_text(figures: Any, name: str) -> str:
    return figure_text(figures[name]) if name in figures else "–"


def _numbers(values: Sequence[float]) -> list[float | None]:
    return [value if isfinite(value) else None for value in values]
