"""Black bars around the picture that come or go."""
# T frames

from typing import Any

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.shots.marks.measures import UNKNOWN, Measures
from mastershot.shots.marks.runs import Flags, Seconds, flags_of, long_runs, without_short_gaps
from mastershot.shots.marks.settings import MarkSettings

_SIDE = 64  # halves along the longer side, about
_FLICKER_S = 0.5  # Bars do not go and come again within less.
_LEAST_KNOWN = 0.2  # share of the frames of a mark in which bars are seen


def letterbox_of(
    measures: Measures, times_s: Seconds, settings: MarkSettings, other: Flags
) -> IntArray:
    """Return the runs in which bars differ from those the film mostly has, (R, 2).

    Bars above and below the picture and bars beside it are followed each on their own. In the dark
    the edge of a picture cannot be told: such frames count as those around them, if these agree.

    Args:
        measures: Those of the film's frames, (T,).
        times_s: When they are shown, (T + 1,).
        settings: The thresholds.
        other: Frames that are no picture, such as black, (T,).
    """
    found = np.zeros(len(measures), bool)
    for name in ("down", "across"):
        runs = _differing(measures[name], times_s, settings, other)
        found |= flags_of(runs, len(measures))
    return long_runs(found & ~other, times_s, settings.letterbox_s)


def _differing(sizes: Any, times_s: Seconds, settings: MarkSettings, other: Flags) -> IntArray:
    known = (sizes != UNKNOWN) & ~other
    at = np.flatnonzero(known)
    if not len(at):
        return np.empty((0, 2), np.int64)
    seen = sizes[at].astype(np.int64)
    usual = int(np.bincount(seen, weights=np.diff(times_s)[at]).argmax())
    # The last known size before each frame, and the next one after it.
    before = np.searchsorted(at, np.arange(len(sizes)), side="right") - 1
    after = np.searchsorted(at, np.arange(len(sizes)))
    last = np.where(before >= 0, seen[np.clip(before, 0, None)], usual)
    following = np.where(after < len(at), seen[np.clip(after, None, len(at) - 1)], usual)
    least = max(2, round(settings.letterbox_share * _SIDE))
    differs = (np.abs(last - usual) >= least) & (np.abs(following - last) <= 1)
    differs = without_short_gaps(differs, times_s, _FLICKER_S)
    runs = long_runs(differs, times_s, settings.letterbox_s)
    shares = np.array([known[first:end].mean() for first, end in runs.tolist()])
    return runs[shares >= _LEAST_KNOWN] if len(runs) else runs
