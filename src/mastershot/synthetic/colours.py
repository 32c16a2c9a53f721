"""Palettes of drawn places: natural ones, and random ones that tell nothing of the place."""

from typing import NamedTuple

import numpy as np

from mastershot.synthetic.canvas import Colour


class Palette(NamedTuple):
    """The colours a place is painted in.

    Attributes:
        upper: The top of the sky, or the ceiling.
        lower: The sky at the horizon, or the wall.
        far: What stands far away.
        near: What stands close.
        ground: What lies below: earth, floor, water.
        thing: The objects in the place.
        accent: Small things that catch the eye.
        light: Sun, lamps and windows.
    """

    upper: Colour
    lower: Colour
    far: Colour
    near: Colour
    ground: Colour
    thing: Colour
    accent: Colour
    light: Colour


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


def palette_of(colours: str) -> Palette:
    """Return the palette that eight hexadecimal colours name."""
    return Palette(*map(colour_of, colours.split()))


def colour_of(digits: str) -> Colour:
    """Return the colour that six hexadecimal digits name, shape (3, 1, 1)."""
    return np.array(list(bytes.fromhex(digits)), np.float32)[:, None, None]


def random_colours(seed: int) -> str:
    """Return eight colours drawn without regard to what they will paint."""
    rng = np.random.default_rng(seed)
    hues = rng.uniform(0, 2 * np.pi, (8, 1)) + np.array([0, 2, 4]) * (np.pi / 3)
    levels, strengths = rng.uniform((50, 0.15), (190, 0.55), (8, 2)).T[:, :, None]
    values = np.clip(levels * (1 + strengths * np.cos(hues)), 0, 255).astype(np.uint8)
    return " ".join(bytes(colour).hex() for colour in values)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour ``share`` of the way from one to the other."""
    return one + (other - one) * np.float32(share)


BLACK = colour_of("000000")
WHITE = colour_of("ffffff")
