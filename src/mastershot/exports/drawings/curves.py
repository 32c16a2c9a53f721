"""The metrics of a training run as a small SVG: one panel a metric, on one axis of steps."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mastershot.exports.drawings.film import Scale

_WIDTH, _PANEL, _LEFT, _RIGHT, _GAP = 640, 90, 64, 16, 26
_NOT_DRAWN = ("step", "seconds")


def draw_curves(entries: Sequence[Mapping[str, Any]], title: str = "") -> str:
    """Return the SVG of a log's numbers against its steps; each entry has a ``step``."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        for name, value in entry.items():
            if isinstance(value, int | float) and name not in _NOT_DRAWN:
                curves.setdefault(name, []).append((entry["step"], value))
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


def _panel(name: str, points: Sequence[tuple[float, float]], top: int) -> list[str]:
    steps, values = zip(*points, strict=True)
    across, up = Scale(0, max(steps)), Scale(min(values), max(values))
    right, bottom = _WIDTH - _RIGHT, top + _PANEL
    line = " ".join(
        f"{_LEFT + (right - _LEFT) * across.at(step) / 100:.1f},"
        f"{bottom - _PANEL * up.at(value) / 100:.1f}"
        for step, value in points
    )
    return [
        f'<path d="M{_LEFT} {top}V{bottom}H{right}" fill="none" stroke="#ccc"/>',
        f'<polyline points="{line}" fill="none" stroke="#2a6f97" stroke-width="1.5"/>',
        f'<text x="{_LEFT + 6}" y="{top + 12}">{escape(name.replace("_", " "))}</text>',
        f'<text x="{_LEFT - 5}" y="{top + 9}" text-anchor="end">{up.high:.4g}</text>',
        f'<text x="{_LEFT - 5}" y="{bottom}" text-anchor="end">{up.low:.4g}</text>',
        f'<text x="{right}" y="{bottom + 12}" text-anchor="end">{across.high:,.0f} steps</text>',
    ]
