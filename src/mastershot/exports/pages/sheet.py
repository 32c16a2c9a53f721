"""Shots of many films on one contact sheet: an HTML page that needs nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mastershot.exports.pages.templates import write_page


@dataclass(frozen=True)
class Card:
    """One shot on a contact sheet.

    Attributes:
        shot_id: The shot's id.
        film: The film's file.
        start_s: When the shot starts.
        end_s: When it ends.
        score: What it was ranked by.
        labels: Names of its labels.
        picture: Its picture as JPEG; None where there is none.
    """

    shot_id: str
    film: str
    start_s: float
    end_s: float
    score: float
    labels: tuple[str, ...] = ()
    picture: bytes | None = None


def write_sheet(
    cards: Iterable[Card],
    path: Path,
    *,
    title: str,
    facts: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> None:
    """Write shots as one HTML page, in the order given; a generator keeps pictures out of memory.

    Args:
        cards: What to show.
        path: The page.
        title: What the shots have in common, such as the words that found them.
        facts: Shown below the title.
        notes: Sentences the reader should know.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    write_page("sheet.html", path, cards=cards, title=title, facts=facts, notes=notes)
