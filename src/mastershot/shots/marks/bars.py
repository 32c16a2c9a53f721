"""Colour bars by the order of their colours, which all standards share."""
# N frames, W width

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import ImageArray
from mastershot.shots.marks.settings import MarkSettings

# Yellow, cyan, green, magenta, red and blue, by descending luma, as in SMPTE EG 1 and RP 219 and in
# EBU bars of 75 and 100 %: which of red (4), green (2) and blue (1) is lit.
_ORDER = (6, 3, 2, 5, 4, 1)
_HEIGHTS = (0.15, 0.3, 0.45)  # SMPTE's bars end at 58 % of the height (RP 219) or 67 % (EG 1).
_LEAST_WIDTH = 1 / 40  # of the picture, of a bar; narrower is the blur between two
_UNEVEN = 1.8  # widest bar over the narrowest
_ALIKE = 10.0  # of 255: mean difference between rows, which is noise
_FLAT = 14.0  # of 255: standard deviation within a bar


def are_bars(images: Sequence[ImageArray], settings: MarkSettings) -> npt.NDArray[np.bool_]:
    """Return which frames, BGR (H, W, 3), show colour bars in their upper part, (N,)."""
    height = images[0].shape[0]
    places = [int(share * height) for share in _HEIGHTS]
    some = np.stack([image[places[1], ::2] for image in images])
    colour = some.max(axis=2) - some.min(axis=2)
    found: npt.NDArray[np.bool_] = colour.mean(axis=1) >= 255 * settings.bars_saturation
    for index in np.flatnonzero(found).tolist():
        lines = images[index][places].astype(np.int16)
        middle = np.median(lines, axis=0)
        found[index] = np.abs(lines - middle).mean() <= _ALIKE and _in_order(middle)
    return found


def _in_order(line: Any) -> bool:
    """Return True if a line, BGR (W, 3), has the colours of bars in order, each flat."""
    width = len(line)
    lit = line > (line.min() + line.max()) / 2
    codes = lit[:, 2] * 4 + lit[:, 1] * 2 + lit[:, 0]
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), width]
    runs = [run for run in pairwise(edges) if run[1] - run[0] >= max(2, _LEAST_WIDTH * width)]
    names = [int(codes[first]) for first, _ in runs]
    for start in range(len(runs) - len(_ORDER) + 1):
        if tuple(names[start : start + len(_ORDER)]) == _ORDER:
            bars = runs[start : start + len(_ORDER)]
            widths = [end - first for first, end in bars]
            if max(widths) <= _UNEVEN * min(widths) + 1:
                return all(_is_flat(line[first:end]) for first, end in bars)
    return False


def _is_flat(part: Any) -> bool:
    """Return True if a bar is of one colour but at its sides, where codecs blur it."""
    blurred = max(1, len(part) // 6)
    inner = part[blurred:-blurred]
    return len(inner) == 0 or float(inner.std(axis=0).max()) <= _FLAT
