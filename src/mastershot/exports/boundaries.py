"""Scene boundaries along a film as SVG: the true ones above, scored and found ones below."""
# B places where a scene may start: shots but the first

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from mastershot.core.errors import SettingError
from mastershot.core.time import format_clock
from mastershot.evaluation.bootstrap import BoolArray, RealArray
from mastershot.exports.drawings import TIME_STEPS_S, Scale

_FILL = "#5b8fb0"
_LINE = 'stroke="currentColor" stroke-opacity="0.22"'
_LEFT, _WIDTH, _RIGHT = 64, 880, 16
_TRUE, _FOUND, _BOTTOM, _HEIGHT = 34, 66, 104, 122
_MOST_TICKS = 9


@dataclass(frozen=True, eq=False)
class BoundaryStrip:
    """The places of a film where a scene may start.

    Attributes:
        name: The film.
        end_s: When it ends; it starts at 0.
        times_s: When each shot but the first starts, ascending, shape (B,).
        scores: How likely a scene starts there, in [0, 1], shape (B,).
        truth: Whether one does, shape (B,).

    Raises:
        SettingError: Shapes differ, or a time or score is out of range.
    """

    name: str
    end_s: float
    times_s: RealArray
    scores: RealArray
    truth: BoolArray

    def __post_init__(self) -> None:
        """Check what was given."""
        shapes = {array.shape for array in (self.times_s, self.scores, self.truth)}
        if shapes != {(len(self.times_s),)}:
            raise SettingError(
                f"boundaries of {self.name}: times, scores and truth should be one number a "
                f"boundary, and have shapes {', '.join(map(str, sorted(shapes)))}"
            )
        for what, values, most in (
            ("times", self.times_s, self.end_s), ("scores", self.scores, 1.0),
        ):  # fmt: skip
            if not ((values >= 0) & (values <= most)).all():
                raise SettingError(
                    f"boundaries of {self.name}: {what} should be from 0 to {most:g}"
                )

    def counts(self, threshold: float) -> tuple[int, int, int]:
        """Return how many boundaries of a score of the threshold or more are true and are not,
        and how many true ones have less.
        """
        found = self.scores >= threshold
        return (
            int((found & self.truth).sum()),
            int((found & ~self.truth).sum()),
            int((~found & self.truth).sum()),
        )


def draw_boundaries(strip: BoundaryStrip, *, threshold: float) -> str:
    """Return the strip of a film as SVG.

    Above, a line for each true boundary, with a hollow head where it was missed. Below, scores as
    lines from the bottom, and on those that reach the threshold a head: filled where the boundary
    is true, hollow where it is not.
    """
    hits, extra, missed = strip.counts(threshold)
    title = f"{strip.name}: {hits} boundaries found, {missed} missed, {extra} false"
    parts = [*_axis(strip.end_s), *_names(threshold)]
    axis = Scale(0, strip.end_s)
    for time_s, score, is_true in zip(
        strip.times_s.tolist(), strip.scores.tolist(), strip.truth.tolist(), strict=True
    ):
        x = _LEFT + axis.at(time_s) * _WIDTH / 100
        is_found = score >= threshold
        hint = f"{format_clock(time_s)}, score {score:.2f}{', true' if is_true else ''}"
        parts += [f"<g><title>{hint}</title>", *_boundary(x, score, is_true, is_found), "</g>"]
    width = _LEFT + _WIDTH + _RIGHT
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {width} {_HEIGHT}" '
        f'width="{width}" height="{_HEIGHT}" role="img" aria-label="{escape(title)}" '
        'font-family="system-ui, sans-serif" font-size="11" color="#16181b">'
    )
    paper = f'<rect class="paper" width="{width}" height="{_HEIGHT}" fill="#fff"/>'
    heading = f'<text x="0" y="13" fill="currentColor" font-size="12">{escape(title)}</text>'
    return "\n".join([start, paper, heading, *parts, "</svg>", ""])


def _boundary(x: float, score: float, is_true: bool, is_found: bool) -> Iterator[str]:
    if is_true:
        yield f'<path d="M{x:.1f} {_TRUE - 8}v18" stroke="currentColor" stroke-width="1.5"/>'
        if not is_found:
            yield _head(x, _TRUE - 8, "var(--paper, #fff)", "currentColor")
    top = _BOTTOM - (_BOTTOM - _FOUND) * score
    if score > 0:
        opacity = "" if is_found else ' stroke-opacity="0.5"'
        yield f'<path d="M{x:.1f} {_BOTTOM}V{top:.1f}" stroke="{_FILL}" stroke-width="2"{opacity}/>'
    if is_found:
        yield _head(x, top, _FILL if is_true else "var(--paper, #fff)", _FILL)


def _head(x: float, y: float, fill: str, stroke: str) -> str:
    style = f'style="fill:{fill}" stroke="{stroke}" stroke-width="1.5"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" {style}/>'


def _names(threshold: float) -> Iterator[str]:
    for text, y in (("true", _TRUE + 5), ("score", (_FOUND + _BOTTOM) // 2 + 4)):
        yield (
            f'<text x="{_LEFT - 10}" y="{y}" text-anchor="end" fill="currentColor" '
            f'fill-opacity="0.65">{text}</text>'
        )
    y_least = _BOTTOM - (_BOTTOM - _FOUND) * threshold
    yield f'<path d="M{_LEFT} {y_least:.1f}h{_WIDTH}" {_LINE} stroke-dasharray="2 4"/>'


def _axis(end_s: float) -> Iterator[str]:
    yield f'<path d="M{_LEFT} {_BOTTOM}h{_WIDTH}" {_LINE}/>'
    step_s = next((s for s in TIME_STEPS_S if end_s / s <= _MOST_TICKS), TIME_STEPS_S[-1])
    axis = Scale(0, end_s)
    for place in range(int(end_s / step_s) + 1):
        x = _LEFT + axis.at(place * step_s) * _WIDTH / 100
        yield f'<path d="M{x:.1f} {_BOTTOM}v4" {_LINE}/>'
        clock = format_clock(place * step_s)
        text = clock.removesuffix(".000").removeprefix("00:")
        yield (
            f'<text x="{x:.1f}" y="{_BOTTOM + 15}" text-anchor="middle" fill="currentColor" '
            f'fill-opacity="0.65">{text}</text>'
        )
