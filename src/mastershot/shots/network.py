"""A temporal convolutional network over the measures of frames: how likely each kind of transition.

It is small enough for NumPy. Each frame is judged by 64 frames on either side of it, in runs that
start at multiples of 64, so that a frame's probabilities do not depend on how a film is read.
"""
# T frames, M measures, C channels

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mastershot.core.embeddings import FloatArray
from mastershot.shots.scores import BLOCK, LAGS, MEASURES

OUTPUTS = ("cut", "dissolve", "fade", "wipe", "flash")
"""The columns of probabilities: a shot's first frame after a cut; a frame within a gradual
transition of each kind; a frame lit by a flash."""
REACH = BLOCK
"""How many frames either side of a frame count."""
_FLOOR = 0.003  # below every measure, for its logarithm
_STILL = 0.012  # Pictures no farther apart than this, grain aside, are the same.
_FARTHEST = MEASURES.index(f"distance {max(LAGS)}")
_Weights = Mapping[str, np.ndarray[Any, Any]]


class TransitionNetwork:
    """The network with its weights: arrays by name, as `training.transitions` exports them."""

    def __init__(self, weights: _Weights) -> None:
        assert tuple(weights["measures"].tolist()) == MEASURES, "weights of other measures"
        self._weights = {
            name: np.asarray(values, np.float32)
            for name, values in weights.items()
            if name != "measures"
        }
        self._dilations = [int(value) for value in weights["dilations"]]
        assert sum(self._dilations) <= REACH, self._dilations

    def probabilities(self, measures: FloatArray, first: int, end: int) -> FloatArray:
        """Return the probabilities of frames, float32 (end - first, 5), by `OUTPUTS`.

        Args:
            measures: Of consecutive frames, (T, M).
            first: The first frame asked for, as a row of ``measures``.
            end: The row past the last one.
        """
        start, stop = max(0, first - REACH), min(len(measures), end + REACH)
        x = (np.log(measures[start:stop] + _FLOOR) - self._weights["mean"]) / self._weights["std"]
        x = _relu(x.astype(np.float32) @ self._weights["inp.weight"] + self._weights["inp.bias"])
        for index, dilation in enumerate(self._dilations):
            seen = _shifted(x, self._weights[f"blocks.{index}.0.weight"], dilation)
            hidden = _relu(seen + self._weights[f"blocks.{index}.0.bias"])
            x = x + hidden @ self._weights[f"blocks.{index}.1.weight"]
            x += self._weights[f"blocks.{index}.1.bias"]
        x = x[first - start : end - start]
        found = _probabilities(x @ self._weights["out.weight"] + self._weights["out.bias"])
        found[~_changing(measures[first : end + max(LAGS), _FARTHEST], len(found))] = 0
        return found


def _changing(distances: FloatArray, num_frames: int) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Return whether the picture changes about each frame at all, (T,); in a still one nothing can.

    Args:
        distances: Of each frame, and those after it, to the frame 48 earlier.
        num_frames: How many frames are asked for.
    """
    padded = np.pad(distances, (0, num_frames + max(LAGS) - len(distances)))
    farthest: FloatArray = sliding_window_view(padded, max(LAGS) + 1)[:num_frames].max(axis=1)
    return np.asarray(farthest > _STILL)


def _shifted(x: FloatArray, weight: FloatArray, dilation: int) -> FloatArray:
    """Return a convolution in time of three taps, (3, C, C); beyond the ends is nothing."""
    total: FloatArray = x @ weight[1]
    if len(x) > dilation:
        total[dilation:] += x[:-dilation] @ weight[0]
        total[:-dilation] += x[dilation:] @ weight[2]
    return total


def _relu(x: FloatArray) -> FloatArray:
    positive: FloatArray = np.maximum(x, 0, out=x)
    return positive


def _probabilities(logits: FloatArray) -> FloatArray:
    """Return (T, 5) of logits (T, 6): cut; none, dissolve, fade, wipe; flash."""
    kinds = np.exp(logits[:, 1:5] - logits[:, 1:5].max(axis=1, keepdims=True))
    kinds /= kinds.sum(axis=1, keepdims=True)
    single = 1 / (1 + np.exp(-np.clip(logits[:, [0, 5]], -30, 30)))
    found: FloatArray = np.concatenate([single[:, :1], kinds[:, 1:], single[:, 1:]], axis=1)
    return found.astype(np.float32)


@cache
def packaged_network() -> TransitionNetwork:
    """Return the network that ships."""
    file = resources.files("mastershot.shots") / "transition_network.npz"
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return TransitionNetwork(dict(arrays))
