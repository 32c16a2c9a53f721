"""From the probabilities of frames to transitions, typed and exact."""
# T frames

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.movie import Transition, TransitionKind

GRADUAL: tuple[TransitionKind, ...] = ("dissolve", "fade", "wipe")
THRESHOLD = 0.5
PROBABILITIES, LIGHT = "transitions", "light"
"""What the scores of frames are called in a table of frames."""
_EDGE = 0.6  # A gradual transition goes on while its probability is above so much of the threshold.
_LEAST_GRADUAL = 3  # frames
_PEAK = 3  # A cut is the likeliest one of so many frames either side.
_CALM = _PEAK + 1  # frames either side of a frame at which nothing is going on
_AT_AN_END = 2  # frames from the film's first or last one
_WHITE = 0.75  # of full light, at the brightest frame of a fade through white


@dataclass(frozen=True)
class Found:
    """A transition with how sure it is.

    Attributes:
        transition: The transition.
        score: Its highest probability.
    """

    transition: Transition
    score: float

    @property
    def boundary(self) -> int:
        """The first frame of the new shot: in the middle of a gradual transition."""
        return boundary(self.transition)

    def later_by(self, num_frames: int) -> "Found":
        """Return the same transition so many frames later."""
        start, end = self.transition.start_frame, self.transition.end_frame
        moved = replace(self.transition, start_frame=start + num_frames, end_frame=end + num_frames)
        return replace(self, transition=moved)


def starts_film(transition: Transition) -> bool:
    """Return True for a fade that the film begins with: it comes up out of a colour."""
    return transition.kind == "fade" and transition.start_frame <= _AT_AN_END


def ends_film(transition: Transition, num_frames: int) -> bool:
    """Return True for a gradual transition that the film ends in: it leads to no other shot."""
    return transition.kind != "cut" and transition.end_frame >= num_frames - _AT_AN_END


def as_start(transition: Transition) -> Transition:
    """Return how a film starts that begins with a fade."""
    return replace(transition, kind="start", start_frame=0)


def boundary(transition: Transition) -> int:
    """Return the first frame of the shot that a transition leads to."""
    return (transition.start_frame + transition.end_frame + 1) // 2


class Spacing:
    """Lets transitions through that are far enough apart; of two that are not, the surer one."""

    def __init__(self, least: int) -> None:
        """Take the shortest shot, in frames."""
        self._least = max(1, least)
        self._last: Found | None = None

    def add(self, one: Found) -> list[Found]:
        """Take the next transition; return those that can no longer be replaced."""
        last, self._last = self._last, one
        if last is None:
            return []
        if one.boundary - last.boundary >= self._least:
            return [last]
        if last.score >= one.score:
            self._last = last
        return []

    def settle(self, frame: int) -> list[Found]:
        """Return what is settled now that the next boundary is known not to come before a frame."""
        if self._last is None or frame - self._last.boundary < self._least:
            return []
        return self.finish()

    def finish(self) -> list[Found]:
        """Return what is left; no more will come."""
        last, self._last = self._last, None
        return [] if last is None else [last]


def find_transitions(
    probabilities: FloatArray, light: FloatArray, threshold: float = THRESHOLD
) -> list[Found]:
    """Return the transitions among some frames, in order, however close.

    Args:
        probabilities: Of every frame, by `network.OUTPUTS`, (T, 5).
        light: Mean light of every frame, (T,), in [0, 1].
        threshold: From which probability on a frame starts a shot, or is in a transition.
    """
    gradual = probabilities[:, 1:4].sum(axis=1)
    found: list[Found] = []
    taken = np.zeros(len(gradual) + 3, bool)
    for start, end in _runs(gradual > _EDGE * threshold):
        score = float(gradual[start:end].max())
        if score < threshold or end - start < _LEAST_GRADUAL:
            continue
        taken[max(0, start - 1) : end + 2] = True
        kind = GRADUAL[int(probabilities[start:end, 1:4].mean(axis=0).argmax())]
        through = colour_of(light[start:end]) if kind == "fade" else None
        found.append(Found(Transition(kind, start, end, through), score))
    for frame in _peaks(probabilities[:, 0], threshold):
        if not taken[frame]:
            cut = Transition("cut", frame, frame)
            found.append(Found(cut, float(probabilities[frame, 0])))
    return sorted(found, key=lambda one: (one.boundary, one.transition.start_frame))


def calm_until(probabilities: FloatArray, threshold: float) -> int:
    """Return the last frame at which nothing is going on, or 0: what comes later cannot matter."""
    gradual = probabilities[:, 1:4].sum(axis=1)
    busy = (gradual > _EDGE * threshold) | (probabilities[:, 0] >= threshold)
    calm = np.flatnonzero(np.convolve(busy, np.ones(2 * _CALM + 1), "valid") == 0)
    return int(calm[-1]) + _CALM if len(calm) else 0


def film_transitions(
    probabilities: FloatArray, light: FloatArray, threshold: float, least: int
) -> tuple[Transition, list[Found]]:
    """Return how a film starts, and its transitions.

    The arguments are those of `find_transitions`, and the shortest shot in frames.
    """
    start, spacing, kept = Transition("start", 0, 0), Spacing(least), []
    for one in find_transitions(probabilities, light, threshold):
        if starts_film(one.transition):
            start = as_start(one.transition)
        elif not ends_film(one.transition, len(light)):
            kept += spacing.add(one)
    return start, kept + spacing.finish()


def typed_cuts(
    cuts: Sequence[int], probabilities: FloatArray, light: FloatArray, threshold: float = THRESHOLD
) -> list[Transition]:
    """Return how each shot begins that cuts found otherwise make, the first included.

    A cut within a gradual transition is its boundary; of several, the one nearest to its middle.
    """
    starts = [0, *cuts]
    found = [Transition("cut" if frame else "start", frame, frame) for frame in starts]
    for one in find_transitions(probabilities, light, threshold):
        begin, end = one.transition.start_frame, one.transition.end_frame
        if starts_film(one.transition):
            found[0] = as_start(one.transition)
            continue
        first, last = np.searchsorted(starts, (begin, end + 1)).tolist()
        if one.transition.kind == "cut" or first == last:
            continue
        nearest = min(range(first, last), key=lambda index: abs(starts[index] - one.boundary))
        if nearest == 0:
            found[0] = replace(one.transition, kind="start", start_frame=0)
            continue
        floor = starts[nearest - 1]
        ceiling = starts[nearest + 1] if nearest + 1 < len(starts) else len(probabilities)
        found[nearest] = replace(
            one.transition, start_frame=max(begin, floor), end_frame=min(end, ceiling)
        )
    return found


def colour_of(light: FloatArray) -> Literal["black", "white"]:
    """Return which colour a fade goes through, by the light of its frames."""
    ends = (float(light[0]) + float(light[-1])) / 2
    brightest, darkest = float(light.max()), float(light.min())
    return "white" if brightest > _WHITE and brightest - ends > ends - darkest else "black"


def _runs(inside: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Iterator[tuple[int, int]]:
    """Yield the first index of each run of True, and the one past its last."""
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _peaks(cut: FloatArray, threshold: float) -> list[int]:
    """Return the frames whose probability is high, and the first highest one nearby."""
    found: list[int] = []
    for frame in np.flatnonzero(cut >= threshold).tolist():
        before, after = cut[max(0, frame - _PEAK) : frame], cut[frame + 1 : frame + _PEAK + 1]
        if frame and (before < cut[frame]).all() and (after <= cut[frame]).all():
            found.append(frame)
    return found
