"""A stated model of night: what a daylight photograph would look like after dark.

In linear light: exposure lowered; colours drawn towards the blue-grey of the eye's rods, as
Thompson, Shirley and Ferwerda 2002 (A spatial post-processing algorithm for images of night
scenes) tint theirs; the sky, smooth, bright and above, lowered once more; none to twelve warm lamps
with a halo; noise. It does not model what else differs after dark: lit windows, shadows, traffic.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_ROD_TINT = np.array([0.72, 0.92, 1.3])
_LAMP = np.array([1.0, 0.75, 0.4])
_GAMMA = 2.2


@dataclass(frozen=True)
class Night:
    """Ranges that a frame's night is drawn from, each from its low to its high.

    Attributes:
        exposure: What linear light is multiplied by.
        rods: Share of the tinted luminance.
        sky: What the sky is multiplied by once more.
        most_lamps: Lamps in a frame, at most.
    """

    exposure: tuple[float, float] = (0.04, 0.16)
    rods: tuple[float, float] = (0.4, 0.9)
    sky: tuple[float, float] = (0.3, 1.0)
    most_lamps: int = 12


def darkened(
    image: npt.NDArray[np.uint8], night: Night, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Return an RGB frame (H, W, 3) as it would look at night."""
    linear = (image / 255.0) ** _GAMMA
    luminance = linear @ _LUMINANCE
    rods = random.uniform(*night.rods)
    lowered = (1 - rods) * linear + rods * luminance[..., None] * _ROD_TINT
    lowered *= random.uniform(*night.exposure)
    height, width = luminance.shape
    steps = np.abs(np.diff(luminance, axis=1, append=luminance[:, -1:]))
    is_sky = (np.arange(height) < height / 2)[:, None] & (luminance > 0.3) & (steps < 0.05)
    lowered[is_sky] *= random.uniform(*night.sky)
    rows, columns = np.mgrid[:height, :width]
    for _ in range(random.integers(night.most_lamps + 1)):
        row, column = random.uniform(0, height), random.uniform(0, width)
        far = ((rows - row) ** 2 + (columns - column) ** 2) / (
            random.uniform(0.01, 0.05) * height
        ) ** 2
        lowered += random.uniform(0.3, 1.0) * _LAMP * np.exp(-far)[..., None]
        lowered += 0.03 * _LAMP * (1 / (1 + far / 9))[..., None]
    seen = np.clip(lowered, 0, 1) ** (1 / _GAMMA) + random.normal(0, 0.01, image.shape)
    return np.rint(255 * np.clip(seen, 0, 1)).astype(np.uint8)
