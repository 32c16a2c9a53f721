"""Painters of the enclosed places of drawn films."""

import numpy as np

from mastershot.synthetic.canvas import BLACK, WHITE, Canvas, Colour, Floats, Palette, mix


def paint_kitchen(canvas: Canvas, p: Palette) -> None:
    """Paint a tiled wall with cupboards, shelves and windows over a counter with drawers."""
    canvas.gradient(0.72, p.upper, p.lower)
    joint = np.minimum(np.abs((canvas.x * 14) % 1 - 0.5), np.abs((canvas.y * 14) % 1 - 0.5))
    canvas.shade(-0.2 * ((joint < 0.04) & (canvas.y > 0.3)), below=0.3)
    for unit in range(9):
        left = 0.38 * unit - 0.2
        above, below = canvas.rng.integers(3, size=2)
        (_cupboard, _window, _shelves)[above](canvas, p, left)
        face = mix(p.thing, p.near, 0.35)
        canvas.box((left, 0.58, left + 0.38, 0.93), 0.4 * p.near)
        canvas.box((left + 0.008, 0.6, left + 0.372, 0.9), face)
        (_drawers, _oven, _door)[below](canvas, p, left, face)
    canvas.box((-1, 0.54, 4, 0.575), mix(p.light, p.near, 0.45))
    canvas.box((-1, 0.575, 4, 0.59), 0.5 * p.near)
    canvas.ridge(0.9, p.ground, 0.7 * p.ground, 0.15)
    tiles = np.floor((canvas.x - 1.5) / (0.1 + 0.6 * np.clip(canvas.y - 0.8, 0, 1)))
    canvas.shade(-0.3 * (tiles % 2), below=0.9)
    for x, size, shade in canvas.rng.uniform((0, 0.03, 0), (3, 0.05, 1), (7, 3)):
        pot = mix(p.accent, p.far, round(shade))
        canvas.box((x - size, 0.54 - 1.3 * size, x + size, 0.54), pot)
        canvas.box((x - 1.5 * size, 0.54 - 1.2 * size, x + 1.5 * size, 0.54 - size), 0.6 * pot)
    for x in (0.6, 1.5, 2.4):
        canvas.box((x - 0.003, -0.5, x + 0.003, 0.14), 0.3 * p.near)
        shade_corners = [(x - 0.03, 0.13), (x + 0.03, 0.13), (x + 0.09, 0.2), (x - 0.09, 0.2)]
        canvas.polygon(shade_corners, p.accent)
        canvas.glow(x, 0.24, 0.16, 0.4 * p.light)


def _cupboard(canvas: Canvas, p: Palette, left: float) -> None:
    canvas.box((left + 0.01, -0.05, left + 0.37, 0.3), p.thing)
    for door in (left + 0.02, left + 0.195):
        canvas.box((door, -0.03, door + 0.165, 0.285), mix(p.thing, WHITE, 0.12))
        canvas.box((door + 0.135, 0.2, door + 0.145, 0.26), p.far)


def _window(canvas: Canvas, p: Palette, left: float) -> None:
    canvas.box((left + 0.02, 0.05, left + 0.36, 0.46), mix(p.light, p.thing, 0.3))
    canvas.box((left + 0.04, 0.07, left + 0.34, 0.44), p.light)
    canvas.box((left + 0.183, 0.07, left + 0.197, 0.44), mix(p.light, p.thing, 0.5))
    canvas.glow(left + 0.19, 0.26, 0.2, 0.25 * p.light)


def _shelves(canvas: Canvas, p: Palette, left: float) -> None:
    for foot in (0.16, 0.32):
        canvas.box((left + 0.01, foot, left + 0.37, foot + 0.015), p.near)
        for jar in range(5):
            colour = mix(p.accent, p.far, (0.37 * jar + foot) % 1)
            x = left + 0.02 + 0.07 * jar
            canvas.box((x, foot - 0.07, x + 0.046, foot), colour)


def _drawers(canvas: Canvas, p: Palette, left: float, face: Colour) -> None:
    for y in (0.69, 0.79):
        canvas.box((left + 0.008, y, left + 0.372, y + 0.008), 0.5 * face)
    for y in (0.64, 0.74, 0.84):
        canvas.box((left + 0.15, y, left + 0.23, y + 0.01), p.far)


def _oven(canvas: Canvas, p: Palette, left: float, _: Colour) -> None:
    canvas.box((left + 0.04, 0.68, left + 0.34, 0.86), 0.25 * p.near)
    canvas.box((left + 0.04, 0.655, left + 0.34, 0.667), p.light)
    canvas.glow(left + 0.19, 0.78, 0.06, 0.5 * p.accent)


def _door(canvas: Canvas, p: Palette, left: float, face: Colour) -> None:
    canvas.box((left + 0.04, 0.63, left + 0.34, 0.87), mix(face, WHITE, 0.15))
    canvas.disc(left + 0.32, 0.7, 0.012, p.far)


def paint_corridor(canvas: Canvas, p: Palette) -> None:
    """Paint walls, doors, a carpet and lamps that run to a vanishing point."""
    middle, offset = canvas.rng.uniform((1.3, 0), (1.7, 1))
    x, y = (canvas.x - middle) / 1.35, (canvas.y - 0.46) / 0.62
    reach = np.maximum(np.maximum(np.abs(x), np.abs(y)), 0.16)
    across, down, along = x / reach, y / reach, 1.7 / reach + offset
    wall = (np.abs(x) >= np.abs(y)) & (reach > 0.161)
    ceiling = (np.abs(x) < np.abs(y)) & (y < 0)
    door = wall & (along % 1 < 0.42) & (down > -0.45)
    floor = (np.abs(x) < np.abs(y)) & (y > 0)
    canvas.pixels[:] = p.ground
    canvas.cover(floor & (np.abs(across) < 0.5), p.accent)
    canvas.cover(ceiling, p.upper)
    canvas.cover(wall, p.lower)
    canvas.cover(wall & (down > 0.45), p.near)
    canvas.cover(door, p.thing)
    canvas.cover(door & (down < -0.4), 0.5 * p.thing)
    canvas.shade(np.clip(0.15 - 0.12 / reach, -0.75, 0) + 0.07 * canvas.noise(30))
    lamp = ceiling & (along % 1 > 0.55) & (np.abs(across) < 0.2) & (reach > 0.17)
    canvas.cover(lamp, p.light)
    end = (middle - 0.216, 0.361, middle + 0.216, 0.559)
    canvas.box(end, mix(p.far, p.light, 0.4))
    canvas.box((middle - 0.07, 0.41, middle + 0.07, 0.559), mix(p.light, p.far, 0.2))
    canvas.glow(middle, 0.46, 0.22, 0.4 * p.light)


def paint_cave(canvas: Canvas, p: Palette) -> None:
    """Paint dark rock with an opening to the sky, stalactites and small fires."""
    rock, mouth = canvas.noise(5, octaves=6), canvas.rng.uniform(1.0, 2.0)
    canvas.gradient(1.5, p.near, p.ground)
    canvas.shade(0.75 * rock)
    edge = np.hypot((canvas.x - mouth) / 1.5, canvas.y - 0.42) - 0.26 - 0.08 * rock
    rim = 0.7 * np.exp(-np.clip(edge, 0, 2) / 0.16) * (1 + 0.6 * rock)
    canvas.cover(np.clip(rim, 0, 1), p.lower)
    sky = p.upper + (p.light - p.upper) * np.clip((canvas.y - 0.1) * 2, 0, 1)
    canvas.cover(np.clip(0.5 - edge / 0.02, 0, 1), sky)
    for x, length, side in canvas.rng.uniform((0, 0.08, 0), (3, 0.32, 1), (26, 3)):
        width, colour = 0.16 * length + 0.012, mix(p.far, BLACK, 0.2 + 0.5 * side)
        if side < 0.65:
            canvas.polygon([(x - width, -0.1), (x + width, -0.1), (x, length)], colour)
        else:
            foot = [(x + 1.3 * width, 1.1), (x - 1.3 * width, 1.1)]
            canvas.polygon([(x, 1 - 0.7 * length), *foot], colour)
    for x, y in canvas.rng.uniform((0.1, 0.75), (2.9, 0.95), (6, 2)):
        canvas.polygon([(x, y - 0.09), (x + 0.025, y), (x - 0.025, y)], p.accent)
        canvas.glow(x, y - 0.03, 0.07, 0.7 * p.accent)


def paint_church(canvas: Canvas, p: Palette) -> None:
    """Paint stained-glass windows between columns, candles and rows of pews."""
    canvas.gradient(0.8, p.upper, p.lower)
    canvas.shade(0.12 * canvas.noise(14))
    for x in 0.03 + 0.5 * np.arange(7):
        _stained_glass(canvas, p, x, canvas.rng.uniform(size=(10, 4)))
        canvas.box((x + 0.2, -0.5, x + 0.29, 0.8), p.thing)
        canvas.box((x + 0.2, -0.5, x + 0.225, 0.8), mix(p.thing, p.light, 0.3))
        canvas.box((x + 0.18, 0.72, x + 0.31, 0.8), 0.75 * p.thing)
    canvas.ridge(0.79, p.ground, 0.5 * p.ground, 0.4)
    for x in canvas.rng.uniform(0, 3, 8):
        canvas.box((x - 0.006, 0.67, x + 0.006, 0.75), p.light)
        canvas.glow(x, 0.655, 0.05, 0.7 * p.light)
    canvas.ridge(0.9, 0.8 * p.accent, 0.5 * p.accent, 0.3)
    for row in range(2):
        top, wood = 0.74 + 0.07 * row, (0.7 + 0.2 * row) * p.near
        for left in 0.72 * np.arange(-1, 5) + 0.1:
            canvas.box((left, top, left + 0.58, top + 0.08), wood)
            canvas.box((left, top, left + 0.58, top + 0.014), mix(wood, p.light, 0.3))


def _stained_glass(canvas: Canvas, p: Palette, x: float, panes: Floats) -> None:
    def arch(u: Floats, v: Floats) -> Floats:
        dome: Floats = np.hypot(u - x, np.minimum(v - 0.25, 0)) - 0.1
        inside: Floats = np.maximum(dome, v - 0.58)
        return inside

    frame = (x - 0.13, 0.12, x + 0.13, 0.62)
    canvas.shape(frame, lambda u, v: arch(u, v) - 0.016, 0.7 * p.thing)
    for (row, column), shade in np.ndenumerate(panes):
        left, top = x - 0.1 + 0.05 * column, 0.12 + 0.05 * row
        glass, share = (p.accent, shade) if shade < 0.6 else (p.far, shade - 0.6)
        pane = (left, top, left + 0.044, top + 0.044)
        canvas.shape(pane, arch, mix(glass, p.light, float(share)))
    canvas.glow(x, 0.38, 0.14, 0.25 * p.light)


def paint_library(canvas: Canvas, p: Palette) -> None:
    """Paint shelves full of books behind tables with lamps."""
    canvas.gradient(0.85, p.upper, p.lower)
    spines = (p.accent, p.far, p.thing, p.light, p.ground)
    for left in 0.52 * np.arange(6) - 0.05:
        canvas.box((left, -0.1, left + 0.48, 0.82), p.near)
        canvas.box((left + 0.015, -0.1, left + 0.465, 0.8), 0.35 * p.near)
        for foot in 0.1 + 0.14 * np.arange(6):
            start = x = left + 0.02
            for width, height, hue, worn in canvas.rng.uniform(size=(20, 4)):
                if x > start + 0.42:
                    break
                right, top = x + 0.014 + 0.016 * width, foot - 0.075 - 0.045 * height
                canvas.box((x, top, right, foot), (1 - 0.5 * worn) * spines[int(hue * 5)])
                x += 0.016 + 0.016 * width + 0.03 * (worn > 0.93)
            canvas.box((left, foot, left + 0.48, foot + 0.014), mix(p.near, p.light, 0.15))
    canvas.ridge(0.82, p.ground, 0.6 * p.ground, 0.3)
    canvas.shade(0.15 * canvas.noise(8, stretch=10), below=0.82)
    for x in canvas.rng.uniform(0.2, 2.8, 4):
        canvas.box((x - 0.2, 0.74, x + 0.2, 0.765), p.thing)
        canvas.box((x - 0.18, 0.76, x - 0.15, 1.2), 0.7 * p.thing)
        canvas.box((x + 0.15, 0.76, x + 0.18, 1.2), 0.7 * p.thing)
        canvas.box((x - 0.005, 0.64, x + 0.005, 0.74), p.light)
        lamp = [(x - 0.035, 0.6), (x + 0.035, 0.6), (x + 0.06, 0.65), (x - 0.06, 0.65)]
        canvas.polygon(lamp, p.accent)
        canvas.glow(x, 0.67, 0.13, 0.5 * p.light)
