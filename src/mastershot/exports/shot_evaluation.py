"""An evaluation of shots as JSON, and as lines for a terminal."""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.shot_sweep import SweepPoint
from mastershot.evaluation.shots import FLASH_FRAMES, KINDS, Score, ShotFigures
from mastershot.exports.evaluation import figure_facts, figure_text

_COLUMNS = ("", "true", "found", "matched", "precision", "recall", "F1", "detected")


def shot_facts(figures: ShotFigures) -> dict[str, Any]:
    """Return an evaluation of shots as JSON takes it; what the data do not define is null."""
    return {
        "tolerance": figures.measure.tolerance,
        "least_overlap": figures.measure.least_overlap,
        "detected": _score_facts(figures.detected),
        "located": _score_facts(figures.located),
        "kinds": {
            kind: {
                "detected": figure_facts(figures.detected_kinds[kind]),
                **_score_facts(figures.located_kinds[kind]),
            }
            for kind in KINDS
        },
        "interval_error": {
            "num_measured": figures.num_measured,
            "start": _defined(figures.start_error),
            "end": _defined(figures.end_error),
        },
        "flashes": None if figures.flashes is None else figure_facts(figures.flashes),
        "films": [
            {"film": film, "detected": _score_facts(detected), "located": _score_facts(located)}
            for film, detected, located in figures.films
        ],
    }


def shot_table(figures: ShotFigures) -> Iterator[str]:
    """Yield the lines of the tables for a terminal, and what they rest on."""
    rows = [
        ("detected", *_cells(figures.detected), ""),
        ("located", *_cells(figures.located), ""),
    ]
    for kind in KINDS:
        score, detected = figures.located_kinds[kind], figures.detected_kinds[kind]
        if score.num_true or score.num_found:
            rows.append((f"  {kind}", *_cells(score), _text(detected)))
    yield from _aligned([_COLUMNS, *rows])
    if len(figures.films) > 1:
        yield ""
        columns = ("film", "true", "found", "matched", "precision", "recall", "F1", "F1 located")
        films = [
            (film, *_cells(detected), _text(located.f1))
            for film, detected, located in figures.films
        ]
        yield from _aligned([columns, *films])
    yield ""
    yield from _remarks(figures)


def _remarks(figures: ShotFigures) -> Iterator[str]:
    measure = figures.measure
    yield (
        f"detected: within {measure.tolerance:g} frames of a true boundary, whatever the kinds; "
        "located: of the same kind, and gradual ones with an overlap (intersection over union) of "
        f"at least {measure.least_overlap:g}; the last column is the share of the true ones of a "
        "kind that were detected as anything"
    )
    if figures.num_measured:
        yield (
            f"{figures.num_measured} gradual transitions touch a true one: they start "
            f"{figures.start_error:.1f} and end {figures.end_error:.1f} frames off on average"
        )
    if figures.flashes is not None:
        yield (
            f"share of the {figures.flashes.num_items} flashes that have a false boundary within "
            f"{FLASH_FRAMES} frames: {_text(figures.flashes)}"
        )
    of_what = f"{figures.num_stretches} stretches of the film" if figures.num_stretches else "films"
    yield f"in brackets, 95 % intervals by bootstrap over {of_what}"


def sweep_facts(points: Sequence[SweepPoint], best: SweepPoint) -> dict[str, Any]:
    """Return a sweep as JSON takes it."""
    return {"best": _point_facts(best), "points": [_point_facts(point) for point in points]}


def sweep_lines(points: Sequence[SweepPoint], best: SweepPoint, detector: str) -> Iterator[str]:
    """Yield some of a sweep's thresholds as a table, and the best with a warning."""
    step = max(1, len(points) // 12)
    shown = sorted({*points[::step], best}, key=lambda point: point.threshold)
    columns = ("threshold", "found", "precision", "recall", "F1", "")
    rows = [
        (
            f"{point.threshold:.4g}",
            f"{point.num_found:,}",
            f"{point.precision:.3f}" if isfinite(point.precision) else "–",
            f"{point.recall:.3f}",
            f"{point.f1:.3f}",
            "best" if point == best else "",
        )
        for point in shown
    ]
    yield from _aligned([columns, *rows])
    yield (
        f"best F1 of the {detector} detector: {best.f1:.3f} at threshold {best.threshold:.4g}. It "
        "was chosen on this very truth, so it flatters: measure it on other films before relying "
        "on it"
    )


def _point_facts(point: SweepPoint) -> dict[str, float | int | None]:
    return {name: _defined(value) for name, value in vars(point).items()}


def _score_facts(score: Score) -> dict[str, Any]:
    return {
        name: figure_facts(value) if isinstance(value, Figure) else value
        for name, value in vars(score).items()
    }


def _defined(value: float) -> float | None:
    return value if isfinite(value) else None


def _cells(score: Score) -> tuple[str, ...]:
    counts = (score.num_true, score.num_found, score.num_matched)
    figures = (score.precision, score.recall, score.f1)
    return (*(f"{count:,}" for count in counts), *map(_text, figures))


def _text(figure: Figure) -> str:
    return figure_text(figure) if isfinite(figure.value) else "–"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
