"""The content detector's score of every frame, and what it cuts at any threshold."""
# T frames

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.movie import Transition
from mastershot.core.time import FrameTimes

CONTENT = "content"
"""What its scores are called in a table of frames."""

Decide = Callable[[Mapping[str, np.ndarray[Any, Any]], float], list[Transition]]
"""Returns the boundaries that scores of frames, by name, give at a threshold."""


def content_scores(images: Iterable[ImageArray]) -> FloatArray:
    """Return the score of each frame against the one before, shape (T,); 0 for the first.

    It is PySceneDetect's: the mean over the pixels of the absolute differences of hue, saturation
    and value, averaged over the three.

    Args:
        images: The frames as the detector sees them, BGR (H, W, 3).
    """
    import cv2

    scores: list[float] = []
    before: np.ndarray[Any, Any] | None = None
    for image in images:
        now = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
        scores.append(0.0 if before is None else float(cv2.absdiff(now, before).mean()))
        before = now
    return np.array(scores, np.float32)


def content_decider(times: FrameTimes, *, rate: Fraction, min_shot_s: float) -> Decide:
    """Return what decides on cuts as the content detector does, from scores called `CONTENT`.

    Args:
        times: When each frame is shown.
        rate: The film's mean rate, in which the shortest shot is counted.
        min_shot_s: Shortest shot in seconds.
    """
    from scenedetect.common import FrameTimecode, Timecode
    from scenedetect.detector import FlashFilter

    elapsed = (times.pts[:-1] - times.pts[0]).tolist()
    clock = [FrameTimecode(Timecode(at, times.time_base), fps=rate) for at in elapsed]
    frame_at = {at: frame for frame, at in enumerate(elapsed)}
    min_frames = round(min_shot_s * rate)

    def decide(scores: Mapping[str, np.ndarray[Any, Any]], threshold: float) -> list[Transition]:
        shortest = FlashFilter(FlashFilter.Mode.MERGE, min_frames)
        cuts: list[FrameTimecode] = []
        for now, is_above in zip(clock, (scores[CONTENT] >= threshold).tolist(), strict=True):
            cuts += shortest.filter(timecode=now, above_threshold=is_above)
        frames = (frame_at[cut.pts] for cut in cuts)
        return [Transition("cut", frame, frame) for frame in frames]

    return decide
