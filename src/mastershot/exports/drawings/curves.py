"""How the figures of a run went, as a small SVG: one panel a figure, on one axis of steps."""

from collections.abc import Mapping, Sequence
from html import escape

from mastershot.exports.drawings.film import Scale

_WIDTH, _PANEL, _LEFT, _RIGHT, _GAP = 640, 90, 64, 16, 26
_COLOUR = "#2a6f97"
_NOT_DRAWN = ("step", "seconds")


def draw_curves(entries: Sequence[Mapping[str, object]], title: str = "") -> str:
    """Return the SVG of a log's figures against its steps; entries hold ``step`` and numbers."""
    names = dict.fromkeys(
        name
        for entry in entries
        for name, value in entry.items()
        if isinstance(value, int | float) and name not in _NOT_DRAWN
    )
    curves = {
        name: [
            (float(str(entry["step"])), float(str(entry[name])))
            for entry in entries
            if name in entry
        ]
        for name in names
    }
    height = _GAP + len(curves) * (_PANEL + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="11" fill="#444">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="14">{escape(title)}</text>',
    ]
    for place, (name, points) in enumerate(curves.items()):
        parts += _panel(name, points, _GAP + place * (_PANEL + _GAP))
    return "\n".join([*parts, "</svg>", ""])


def _panel(name: str, points: Sequence[tuple[float, float]], top: float) -> list[str]:
    steps, values = [step for step, _ in points], [value for _, value in points]
    across, down = Scale(0, max(steps)), Scale(min(values), max(values))
    width = _WIDTH - _LEFT - _RIGHT

    def at(step: float, value: float) -> str:
        y = top + _PANEL * (1 - down.at(value) / 100)
        return f"{_LEFT + width * across.at(step) / 100:.1f},{y:.1f}"

    line = " ".join(at(step, value) for step, value in points)
    return [
        f'<path d="M{_LEFT} {top}V{top + _PANEL}H{_WIDTH - _RIGHT}" fill="none" stroke="#ccc"/>',
        f'<polyline points="{line}" fill="none" stroke="{_COLOUR}" stroke-width="1.5"/>',
        f'<text x="{_LEFT + 6}" y="{top + 12}">{escape(name.replace("_", " "))}</text>',
        f'<text x="{_LEFT - 5}" y="{top + 9}" text-anchor="end">{max(values):.4g}</text>',
        f'<text x="{_LEFT - 5}" y="{top + _PANEL}" text-anchor="end">{min(values):.4g}</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="{top + _PANEL + 12}" text-anchor="end">'
        f"{max(steps):,.0f} steps</text>",
    ]
