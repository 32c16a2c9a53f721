"""The page on which people review moderation: intervals and shots, with guidelines beside them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mastershot.exports.moderation import uncovered_lines
from mastershot.exports.pages.templates import count_text, write_page
from mastershot.labelling.moderation.queue import NONE, UNSURE, Queue, QueueItem


@dataclass(frozen=True)
class Judged:
    """What a reviewer is shown of an item.

    Attributes:
        pictures: Frames: when, their score, and the picture as JPEG, or None.
        heard: When something is heard, and its score.
        aspect: Width of the film's picture by its height.
    """

    pictures: tuple[tuple[float, float, bytes | None], ...]
    heard: tuple[tuple[float, float], ...]
    aspect: float = 16 / 9


def write_review_page(
    queue: Queue,
    items: Sequence[QueueItem],
    path: Path,
    *,
    title: str,
    show: Callable[[QueueItem], Judged],
) -> None:
    """Write items of a queue as one HTML page.

    What is ticked is kept by the browser until it is saved as a table of verdicts. Verdicts of
    others are not shown.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    text = "\n".join((queue.fingerprint, title, *(item.id for item in items)))
    # What a browser keeps of one queue must not turn up in another.
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    flags = [item for item in items if item.kind == "flag"]
    uncovered = [
        f"{line[0].upper()}{line[1:]}. Nothing below says that it is not there."
        for line in uncovered_lines(queue.uncovered)
    ]
    shots = len(items) - len(flags)
    write_page(
        "review.html",
        path,
        script="verdicts.js",
        title=title,
        facts=(
            f"policy {queue.policy}",
            count_text(len(flags), "interval"),
            count_text(shots, "unflagged shot"),
        ),
        notes=uncovered,
        items=items,
        guidelines=queue.guidelines,
        place=f"mastershot-review-{key}",
        done="reviewed",
        show=show,
        exclusive=(NONE, UNSURE),
    )
