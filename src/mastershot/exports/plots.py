"""Plots as SVG: bars with intervals, histograms, precision against recall, and rankings.

Each stands alone as a file; on a page what is not blue takes the page's colours.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from math import ceil, isnan

from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.shot_sweep import SweepPoint
from mastershot.exports.drawings import Scale, round_up

FILL = "#5b8fb0"
_LINE = 'stroke="currentColor" stroke-opacity="0.22"'
_DOTS = 'stroke="currentColor" stroke-opacity="0.55" stroke-width="1.5"'
_SWEEP_LINES = {
    "precision": 'stroke="currentColor" stroke-opacity="0.6" stroke-dasharray="5 3"',
    "recall": 'stroke="currentColor" stroke-opacity="0.6"',
    "f1": f'stroke="{FILL}" stroke-width="2.5"',
}
_ROW, _COLUMN, _COLUMN_GAP, _HEAD = 16, 392, 28, 42
_NAME_END, _BAR_LEFT, _BAR_WIDTH, _VALUE_END = 128, 136, 148, 336
_LONGEST_NAME = 21
_PANEL, _PANEL_STEP, _PANEL_HEIGHT, _PANELS_A_ROW = 176, 244, 258, 5


@dataclass(frozen=True)
class Bar:
    """A bar: its name, and the figure it shows with its interval and number of items."""

    name: str
    figure: Figure


@dataclass(frozen=True)
class Curve:
    """Precision against recall.

    Attributes:
        name: Title of its panel.
        note: The line below the title.
        precisions: Precision at evenly spaced recalls from 0 to 1.
        chance: Precision of a random order: the share of positives; NaN to draw none.
    """

    name: str
    note: str
    precisions: Sequence[float]
    chance: float


def draw_bars(
    bars: Sequence[Bar], *, axis: Scale, title: str, value_name: str, signed: bool = False
) -> str:
    """Return horizontal bars in their order, in columns of equal length that are read down.

    Whiskers are the figures' intervals; a figure that is NaN has a dash and no bar. Each row ends
    with the number of samples that the figure rests on.

    Args:
        bars: One row each; long names are cut and shown whole under the pointer.
        axis: What the width of a column shows; it holds 0, where bars start.
        title: Above the bars.
        value_name: What the values are, such as ``AP``; above each column.
        signed: Write values with their sign, and make bars pale whose interval holds 0.
    """
    num_columns = 1 if len(bars) <= 20 else 2 if len(bars) <= 60 else 3
    num_rows = ceil(len(bars) / num_columns)
    parts: list[str] = []
    for number in range(num_columns):
        left = number * (_COLUMN + _COLUMN_GAP)
        shown = bars[number * num_rows : (number + 1) * num_rows]
        parts += _column_axis(axis, left, len(shown), value_name)
        for row, bar in enumerate(shown):
            parts += _bar_row(bar, axis, left, _HEAD + row * _ROW, signed=signed)
    width = num_columns * (_COLUMN + _COLUMN_GAP) - _COLUMN_GAP
    return _svg(width, _HEAD + num_rows * _ROW + 8, title, parts)


def draw_gains(bars: Sequence[Bar], *, title: str) -> str:
    """Return bars of gains, the largest first, on an axis that holds all of them.

    Bars are pale where the interval does not exclude that nothing is gained.
    """
    ranked = sorted(bars, key=lambda bar: -bar.figure.value)
    ends = list(chain.from_iterable(_ends_of(bar.figure) for bar in bars))
    low, high = min([0.0, *ends]), max([0.0, *ends])
    axis = Scale(-round_up(-low) if low < 0 else 0.0, round_up(high) if high > 0 else 0.0)
    if axis.high == axis.low:
        axis = Scale(0.0, 1.0)
    return draw_bars(ranked, axis=axis, title=title, value_name="gain", signed=True)


def draw_curves_of_precision(curves: Sequence[Curve], *, title: str) -> str:
    """Return one panel a curve, five in a row.

    The first curve is drawn faintly in every other panel, to compare with; dots are chance.
    """
    parts: list[str] = []
    for number, curve in enumerate(curves):
        row, column = divmod(number, _PANELS_A_ROW)
        left, top = 34 + column * _PANEL_STEP, 62 + row * _PANEL_HEIGHT
        reference = () if number == 0 else curves[0].precisions
        parts += _precision_panel(curve, reference, left, top)
    num_rows = ceil(len(curves) / _PANELS_A_ROW)
    num_columns = min(len(curves), _PANELS_A_ROW)
    return _svg(num_columns * _PANEL_STEP - 10, 24 + num_rows * _PANEL_HEIGHT, title, parts)


def draw_rankings(
    groups: Mapping[str, Sequence[tuple[str, int]]], *, title: str, value_name: str
) -> str:
    """Return what ranks first in each group, such as the places of a genre (MovieCLIP, Fig. 5).

    Bars of a group are relative to its longest, so that groups of different size can be compared.
    """
    most = max((len(rows) for rows in groups.values()), default=0)
    height, parts = 30 + most * _ROW, list[str]()
    for number, (group, rows) in enumerate(groups.items()):
        line, column = divmod(number, 3)
        left, top = column * (_COLUMN + _COLUMN_GAP), 28 + line * height
        parts.append(_text(left, top + 14, group, weight="600"))
        longest = Scale(0, max((count for _, count in rows), default=1) or 1)
        for row, (name, count) in enumerate(rows):
            y = top + 22 + row * _ROW
            parts += [_name(name, left, y), _rect(left, y, (0, longest.at(count)))]
            parts.append(_text(left + _VALUE_END, y + 11, f"{count:,}", anchor="end"))
    width = min(len(groups), 3) * (_COLUMN + _COLUMN_GAP) - _COLUMN_GAP
    title = f"{title} ({value_name})"
    return _svg(max(width, _COLUMN), 34 + ceil(len(groups) / 3) * height, title, parts)


def draw_columns(columns: Sequence[tuple[str, int]], *, title: str, value_name: str) -> str:
    """Return a histogram: a column a bin, side by side, with its count where that has room."""
    width, height, left, top = 30, 190, 44, 34
    axis = Scale(0, round_up(max((count for _, count in columns), default=1) or 1))
    right, bottom, parts = left + width * len(columns), top + height, list[str]()
    for value in (0, axis.high / 2, axis.high):
        y = bottom - axis.at(value) * height / 100
        parts.append(f'<path d="M{left} {y:.1f}H{right}" {_LINE}/>')
        parts.append(_text(left - 5, y + 4, f"{value:,.10g}", anchor="end", soft=True))
    for place, (name, count) in enumerate(columns):
        x, share = left + place * width, axis.at(count) * height / 100
        hint = f"<title>{escape(name)}: {count:,}</title>"
        parts.append(
            f'<rect x="{x + 2}" y="{bottom - share:.1f}" width="{width - 4}" '
            f'height="{share:.1f}" fill="{FILL}">{hint}</rect>'
        )
        parts.append(
            f'<text transform="translate({x + width / 2 + 4} {bottom + 6}) rotate(90)" '
            f'fill="currentColor">{escape(_cut(name))}</text>'
        )
    longest = max((len(_cut(name)) for name, _ in columns), default=0)
    title = f"{title} ({value_name})"
    return _svg(max(right + 8, 320), bottom + 16 + 7 * longest, title, parts)


def draw_sweep(points: Sequence[SweepPoint], best: SweepPoint, *, title: str) -> str:
    """Return precision against recall over thresholds, and both with F1 against the threshold.

    The best point is marked in both.
    """
    known = [point for point in points if not isnan(point.precision)]
    side, top, left, right = 2 * _PANEL, 62, 44, 44 + 2 * _PANEL + 72
    unit, bottom = Scale(0, 1), 62 + 2 * _PANEL
    lowest, highest = points[0].threshold, points[-1].threshold
    axis = Scale(lowest, highest if highest > lowest else lowest + 1)
    parts = [*_frame_of_panel(left, top, side), *_frame_of_panel(right, top, side)]
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = left + value * side, bottom - value * side
        parts.append(_text(x, bottom + 14, f"{value:g}", anchor="middle", soft=True))
        for edge in (left, right):
            parts.append(_text(edge - 5, y + 4, f"{value:g}", anchor="end", soft=True))
        threshold = axis.low + value * (axis.high - axis.low)
        at = right + value * side
        parts.append(_text(at, bottom + 14, f"{threshold:.3g}", anchor="middle", soft=True))
    parts.append(_text(left + side / 2, bottom + 30, "recall", anchor="middle", soft=True))
    parts.append(_text(right + side / 2, bottom + 30, "threshold", anchor="middle", soft=True))
    parts.append(_text(left, top - 10, "precision, against recall", weight="600"))

    def places(edge: int, across: Callable[[SweepPoint], float], name: str) -> list[str]:
        return [
            f"{edge + across(point) * side / 100:.1f},"
            f"{bottom - unit.at(getattr(point, name)) * side / 100:.1f}"
            for point in known
        ]

    curve = places(left, lambda point: unit.at(point.recall), "precision")
    parts.append(_polyline(curve, f'stroke="{FILL}" stroke-width="2"'))
    parts += [_dot(one, 2) for one in curve]
    name_at = right
    for name, style in _SWEEP_LINES.items():
        line = places(right, lambda point: axis.at(point.threshold), name)
        parts.append(_polyline(line, style))
        parts.append(f'<path d="M{name_at} {top - 14}h22" {style}/>')
        parts.append(_text(name_at + 27, top - 10, "F1" if name == "f1" else name))
        name_at += 48 + 6 * len(name)
    parts += _best_of_sweep(best, (left, right), bottom, axis.at(best.threshold))
    return _svg(right + side + 24, bottom + 42, title, parts)


def _best_of_sweep(
    best: SweepPoint, lefts: tuple[int, int], bottom: int, at: float
) -> Iterator[str]:
    """Yield the mark of the best point in both panels; ``at`` is its place on the second's axis."""
    side, (left, right) = 2 * _PANEL, lefts
    x, x_line = left + best.recall * side, right + at * side / 100
    y, y_line = bottom - best.precision * side, bottom - best.f1 * side
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="none" stroke="currentColor"/>'
    yield (
        f'<path d="M{x_line:.1f} {bottom}V{bottom - side}" {_DOTS} stroke-dasharray="1 4" '
        'stroke-linecap="round"/>'
    )
    yield f'<circle cx="{x_line:.1f}" cy="{y_line:.1f}" r="6" fill="none" stroke="currentColor"/>'
    text = f"best F1: {best.f1:.3f} at {best.threshold:.4g}"
    yield _text(right + side, bottom - side - 28, text, anchor="end")


def _frame_of_panel(left: int, top: int, side: int) -> Iterator[str]:
    yield f'<path d="M{left} {top}V{top + side}H{left + side}" fill="none" {_LINE}/>'
    for share in (0.25, 0.5, 0.75, 1.0):
        y = top + side - share * side
        yield f'<path d="M{left} {y:.1f}H{left + side}" {_LINE} stroke-dasharray="2 4"/>'


def _polyline(places: Sequence[str], style: str) -> str:
    return f'<polyline points="{" ".join(places)}" fill="none" {style}/>'


def _dot(place: str, radius: int) -> str:
    x, _, y = place.partition(",")
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{FILL}"/>'


def _column_axis(axis: Scale, left: int, num_rows: int, value_name: str) -> Iterator[str]:
    bottom = _HEAD + num_rows * _ROW
    for value in (axis.low, 0.0, axis.high) if axis.low < 0 else (0.0, axis.high / 2, axis.high):
        x = left + _BAR_LEFT + axis.at(value) * _BAR_WIDTH / 100
        yield f'<path d="M{x:.1f} {_HEAD - 3}V{bottom}" {_LINE}/>'
        if value == 0 or abs(axis.at(value) - axis.at(0)) >= 18:  # Two texts need room.
            text = f"{value:.2g}".replace("-", "−")
            yield _text(x, _HEAD - 7, text, anchor="middle", soft=True)
    yield _text(left + _VALUE_END, _HEAD - 7, value_name, anchor="end", soft=True)
    yield _text(left + _COLUMN, _HEAD - 7, "samples", anchor="end", soft=True)


def _bar_row(bar: Bar, axis: Scale, left: int, top: int, *, signed: bool) -> Iterator[str]:
    figure = bar.figure
    yield _name(bar.name, left, top)
    yield _text(left + _COLUMN, top + 11, f"{figure.num_items:,}", anchor="end", soft=True)
    if isnan(figure.value):
        yield _text(left + _VALUE_END, top + 11, "–", anchor="end", soft=True)
        return
    value = f"{round(figure.value, 3) + 0.0:+.3f}" if signed else f"{figure.value:.3f}"
    yield _text(left + _VALUE_END, top + 11, value.replace("-", "−"), anchor="end")
    is_sure = figure.interval.low > 0 or figure.interval.high < 0
    yield _rect(left, top, (axis.at(0), axis.at(figure.value)), pale=signed and not is_sure)
    if not isnan(figure.interval.low):
        one, other = (
            left + _BAR_LEFT + axis.at(end) * _BAR_WIDTH / 100
            for end in (figure.interval.low, figure.interval.high)
        )
        line = f"M{one:.1f} {top + 8}H{other:.1f}M{one:.1f} {top + 5}v6M{other:.1f} {top + 5}v6"
        yield f'<path d="{line}" fill="none" stroke="currentColor"/>'


def _precision_panel(
    curve: Curve, reference: Sequence[float], left: int, top: int
) -> Iterator[str]:
    right, bottom = left + _PANEL, top + _PANEL
    yield _text(left, top - 22, _cut(curve.name), weight="600", hint=curve.name)
    yield _text(left, top - 8, curve.note, soft=True)
    yield f'<path d="M{left} {top}V{bottom}H{right}" fill="none" {_LINE}/>'
    for value in (0.0, 0.5, 1.0):
        x, y = left + value * _PANEL, bottom - value * _PANEL
        yield _text(left - 5, y + 4, f"{value:g}", anchor="end", soft=True)
        yield _text(x, bottom + 14, f"{value:g}", anchor="middle", soft=True)
    yield _text(left + _PANEL / 4, bottom + 14, "recall", anchor="middle", soft=True)
    middle = f"{left - 10} {top + _PANEL / 4:.0f}"
    yield (
        f'<text transform="translate({middle}) rotate(-90)" text-anchor="middle" '
        'fill="currentColor" fill-opacity="0.65">precision</text>'
    )
    if not isnan(curve.chance):
        y = bottom - curve.chance * _PANEL
        yield (
            f'<path d="M{left} {y:.1f}H{right}" {_DOTS} stroke-dasharray="1 4" '
            'stroke-linecap="round"/>'
        )
    if reference:
        yield _line(reference, left, bottom, f'{_LINE} stroke-width="2"')
    yield _line(curve.precisions, left, bottom, f'stroke="{FILL}" stroke-width="2"')


def _line(values: Sequence[float], left: int, bottom: int, style: str) -> str:
    points = " ".join(
        f"{left + _PANEL * place / (len(values) - 1):.1f},{bottom - _PANEL * value:.1f}"
        for place, value in enumerate(values)
    )
    return f'<polyline points="{points}" fill="none" {style}/>'


def _rect(left: int, top: int, span: tuple[float, float], *, pale: bool = False) -> str:
    """Return a bar between two places of the axis, in per cent of it."""
    start, end = sorted(span)
    x, width = left + _BAR_LEFT + start * _BAR_WIDTH / 100, (end - start) * _BAR_WIDTH / 100
    opacity = ' fill-opacity="0.45"' if pale else ""
    return (
        f'<rect x="{x:.1f}" y="{top + 3}" width="{width:.1f}" height="10" fill="{FILL}"{opacity}/>'
    )


def _name(name: str, left: int, top: int) -> str:
    return _text(left + _NAME_END, top + 11, _cut(name), anchor="end", hint=name)


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    soft: bool = False,
    weight: str = "400",
    hint: str = "",
) -> str:
    """Return a text; the hint is shown under the pointer where the text is not the whole of it."""
    whole = f"<title>{escape(hint)}</title>" if hint and hint != text else ""
    opacity = ' fill-opacity="0.65"' if soft else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor"{opacity} '
        f'font-weight="{weight}">{escape(text)}{whole}</text>'
    )


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _ends_of(figure: Figure) -> list[float]:
    ends = (figure.value, figure.interval.low, figure.interval.high)
    return [end for end in ends if not isnan(end)]


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}" '
        'font-family="system-ui, sans-serif" font-size="11" color="#16181b">'
    )
    paper = f'<rect class="paper" width="{width}" height="{height}" fill="#fff"/>'
    heading = f'<text x="0" y="13" fill="currentColor" font-size="12">{escape(title)}</text>'
    return "\n".join([start, paper, heading, *parts, "</svg>", ""])
