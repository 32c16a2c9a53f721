"""Pages of a data set: its figures with galleries, and one on which people rate drawn shots."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.movie import SCALE_NAMES
from mastershot.exports.drawings import Mark, round_up
from mastershot.exports.pages.templates import count_text, write_page
from mastershot.exports.pages.transitions import map_transitions
from mastershot.labelling.draws import Draw, ShownShot
from mastershot.labelling.figures import DatasetFigures
from mastershot.labelling.statistics import GalleryShot

Galleries = Mapping[str, tuple[Sequence[GalleryShot], Sequence[GalleryShot]]]


@dataclass(frozen=True)
class Histogram:
    """Bars over even bins of [0, 1], in per cent of the chart's sides.

    Attributes:
        sure: SVG path of the bars from the threshold on.
        unsure: SVG path of those below.
        threshold: Where the threshold is.
        marks: The axis of counts.
    """

    sure: str
    unsure: str
    threshold: float
    marks: tuple[Mark, ...]


def draw_histogram(counts: Sequence[int], *, threshold: float) -> Histogram:
    """Return the histogram of scores; a bin that the threshold cuts counts as below it."""
    highest, width = round_up(max(counts)), 100 / len(counts)
    paths = {True: "", False: ""}
    for number, count in enumerate(counts):
        left, top = number * width, 100 - 100 * count / highest
        is_sure = number / len(counts) >= threshold - 1e-9
        paths[is_sure] += f"M{left + 0.3:.2f} 100V{top:.2f}H{left + width - 0.3:.2f}V100Z"
    marks = tuple(Mark(at, f"{highest * at / 100:,.10g}") for at in (0, 50, 100))
    return Histogram(paths[True], paths[False], 100 * threshold, marks)


def write_dataset_page(
    figures: DatasetFigures,
    path: Path,
    *,
    title: str,
    galleries: Galleries | None = None,
    picture: Callable[[GalleryShot], bytes | None] = lambda shot: None,
    notes: Sequence[str] = (),
) -> None:
    """Write a data set's figures as one HTML page.

    Args:
        figures: What is drawn.
        path: The page.
        title: What the data set is called.
        galleries: The surest and the least sure shots of labels; the most frequent label is shown
            first, and no shot twice for a label.
        picture: Returns a shot's picture as JPEG, or None.
        notes: Sentences the reader should know.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    scores = figures.score_counts
    labels = [(name, count) for name, count in figures.label_counts if count]
    shown = {}
    for label, _ in figures.label_counts:
        surest, least = (galleries or {}).get(label, ((), ()))
        if surest:
            shown[label] = surest, [shot for shot in least if shot not in surest]
    write_page(
        "dataset.html",
        path,
        title=title,
        facts=(
            f"labels of {figures.taxonomy}",
            f"{len(labels):,} of {count_text(len(figures.label_counts), 'label')} occur",
        ),
        notes=notes,
        figures=figures,
        scale_names=SCALE_NAMES,
        labels=labels,
        histogram=draw_histogram(scores, threshold=figures.min_best) if sum(scores) else None,
        transition_map=map_transitions(figures.transitions),
        galleries=shown,
        picture=picture,
    )


def write_rating_page(
    draw: Draw, path: Path, *, title: str, picture: Callable[[ShownShot], bytes | None]
) -> None:
    """Write drawn shots as one HTML page.

    Scores are not shown: they would lead the raters. What is ticked is kept by the browser until
    it is saved as a table of verdicts.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    names = "\n".join(";".join((shot.name, *shot.labels)) for shot in draw.shots)
    # What a browser keeps of one draw must not turn up in another.
    key = hashlib.sha256(names.encode()).hexdigest()[:16]
    write_page(
        "rating.html",
        path,
        script="verdicts.js",
        title=title,
        items=draw.shots,
        place=f"mastershot-verdicts-{key}",
        done="rated",
        picture=picture,
    )
