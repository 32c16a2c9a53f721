"""Which scene of a script each shot of a film belongs to: a monotone alignment, with how sure.

Both are in order, so an alignment cuts the film into runs of shots. A run is a script's scene, or a
gap that no scene of the script covers; a scene without a run was cut from the film. The alignment
is a hidden semi-Markov model (Yu 2010, Artificial Intelligence 174): a run's shots speak for its
scene or against it, and its length is log-normal around what the script's length lets expect.
"""
# S scenes of the script, F shots, D longest run in shots

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mastershot.core.embeddings import IntArray

Doubles: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = NDArray[np.float32]

_LONGEST_SPREADS = 2.5
_LONGEST_S = 1200.0
_LEAST_S = 1e-3


@dataclass(frozen=True)
class AlignmentCosts:
    """What an alignment pays, in nats; evidence for a scene is counted against it.

    The values were chosen on ten of twenty scripts by `bench/align.py`.

    Attributes:
        skipped_scene: For a scene of the script that is not in the film.
        gap: For each gap, a run of shots that no scene of the script covers.
        gap_minute: For each minute of a gap.
        spread: Standard deviation of the logarithm of a scene's length around what is expected.
        within: For a border where the film's own scenes have none.
        across: For each border of the film's own scenes within a run.
    """

    skipped_scene: float = 3.0
    gap: float = 4.0
    gap_minute: float = 2.0
    spread: float = 0.6
    within: float = 2.0
    across: float = 0.5


@dataclass(frozen=True, eq=False)
class Alignment:
    """The scene of each shot.

    Attributes:
        scene: Index of its scene in the script, ascending but for -1 where it has none, shape (F,).
        probability: How likely that is by the model, shape (F,).
        presence: How likely each scene of the script is in the film, shape (S,).
    """

    scene: IntArray
    probability: Doubles
    presence: Doubles


def align_runs(
    evidence: Doubles,
    *,
    bounds_s: Doubles,
    expected_s: Doubles,
    is_border: NDArray[np.bool_],
    costs: AlignmentCosts | None = None,
) -> Alignment:
    """Return the monotone alignment under which most of the film's time is expected to be right.

    Time is in O(S F D) and memory in O(S F + F D); D is bounded by the scenes' expected lengths.

    Args:
        evidence: Logarithm of how much likelier a shot is in a scene than anywhere in the film,
            shape (S, F); zero says nothing.
        bounds_s: When each shot starts, and last when the film ends, shape (F + 1,).
        expected_s: How long each scene is expected to be, shape (S,).
        is_border: Whether a scene that was found in the film starts at a shot; the end of the
            film counts as one, shape (F + 1,).
        costs: What to pay; None takes the defaults.
    """
    runs = _Runs(evidence, bounds_s, expected_s, is_border, costs or AlignmentCosts())
    occupied, presence = runs.posterior()
    scene, probability = _likeliest_path(occupied, np.diff(bounds_s))
    return Alignment(scene, probability, presence)


class _Runs:
    """All runs of shots that each scene may take, and what they are worth."""

    def __init__(
        self,
        evidence: Doubles,
        bounds_s: Doubles,
        expected_s: Doubles,
        is_border: NDArray[np.bool_],
        costs: AlignmentCosts,
    ) -> None:
        self._costs = costs
        self._num_scenes, num_shots = evidence.shape
        self._times = bounds_s.astype(np.float64)
        self._gap_s = costs.gap_minute / 60
        self._expected = np.log(np.maximum(expected_s, _LEAST_S))
        # What is worth at a border, half of which the run before it pays.
        border = np.where(is_border, 0.0, -costs.within / 2)
        border[[0, -1]] = 0
        crossed = costs.across * np.cumsum(is_border)
        total = np.zeros((self._num_scenes, num_shots + 1))
        np.cumsum(evidence, axis=1, out=total[:, 1:])
        self._at_start = border - total + crossed
        self._at_end = border + total
        self._at_end[:, 1:] -= crossed[:-1]
        spreads = self._expected + _LONGEST_SPREADS * costs.spread
        self._reach = _longest_runs(self._times, np.minimum(np.exp(spreads), _LONGEST_S))
        most = int(self._reach.max())
        padded = np.concatenate([np.full(most, -np.inf), self._times, np.full(most, np.inf)])
        windows = sliding_window_view(padded, most)
        ends_s, starts_s = self._times[1:, None], self._times[:-1, None]
        # Row j: runs that end with shot j, the longest first; row s: that start with it, likewise.
        self._before = self._scaled(ends_s - windows[1 : num_shots + 1])
        self._after = self._scaled(windows[most + 1 :][:num_shots] - starts_s)

    def _scaled(self, lengths_s: Doubles) -> Floats:
        """Return logarithms of lengths in units in which a scene's density is exp(-x**2)."""
        logs = np.log(np.maximum(lengths_s, _LEAST_S))
        return (logs / (self._costs.spread * 2**0.5)).astype(np.float32)

    def posterior(self) -> tuple[Doubles, Doubles]:
        """Return how likely a shot is in each scene, (S, F), and each scene in the film, (S,)."""
        size = len(self._times)
        reached = np.full(size, -np.inf)  # by the scenes so far, up to a shot
        reached[0] = 0
        starts, ends = np.empty((2, self._num_scenes, size))
        for scene in range(self._num_scenes):
            starts[scene] = self._over_gap(reached)
            ends[scene] = self._match(scene, starts[scene])
            reached = np.logaddexp(reached - self._costs.skipped_scene, ends[scene])
        total = self._over_gap(reached)[-1]
        left = np.full(size, -self._costs.gap) - self._gap_s * (self._times[-1] - self._times)
        left[-1] = 0
        for scene in reversed(range(self._num_scenes)):
            starts[scene] += (begun := self._match_back(scene, left)) - total
            ends[scene] += left - total
            left = np.logaddexp(left - self._costs.skipped_scene, self._over_gap_back(begun))
        begins, stops = np.exp(starts), np.exp(ends)
        occupied = np.cumsum(begins - stops, axis=1)[:, :-1]
        return np.clip(occupied, 0, 1), np.minimum(begins.sum(axis=1), 1)

    def _over_gap(self, reached: Doubles) -> Doubles:
        """Return what it is worth to start a run at a shot, after a gap or none."""
        clock = self._gap_s * self._times
        behind = np.logaddexp.accumulate(reached + clock)[:-1] - clock[1:]
        return np.concatenate([reached[:1], np.logaddexp(reached[1:], behind - self._costs.gap)])

    def _over_gap_back(self, begun: Doubles) -> Doubles:
        clock = self._gap_s * self._times
        ahead = np.logaddexp.accumulate((begun - clock)[::-1])[::-1][1:] + clock[:-1]
        return np.concatenate([np.logaddexp(begun[:-1], ahead - self._costs.gap), begun[-1:]])

    def _match(self, scene: int, before: Doubles) -> Doubles:
        """Return what it is worth that a scene's run ends before a shot, shape (F + 1,)."""
        reach = int(self._reach[scene])
        values = before + self._at_start[scene]
        padded = np.concatenate([np.full(reach, -np.inf), values])
        summed = self._sum(scene, padded, self._before[:, -reach:])
        return np.concatenate([[-np.inf], summed + self._at_end[scene, 1:]])

    def _match_back(self, scene: int, after: Doubles) -> Doubles:
        """Return what it is worth that a scene's run starts with a shot, shape (F + 1,)."""
        reach = int(self._reach[scene])
        values = after + self._at_end[scene]
        padded = np.concatenate([values, np.full(reach, -np.inf)])
        summed = self._sum(scene, padded, self._after[:, :reach])
        return np.concatenate([summed + self._at_start[scene, :-1], [-np.inf]])

    def _sum(self, scene: int, values: Doubles, lengths: Floats) -> Doubles:
        """Return the logarithm of the sum over each shot's runs, by where they start or end.

        Single precision: within a window, what is far below the rest does not count.
        """
        highest = values.max()
        if highest == -np.inf:
            return np.full(len(lengths), -np.inf)
        near = (values - highest).astype(np.float32)
        runs = lengths - np.float32(self._expected[scene] / (self._costs.spread * 2**0.5))
        np.square(runs, out=runs)
        np.subtract(
            sliding_window_view(near, lengths.shape[1])[1 : len(lengths) + 1], runs, out=runs
        )
        best = runs.max(axis=1)
        shift = np.where(np.isfinite(best), best, np.float32(0))
        runs -= shift[:, None]
        with np.errstate(divide="ignore"):
            summed = np.log(np.exp(runs, out=runs).sum(axis=1), dtype=np.float64)
        return np.asarray(summed + shift + highest)


def _longest_runs(times: Doubles, longest_s: Doubles) -> IntArray:
    """Return the most shots that fit into each of some lengths, at least one, shape (S,)."""
    first = np.arange(len(times) - 1)
    ends = np.searchsorted(times, times[:-1] + longest_s[:, None], side="right") - 1
    return np.asarray(np.clip((ends - first).max(axis=1), 1, len(first)))


def _likeliest_path(occupied: Doubles, lengths_s: Doubles) -> tuple[IntArray, Doubles]:
    """Return the ascending scenes, or -1, that gain the most expected time, and how likely each."""
    num_scenes, num_shots = occupied.shape
    nothing = np.clip(1 - occupied.sum(axis=0), 0, 1)
    best = np.zeros(num_scenes)
    source = np.empty((num_shots, num_scenes), np.int32)
    stays = np.empty((num_shots, num_scenes), np.bool_)
    order = np.arange(num_scenes)
    for shot in range(num_shots):
        highest = np.maximum.accumulate(best)
        is_new = np.concatenate([[True], best[1:] > highest[:-1]])
        source[shot] = np.maximum.accumulate(np.where(is_new, order, 0))
        named = highest + occupied[:, shot] * lengths_s[shot]
        unnamed = best + nothing[shot] * lengths_s[shot]
        stays[shot] = unnamed > named
        best = np.where(stays[shot], unnamed, named)
    scene = np.full(num_shots, -1, np.int64)
    at = int(np.argmax(best))
    for shot in range(num_shots - 1, -1, -1):
        if not stays[shot, at]:
            scene[shot] = at
            at = int(source[shot, at])
    found = np.where(scene >= 0, occupied[scene, np.arange(num_shots)], nothing)
    return scene, found
