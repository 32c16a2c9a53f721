"""Scenes that are alike, side by side: an HTML page that needs nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mastershot.exports.pages.templates import write_page


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
        extent: Which shots it consists of.
        stills: Its shots, or some of them.
    """

    film: str
    start_s: float
    end_s: float
    extent: str
    stills: tuple[Still, ...]


@dataclass(frozen=True)
class Pair:
    """Two scenes, how alike they are and why.

    Attributes:
        score: What it was ranked by.
        score_of: What the score is of, such as the mean of some pairs.
        sides: The two scenes; the other alone where one was asked for.
        reasons: Labels that both have, each with how many shots have it.
    """

    score: float
    score_of: str
    sides: tuple[Side, ...]
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Head:
    """What a page shows above its pairs.

    Attributes:
        title: What was asked.
        views: Names of the encoders or means by which scenes were compared, side by side.
        facts: Shown below the title.
        notes: Sentences the reader should know.
        asked: The scene that was asked for, shown once.
    """

    title: str
    views: tuple[str, ...]
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    asked: Side | None = None


def write_pairs_page(ranks: Iterable[tuple[Pair | None, ...]], path: Path, head: Head) -> None:
    """Write pairs of scenes as one HTML page, best first; a generator saves memory.

    Args:
        ranks: Of each rank one pair a view; None where a view has found fewer.
        path: The page.
        head: What is shown above them.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    write_page("similar.html", path, ranks=ranks, **vars(head))
