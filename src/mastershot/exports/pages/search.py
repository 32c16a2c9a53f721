"""Pages of what a search found: a sheet of shots, pairs of similar scenes, a map of scenes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mastershot.exports.pages.templates import write_page

Texts = tuple[str, ...]

_HUES = (25, 250, 140, 320, 85, 200, 290, 55)


@dataclass(frozen=True)
class Card:
    """One shot on a contact sheet.

    Attributes:
        shot_id: Its id.
        film: The film's file.
        start_s: When the shot starts.
        end_s: When it ends.
        score: What it was ranked by.
        labels: Names of its labels.
        picture: A JPEG; None where there is none.
        heard: The sound it was found by; None where it was found otherwise.
        said: The subtitle it was found by; None likewise.
    """

    shot_id: str
    film: str
    start_s: float
    end_s: float
    score: float
    labels: Texts = ()
    picture: bytes | None = None
    heard: str | None = None
    said: str | None = None


def write_sheet(
    cards: Iterable[Card], path: Path, *, title: str, facts: Texts = (), notes: Texts = ()
) -> None:
    """Write shots as one HTML page, in the order given; a generator keeps pictures out of memory.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    write_page("sheet.html", path, cards=cards, title=title, facts=facts, notes=notes)


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
    views: Texts
    facts: Texts = ()
    notes: Texts = ()
    asked: Side | None = None


def write_pairs_page(ranks: Iterable[tuple[Pair | None, ...]], path: Path, head: Head) -> None:
    """Write pairs of scenes as one HTML page, best first; a generator saves memory.

    Each rank has one pair a view, or None where a view has found fewer.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    write_page("similar.html", path, ranks=ranks, **vars(head))


@dataclass(frozen=True)
class Point:
    """A scene or a film on the map.

    Attributes:
        x: Where it lies from the left, in [0, 1].
        y: Where it lies from the top, in [0, 1].
        film: The film's file.
        start_s: When the scene starts.
        label: What it shows; None where that is not known.
        picture: A picture as JPEG; None where none is shown.
    """

    x: float
    y: float
    film: str
    start_s: float
    label: str | None
    picture: bytes | None = None


def write_map(
    points: Sequence[Point], path: Path, *, title: str, facts: Texts = (), notes: Texts = ()
) -> None:
    """Write points as one HTML page with a drawing; the commonest labels have their own colours.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    counts = Counter(point.label for point in points if point.label is not None)
    hues = dict(zip(dict(counts.most_common()), _HUES, strict=False))
    legend = [(label, hue, counts[label]) for label, hue in hues.items()]
    rest = sum(point.label not in hues for point in points)
    shown: dict[str, Any] = {"points": points, "hues": hues, "legend": legend, "rest": rest}
    write_page("map.html", path, title=title, facts=facts, notes=notes, **shown)
