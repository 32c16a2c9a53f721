"""The page of sub-genres: two maps side by side, a card a sub-genre, relatives of a trailer."""
# T trailers, G genres

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.text import printable
from mastershot.exports.pages.templates import count_text, write_page
from mastershot.exports.subgenres import genres_of, measured
from mastershot.genres.analysis import Analysis
from mastershot.genres.clustering import UNASSIGNED
from mastershot.genres.subgenres import SubGenre
from mastershot.genres.trailers import NO_GENRE, TrailerSet

MAP_SIZE = 1000
"""Width and height of a map in its own units."""
RELATIVES = 6
"""Nearest trailers that are shown, before and after."""
MOST_BARS = 4
BACKDROP = 400
"""Trailers that a card's small map shows in grey, to tell where on the map its own lie."""

_LAYOUT_NAMES = {"tsne": "t-SNE", "umap": "UMAP"}
_LONGEST_TITLE = 80
_HUES = (25, 250, 140, 320, 85, 200, 290, 55, 170, 0, 225, 110)


@dataclass(frozen=True)
class GenreColour:
    """A coarse genre in the legend.

    Attributes:
        name: What it is called.
        place: Among the data set's genres.
        count: How many trailers have it.
        hue: Of its colour; None where it has none of its own.
    """

    name: str
    place: int
    count: int
    hue: int | None


@dataclass(frozen=True)
class GenreBar:
    """A coarse genre on a card: its share of the sub-genre's trailers, and of all."""

    name: str
    share: float
    everywhere: float
    hue: int | None


@dataclass(frozen=True)
class Card:
    """What a card shows of a sub-genre.

    Attributes:
        one: The sub-genre.
        exemplars: Place, title and genres of its exemplars.
        bars: Its coarse genres, the commonest first.
        points: Where its trailers lie, as the path of an SVG.
    """

    one: SubGenre
    exemplars: tuple[tuple[int, str, str], ...]
    bars: tuple[GenreBar, ...]
    points: str


def write_subgenres_page(
    analysis: Analysis, path: Path, *, title: str, facts: tuple[str, ...] = (), notes: Any = ()
) -> None:
    """Write sub-genres as one HTML page; its cards and maps need no script.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    trailers, found = analysis.trailers, analysis.subgenres
    legend = legend_of(trailers)
    layouts = list(analysis.fine.places)
    first = layouts[0]
    after = _on_page(analysis.fine.places[first])
    step = max(1, len(trailers) // BACKDROP)
    write_page(
        "subgenres.html",
        path,
        script="subgenres.js",
        title=title,
        facts=(
            count_text(len(found.found), "sub-genre"),
            count_text(len(trailers), "trailer"),
            *([f"{len(found.unassigned):,} unassigned"] if len(found.unassigned) else []),
            *facts,
        ),
        notes=notes,
        legend=legend,
        sides=[
            (name, what, _paths(_on_page(side.places[first]), trailers.primary, legend))
            for name, what, side in (
                ("Before", "embeddings of the genre network", analysis.coarse),
                ("After", "embeddings of the fine-grained stage", analysis.fine),
            )
        ],
        layouts=[(one, _LAYOUT_NAMES[one]) for one in layouts],
        size=MAP_SIZE,
        cards=[_card(trailers, one, after, legend) for one in found.found],
        backdrop=path_of(after[::step]),
        measured=list(measured(analysis)),
        data=page_data(analysis),
    )


def legend_of(trailers: TrailerSet) -> list[GenreColour]:
    """Return the coarse genres that trailers have, the commonest first.

    A colour of their own have those that are the primary genre of the most trailers.
    """
    counts = trailers.truth.sum(axis=0)
    coloured = np.bincount(
        trailers.primary[trailers.primary != NO_GENRE], minlength=len(trailers.genres)
    )
    hues = dict(zip(np.argsort(-coloured, kind="stable").tolist(), _HUES, strict=False))
    ranked = [place for place in np.argsort(-counts, kind="stable").tolist() if counts[place]]
    return [
        GenreColour(trailers.genres[place], place, int(counts[place]), hues.get(place))
        for place in ranked
    ]


def page_data(analysis: Analysis) -> dict[str, Any]:
    """Return what the page's script reads of each trailer, in short.

    A row is title, year or 0, genres, primary genre, sub-genre or -1, relatives before, relatives
    after; places are by layout, and within it before and after, as x and y in turn.
    """
    trailers = analysis.trailers
    labels, primary = analysis.subgenres.clusters.labels, trailers.primary
    rows = [
        [
            _short(trailers.name_of(place)),
            trailers.years[place] or 0,
            np.flatnonzero(trailers.truth[place]).tolist(),
            int(primary[place]),
            int(labels[place]),
            _relatives(analysis.coarse.nearest[place]),
            _relatives(analysis.fine.nearest[place]),
        ]
        for place in range(len(trailers))
    ]
    return {
        "genres": [printable(name) for name in trailers.genres],
        "names": [printable(one.name) for one in analysis.subgenres.found],
        "trailers": rows,
        "places": {
            layout: [
                _on_page(side.places[layout]).ravel().tolist()
                for side in (analysis.coarse, analysis.fine)
            ]
            for layout in analysis.fine.places
        },
    }


def path_of(xy: IntArray) -> str:
    """Return the path of an SVG that marks points: with round caps, each a dot."""
    return "".join(f"M{x} {y}h0" for x, y in xy.tolist())


def _on_page(places: FloatArray) -> IntArray:
    """Return places in [0, 1] as whole units of a map, with a margin, (T, 2)."""
    margin = 20
    return np.round(margin + (MAP_SIZE - 2 * margin) * places).astype(np.int64)


def _paths(
    xy: IntArray, primary: IntArray, legend: list[GenreColour]
) -> list[tuple[int, int | None, str]]:
    """Return the points of each primary genre as place, hue and path; those of none first."""
    rest = [(NO_GENRE, None, path_of(xy[primary == NO_GENRE]))]
    return rest + [(one.place, one.hue, path_of(xy[primary == one.place])) for one in legend[::-1]]


def _card(trailers: TrailerSet, one: SubGenre, xy: IntArray, legend: list[GenreColour]) -> Card:
    everywhere = trailers.truth.mean(axis=0)
    bars = [
        GenreBar(
            colour.name,
            float(one.genre_shares[colour.place]),
            float(everywhere[colour.place]),
            colour.hue,
        )
        for colour in legend
    ]
    bars = [bar for bar in bars if bar.share > 0]
    bars.sort(key=lambda bar: -bar.share)
    exemplars = tuple(
        (place, _titled(trailers, place), ", ".join(genres_of(trailers, place)))
        for place in one.exemplars
    )
    points = path_of(np.unique(xy[one.members], axis=0))
    return Card(one, exemplars, tuple(bars[:MOST_BARS]), points)


def _titled(trailers: TrailerSet, place: int) -> str:
    year = trailers.years[place]
    title = _short(trailers.name_of(place))
    return title if year is None else f"{title} ({year})"


def _short(title: str) -> str:
    shown = printable(title)
    return shown if len(shown) <= _LONGEST_TITLE else shown[: _LONGEST_TITLE - 1] + "…"


def _relatives(nearest: IntArray) -> list[int]:
    return [int(place) for place in nearest[:RELATIVES] if place != UNASSIGNED]
