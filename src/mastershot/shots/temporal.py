"""The streaming detector: frames in, cuts out with a bounded delay, transitions at the end."""
# T frames

from typing import Protocol

import numpy as np
from threadpoolctl import ThreadpoolController

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.movie import Transition
from mastershot.shots.network import OUTPUTS, REACH, TransitionNetwork, packaged_network
from mastershot.shots.scores import BLOCK, MEASURES, FrameMeasures
from mastershot.shots.transitions import (
    LIGHT,
    PROBABILITIES,
    Found,
    Spacing,
    as_start,
    calm_until,
    ends_film,
    find_transitions,
    starts_film,
)

_LIGHT = MEASURES.index("light")
_LONGEST = 192  # frames; a transition that is longer is cut off here, to bound the delay


class FrameScorer:
    """Scores the frames of one film as they come.

    Attributes:
        num_settled: How many frames have their final probabilities.
    """

    max_delay_frames = 2 * BLOCK + REACH

    def __init__(self, network: TransitionNetwork | None = None) -> None:
        self._network = network or packaged_network()
        self._threads = ThreadpoolController()
        self._measures = FrameMeasures()
        self._recent: FloatArray = np.empty((0, len(MEASURES)), np.float32)
        self._first_recent = 0
        self._num_added = 0
        self._num_scored = 0
        self._probabilities: list[FloatArray] = []
        self._light: list[FloatArray] = []
        self.num_settled = 0

    @property
    def changed(self) -> bool:
        """Whether the latest picture differs clearly from the one before."""
        return self._measures.changed

    def add(self, image: ImageArray) -> bool:
        """Take the next frame, BGR (H, W, 3); return True if more frames are settled now."""
        self._measures.add(image)
        self._num_added += 1
        if self._num_added % BLOCK:
            return False
        return self._settle(self._num_added - REACH)

    def finish(self) -> None:
        """Settle all frames; no more will come."""
        self._settle(self._num_added)

    def probabilities(self, first: int = 0) -> FloatArray:
        """Return those of the settled frames from one on, by `network.OUTPUTS`, (T, 5)."""
        return _from(self._probabilities, first, len(OUTPUTS))

    def light(self, first: int = 0) -> FloatArray:
        """Return the mean light of the settled frames from one on, (T,)."""
        return _from(self._light, first, 1)[:, 0]

    def scores(self) -> dict[str, FloatArray]:
        """Return what is to be kept of the film's frames, by name, in half precision."""
        return {
            PROBABILITIES: self.probabilities().astype(np.float16),
            LIGHT: self.light().astype(np.float16),
        }

    def _settle(self, until: int) -> bool:
        # More threads would wait for work on the cores on which the film is decoded.
        with self._threads.limit(limits=1, user_api="blas"):
            return self._settle_until(until)

    def _settle_until(self, until: int) -> bool:
        self._recent = np.concatenate([self._recent, self._measures.take()])
        before = self.num_settled
        for first in range(self._num_scored, until, BLOCK):
            end = min(first + BLOCK, until)
            rows = slice(first - self._first_recent, end - self._first_recent)
            found = self._network.probabilities(self._recent, rows.start, rows.stop)
            self._scored(first, found, self._recent[rows, _LIGHT : _LIGHT + 1])
            self._num_scored = end
        keep = max(0, self._num_scored - REACH)
        self._recent = self._recent[keep - self._first_recent :]
        self._first_recent = keep
        return self.num_settled > before

    def _scored(self, first: int, found: FloatArray, light: FloatArray) -> None:
        """Take what the network says of the frames from one on; here, that is final."""
        self._keep(found, light)

    def _keep(self, probabilities: FloatArray, light: FloatArray) -> None:
        """Keep what is final of the next frames."""
        self._probabilities.append(probabilities)
        self._light.append(light)
        self.num_settled += len(probabilities)


def _from(blocks: list[FloatArray], first: int, width: int) -> FloatArray:
    """Return the rows from one on of blocks that are all full but the last."""
    rest = blocks[first // BLOCK :]
    rows = np.concatenate(rest) if rest else np.empty((0, width), np.float32)
    return rows[first % BLOCK :]


class Scorer(Protocol):
    """Scores the frames of one film as they come."""

    max_delay_frames: int
    """After at most so many more frames, a frame and the few beside it have theirs."""
    num_settled: int
    """How many frames have their final probabilities."""

    @property
    def changed(self) -> bool:
        """Whether the latest picture differs clearly from the one before."""
        ...

    def add(self, image: ImageArray) -> bool:
        """Take the next frame, BGR (H, W, 3); return True if more frames are settled now."""
        ...

    def finish(self) -> None:
        """Settle all frames; no more will come."""
        ...

    def probabilities(self, first: int = 0) -> FloatArray:
        """Return those of the settled frames from one on, by `network.OUTPUTS`, (T, 5)."""
        ...

    def light(self, first: int = 0) -> FloatArray:
        """Return the mean light of the settled frames from one on, (T,)."""
        ...

    def scores(self) -> dict[str, FloatArray]:
        """Return what is to be kept of the film's frames, by name, in half precision."""
        ...


class StreamingDetector:
    """Finds transitions by the scores of frames, with a bounded delay."""

    def __init__(self, scorer: Scorer, threshold: float, least: int = 0) -> None:
        """Take what scores frames, the threshold of scores, and the shortest shot in frames."""
        self._threshold, self._scorer = threshold, scorer
        self.max_lag_frames = scorer.max_delay_frames + _LONGEST
        self.changed = False
        self._spacing = Spacing(least)
        self._is_over = False
        self._judged = 0  # Transitions that end before this frame are found.
        self._start = Transition("start", 0, 0)
        self._found: list[Found] = []

    def process(self, *, frame: int, pts: int, image: ImageArray) -> list[int]:
        """Take the next frame, BGR (H, W, 3); return the cuts known by now."""
        has_settled = self._scorer.add(image)
        self.changed = self._scorer.changed
        if not has_settled:
            return []
        probabilities = self._scorer.probabilities(self._judged)
        calm = calm_until(probabilities, self._threshold)
        if not calm and len(probabilities) > _LONGEST:
            calm = len(probabilities)
        return self._judge(calm)

    def finish(self) -> list[int]:
        """Return the cuts that only the end of the film settles."""
        self._scorer.finish()
        self._is_over = True
        last = self._judge(self._scorer.num_settled - self._judged)
        return last + self._take(self._spacing.finish())

    def transitions(self) -> list[Transition]:
        """Return how each shot begins, the first included; call it after `finish`."""
        return [self._start, *(one.transition for one in self._found)]

    def scores(self) -> dict[str, FloatArray]:
        """Return what the cuts were decided by, by name, arrays of T rows."""
        return self._scorer.scores()

    def _judge(self, num_frames: int) -> list[int]:
        """Find the transitions of the next so many frames."""
        first, self._judged = self._judged, self._judged + num_frames
        rows = self._scorer.probabilities(first)[:num_frames]
        light = self._scorer.light(first)[:num_frames]
        ready = []
        for one in find_transitions(rows, light, self._threshold):
            moved = one.later_by(first)
            if starts_film(moved.transition):
                self._start = as_start(moved.transition)
            elif not (self._is_over and ends_film(moved.transition, self._judged)):
                ready += self._spacing.add(moved)
        return self._take(ready + self._spacing.settle(self._judged))

    def _take(self, found: list[Found]) -> list[int]:
        self._found += found
        return [one.boundary for one in found]
