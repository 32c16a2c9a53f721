"""Content-aware shot detection: PySceneDetect scores the frames we decode (METHODS A3)."""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.media.probe import FilmFile
from mastershot.media.video import Frame
from mastershot.shots.content_scores import CONTENT
from mastershot.shots.settings import ShotSettings

if TYPE_CHECKING:
    from scenedetect.common import FrameTimecode
    from scenedetect.detector import SceneDetector

# PySceneDetect scales every frame to this many pixels on its longer side.
_EXACT_SIDE_PX = 256
_REMEMBERED_FRAMES = 4096


class PySceneDetector:
    """A detector of PySceneDetect, fed frame by frame with exact times."""

    changed = False

    def __init__(self, detector: "SceneDetector", *, time_base: Fraction, rate: Fraction) -> None:
        self.max_lag_frames = int(detector.event_buffer_length)
        self._detector = detector
        self._time_base = time_base
        self._rate = rate
        self._first_pts: int | None = None
        self._last: FrameTimecode | None = None
        self._frame_at: dict[int, int] = {}
        self._scores: list[float] = []

    def process(self, *, frame: int, pts: int, image: ImageArray) -> list[int]:
        """Take the next frame, BGR (H, W, 3); return the cuts known by now."""
        from scenedetect.common import FrameTimecode, Timecode

        if self._first_pts is None:
            self._first_pts = pts
        elapsed = pts - self._first_pts
        self._frame_at[elapsed] = frame
        self._last = FrameTimecode(Timecode(elapsed, self._time_base), fps=self._rate)
        cuts = self._detector.process_frame(self._last, image)
        # PySceneDetect tells a frame's score otherwise only with what makes it twice as slow.
        self._scores.append(getattr(self._detector, "_frame_score", None) or 0.0)
        return self._frames_of(cuts)

    def finish(self) -> list[int]:
        """Return the cuts that only the end of the film settles."""
        if self._last is None:
            return []
        return self._frames_of(self._detector.post_process(self._last))

    def scores(self) -> dict[str, FloatArray]:
        """Return the content score of every frame so far, by name, (T,)."""
        return {CONTENT: np.array(self._scores, np.float32)}

    def _frames_of(self, cuts: "list[FrameTimecode]") -> list[int]:
        found = [self._frame_at[cut.pts] for cut in cuts]
        if len(self._frame_at) > _REMEMBERED_FRAMES:
            # A cut is reported late by frames of the mean rate: by time, where the rate varies.
            lag = (self.max_lag_frames + 2) / self._rate / self._time_base
            newest = next(reversed(self._frame_at))
            self._frame_at = {t: f for t, f in self._frame_at.items() if t >= newest - 2 * lag}
        return found


def scenedetect_detector(settings: ShotSettings, file: FilmFile) -> PySceneDetector:
    """Return a fresh detector of PySceneDetect for one film.

    The minimum length is counted in frames of the film's mean rate, rounded as the
    ``scenedetect`` command rounds it, so that both find the same cuts.
    """
    from scenedetect.detectors import AdaptiveDetector, ContentDetector

    rate = file.mean_rate or Fraction(25)
    min_frames = round(settings.shortest_s * rate)
    threshold = settings.score_threshold
    detector: SceneDetector = ContentDetector(threshold=threshold, min_scene_len=min_frames)
    if settings.detector == "adaptive":
        detector = AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=min_frames)
    return PySceneDetector(detector, time_base=file.time_base, rate=rate)


class ExactView:
    """Makes a film's frames as PySceneDetect's scene manager makes them: BGR, scaled down."""

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None

    def __call__(self, frame: Frame) -> ImageArray:
        """Return the frame; one of another size than the first is scaled to the first's."""
        import cv2

        image = frame.exact_bgr()
        height, width = image.shape[:2]
        if self._size is None:
            shrink = max(1.0, max(height, width) / _EXACT_SIDE_PX)
            self._size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        if self._size == (width, height):
            return image
        return cv2.resize(image, self._size, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
