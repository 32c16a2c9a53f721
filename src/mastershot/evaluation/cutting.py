"""How a film is cut, in numbers: shot lengths, cutting rate over time, scene lengths.

Shots that are black, colour bars, a slate, credits or a static picture say nothing of how a film is
cut; unless asked for, they do not count (`docs/marks.md`).
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import get_args

import numpy as np

from mastershot.core.errors import SettingError
from mastershot.core.lanes import MarkKind
from mastershot.core.movie import Shot
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline

UNCOUNTED: tuple[MarkKind, ...] = ("black", "bars", "slate", "credits", "static")
"""Marks half of which over a shot leave it out of statistics."""


@dataclass(frozen=True)
class CuttingStatistics:
    """The shot lengths of one film, summed up.

    Attributes:
        num_shots: Number of shots.
        num_left_out: How many of them hold or touch a damaged span; their lengths count nowhere.
        marked_left_out: How many more are left out because at least half of them lies in black,
            bars, a slate, credits or a static picture, by the kind that most of it lies in; none
            where that would leave no shot.
        average_shot_s: Average shot length (ASL): the film's length over its number of shots.
        median_shot_s: Median shot length (MSL), which one very long shot does not move.
        shortest_shot_s: Length of the shortest shot.
        longest_shot_s: Length of the longest shot.
        shot_deviation_s: Standard deviation of the lengths; the film is the whole population,
            so the sum of squares is divided by the number of shots.
        cuts_per_minute: Boundaries between shots, of whatever kind, per minute of film; of shots
            that count, from one to the next.
        scene_lengths_s: Length of each scene in order; None when scenes were not found.
    """

    num_shots: int
    num_left_out: int
    marked_left_out: dict[MarkKind, int]
    average_shot_s: float
    median_shot_s: float
    shortest_shot_s: float
    longest_shot_s: float
    shot_deviation_s: float
    cuts_per_minute: float
    scene_lengths_s: tuple[float, ...] | None


@dataclass(frozen=True)
class CuttingRate:
    """How fast a film cuts at evenly spaced moments.

    Attributes:
        window_s: Length of the window that boundaries were counted in.
        times_s: The moments, on the file's own clock, from the film's start to its end.
        cuts_per_minute: Boundaries per minute in the window centred on each moment.
    """

    window_s: float
    times_s: tuple[float, ...]
    cuts_per_minute: tuple[float, ...]


def cutting_statistics(timeline: Timeline, *, with_marked: bool = False) -> CuttingStatistics:
    """Return the film's shot-length statistics, exact up to the final rounding to a float.

    ASL is Salt's measure ("Statistical Style Analysis of Motion Pictures", Film Quarterly 28:1,
    1974); ASL, MSL and the deviation are the figures Cinemetrics gives for a film. Sums run over
    integer timestamps, so no rounding gathers over a long film.

    Args:
        timeline: The film.
        with_marked: True counts shots that lie in marks too.
    """
    whole = [shot for shot in timeline.shots if not is_damaged(shot.span, timeline)]
    marked = {} if with_marked else _marked(whole or timeline.shots, timeline)
    spans = [shot.span for shot in whole or timeline.shots if shot.id not in marked]
    lengths = np.array([span.end_pts - span.start_pts for span in spans], dtype=np.int64)
    unit_s, num_shots = timeline.movie.time_base, len(timeline.shots)
    total_s = int(lengths.sum()) * unit_s
    # Beside a damaged span it is not known whether there is a cut.
    num_cuts = len(spans) - (0 if 0 < len(whole) < num_shots else 1)
    scenes = timeline.scenes
    return CuttingStatistics(
        num_shots=num_shots,
        num_left_out=num_shots - len(whole),
        marked_left_out=dict(Counter(marked.values())),
        average_shot_s=float(total_s / len(spans)),
        median_shot_s=float(Fraction(float(np.median(lengths))) * unit_s),
        shortest_shot_s=float(int(lengths.min()) * unit_s),
        longest_shot_s=float(int(lengths.max()) * unit_s),
        shot_deviation_s=float(np.std(lengths)) * float(unit_s),
        cuts_per_minute=float(num_cuts * 60 / total_s) if total_s else 0.0,
        scene_lengths_s=None if scenes is None else tuple(s.span.duration_s for s in scenes),
    )


def is_damaged(span: Span, timeline: Timeline) -> bool:
    """Return True if frames are missing within or beside a span, so that its length is unknown."""
    return any(
        gap.start_pts <= span.end_pts and gap.end_pts >= span.start_pts for gap in timeline.damaged
    )


def marks_over(timeline: Timeline) -> list[tuple[MarkKind, ...]]:
    """Return for each shot the kinds of marks in which at least half of it lies."""
    shares = [(kind, _covered(timeline.shots, timeline, {kind})) for kind in get_args(MarkKind)]
    return [
        tuple(kind for kind, covered in shares if 2 * covered[index] >= _length(shot) > 0)
        for index, shot in enumerate(timeline.shots)
    ]


def _marked(shots: Sequence[Shot], timeline: Timeline) -> dict[str, MarkKind]:
    """Return of the shots that lie in marks, by id, in which mostly; none where all of them do."""
    if not any(mark.kind in UNCOUNTED for mark in timeline.marks or ()):
        return {}
    in_any = _covered(shots, timeline, UNCOUNTED)
    by_kind = {kind: _covered(shots, timeline, {kind}) for kind in UNCOUNTED}
    found = {
        shot.id: max(UNCOUNTED, key=lambda kind: by_kind[kind][index])
        for index, shot in enumerate(shots)
        if 2 * in_any[index] >= _length(shot) > 0
    }
    return {} if len(found) == len(shots) else found


def _length(shot: Shot) -> int:
    return shot.span.end_pts - shot.span.start_pts


def _covered(shots: Sequence[Shot], timeline: Timeline, kinds: Collection[MarkKind]) -> list[int]:
    """Return for how long, in units of time, each shot lies in marks of some kinds."""
    spans = [mark.span for mark in timeline.marks or () if mark.kind in kinds]
    if not spans:
        return [0] * len(shots)
    edges, totals, total = [spans[0].start_pts], [0], 0
    for span in spans:  # By start, and of one kind or another they may overlap.
        start = max(span.start_pts, edges[-1])
        end = max(span.end_pts, start)
        edges += [start, end]
        totals += [total, total + end - start]
        total = totals[-1]
    bounds = np.array([(shot.span.start_pts, shot.span.end_pts) for shot in shots])
    before = np.rint(np.interp(bounds, edges, totals)).astype(np.int64)
    covered: list[int] = (before[:, 1] - before[:, 0]).tolist()
    return covered


def cutting_rate(
    timeline: Timeline, *, window_s: float, num_samples: int, with_marked: bool = False
) -> CuttingRate:
    """Return the cutting rate in a sliding window, at evenly spaced moments of the film.

    The window [t - window/2, t + window/2) is clipped to the film and to the shots that count, and
    the number of boundaries, from one of these to the next, is divided by what is left of it, but
    by half a window at least, so that the film's ends are not biased towards slow.

    Args:
        timeline: The film.
        window_s: Length of the window.
        num_samples: How many moments.
        with_marked: True counts shots that lie in marks too.

    Raises:
        SettingError: The window is not longer than 0, or fewer than 2 samples are asked for.
    """
    if not window_s > 0 or num_samples < 2:
        raise SettingError(
            f"a cutting rate needs a window above 0 s and at least 2 moments, not {window_s:g} s "
            f"and {num_samples}"
        )
    start_s, end_s = timeline.shots[0].span.start_s, timeline.shots[-1].span.end_s
    marked = {} if with_marked else _marked(timeline.shots, timeline)
    spans = [shot.span for shot in timeline.shots if shot.id not in marked]
    cuts_s = np.array([span.start_s for span in spans[1:]], dtype=np.float64)
    times_s = np.linspace(start_s, end_s, num_samples)
    low_s = np.maximum(times_s - window_s / 2, start_s)
    high_s = np.minimum(times_s + window_s / 2, end_s)
    num_cuts = np.searchsorted(cuts_s, high_s) - np.searchsorted(cuts_s, low_s)
    clipped_s = high_s - low_s
    if marked:
        edges_s = np.array([(span.start_s, span.end_s) for span in spans])
        counted_s = np.cumsum(np.stack([np.zeros(len(spans)), np.diff(edges_s)[:, 0]], axis=1))
        high_s, low_s = (np.interp(each, edges_s.ravel(), counted_s) for each in (high_s, low_s))
        least_s = np.minimum(clipped_s, min(window_s / 2, counted_s[-1]))
        clipped_s = np.maximum(high_s - low_s, least_s)
    rates = np.divide(num_cuts * 60, clipped_s, out=np.zeros(num_samples), where=clipped_s > 0)
    return CuttingRate(window_s, tuple(times_s.tolist()), tuple(rates.tolist()))
