"""The light of a frame in a few numbers: how bright, how coloured, and whether sky is above."""
# H × W size of an image, P its pixels, K statistics

import numpy as np

from mastershot.core.embeddings import DETECTOR, EmbeddingSpace, FloatArray, ImageArray
from mastershot.encoders.detectors.bars import without_bars

STATISTICS = (
    "mean", "darkest", "median", "brightest", "deviation",
    "top", "bottom", "sky", "smooth_top", "saturation", "warmth", "warmth_top", "green",
)  # fmt: skip
"""What `light_statistics` holds, in order.

Luminance (Rec. 709 weights of the stored values) of all pixels: its mean, 5th, 50th and 95th
percentile and deviation; its mean in the upper and in the lower third. Of the upper third, the
share that is smooth, and smooth, bright and no warmer than grey: the sky. Mean saturation; red
minus blue, of all and of the upper third; the share of pixels that are more green than red or blue.
"""
LIGHT_SPACE = EmbeddingSpace(f"{DETECTOR}light", "rec709-thirds-2", len(STATISTICS))
"""The space of `light_statistics`, which are read, not compared, as what detectors find."""

_SIDE_PX = 72  # Statistics need no more; of larger images every second, third … pixel is taken.
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_SMOOTH_STEP = 0.03  # between neighbours, at most
_SKY_BRIGHTEST = 0.3  # of the three channels, at least
_GREY_ROOM = 0.02


def light_statistics(image: ImageArray) -> FloatArray:
    """Return the `STATISTICS` of an RGB frame (H, W, 3), float32 (K,), each in [-1, 1].

    Black bars above and below are left out: they would hide the sky.
    """
    image = without_bars(image, step=1)
    step = max(1, round(max(image.shape[:2]) / _SIDE_PX))
    pixels = image[::step, ::step].astype(np.float32) / 255
    luminance = pixels @ _LUMINANCE
    third = max(1, len(pixels) // 3)
    upper, upper_luminance = pixels[:third], luminance[:third]
    red, green, blue = np.moveaxis(upper, 2, 0)
    highest = pixels.max(axis=2)
    steps = np.abs(np.diff(upper_luminance, axis=1, append=upper_luminance[:, -1:]))
    is_smooth = steps < _SMOOTH_STEP
    is_cool = (blue >= red) & (blue >= green - _GREY_ROOM) & (highest[:third] > _SKY_BRIGHTEST)
    darkest, median, brightest = np.quantile(luminance, [0.05, 0.5, 0.95])
    saturation = (highest - pixels.min(axis=2)) / np.maximum(highest, 1e-3)
    is_green = (pixels[..., 1] > pixels[..., 0]) & (pixels[..., 1] > pixels[..., 2])
    statistics = (
        luminance.mean(), darkest, median, brightest, luminance.std(),
        upper_luminance.mean(), luminance[-third:].mean(),
        (is_cool & is_smooth).mean(), is_smooth.mean(), saturation.mean(),
        (pixels[..., 0] - pixels[..., 2]).mean(), (red - blue).mean(), is_green.mean(),
    )  # fmt: skip
    return np.array(statistics, np.float32)
