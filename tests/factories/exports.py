"""Films of the usual frame rates, three hours long, and exports of them; no file lies behind."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from tests.factories.timelines import make_movie

from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Shot, Transition, shot_id
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import MadeBy, Timeline
from mastershot.exports.formats.lanes import Export

HOURS_3 = 3 * 3600
# Frames a second, and time base as files of the rate usually have it; 0 stands for a variable rate.
RATES = {
    "23.976": (Fraction(24000, 1001), Fraction(1, 24000)),
    "24": (Fraction(24), Fraction(1, 12288)),
    "25": (Fraction(25), Fraction(1, 1000)),
    "29.97": (Fraction(30000, 1001), Fraction(1, 90000)),
    "59.94": (Fraction(60000, 1001), Fraction(1, 60000)),
    "variable": (Fraction(0), Fraction(1, 90000)),
}


@cache
def film(rate: str, start_pts: int = 0) -> tuple[Timeline, FrameTimes]:
    """Return the timeline of a film of three hours in six shots, and its frames' times."""
    per_second, time_base = RATES[rate]
    if per_second:
        count = int(HOURS_3 * per_second)
        pts = np.rint(np.arange(count + 1) * float(1 / per_second / time_base)).astype(np.int64)
    else:  # From 5 ms to 105 ms.
        steps = np.random.default_rng(7).integers(450, 9450, 200_000)
        pts = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
        count, per_second = len(steps), Fraction(20)
    times = FrameTimes(pts + start_pts, time_base)
    movie = make_movie(
        f"nowhere/film {rate}.mp4", num_frames=count, frame_rate=per_second, time_base=time_base,
        start_pts=start_pts, end_pts=int(times.pts[-1]), variable_frame_rate=rate == "variable",
    )  # fmt: skip
    bounds = np.linspace(0, count, 7).astype(int).tolist()
    shots = tuple(
        Shot(shot_id(movie.id, i), times.span(a, b), Transition("cut" if i else "start", a, a))
        for i, (a, b) in enumerate(pairwise(bounds))
    )
    return Timeline(movie, MadeBy("0.1.0", "2025-01-01T00:00:00Z"), shots), times


def export_of(timeline: Timeline, times: FrameTimes, lanes: Sequence[Lane]) -> Export:
    return Export(timeline, times, tuple(lanes), "", Path(timeline.movie.path))


def without_source(lanes: Sequence[Lane]) -> list[Lane]:
    """Return lanes as they were before a file gave its name to them."""
    return [replace(lane, source="") for lane in lanes]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)


@st.composite
def films_and_lanes(draw: st.DrawFn) -> tuple[Timeline, FrameTimes, list[Lane]]:
    """Draw a film with a start offset, and two lanes of intervals that may overlap."""
    rate = draw(st.sampled_from(sorted(RATES)))
    offset_s = draw(st.sampled_from([0, 0.0834, 1.4, 3600, 95443.7]))
    timeline, times = film(rate, int(offset_s / RATES[rate][1]))
    lanes = []
    for name, role in (("shots", "shots"), ("büro & <notes>", "notes")):
        firsts = draw(st.lists(st.integers(0, times.num_frames - 1), min_size=1, max_size=12))
        intervals = [
            Interval(
                times.span(first, min(times.num_frames, first + draw(st.integers(1, 300)))),
                draw(TEXTS),
                draw(st.none() | st.floats(0, 1)),
            )
            for first in sorted(firsts)
        ]
        lanes.append(Lane(name, role, "", tuple(intervals)))
    return timeline, times, lanes
