"""The page of what was answered for each item of a task, beside the truth; without a network.

The views of Movies2Scenes' supplement (Figures 4 to 8): places, relationships, retrieved clips and
scene boundaries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mastershot.evaluation.downstream.outcomes import Outcome
from mastershot.evaluation.downstream.results import RowResult, TaskResult
from mastershot.exports.boundaries import BoundaryStrip, draw_boundaries
from mastershot.exports.pages.templates import count_text, write_page

ITEMS_PAGE = "items.html"
"""Name of the page beside a report."""
MOST_ITEMS = 2000
"""How many items of a task and row are shown."""
THRESHOLD = 0.5
"""From which score on a boundary counts as found."""
PictureOf = Callable[[str], bytes | None]
_COLUMNS = {
    "class": ("item", "true", "answer", "probability", "result", "seeds right", "next answers"),
    "value": ("item", "true", "answer", "squared error"),
    "neighbours": ("query", "true", "nearest", "result", "share the class"),
}
_COLUMNS["tags"] = _COLUMNS["class"]


@dataclass(frozen=True)
class _Part:
    """The items of one task by one row of vectors, as the template takes them."""

    task: str
    about: str
    row: str
    head: str
    summary: str
    columns: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    has_pictures: bool


def write_items_page(
    name: str,
    results: Sequence[TaskResult],
    path: Path,
    *,
    pictures: PictureOf | None = None,
    strips: Sequence[BoundaryStrip] = (),
    threshold: float = THRESHOLD,
) -> None:
    """Write the items of tasks as one HTML page that sorts and filters them itself.

    Args:
        name: What was asked for.
        results: What was found.
        path: The page.
        pictures: Gives an item's JPEG by its name, None where there is none.
        strips: Scene boundaries of films, to be drawn.
        threshold: Score from which on a boundary counts as found.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    rows = [(result, row) for result in results for row in result.rows if row.outcomes]
    names = {row.name for result in results for row in result.rows}
    parts = [_part(result, row, pictures) for result, row in rows]
    classes = {one for part in parts for outcome in part.outcomes for one in outcome.truth}
    with_classes = any(part.head != "value" for part in parts)
    write_page(
        "items.html",
        path,
        script="items.js",
        title=f"Items: {name}",
        facts=(count_text(len(results), "task"), count_text(len(names), "row")),
        parts=parts,
        classes=sorted(classes) if with_classes else [],
        picture_of=pictures or _no_picture,
        strips=[draw_boundaries(strip, threshold=threshold) for strip in strips],
        threshold=threshold,
    )


def _part(result: TaskResult, row: RowResult, pictures: PictureOf | None) -> _Part:
    head, outcomes = result.task.head, row.outcomes[:MOST_ITEMS]
    has_pictures = pictures is not None and any(pictures(one.name) for one in outcomes)
    return _Part(
        result.task.name,
        result.task.about,
        row.name,
        head,
        _summary(result, row),
        (("",) if has_pictures else ()) + _COLUMNS[head],
        outcomes,
        has_pictures,
    )


def _summary(result: TaskResult, row: RowResult) -> str:
    shown = min(len(row.outcomes), MOST_ITEMS)
    text = f"{count_text(len(row.outcomes), 'item')} of {result.split}"
    if shown < len(row.outcomes):
        text += f", the first {shown:,} of them shown"
    right = sum(bool(one.is_right) for one in row.outcomes)
    if result.task.head == "class":
        text += f"; the answer of highest mean probability is right for {right:,}"
    elif result.task.head == "tags":
        text += f"; the answer of highest mean probability is one of the true for {right:,}"
    elif result.task.head == "neighbours":
        text += f"; the nearest is of the query's class for {right:,}"
    return text


def _no_picture(name: str) -> bytes | None:
    return None
