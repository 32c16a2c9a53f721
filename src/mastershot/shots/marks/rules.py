"""From the measures of a film's frames to its marks."""
# T frames

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.lanes import Mark, MarkKind
from mastershot.core.time import FrameTimes
from mastershot.shots.marks.cards import Cards, credits_of, slates_of
from mastershot.shots.marks.letterbox import letterbox_of
from mastershot.shots.marks.measures import Measures
from mastershot.shots.marks.runs import (
    Flags,
    Seconds,
    are_long,
    chosen,
    flags_of,
    long_runs,
)
from mastershot.shots.marks.settings import MarkSettings

# At its ends, black lasts while a frame is no lighter than most of it, by the little that codecs
# change.
_LIGHTER, _MORE_CONTRAST = 1.0, 2.5  # of 255


def find_marks(measures: Measures, times: FrameTimes, settings: MarkSettings) -> tuple[Mark, ...]:
    """Return the marks of a film but silence, by start.

    Args:
        measures: Those of its frames, (T,).
        times: When they are shown.
        settings: The thresholds.
    """
    num_frames = len(measures)
    if not num_frames:
        return ()
    times_s = (times.pts - times.pts[0]) * float(times.time_base)
    black = _black(measures, times_s, settings)
    bars = long_runs(measures["bars"], times_s, settings.bars_s)
    dark, striped = flags_of(black, num_frames), flags_of(bars, num_frames)
    cards = Cards(measures, times_s, settings, dark, striped)
    slates = slates_of(cards)
    titles = credits_of(cards, flags_of(slates, num_frames))
    known = dark | striped | flags_of(slates, num_frames) | flags_of(titles, num_frames)
    found: dict[MarkKind, IntArray] = {
        "black": black,
        "bars": bars,
        "slate": slates,
        "credits": titles,
        "letterbox": letterbox_of(measures, times_s, settings, known | measures["text"]),
        "static": _static(measures, times_s, settings, known),
    }
    return marks_of(found, times)


def marks_of(found: dict[MarkKind, IntArray], times: FrameTimes) -> tuple[Mark, ...]:
    """Return the marks of runs of frames by kind, by start."""
    marks = [
        Mark(kind, times.span(first, end))
        for kind, runs in found.items()
        for first, end in runs.tolist()
    ]
    return by_start(marks)


def by_start(marks: list[Mark]) -> tuple[Mark, ...]:
    """Return marks in the order in which a timeline has them."""
    return tuple(sorted(marks, key=lambda one: (one.span.first_frame, one.kind)))


def _black(measures: Measures, times_s: Seconds, settings: MarkSettings) -> IntArray:
    """Return the runs of black, without frames of fades at their ends."""
    is_black = (measures["bright"] <= settings.most_bright) & (
        measures["contrast"] <= 255 * settings.black_contrast
    )
    runs = long_runs(is_black, times_s, settings.black_s)
    light, contrast = measures["light"].astype(np.float64), measures["contrast"]
    trimmed = []
    for first, end in runs.tolist():
        part = slice(first, end)
        steady = light[part] <= np.median(light[part]) + _LIGHTER
        steady &= contrast[part] <= np.median(contrast[part]) + _MORE_CONTRAST
        inside = np.flatnonzero(steady)
        trimmed.append((first + inside[0], first + inside[-1] + 1))
    kept = np.array(trimmed, np.int64).reshape(-1, 2)
    return chosen(kept, are_long(kept, times_s, settings.black_s))


def _static(measures: Measures, times_s: Seconds, settings: MarkSettings, known: Flags) -> IntArray:
    """Return the runs in which nothing but noise changes, beside what is marked otherwise."""
    starts = ~measures["held"]
    starts |= np.diff(known, prepend=known[0])
    edges = np.flatnonzero(starts)
    runs = np.stack([edges, np.append(edges[1:], len(measures))], axis=1)
    runs = runs[~known[runs[:, 0]]]
    return chosen(runs, are_long(runs, times_s, settings.static_s))
