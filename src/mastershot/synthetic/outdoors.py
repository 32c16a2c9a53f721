"""Painters of the open-air places of drawn films."""

import numpy as np

from mastershot.synthetic.canvas import BLACK, PLACE_WIDTH, Box, Canvas, Colour, Palette, mix


def paint_forest(canvas: Canvas, p: Palette) -> None:
    """Paint four rows of trunks under leaves, hazier with distance."""
    canvas.gradient(0.8, p.upper, p.lower)
    for layer in range(4):
        depth = layer / 3
        colour = mix(p.far, p.near, depth)
        edge = 0.6 + 0.1 * depth + 0.03 * canvas.line(2)
        canvas.ridge(edge, mix(colour, p.ground, depth), p.ground, 0.3)
        for _ in range(16 - 3 * layer):
            x, lean, size, low = canvas.rng.uniform(
                (0, -0.02, 0.7, 0), (PLACE_WIDTH, 0.02, 1.3, 0.05)
            )
            width = (0.010 + 0.03 * depth) * size
            top, foot = x + lean, 0.66 + 0.12 * depth + low
            trunk = [(top - width / 2, -0.3), (top + width / 2, -0.3), (x + width, foot)]
            bark = mix(colour, p.thing, 0.3 + 0.5 * depth)
            canvas.polygon([*trunk, (x - width, foot)], bark)
        crown = canvas.noise(6, octaves=5) + 0.3 - 1.3 * canvas.y + 0.25 * depth
        leaf = mix(colour, p.accent, 0.3) * (1 + 0.35 * canvas.noise(40, octaves=2))
        canvas.cover(0.9 * np.clip(crown * 6, 0, 1), leaf)
    canvas.shade(0.35 * canvas.noise(24, stretch=3), below=0.62)
    for x in canvas.rng.uniform(0.3, 2.7, 3):
        canvas.glow(x, 0.25, 0.22, 0.4 * p.light)


def paint_beach(canvas: Canvas, p: Palette) -> None:
    """Paint sky, sea, a line of foam, and sand with parasols and a palm."""
    canvas.gradient(0.45, p.upper, p.lower)
    _clouds(canvas, p, 0.45)
    canvas.glow(canvas.rng.uniform(0.4, 2.6), 0.2, 0.16, p.light)
    _water(canvas, p, 0.45)
    shore = 0.64 + 0.035 * canvas.line(1.2) + 0.05 * (canvas.x / PLACE_WIDTH)
    canvas.ridge(shore - 0.014, p.light, p.light, 1)
    canvas.ridge(shore, mix(p.thing, p.ground, 0.35), p.thing, 0.12)
    canvas.shade(0.14 * canvas.noise(40, stretch=4), below=0.66)
    for foot in np.sort(canvas.rng.uniform(0.72, 0.95, 6)):
        _parasol(canvas, p, foot)
    x = canvas.rng.uniform(0.2, 2.8)
    canvas.polygon([(x + 0.1, 0.2), (x + 0.13, 0.2), (x + 0.035, 0.86), (x - 0.03, 0.86)], p.near)
    top, high = x + 0.115, 0.2
    for leaf, turn in enumerate(canvas.rng.uniform(-0.2, 0.2, 9)):
        across, down = np.cos(0.7 * leaf + turn), np.sin(0.7 * leaf + turn)
        bend = (top + 0.15 * across, high - 0.05 + 0.1 * down)
        tip = (top + 0.27 * across, high + 0.06 + 0.13 * down)
        green = mix(p.far, p.near, 0.4 * (leaf % 2))
        canvas.capsule((top, high), bend, 0.014, green)
        canvas.polygon([(bend[0], bend[1] - 0.018), (bend[0], bend[1] + 0.02), tip], green)


def _parasol(canvas: Canvas, p: Palette, foot: float) -> None:
    x, stripe = canvas.rng.uniform((0.1, 0), (2.9, 1))
    size = 0.3 * (foot - 0.5)
    rim = foot - 1.9 * size
    canvas.capsule((x, rim), (x, foot), 0.03 * size, p.near)
    canvas.capsule((x + 0.5 * size, foot), (x + 1.6 * size, foot), 0.09 * size, p.far)
    canvas.shape(
        (x - size, rim - size, x + size, rim),
        lambda u, v: np.maximum(np.hypot(u - x, (v - rim) * 1.2) - size, v - rim),
        p.accent if stripe < 0.6 else p.light,
    )
    canvas.polygon([(x, rim - 0.83 * size), (x + 0.3 * size, rim), (x - 0.3 * size, rim)], p.thing)


def paint_sea(canvas: Canvas, p: Palette) -> None:
    """Paint a low sun over water, an island and two sailing boats, seen from a pier."""
    horizon, sun, isle = canvas.rng.uniform((0.4, 0.5, 0), (0.52, 2.5, 3))
    canvas.gradient(horizon, p.upper, p.lower)
    _clouds(canvas, p, horizon)
    canvas.glow(sun, horizon - 0.12, 0.2, 0.8 * p.light)
    canvas.disc(sun, horizon - 0.12, 0.05, p.light)
    height = 0.11 * np.exp(-(((canvas.x - isle) / 0.35) ** 2)) * (1.2 + canvas.line(5))
    canvas.ridge(horizon - height, p.far, p.near, 0.12)
    _water(canvas, p, horizon)
    width = 0.06 + 0.3 * np.clip(canvas.y - horizon, 0, 1)
    sparkle = np.clip(canvas.noise(60, stretch=5, octaves=3) * 2 + 0.2, 0, 1)
    path = np.exp(-(((canvas.x - sun) / width) ** 2)) * sparkle * (canvas.y > horizon)
    canvas.cover(0.8 * path, p.light)
    for x, size in canvas.rng.uniform((0.3, 0.08), (2.7, 0.16), (2, 2)):
        base, left = horizon + 0.4 * size, x - 0.1 * size
        deck, low = base - 0.3 * size, base + 0.1 * size
        canvas.polygon([(x, base - 2 * size), (x + size, deck), (x, deck)], p.accent)
        sail = [(left, base - 1.6 * size), (left, deck), (x - 0.7 * size, deck)]
        canvas.polygon(sail, mix(p.accent, p.light, 0.6))
        rim = [(x - size, base - 0.2 * size), (x + 1.1 * size, base - 0.2 * size)]
        canvas.polygon([*rim, (x + 0.7 * size, low), (x - 0.7 * size, low)], p.thing)
    for x in 0.3 * np.arange(11):
        canvas.capsule((x, 0.72), (x, 0.87), 0.008, p.thing)
    canvas.capsule((-0.5, 0.735), (3.5, 0.735), 0.006, mix(p.thing, p.light, 0.2))
    canvas.ridge(0.83, mix(p.thing, p.light, 0.25), p.thing, 0.2)
    for y in 0.855 + 0.04 * np.arange(5):
        canvas.box((-1, y, 4, y + 0.004), 0.5 * p.thing)


def paint_desert(canvas: Canvas, p: Palette) -> None:
    """Paint rippled dunes under a hard sun, with cactuses."""
    canvas.gradient(0.55, p.upper, p.lower)
    sun = canvas.rng.uniform(0.4, 2.6)
    canvas.glow(sun, 0.17, 0.16, 0.7 * p.light)
    canvas.disc(sun, 0.17, 0.055, p.light)
    for layer in range(5):
        depth = layer / 4
        dune = canvas.line(0.9 + 0.3 * layer, octaves=2)
        lit = mix(mix(p.far, p.lower, 0.5), p.ground, depth)
        edge = 0.47 + 0.13 * layer - 0.07 * (1 + depth) * dune
        canvas.ridge(edge, lit, mix(lit, p.near, 0.75), 0.10 + 0.12 * depth)
    bent = np.maximum(canvas.y + 0.05 * canvas.noise(3, octaves=3), 0)
    canvas.shade(0.09 * np.sin(150 * bent**1.5) * np.clip((canvas.y - 0.5) * 4, 0, 1), below=0.5)
    stem = [(0.0, -1.0, 0.0, 0.0)]
    left = [(-0.35, -0.7, -0.35, -0.45), (-0.35, -0.45, 0.0, -0.45)]
    right = [(0.32, -0.85, 0.32, -0.6), (0.0, -0.6, 0.32, -0.6)]
    for foot in np.sort(canvas.rng.uniform(0.62, 0.9, 6)):
        x, size = canvas.rng.uniform(0.1, 2.9), 0.6 * (foot - 0.42)
        for x0, y0, x1, y1 in stem + left + right:
            start, end = (x + x0 * size, foot + y0 * size), (x + x1 * size, foot + y1 * size)
            canvas.capsule(start, end, 0.09 * size, p.thing)
            canvas.capsule(start, end, 0.02 * size, mix(p.thing, p.light, 0.15))
        canvas.disc(x, foot - 1.07 * size, 0.05 * size, p.accent)


def paint_mountain(canvas: Canvas, p: Palette) -> None:
    """Paint three chains of snow-capped rock behind pines on snow."""
    canvas.gradient(0.6, p.upper, p.lower)
    _clouds(canvas, p, 0.5)
    for layer in range(3):
        valleys = np.abs(canvas.line(1.3 + 0.5 * layer, octaves=6))
        edge = 0.1 + 0.22 * layer + (0.5 - 0.1 * layer) * valleys
        rock = mix(p.far, p.near, layer / 2)
        canvas.ridge(edge, rock, mix(rock, p.lower, 0.5), 0.5)
        height, facet = canvas.y - edge, canvas.noise(7, octaves=5)
        snow = np.clip((0.16 - 0.05 * layer - height + 0.14 * facet) * 30, 0, 1) * (height > 0)
        canvas.cover(snow, p.light * (0.86 + 0.2 * np.clip(6 * facet, -1, 1)))
        canvas.shade(0.22 * facet * (height > 0))
    canvas.ridge(0.8 + 0.05 * canvas.line(1), p.ground, mix(p.ground, p.near, 0.3), 0.3)
    canvas.shade(0.08 * canvas.noise(12, stretch=3), below=0.75)
    for foot in np.sort(canvas.rng.uniform(0.78, 1.0, 26)):
        x, size = canvas.rng.uniform(0, 3), 0.75 * (foot - 0.6)
        green = mix(p.thing, BLACK, canvas.rng.uniform(0, 0.3))
        canvas.box((x - 0.04 * size, foot - 0.2 * size, x + 0.04 * size, foot), 0.6 * p.near)
        for tier in range(3):
            base, half = foot - (0.12 + 0.26 * tier) * size, (0.34 - 0.08 * tier) * size
            branches = [(x, base - 0.45 * size), (x + half, base), (x - half, base)]
            canvas.polygon(branches, mix(green, p.light, 0.12 * tier))


def paint_meadow(canvas: Canvas, p: Palette) -> None:
    """Paint rolling hills with a barn, trees, grass and flowers."""
    canvas.gradient(0.5, p.upper, p.lower)
    _clouds(canvas, p, 0.5)
    for layer in range(4):
        depth = layer / 3
        grass = mix(mix(p.far, p.lower, 0.35), p.ground, depth)
        edge = 0.42 + 0.12 * layer + 0.06 * canvas.line(0.8 + 0.3 * layer, octaves=3)
        canvas.ridge(edge, mix(grass, p.light, 0.25), mix(grass, p.near, 0.3), 0.2)
        if layer == 1:
            for x, size, shade in canvas.rng.uniform((0, 0.02, 0), (3, 0.06, 1), (14, 3)):
                canvas.box((x - 0.1 * size, 0.55, x + 0.1 * size, 0.6), 0.5 * p.thing)
                canvas.disc(x, 0.57 - size, size, mix(p.near, p.far, 0.6 * shade))
                canvas.disc(x - 0.5 * size, 0.575 - 0.7 * size, 0.7 * size, p.near)
        if layer == 2:
            x = canvas.rng.uniform(0.3, 2.5)
            canvas.box((x, 0.52, x + 0.3, 0.7), p.thing)
            roof = [(x + 0.15, 0.4), (x + 0.33, 0.53), (x - 0.03, 0.53)]
            canvas.polygon(roof, 0.6 * p.near)
            canvas.box((x + 0.11, 0.59, x + 0.19, 0.7), 0.4 * p.thing)
            canvas.box((x + 0.13, 0.465, x + 0.17, 0.5), p.light)
    canvas.shade(0.22 * canvas.noise(60, stretch=0.5, octaves=3), below=0.55)
    for x, y, shade in canvas.rng.uniform(size=(260, 3)):
        canvas.disc(3 * x, 0.76 + 0.3 * y, 0.002 + 0.008 * y, mix(p.accent, p.light, shade))


def paint_street(canvas: Canvas, p: Palette) -> None:
    """Paint three rows of houses with lit windows, street lamps on a wet road, and a car."""
    canvas.gradient(0.8, p.upper, p.lower)
    for layer in range(3):
        for house in range(12):
            size, roof, shade, gap = canvas.rng.uniform((0.16, 0.05, 0, 0), (0.3, 0.4, 0.25, 1))
            left, top = 0.29 * house - 0.2, roof + 0.07 * (2 - layer)
            wall = mix(mix(p.far, p.near, layer / 2), p.thing, shade)
            if layer < 2 or gap < 0.5:
                _house(canvas, p, (left, top, left + size, 0.8), wall)
    canvas.ridge(0.76, mix(p.ground, p.near, 0.4), p.ground, 0.02)
    canvas.ridge(0.8, mix(p.ground, p.lower, 0.4), p.ground, 0.25)
    canvas.shade(0.3 * canvas.noise(30, stretch=5), below=0.77)
    for x in np.arange(8) * 0.4:
        stripe = [(x, 0.92), (x + 0.2, 0.92), (x + 0.19, 0.935), (x - 0.02, 0.935)]
        canvas.polygon(stripe, mix(p.light, p.ground, 0.3))
    for x in np.arange(5) * 0.62 + canvas.rng.uniform(0.15, 0.35, 5):
        canvas.box((x - 0.006, 0.42, x + 0.006, 0.82), 0.5 * p.near)
        canvas.glow(x, 0.41, 0.11, 0.7 * p.light)
        canvas.disc(x, 0.41, 0.02, p.light)
        canvas.glow(x, 0.9, 0.08, 0.4 * p.light)
    x = canvas.rng.uniform(0.3, 2.4)
    cabin = [(x + 0.07, 0.775), (x + 0.2, 0.775), (x + 0.26, 0.83), (x + 0.03, 0.83)]
    canvas.polygon(cabin, mix(p.lower, p.light, 0.2))
    canvas.capsule((x + 0.03, 0.857), (x + 0.3, 0.857), 0.032, p.accent)
    for wheel in (x + 0.07, x + 0.26):
        canvas.disc(wheel, 0.89, 0.033, 0.3 * p.near)
        canvas.disc(wheel, 0.89, 0.014, mix(p.light, p.near, 0.5))
    canvas.glow(x + 0.33, 0.85, 0.03, p.light)


def _house(canvas: Canvas, p: Palette, box: Box, wall: Colour) -> None:
    left, top, right, bottom = box
    rng = np.random.default_rng(int(1e6 * (left + 1) * top))
    canvas.box(box, wall)
    columns = max(2, round((right - left) / 0.055))
    gap = (right - left) / columns
    for y in np.arange(top + 0.045, bottom - 0.14, 0.065):
        for x in left + gap * (np.arange(columns) + 0.5):
            glass = mix(wall, p.light, 0.85) if rng.uniform() < 0.35 else 0.55 * wall
            canvas.box((x - 0.3 * gap, y - 0.018, x + 0.3 * gap, y + 0.018), glass)
    shop = (left + 0.02, bottom - 0.12, right - 0.02, bottom)
    canvas.box(shop, mix(p.accent, wall, rng.uniform(0.1, 0.9)))


def _clouds(canvas: Canvas, p: Palette, horizon: float) -> None:
    share = np.clip(canvas.noise(3, stretch=3, octaves=5) * 1.5, 0, 0.75)
    canvas.cover(share * np.clip((horizon - canvas.y) / horizon, 0, 1), p.light)


def _water(canvas: Canvas, p: Palette, horizon: float) -> None:
    canvas.ridge(horizon, mix(p.ground, p.lower, 0.45), p.ground, 0.6)
    near = np.clip((canvas.y - horizon) / 0.5, 0.02, 1)
    swell = np.sin(60 * np.sqrt(near) + 5 * canvas.noise(8, stretch=6, octaves=3))
    glitter = canvas.noise(70, stretch=6, octaves=2)
    canvas.shade(0.16 * swell * near + 0.2 * glitter, below=horizon)
