"""Black bars above and below the picture of a frame, which say nothing of what it shows."""
# H × W size of a frame

import numpy as np

from mastershot.core.embeddings import ImageArray

BLACK = 24
"""Brightest level of a bar, in 0..255: black, with the noise of compression."""

LEAST_BAR, WIDEST_BAR = 0.03, 0.30
"""What a bar takes of a frame's height; 2.76:1 in 4:3, the widest film, has bars of 0.26."""

_UNEQUAL = 0.01  # how far two bars may differ, as a share of the height
_INSIDE = 0.02  # share of the height inside of a bar in which the picture has to be seen
_SEEN = 60  # level that something in there reaches, or a dark picture is taken for a bar
_STEP = 4  # rows; bars are cut in steps, so that the pictures of a film are of one size or few


def without_bars(image: ImageArray, *, step: int = _STEP) -> ImageArray:
    """Return the rows of a frame (H, W, 3) between two equal black bars; all, where it has none.

    A picture that is dark next to its bars keeps them. Bars are cut by a multiple of ``step`` rows.
    """
    height = len(image)
    brightest = image.reshape(height, -1).max(axis=1)
    light = np.flatnonzero(brightest > BLACK)
    if not len(light):
        return image
    top, bottom = int(light[0]), height - 1 - int(light[-1])
    bars, near = (top / height, bottom / height), max(2, round(_INSIDE * height))
    seen = brightest[top : top + near].max(), brightest[: height - bottom][-near:].max()
    equal = abs(top - bottom) <= max(2, _UNEQUAL * height)
    if not equal or min(bars) < LEAST_BAR or max(bars) > WIDEST_BAR or min(seen) < _SEEN:
        return image
    cut = min(top, bottom) // step * step
    return image[cut : height - cut]
