"""The page of a data set of genres: its histograms."""

from collections.abc import Mapping
from pathlib import Path

from mastershot.datasets.genres.statistics import GenreStatistics
from mastershot.exports.pages.templates import count_text, write_page


def write_statistics_page(figures: GenreStatistics, plots: Mapping[str, str], path: Path) -> None:
    """Write a data set's histograms, SVG by name, as one HTML page, with the trailers of splits.

    Raises:
        OutputError: The page cannot be written.
    """
    facts = [
        count_text(figures.num_trailers, "trailer"),
        count_text(figures.num_clips, "clip"),
        count_text(len(figures.genres), "genre"),
    ]
    notes = []
    if figures.without_year:
        notes.append(f"The year of {count_text(figures.without_year, 'trailer')} is not known.")
    write_page(
        "genre_statistics.html",
        path,
        title=figures.name,
        facts=facts,
        notes=notes,
        figures=figures,
        columns=("genre", "trailers", *(name or "no split" for name in figures.splits)),
        plots=plots,
    )
