"""Content-aware shot detection: PySceneDetect scores the frames we decode (METHODS A3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from mastershot.core.embeddings import ImageArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.core.movie import Movie, Shot, Transition, shot_id
from mastershot.core.protocols import ShotDetector
from mastershot.core.time import Span
from mastershot.media.probe import FilmFile
from mastershot.media.video import Frame

if TYPE_CHECKING:
    from scenedetect.common import FrameTimecode
    from scenedetect.detector import SceneDetector

DetectorName: TypeAlias = Literal["content", "adaptive"]
# PySceneDetect scales every frame to this many pixels on its longer side.
_EXACT_SIDE_PX = 256
_REMEMBERED_FRAMES = 4096
_DEFAULT_THRESHOLD: dict[str, float] = {"content": 27.0, "adaptive": 3.0}


@dataclass(frozen=True)
class ShotSettings:
    """How shots are found.

    Attributes:
        detector: ``content`` compares neighbouring frames; ``adaptive`` compares that score with
            its surroundings, so that fast camera moves are not taken for cuts.
        exact: True gives the detector the pixels PySceneDetect's own reader would give it;
            False a grid of points of each frame, several times cheaper.
        threshold: Score from which on a frame is a cut; None takes PySceneDetect's default, 27
            for content and 3 (a ratio) for adaptive.
        min_shot_s: Shortest shot in seconds; the ``scenedetect`` command's default is 0.6.
    """

    detector: DetectorName = "content"
    exact: bool = False
    threshold: float | None = None
    min_shot_s: float = 0.6

    def __post_init__(self) -> None:
        if self.detector not in get_args(DetectorName):
            names = " or ".join(get_args(DetectorName))
            raise SettingError(f"detector {self.detector!r} is unknown; use {names}")
        if not 0 <= self.min_shot_s < float("inf"):
            raise SettingError(f"minimum shot length is {self.min_shot_s} s; it must be 0 or more")
        if self.threshold is not None and not self.threshold > 0:
            raise SettingError(f"threshold is {self.threshold}; it must be above 0")

    @property
    def score_threshold(self) -> float:
        """The threshold in force."""
        return _DEFAULT_THRESHOLD[self.detector] if self.threshold is None else self.threshold


class PySceneDetector:
    """A detector of PySceneDetect, fed frame by frame with exact times."""

    def __init__(self, detector: "SceneDetector", *, time_base: Fraction, rate: Fraction) -> None:
        self.max_lag_frames = int(detector.event_buffer_length)
        self._detector = detector
        self._time_base = time_base
        self._rate = rate
        self._first_pts: int | None = None
        self._last: FrameTimecode | None = None
        self._frame_at: dict[int, int] = {}

    def process(self, *, frame: int, pts: int, image: ImageArray) -> list[int]:
        """Take the next frame, BGR (H, W, 3); return the cuts known by now."""
        from scenedetect.common import FrameTimecode, Timecode

        if self._first_pts is None:
            self._first_pts = pts
        elapsed = pts - self._first_pts
        self._frame_at[elapsed] = frame
        self._last = FrameTimecode(Timecode(elapsed, self._time_base), fps=self._rate)
        return self._frames_of(self._detector.process_frame(self._last, image))

    def finish(self) -> list[int]:
        """Return the cuts that only the end of the film settles."""
        if self._last is None:
            return []
        return self._frames_of(self._detector.post_process(self._last))

    def _frames_of(self, cuts: "list[FrameTimecode]") -> list[int]:
        found = [self._frame_at[cut.pts] for cut in cuts]
        if len(self._frame_at) > _REMEMBERED_FRAMES:
            # A cut is reported late by frames of the mean rate: by time, where the rate varies.
            lag = (self.max_lag_frames + 2) / self._rate / self._time_base
            newest = next(reversed(self._frame_at))
            self._frame_at = {t: f for t, f in self._frame_at.items() if t >= newest - 2 * lag}
        return found


def make_detector(settings: ShotSettings, file: FilmFile) -> ShotDetector:
    """Return a fresh detector for one film.

    The minimum length is counted in frames of the film's mean rate, rounded as the
    ``scenedetect`` command rounds it, so that both find the same cuts.
    """
    from scenedetect.detectors import AdaptiveDetector, ContentDetector

    rate = file.mean_rate or Fraction(25)
    min_frames = round(settings.min_shot_s * rate)
    threshold = settings.score_threshold
    detector: SceneDetector = ContentDetector(threshold=threshold, min_scene_len=min_frames)
    if settings.detector == "adaptive":
        detector = AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=min_frames)
    return PySceneDetector(detector, time_base=file.time_base, rate=rate)


def detector_view(settings: ShotSettings) -> Callable[[Frame], ImageArray]:
    """Return the function that makes a detector's image of a frame."""
    return ExactView() if settings.exact else Frame.points_bgr


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


def cut_into_shots(movie: Movie, pts: IntArray, cuts: Sequence[int]) -> tuple[Shot, ...]:
    """Return the shots between the cuts; they tile the film.

    Args:
        movie: The film.
        pts: Timestamp of every frame and of the film's end, shape (T + 1,).
        cuts: Ordinal of the first frame of each shot but the first, ascending.
    """
    return tuple(
        Shot(
            id=shot_id(movie.id, index),
            span=Span(first, end, int(pts[first]), int(pts[end]), movie.time_base),
            transition_in=Transition("cut" if index else "start", first, first),
        )
        for index, (first, end) in enumerate(pairwise([0, *cuts, movie.num_frames]))
    )
