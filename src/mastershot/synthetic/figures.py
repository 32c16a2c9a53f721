"""The people of drawn films: one person a seed, painted at any size in two poses."""

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.synthetic.canvas import WHITE, Canvas, Floats, Window, colour_of

SKINS = tuple(map(colour_of, ("f4d0b2", "deac82", "b07a54", "784e36")))
HAIRS = tuple(map(colour_of, ("221a18", "5c361e", "c4944a", "969698")))
LIPS, PUPIL = colour_of("782c2c"), colour_of("221a18")


def paint_figure(seed: int, window: Window, *, height_px: int, pose: int) -> FloatArray:
    """Return a person, shape (4, H, W): colours times opacity, then opacity, in 0 to 255.

    The crown of the head is at y = 0, the feet stand on y = 1, and x = 0 is the middle. In pose 1
    the mouth is open and the other foot is in front.
    """
    rng = np.random.default_rng(seed)
    hues = rng.uniform(0, 2 * np.pi, (2, 1)) + np.array([0, 2, 4]) * (np.pi / 3)
    levels = rng.uniform((80, 40), (170, 100))[:, None]
    clothes = (levels * (1 + 0.45 * np.cos(hues))).astype(np.float32)
    shirt, trousers = clothes[:, :, None, None]
    skin, hair = SKINS[rng.integers(len(SKINS))], HAIRS[rng.integers(len(HAIRS))]
    colours = np.stack([skin, 0.85 * skin, hair, shirt, 0.85 * shirt, trousers])
    build, long_hair = float(rng.uniform(0.85, 1.25)), bool(rng.uniform() < 0.5)
    width_px = max(1, round(height_px * window.width / window.height))
    canvas = Canvas(window, width_px=width_px, height_px=height_px, seed=seed)
    _paint_body(canvas, colours, pose, build=build, long_hair=long_hair)
    for x in (-0.027, 0.027):
        canvas.disc(x, 0.095, 0.0095, WHITE)
        canvas.disc(x + 0.002, 0.096, 0.0065, PUPIL)
        canvas.box((x - 0.014, 0.073, x + 0.014, 0.078), hair)
    canvas.capsule((0, 0.1), (0.004, 0.118), 0.005, 0.85 * skin)
    canvas.capsule((-0.014, 0.146), (0.014, 0.146), 0.009 if pose else 0.003, LIPS)
    outline = Canvas(window, width_px=width_px, height_px=height_px, seed=seed)
    white = np.full_like(colours, 255)
    _paint_body(outline, white, pose, build=build, long_hair=long_hair)
    return np.concatenate([canvas.pixels, outline.pixels[:1]])


def _paint_body(
    canvas: Canvas, colours: Floats, pose: int, *, build: float, long_hair: bool
) -> None:
    skin, neck, hair, shirt, sleeves, trousers = colours
    stride = 0.05 if pose else -0.05
    for side in (-build, build):
        foot = (0.035 * side + 0.6 * stride * side, 0.97)
        canvas.capsule((0.035 * side, 0.56), foot, 0.03, trousers)
        hand = (0.12 * side + 0.5 * stride, 0.5)
        canvas.capsule((0.085 * side, 0.25), hand, 0.022, sleeves)
        canvas.disc(*hand, 0.022, skin)
    if long_hair:
        canvas.capsule((0, 0.08), (0, 0.17), 0.088, hair)
    canvas.capsule((0, 0.16), (0, 0.22), 0.032, neck)
    for x in (-0.045 * build, 0.045 * build, 0.0):
        canvas.capsule((x, 0.26), (x, 0.54), 0.055 * build, shirt)
    canvas.disc(0, 0.085, 0.085, hair)
    canvas.capsule((0, 0.095), (0, 0.115), 0.066, skin)
