"""Networks of genres beside each other and beside published figures: CSV, Markdown, lines."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from mastershot.core.files import written_whole
from mastershot.evaluation.bootstrap import Figure, Interval
from mastershot.exports.evaluation import figure_text

PUBLISHED_IN = (
    "as published by Fish et al. 2021 (Rethinking genre classification with fine grained semantic "
    "clustering, ICIP) on the test split of MMX-Trailer-20; not measured here"
)
_PUBLISHED_EXPERTS = {"location", "audio", "motion", "image"}
_PUBLISHED = {"image": (0.516, 0.554), "concat": (0.525, 0.497), "gated": (0.597, 0.583)}
"""Weighted F1 and weighted AU(PRC)."""
_FIGURES = {
    "precision": "precision", "recall": "recall", "f1": "F1", "auprc_micro": "AU(PRC) micro",
    "auprc_macro": "macro", "auprc_weighted": "weighted",
}  # fmt: skip
_TITLES = {
    "concat": "all, naive concatenation", "gated": "all, gated by each other",
    "gated-mean": "all, gated by the mean of the others",
}  # fmt: skip


@dataclass(frozen=True)
class TableRow:
    """One network.

    Attributes:
        name: Its experts joined by ``+``, or ``concat``, ``gated``, ``gated-mean``.
        experts: What it sees.
        figures: By the attributes of `evaluation.genres.GenreFigures`, on the test split.
        all_positive_f1: Weighted F1 of giving every genre to every trailer.
        left_out: Genres without a test trailer.
    """

    name: str
    experts: tuple[str, ...]
    figures: Mapping[str, Figure]
    all_positive_f1: float
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, name: str, experts: Sequence[str], saved: Mapping[str, Any]) -> "TableRow":
        """Return the row of a network's figures as its folder describes them."""
        figures = {
            key: Figure(
                saved[key]["value"], Interval(**saved[key]["interval"]), saved[key]["num_items"]
            )
            for key in _FIGURES
        }
        return cls(name, tuple(experts), figures, saved["all_positive_f1"],
                   tuple(saved["left_out"]))  # fmt: skip

    @property
    def title(self) -> str:
        """What people read."""
        return _TITLES.get(self.name, " + ".join(self.experts))

    @property
    def published(self) -> tuple[float, float]:
        """Weighted F1 and AU(PRC) as published of the same experts; NaN where there are none."""
        joined = self.name in _TITLES
        if joined and set(self.experts) != _PUBLISHED_EXPERTS:
            return nan, nan
        return _PUBLISHED.get(self.name, (nan, nan))

    @property
    def facts(self) -> dict[str, Any]:
        """The row as JSON takes it."""
        f1, area = (None if value != value else value for value in self.published)
        facts: dict[str, Any] = {"row": self.name, "experts": list(self.experts)}
        facts |= {name: figure.value for name, figure in self.figures.items()}
        return facts | {"published_f1": f1, "published_auprc_weighted": area}


def table_lines(rows: Sequence[TableRow]) -> Iterator[str]:
    """Yield the table for a terminal, and what it rests on."""
    columns, cells = _cells(rows)
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in (columns, *cells):
        yield "  ".join(
            text.ljust(width) for text, width in zip(line, widths, strict=True)
        ).rstrip()
    yield from _basis(rows)


def write_genre_table(rows: Sequence[TableRow], path: Path, *, dataset: str) -> None:
    """Write the table as CSV, and as Markdown beside it.

    Raises:
        OutputError: It cannot be written.
    """
    with written_whole(path, newline="") as file:
        table = csv.DictWriter(file, [*rows[0].facts], lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow(row.facts | {"experts": "|".join(row.experts)})
    columns, cells = _cells(rows)
    with written_whole(path.with_suffix(".md")) as file:
        lines = [f"# Genres of {' '.join(dataset.split())}", ""]
        for line in (columns, ["---"] * len(columns), *cells):
            lines.append(f"| {' | '.join(text.replace('|', chr(92) + '|') for text in line)} |")
        lines += ["", *(f"{text}." for text in _basis(rows))]
        file.write("\n".join(lines) + "\n")


def _cells(rows: Sequence[TableRow]) -> tuple[list[str], list[list[str]]]:
    columns = ["experts", *_FIGURES.values(), "published F1", "published AU(PRC) weighted"]
    cells = []
    for row in rows:
        published = ["–" if value != value else f"{value:.3f}" for value in row.published]
        figures = [
            figure_text(figure) if name in ("f1", "auprc_weighted") else f"{figure.value:.3f}"
            for name, figure in row.figures.items()
        ]
        cells.append([row.title, *figures, *published])
    empty = ["–"] * (len(columns) - 1)
    empty[list(_FIGURES).index("f1")] = f"{rows[0].all_positive_f1:.3f}"
    return columns, [*cells, ["every genre for every trailer", *empty]]


def _basis(rows: Sequence[TableRow]) -> Iterator[str]:
    trailers = rows[0].figures["f1"].num_items
    yield (
        f"{trailers:,} test trailers; in brackets, 95 % intervals by bootstrap over trailers; "
        "precision, recall and F1 are means over genres weighted by their trailers, at thresholds "
        "of the validation split"
    )
    if any(row.published[0] == row.published[0] for row in rows):
        yield f"The published columns are {PUBLISHED_IN}"
    if rows[0].left_out:
        yield f"Genres without a test trailer count nowhere: {', '.join(rows[0].left_out)}"
