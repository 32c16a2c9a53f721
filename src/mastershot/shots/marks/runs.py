"""Runs of frames: where a flag of each frame is set, and for how long."""
# T frames, R runs

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray

Flags: TypeAlias = npt.NDArray[np.bool_]
Seconds: TypeAlias = npt.NDArray[np.float64]

_ROUNDING_S = 0.002  # Containers round times to milliseconds.


def runs_of(flags: Flags) -> IntArray:
    """Return the runs of frames whose flag is set, half-open, in order, (R, 2)."""
    steps = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    return np.stack([np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)], axis=1)


def are_long(runs: IntArray, times_s: Seconds, least_s: float) -> Flags:
    """Return which runs take at least so long, (R,).

    Args:
        runs: Half-open runs of frames, (R, 2).
        times_s: When each frame is shown, and when the film ends, (T + 1,).
        least_s: The shortest.
    """
    lengths_s = times_s[runs[:, 1]] - times_s[runs[:, 0]]
    long: Flags = lengths_s >= least_s - _ROUNDING_S
    return long


def chosen(runs: IntArray, which: Flags) -> IntArray:
    """Return some of the runs, (R, 2)."""
    some: IntArray = runs[which]
    return some


def long_runs(flags: Flags, times_s: Seconds, least_s: float) -> IntArray:
    """Return the runs of flagged frames that take at least so long, (R, 2)."""
    runs = runs_of(flags)
    return chosen(runs, are_long(runs, times_s, least_s))


def without_short_gaps(flags: Flags, times_s: Seconds, longest_s: float) -> Flags:
    """Return the flags with gaps between flagged frames filled that are at most so long, (T,)."""
    gaps = runs_of(~flags)
    inside = (gaps[:, 0] > 0) & (gaps[:, 1] < len(flags))
    short = times_s[gaps[:, 1]] - times_s[gaps[:, 0]] <= longest_s + _ROUNDING_S
    return flags | flags_of(gaps[inside & short], len(flags))


def flags_of(runs: IntArray, num_frames: int) -> Flags:
    """Return for each frame whether it lies in one of some runs, (T,)."""
    steps = np.zeros(num_frames + 1, np.int64)
    np.add.at(steps, runs[:, 0], 1)
    np.add.at(steps, runs[:, 1], -1)
    return np.cumsum(steps[:-1]) > 0
