"""TransNet V2 with our types, and the cascade: the temporal network, helped where in doubt."""
# T frames

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.shots.learned import (
    LONG_WINDOW,
    MARGIN,
    WINDOW,
    TransNetScorer,
    packaged_transnet,
    small_picture,
    window_scores,
)
from mastershot.shots.network import OUTPUTS
from mastershot.shots.scores import BLOCK
from mastershot.shots.temporal import FrameScorer
from mastershot.shots.transitions import PROBABILITIES

SURE, IGNORED = 0.9, 0.1
"""Above and below these the temporal network is not in doubt."""
_NARROW = 4  # TransNet V2 sees a cut in up to so many frames.
_NEARBY = 8  # frames within which a sure one settles its neighbours
_KINDS, _CUT, _FLASH = slice(1, 4), OUTPUTS.index("cut"), OUTPUTS.index("flash")
# Weights of the log odds of the temporal network, of TransNet V2, and a constant, fitted to films
# that no figure is taken from (`bench/transitions.py fit`).
_CUT_WEIGHTS = (0.86, 0.52, -0.07)
_GRADUAL_WEIGHTS = (0.55, 0.24, -0.66)


class LearnedScorer:
    """Scores frames by TransNet V2; the kind of a gradual transition, by the temporal network."""

    max_delay_frames = LONG_WINDOW + 2 * BLOCK

    def __init__(self) -> None:
        self._ours, self._transnet = FrameScorer(), TransNetScorer()
        self._rows: list[FloatArray] = []
        self.num_settled = 0

    @property
    def changed(self) -> bool:
        """Whether the latest picture differs clearly from the one before."""
        return self._ours.changed

    def add(self, image: ImageArray) -> bool:
        """Take the next frame, BGR (H, W, 3); return True if more frames are settled now."""
        self._ours.add(image)
        self._transnet.add(image)
        settled = min(self._ours.num_settled, self._transnet.num_settled - _NARROW)
        return self._settle(settled // BLOCK * BLOCK)

    def finish(self) -> None:
        """Settle all frames; no more will come."""
        self._ours.finish()
        self._transnet.finish()
        self._settle(self._ours.num_settled)

    def probabilities(self, first: int = 0) -> FloatArray:
        """Return those of the settled frames from one on, by `network.OUTPUTS`, (T, 5)."""
        rows = self._rows[first // BLOCK :]
        joined = np.concatenate(rows) if rows else np.empty((0, len(OUTPUTS)), np.float32)
        return joined[first % BLOCK :]

    def light(self, first: int = 0) -> FloatArray:
        """Return the mean light of the settled frames from one on, (T,)."""
        return self._ours.light(first)[: self.num_settled - first]

    def scores(self) -> dict[str, FloatArray]:
        """Return what is to be kept of the film's frames, by name, in half precision."""
        return self._ours.scores() | {PROBABILITIES: self.probabilities().astype(np.float16)}

    def _settle(self, until: int) -> bool:
        before = self.num_settled
        for first in range(before, until, BLOCK):
            end = min(first + BLOCK, until)
            start = max(0, first - _NARROW)
            scores = self._transnet.scores(start)[: end + _NARROW - start]
            ours = self._ours.probabilities(first)[: end - first]
            self._rows.append(_as_probabilities(scores, first - start, ours))
            self.num_settled = end
        return self.num_settled > before


def _as_probabilities(scores: FloatArray, skip: int, ours: FloatArray) -> FloatArray:
    """Return TransNet V2's scores as `network.OUTPUTS`, (T, 5).

    Args:
        scores: Its scores, from ``skip`` frames before the first to some after the last.
        skip: How many frames come before.
        ours: The temporal network's probabilities, (T, 5).
    """
    rows = slice(skip, skip + len(ours))
    middle = np.concatenate([scores[:1, 0] * 0, scores[:, 0]])[rows]  # The frame after a cut.
    gradual = _opened(scores[:, 1])[rows]
    kinds = ours[:, _KINDS] + 1e-6
    found = np.empty_like(ours)
    found[:, _CUT] = middle * (1 - ours[:, _FLASH])
    found[:, _KINDS] = kinds / kinds.sum(axis=1, keepdims=True) * gradual[:, None]
    found[:, _FLASH] = ours[:, _FLASH]
    return found


def _opened(values: FloatArray) -> FloatArray:
    """Return values without peaks of `_NARROW` frames or fewer (a morphological opening)."""
    width = _NARROW + 1
    low = sliding_window_view(np.pad(values, (width - 1, width - 1)), width).min(axis=1)
    opened: FloatArray = sliding_window_view(low, width).max(axis=1)
    return opened


class CascadeScorer(FrameScorer):
    """Scores frames by the temporal network, and by TransNet V2 too where it is in doubt.

    Attributes:
        num_asked: How many windows TransNet V2 has seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pictures: list[ImageArray] = []
        self._first_picture = 0
        self.num_asked = 0
        loader = ThreadPoolExecutor(1, "transnet")  # PyTorch takes a second to load.
        self._transnet = loader.submit(packaged_transnet)
        loader.shutdown(wait=False)

    def add(self, image: ImageArray) -> bool:
        """Take the next frame, BGR (H, W, 3); return True if more frames are settled now."""
        self._pictures.append(small_picture(image))
        return super().add(image)

    def _judged(self, first: int, found: FloatArray) -> FloatArray:
        """Return the probabilities of the frames from one on, helped where they are in doubt."""
        judged, runs = found.copy(), doubts(found)
        while runs:
            start = runs[0][0]
            end = min(runs[-1][1], start + WINDOW - 2 * MARGIN)  # as far as one window answers
            scores = self._asked(first + start, first + end)
            for run, stop in runs:
                rows = slice(max(run, start), min(stop, end))
                if rows.start < rows.stop:
                    answers = scores[rows.start - start : rows.stop - start]
                    judged[rows] = fused(found[rows], answers)
            runs = [(max(run, end), stop) for run, stop in runs if stop > end]
        keep = max(0, first + len(found) - WINDOW)
        self._pictures = self._pictures[keep - self._first_picture :]
        self._first_picture = keep
        return judged

    def _asked(self, first: int, end: int) -> FloatArray:
        """Return TransNet V2's scores of some frames: of each as the next one's, and as within.

        It sees them with the margin either side that the published windows have.
        """
        start = first - MARGIN
        places = np.clip(
            np.arange(start, end + MARGIN) - self._first_picture, 0, len(self._pictures) - 1
        )
        window = np.stack([self._pictures[place] for place in places])
        scores = window_scores(self._transnet.result(), window)
        self.num_asked += 1
        rows = np.arange(first, end) - start
        return np.stack([scores[rows - 1, 0], scores[rows, 1]], axis=1)


def doubts(probabilities: FloatArray) -> list[tuple[int, int]]:
    """Return the runs of frames in which something may be going on, and nothing is sure."""
    going = np.maximum(probabilities[:, _CUT], probabilities[:, _KINDS].sum(axis=1))
    width = 2 * _NEARBY + 1
    around = sliding_window_view(np.pad(going, _NEARBY), width).max(axis=1)
    in_doubt = (around > IGNORED) & (around < SURE)
    edges = np.flatnonzero(np.diff(in_doubt.astype(np.int8), prepend=0, append=0)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def fused(ours: FloatArray, scores: FloatArray) -> FloatArray:
    """Return our probabilities, (T, 5), weighed with TransNet V2's scores, (T, 2)."""
    gradual = ours[:, _KINDS].sum(axis=1)
    found = ours.copy()
    found[:, _CUT] = _weighed(ours[:, _CUT], scores[:, 0], _CUT_WEIGHTS)
    joined = _weighed(gradual, scores[:, 1], _GRADUAL_WEIGHTS)
    scale = joined / np.maximum(gradual, 1e-6)
    found[:, _KINDS] = ours[:, _KINDS] * scale[:, None]
    return found


def _weighed(one: FloatArray, other: FloatArray, weights: tuple[float, float, float]) -> FloatArray:
    odds = weights[0] * log_odds(one) + weights[1] * log_odds(other) + weights[2]
    joined: FloatArray = (1 / (1 + np.exp(-odds))).astype(np.float32)
    return joined


def log_odds(probability: FloatArray) -> FloatArray:
    """Return the log odds of probabilities, those of 0.0001 and 0.9999 at most."""
    inside = np.clip(probability, 1e-4, 1 - 1e-4)
    odds: FloatArray = np.log(inside / (1 - inside))
    return odds
