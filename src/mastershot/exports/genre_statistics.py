"""A data set of genres in figures: JSON, lines for a terminal, CSV, and its histograms as SVG."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mastershot.core.files import make_folder, written_whole
from mastershot.datasets.genres.statistics import GenreStatistics
from mastershot.exports.pages.genre_statistics import write_statistics_page
from mastershot.exports.plots import draw_columns

TABLE, PAGE = "stats.csv", "stats.html"


def statistics_facts(figures: GenreStatistics) -> dict[str, Any]:
    """Return the figures as JSON takes them."""
    return {
        "name": figures.name,
        "trailers": figures.num_trailers,
        "clips": figures.num_clips,
        "without_year": figures.without_year,
        "histograms": {
            name: [{"bin": one.name, "trailers": one.count, **_named(one.by_split)} for one in bins]
            for name, bins in figures.histograms.items()
        },
    }


def statistics_lines(figures: GenreStatistics) -> Iterator[str]:
    """Yield the figures for a terminal: trailers of each genre, and the ranges of the rest."""
    yield f"{figures.name}: {figures.num_trailers:,} trailers, {figures.num_clips:,} clips"
    width = max((len(one.name) for one in figures.genres), default=0)
    for one in figures.genres:
        yield f"  {one.name:{width}}  {one.count:>7,}"
    for name, bins in figures.histograms.items():
        if name != "genres" and bins:
            most = max(bins, key=lambda one: one.count)
            ends = f"{bins[0].name} to {bins[-1].name}" if len(bins) > 1 else bins[0].name
            yield f"{name}: {ends}, most often {most.name} ({most.count:,} trailers)"
    if figures.without_year:
        yield f"year unknown: {figures.without_year:,} trailers"


def write_statistics(figures: GenreStatistics, folder: Path) -> Path:
    """Write the table, a picture a histogram, and a page of all; return the page.

    Raises:
        OutputError: A file cannot be written.
    """
    make_folder(folder)
    with written_whole(folder / TABLE, newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("histogram", "bin", "trailers", *_named(dict.fromkeys(figures.splits, 0))))
        for name, bins in figures.histograms.items():
            table.writerows((name, one.name, one.count, *one.by_split.values()) for one in bins)
    plots = {
        name: draw_columns(
            [(one.name, one.count) for one in bins], title=name, value_name="trailers"
        )
        for name, bins in figures.histograms.items()
        if bins
    }
    for name, plot in plots.items():
        with written_whole(folder / f"{name.replace(' ', '_')}.svg") as file:
            file.write(plot + "\n")
    write_statistics_page(figures, plots, folder / PAGE)
    return folder / PAGE


def _named(by_split: dict[str, int]) -> dict[str, int]:
    return {name or "no split": count for name, count in by_split.items()}
