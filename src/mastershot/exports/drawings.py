"""Drawings as SVG: a whole film in lanes along one time axis, and a training run's metrics.

Places along an axis are in per cent of it, so that the page can stretch the film's drawing.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from mastershot.core.lanes import SoundEvent
from mastershot.core.movie import SCALES, Scene, Shot
from mastershot.core.time import format_clock
from mastershot.core.timeline import Timeline
from mastershot.evaluation.cutting import cutting_rate

STRIP_PICTURES = 20
RATE_SAMPLES = 240
SOUND_ROWS = 6
LOWEST_DB = -60.0
RATE_WINDOWS_S = (2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600)
TIME_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)

_AROUND_S = 0.24375  # half the distance of two windows of sound
_WIDTH, _PANEL, _LEFT, _RIGHT, _GAP = 640, 90, 64, 16, 26


@dataclass(frozen=True)
class Scale:
    """Maps values to per cent of a chart's side."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value lies."""
        extent = self.high - self.low
        return 100 * (value - self.low) / extent if extent > 0 else 0.0


@dataclass(frozen=True)
class Mark:
    """A line of an axis: where, in per cent of the chart's side, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Band:
    """A scene's part of the film, in per cent; ``bars`` is the SVG path of its shot lengths."""

    scene: Scene | None
    left: float
    width: float
    bars: str


@dataclass(frozen=True)
class SoundRow:
    """Where a sound is heard in the film.

    Attributes:
        name: Its class.
        heard_s: For how long, while there is a picture.
        num_events: How often.
        path: SVG path with one bar an event.
    """

    name: str
    heard_s: float
    num_events: int
    path: str


@dataclass(frozen=True)
class FilmDrawing:
    """The drawing of a whole film, in lanes that share one time axis.

    Attributes:
        start_s: Where the time axis starts, on the film's own clock.
        duration_s: How long it is.
        strip: Index of the shot in the middle of each of the strip's equal parts.
        bands: The scenes; one band without a scene where scenes were not found.
        cuts: SVG path with one line a cut.
        damaged: Left and width of each damaged span within the film.
        median_at: Height of the median shot length, in per cent of its lane.
        length_marks: Axis of the shot lengths, logarithmic.
        rate_window_s: Window in which cuts were counted for the cutting rate.
        highest_rate: Highest cutting rate, in cuts a minute.
        rate_line: SVG points of the cutting rate.
        rate_marks: Axis of the cutting rate.
        time_marks: Axis of time.
        scales: SVG path with one bar a shot, the closer the higher; empty where no scale is known.
        sounds: The sounds that are heard longest, the longest first; silence is none.
        levels: SVG path with one bar a shot, as high as its mean level above `LOWEST_DB`; empty
            where no sound was read.
    """

    start_s: float
    duration_s: float
    strip: tuple[int, ...]
    bands: tuple[Band, ...]
    cuts: str
    damaged: tuple[tuple[float, float], ...]
    median_at: float
    length_marks: tuple[Mark, ...]
    rate_window_s: float
    highest_rate: float
    rate_line: str
    rate_marks: tuple[Mark, ...]
    time_marks: tuple[Mark, ...]
    scales: str
    sounds: tuple[SoundRow, ...]
    levels: str


def draw_film(timeline: Timeline, *, median_s: float) -> FilmDrawing:
    """Return the drawing of a film whose median shot is ``median_s`` long."""
    spans = [shot.span for shot in timeline.shots]
    time = Scale(spans[0].start_s, spans[-1].end_s)
    logs = [_log_length(span.duration_s) for span in spans]
    # A little room above and below, also for a film whose shots are all of one length.
    length = Scale(min(logs) - 0.2, max(logs) + 0.2)
    median_at = length.at(_log_length(median_s))
    window_s = min(RATE_WINDOWS_S, key=lambda window: abs(window - (time.high - time.low) / 20))
    rate = cutting_rate(timeline, window_s=window_s, num_samples=RATE_SAMPLES)
    rate_axis = Scale(0, round_up(max(rate.cuts_per_minute)))
    # A damaged span after the film's end is shown at its edge.
    edges = (
        (min(time.at(one.start_s), 100.0), min(time.at(one.end_s), 100.0))
        for one in timeline.damaged
    )
    return FilmDrawing(
        start_s=time.low,
        duration_s=time.high - time.low,
        strip=_strip_shots(timeline, time),
        bands=_bands(timeline, time, length, median_at),
        cuts="".join(f"M{time.at(span.start_s):.3f} 0V100" for span in spans[1:]),
        damaged=tuple((left, right - left) for left, right in edges),
        median_at=median_at,
        length_marks=_length_marks(length),
        rate_window_s=window_s,
        highest_rate=max(rate.cuts_per_minute),
        rate_line=" ".join(
            f"{time.at(at):.3f},{100 - rate_axis.at(value):.2f}"
            for at, value in zip(rate.times_s, rate.cuts_per_minute, strict=True)
        ),
        rate_marks=tuple(Mark(at, f"{rate_axis.high * at / 100:g}") for at in (0, 50, 100)),
        time_marks=_time_marks(time),
        scales=_scales(timeline, time),
        sounds=_sound_rows(timeline, time),
        levels="".join(_level_bar(shot, time) for shot in timeline.shots),
    )


def _log_length(duration_s: float) -> float:
    # Shot lengths are close to log-normal (Salt, Moving into Pictures, 2006). A film of unknown
    # duration may end in a shot of no length; it is drawn as a millisecond.
    return math.log10(max(duration_s, 0.001))


def _strip_shots(timeline: Timeline, time: Scale) -> tuple[int, ...]:
    starts = [time.at(shot.span.start_s) for shot in timeline.shots]
    middles = ((part + 0.5) / STRIP_PICTURES * 100 for part in range(STRIP_PICTURES))
    return tuple(max(bisect_right(starts, middle) - 1, 0) for middle in middles)


def _bands(timeline: Timeline, time: Scale, length: Scale, median_at: float) -> tuple[Band, ...]:
    def bar(shot: Shot) -> str:
        left, right = time.at(shot.span.start_s), time.at(shot.span.end_s)
        height, base = 100 - length.at(_log_length(shot.span.duration_s)), 100 - median_at
        return f"M{left:.3f} {base:.2f}V{height:.2f}H{right:.3f}V{base:.2f}Z"

    def band(scene: Scene | None, shots: Sequence[Shot]) -> Band:
        left, right = time.at(shots[0].span.start_s), time.at(shots[-1].span.end_s)
        return Band(scene, left, right - left, "".join(map(bar, shots)))

    if timeline.scenes is None:
        return (band(None, timeline.shots),)
    return tuple(
        band(scene, timeline.shots[scene.first_shot : scene.end_shot]) for scene in timeline.scenes
    )


def _scales(timeline: Timeline, time: Scale) -> str:
    bars = []
    for shot in timeline.shots:
        if (scale := shot.likeliest_scale) is not None:
            top = 100 * SCALES.index(scale) / len(SCALES)
            left, right = time.at(shot.span.start_s), time.at(shot.span.end_s)
            bars.append(f"M{left:.3f} 100V{top:.0f}H{right:.3f}V100Z")
    return "".join(bars)


def _sound_rows(timeline: Timeline, time: Scale) -> tuple[SoundRow, ...]:
    spans: dict[str, list[tuple[float, float]]] = {}
    for event in timeline.audio or ():
        start_s, end_s = _shown_part(event, time)
        if event.name != "Silence" and start_s < end_s:
            spans.setdefault(event.name, []).append((start_s, end_s))
    rows = (
        SoundRow(
            name,
            sum(end_s - start_s for start_s, end_s in found),
            len(found),
            "".join(
                f"M{time.at(a):.3f} 0H{time.at(b):.3f}V100H{time.at(a):.3f}Z" for a, b in found
            ),
        )
        for name, found in spans.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.heard_s, row.name))[:SOUND_ROWS])


def _shown_part(event: SoundEvent, time: Scale) -> tuple[float, float]:
    """Return from when to when an event is heard with a picture; sound may begin or end without.

    An event is given by the centres of its windows, and each stands for some time around it.
    """
    return max(event.start_s - _AROUND_S, time.low), min(event.end_s + _AROUND_S, time.high)


def _level_bar(shot: Shot, time: Scale) -> str:
    if shot.sound is None:
        return ""
    left, right = time.at(shot.span.start_s), time.at(shot.span.end_s)
    height = min(max(Scale(LOWEST_DB, 0).at(shot.sound.loudness_db), 0.0), 100.0)
    return f"M{left:.3f} 100V{100 - height:.2f}H{right:.3f}V100Z"


def _length_marks(length: Scale) -> tuple[Mark, ...]:
    values = (factor * 10.0**power for power in range(-3, 6) for factor in (1, 3))
    marks = (Mark(length.at(math.log10(value)), f"{value:g}") for value in values)
    return tuple(mark for mark in marks if 0 <= mark.at <= 100)


def _time_marks(time: Scale) -> tuple[Mark, ...]:
    extent_s = time.high - time.low
    step_s = next((step for step in TIME_STEPS_S if extent_s / step <= 10), extent_s / 10)
    first = math.ceil(time.low / step_s)
    marks_s = [step_s * number for number in range(first, first + 11)]
    return tuple(
        Mark(time.at(at_s), format_clock(at_s)[: None if step_s < 1 else -4])
        for at_s in marks_s
        if at_s <= time.low + 0.96 * extent_s  # Its text needs room on the right.
    )


def round_up(value: float) -> float:
    """Return the next of 1, 2, 3, 4, 6, 8 and 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(factor * power for factor in (1, 2, 3, 4, 6, 8, 10) if factor * power >= value)


def draw_curves(entries: Sequence[Mapping[str, Any]], title: str = "") -> str:
    """Return the SVG of a log's numbers against its steps; each entry has a ``step``."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        for name, value in entry.items():
            if isinstance(value, int | float) and name not in ("step", "seconds"):
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
