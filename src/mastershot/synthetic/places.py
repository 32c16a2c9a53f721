"""The places that drawn films are set in, by kind, layout and colours."""

from collections.abc import Callable
from dataclasses import dataclass

from mastershot.core.embeddings import FloatArray
from mastershot.synthetic import indoors, outdoors
from mastershot.synthetic.canvas import Canvas, Window
from mastershot.synthetic.colours import Palette, palette_of

PLACES: dict[str, Callable[[Canvas, Palette], None]] = {
    "beach": outdoors.paint_beach,
    "cave": indoors.paint_cave,
    "church": indoors.paint_church,
    "corridor": indoors.paint_corridor,
    "desert": outdoors.paint_desert,
    "forest": outdoors.paint_forest,
    "kitchen": indoors.paint_kitchen,
    "library": indoors.paint_library,
    "meadow": outdoors.paint_meadow,
    "mountain": outdoors.paint_mountain,
    "sea": outdoors.paint_sea,
    "street": outdoors.paint_street,
}
"""What paints each kind of place; the names are labels of the ``movieclip`` taxonomy."""


@dataclass(frozen=True)
class Place:
    """One place of the world.

    Attributes:
        kind: A key of `PLACES`.
        layout_seed: Fixes where everything stands.
        colours: The eight colours it is painted in, as `palette_of` reads them.
    """

    kind: str
    layout_seed: int
    colours: str


def paint_place(place: Place, window: Window, *, width_px: int, height_px: int) -> FloatArray:
    """Return what a window shows of a place, shape (3, H, W), in about 0 to 255."""
    canvas = Canvas(window, width_px=width_px, height_px=height_px, seed=place.layout_seed)
    PLACES[place.kind](canvas, palette_of(place.colours))
    return canvas.pixels
