"""Scenes or films as points of a map, with pictures of some: an HTML page that needs nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mastershot.exports.pages.templates import write_page

_HUES = (25, 250, 140, 320, 85, 200, 290, 55)


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
    points: Sequence[Point],
    path: Path,
    *,
    title: str,
    facts: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> None:
    """Write points as one HTML page with a drawing; the commonest labels have their own colours.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    counts = Counter(point.label for point in points if point.label is not None)
    legend = [
        (label, hue, count)
        for (label, count), hue in zip(counts.most_common(len(_HUES)), _HUES, strict=False)
    ]
    hues = {label: hue for label, hue, _ in legend}
    rest = sum(point.label not in hues for point in points)
    drawn: dict[str, Any] = {"hues": hues, "legend": legend, "rest": rest}
    write_page("map.html", path, title=title, facts=facts, notes=notes, points=points, **drawn)
