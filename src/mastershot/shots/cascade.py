"""TransNet V2 with our types, and the cascade: the temporal network, helped where in doubt."""
# T frames

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.models.devices import on_one_thread
from mastershot.shots.learned import (
    LONG_WINDOW,
    MARGIN,
    WINDOW,
    TransNetScorer,
    packaged_transnet,
    small_picture,
    weights_file,
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
_BLOCKS_IN_WORK = 4  # Blocks of frames decoded while TransNet V2 is asked about one.
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

    TransNet V2 runs on a thread beside the one that decodes. Its answers are waited for after a
    fixed number of frames, so that what is known of a film at a frame does not depend on speed.

    Attributes:
        num_asked: How many windows TransNet V2 has seen.
    """

    max_delay_frames = FrameScorer.max_delay_frames + _BLOCKS_IN_WORK * BLOCK

    def __init__(self) -> None:
        """Prepare; PyTorch and the network are loaded while the film's first frames are decoded.

        Raises:
            EncoderUnavailableError: TransNet V2's weights are not installed.
        """
        super().__init__()
        weights_file()
        self._pictures: list[ImageArray] = []
        self._first_picture = 0
        self.num_asked = 0
        self._worker = ThreadPoolExecutor(1, "transnet")
        self._worker.submit(packaged_transnet)
        self._in_work: deque[tuple[Future[FloatArray] | FloatArray, FloatArray]] = deque()

    def add(self, image: ImageArray) -> bool:
        """Take the next frame, BGR (H, W, 3); return True if more frames are settled now."""
        self._pictures.append(small_picture(image))
        return super().add(image)

    def finish(self) -> None:
        """Settle all frames; no more will come."""
        super().finish()
        self._settle_oldest(len(self._in_work))
        self._worker.shutdown()

    def _scored(self, first: int, found: FloatArray, light: FloatArray) -> None:
        runs = doubts(found)
        if runs:
            pictures = _Pictures(self._first_picture, tuple(self._pictures))
            helped = self._worker.submit(self._helped, found, runs, pictures, first)
            self._in_work.append((helped, light))
        else:
            self._in_work.append((found, light))
        keep = max(0, first + len(found) - WINDOW)
        self._pictures = self._pictures[keep - self._first_picture :]
        self._first_picture = keep
        self._settle_oldest(len(self._in_work) - _BLOCKS_IN_WORK)

    def _settle_oldest(self, num_blocks: int) -> None:
        for _ in range(num_blocks):
            found, light = self._in_work.popleft()
            self._keep(found.result() if isinstance(found, Future) else found, light)

    def _helped(
        self, found: FloatArray, runs: list[tuple[int, int]], pictures: "_Pictures", first: int
    ) -> FloatArray:
        """Return the probabilities of the frames from one on, helped in the runs in doubt."""
        judged = found.copy()
        while runs:
            start = runs[0][0]
            end = min(runs[-1][1], start + WINDOW - 2 * MARGIN)  # as far as one window answers
            scores = self._asked(pictures, first + start, first + end)
            for run, stop in runs:
                rows = slice(max(run, start), min(stop, end))
                if rows.start < rows.stop:
                    answers = scores[rows.start - start : rows.stop - start]
                    judged[rows] = fused(found[rows], answers)
            runs = [(max(run, end), stop) for run, stop in runs if stop > end]
        return judged

    def _asked(self, pictures: "_Pictures", first: int, end: int) -> FloatArray:
        """Return TransNet V2's scores of some frames: of each as the next one's, and as within.

        It sees them with the margin either side that the published windows have.
        """
        start = first - MARGIN
        window = pictures.window(start, end + MARGIN)
        network = packaged_transnet()
        with on_one_thread():
            scores = window_scores(network, window)
        self.num_asked += 1
        rows = np.arange(first, end) - start
        return np.stack([scores[rows - 1, 0], scores[rows, 1]], axis=1)


@dataclass(frozen=True)
class _Pictures:
    """Pictures of consecutive frames, (27, 48, 3) each, from the frame ``first`` on."""

    first: int
    of_frames: tuple[ImageArray, ...]

    def window(self, start: int, end: int) -> ImageArray:
        """Return those from one on; beyond the ends, the first and last are repeated."""
        places = np.clip(np.arange(start, end) - self.first, 0, len(self.of_frames) - 1)
        return np.stack([self.of_frames[place] for place in places])


def doubts(probabilities: FloatArray) -> list[tuple[int, int]]:
    """Return the runs of frames in which something may be going on, and nothing is sure."""
    going = np.maximum(probabilities[:, _CUT], probabilities[:, _KINDS].sum(axis=1))
    width = 2 * _NEARBY + 1
    around = sliding_window_view(np.pad(going, _NEARBY), width).max(axis=1)
    in_doubt = (around > IGNORED) & (around < SURE)
    edges = np.flatnonzero(np.diff(in_doubt.astype(np.int8), prepend=0, append=0)).tolist()
    runs = zip(edges[::2], edges[1::2], strict=True)
    # Beside a sure transition lie frames that see only its faint beginning or end.
    return [(start, end) for start, end in runs if going[start:end].max() > IGNORED]


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
