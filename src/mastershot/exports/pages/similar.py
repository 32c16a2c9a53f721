"""Scenes that are alike, side by side: an HTML page that needs nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.time import format_clock
from mastershot.exports.pages.templates import page_template
from mastershot.exports.tables import open_whole


@dataclass(frozen=True)
class Still:
    """One shot of a scene: when it starts, and its picture as JPEG; None where there is none."""

    start_s: float
    picture: bytes | None


@dataclass(frozen=True)
class Side:
    """One of two scenes.

    Attributes:
        film: The film's file.
        start_s: When the scene starts.
        end_s: When it ends.
        said: Which shots it is.
        stills: Its shots, or some of them.
    """

    film: str
    start_s: float
    end_s: float
    said: str
    stills: tuple[Still, ...]


@dataclass(frozen=True)
class Pair:
    """Two scenes, how alike they are and why.

    Attributes:
        score: What it was ranked by.
        said: What the score is of.
        sides: The two scenes; the other alone where one was asked for.
        reasons: Labels that both have, each with what is said of it.
    """

    score: float
    said: str
    sides: tuple[Side, ...]
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Head:
    """What a page says above its pairs.

    Attributes:
        title: What was asked.
        views: Names of the ways in which scenes were seen, beside each other.
        facts: Said below the title.
        notes: Sentences the reader should know.
        asked: The scene that was asked for, shown once.
    """

    title: str
    views: tuple[str, ...]
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    asked: Side | None = None


def write_pairs_page(
    ranks: Iterable[tuple[Pair | None, ...]],
    path: Path,
    head: Head,
) -> None:
    """Write pairs of scenes, best first, as one HTML file that makes no request at all.

    The page is written as it is rendered: given a generator, few pictures are in memory at once.

    Args:
        ranks: Of each rank one pair a view; None where a view has found fewer.
        path: The page.
        head: What is said above them.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    template = page_template("similar.html", {"clock": format_clock})
    with open_whole(path, newline="\n") as file:
        for piece in template.generate(ranks=ranks, head=head):
            file.write(piece)
