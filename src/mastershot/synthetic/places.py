"""The places that drawn films are set in, by kind, layout and colours."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.synthetic import indoors, outdoors
from mastershot.synthetic.canvas import Canvas, Palette, Window, colour_of

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

NATURAL_COLOURS = {
    "beach": "428cd4 b0dcee 408048 543e2c 1884a4 e8cc96 e24a3c fff8e8",
    "cave": "96c8e2 c48c54 3c3234 342c2e 28242a 5a4c42 f48c28 f0f4e4",
    "church": "706258 96826c 3c5abe 683e22 5c4a3c ac9a82 c4283c ffe08c",
    "corridor": "c4c4ba a8b29e 5a6462 5c4838 706a60 703e2c 962830 fffae2",
    "desert": "5c96d6 f8dcb0 d6a070 924e2c e6a860 4a6e3e e2506e fff6d6",
    "forest": "c4d6be e2e8be 8cae84 264228 8a783e 4a3424 608a34 fff0be",
    "kitchen": "e2ceac eedebe 968c80 845c3c b08460 568880 ce5434 fff6d6",
    "library": "543c2c 70523a 28545c 683e24 7e4c2c 784828 30784a ffda94",
    "meadow": "549ce2 cee6f0 78a66e 2c6034 62a034 ac3a2e f0c832 fffcf0",
    "mountain": "3a68b2 b2cee8 707e9c 3e4456 dee8f4 22463e c4483c f8faff",
    "sea": "2c4684 fab078 5a5476 282c46 184268 5c3226 f0f0e8 ffdea4",
    "street": "0e102c 42305c 26284a 181a2c 1e202e 3c2c3e b02a3c ffd080",
}
"""For each kind of place the eight colours of its palette, in order, as hexadecimal RGB."""


@dataclass(frozen=True)
class Place:
    """A place that films are set in.

    Attributes:
        kind: A key of `PLACES`.
        layout_seed: Fixes where everything stands.
        colours: The eight colours of its `Palette`, as hexadecimal RGB.
    """

    kind: str
    layout_seed: int
    colours: str


def draw_place(kind: str, rng: np.random.Generator) -> Place:
    """Return a place of a kind with a layout of its own, in natural colours."""
    return Place(kind, int(rng.integers(2**31)), NATURAL_COLOURS[kind])


def paint_place(place: Place, window: Window, *, width_px: int, height_px: int) -> FloatArray:
    """Return what a window shows of a place, shape (3, H, W), in about 0 to 255."""
    canvas = Canvas(window, width_px=width_px, height_px=height_px, seed=place.layout_seed)
    PLACES[place.kind](canvas, Palette(*map(colour_of, place.colours.split())))
    return canvas.pixels


def random_colours(seed: int) -> str:
    """Return eight colours drawn without regard to what they will paint."""
    rng = np.random.default_rng(seed)
    hues = rng.uniform(0, 2 * np.pi, (8, 1)) + np.array([0, 2, 4]) * (np.pi / 3)
    levels, strengths = rng.uniform((50, 0.15), (190, 0.55), (8, 2)).T[:, :, None]
    values = np.clip(levels * (1 + strengths * np.cos(hues)), 0, 255).astype(np.uint8)
    return " ".join(bytes(colour).hex() for colour in values)
