"""The detectors by name, and the shots that their cuts make."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise

import cv2

from mastershot.core.embeddings import FloatArray, ImageArray, IntArray
from mastershot.core.movie import Movie, Shot, Transition, shot_id
from mastershot.core.protocols import ShotDetector
from mastershot.core.time import Span
from mastershot.media.probe import FilmFile
from mastershot.media.video import Frame
from mastershot.shots.content import ExactView, PySceneDetector, scenedetect_detector
from mastershot.shots.settings import DetectorName, ShotSettings
from mastershot.shots.temporal import FrameScorer, Scorer, StreamingDetector
from mastershot.shots.transitions import THRESHOLD, typed_cuts


class TypedDetector:
    """Finds cuts by PySceneDetect, and what kind of transition each is by the temporal network."""

    changed = False

    def __init__(self, detector: PySceneDetector) -> None:
        self.max_lag_frames = detector.max_lag_frames
        self._detector, self._scorer = detector, FrameScorer()
        self._cuts: list[int] = []

    def process(self, *, frame: int, pts: int, image: ImageArray) -> list[int]:
        """Take the next frame, BGR (H, W, 3); return the cuts known by now."""
        self._scorer.add(image)
        return self._take(self._detector.process(frame=frame, pts=pts, image=image))

    def finish(self) -> list[int]:
        """Return the cuts that only the end of the film settles."""
        self._scorer.finish()
        return self._take(self._detector.finish())

    def transitions(self) -> list[Transition]:
        """Return how each shot begins, the first included; call it after `finish`."""
        rows, light = self._scorer.probabilities(), self._scorer.light()
        return typed_cuts(self._cuts, rows, light, THRESHOLD)

    def scores(self) -> dict[str, FloatArray]:
        """Return what cuts were found and typed by, by name, arrays of T rows."""
        return self._detector.scores() | self._scorer.scores()

    def _take(self, cuts: list[int]) -> list[int]:
        self._cuts += cuts
        return cuts


def make_detector(settings: ShotSettings, file: FilmFile) -> ShotDetector:
    """Return a fresh detector for one film."""
    if settings.is_by_scenedetect:
        return TypedDetector(scenedetect_detector(settings, file))
    shortest = shortest_frames(settings, file.mean_rate or Fraction(25))
    return StreamingDetector(_scorer(settings.detector), settings.score_threshold, shortest)


def _scorer(name: DetectorName) -> Scorer:
    if name == "temporal":
        return FrameScorer()
    from mastershot.shots.cascade import CascadeScorer, LearnedScorer

    return LearnedScorer() if name == "learned" else CascadeScorer()


def shortest_frames(settings: ShotSettings, rate: Fraction) -> int:
    """Return the shortest shot in frames."""
    return round(settings.shortest_s * rate)


def detector_view(settings: ShotSettings) -> Callable[[Frame], ImageArray]:
    """Return the function that makes a detector's image of a frame."""
    return ExactView() if settings.exact else Frame.points_bgr


def cut_into_shots(
    movie: Movie, pts: IntArray, cuts: Sequence[int], transitions: Sequence[Transition]
) -> tuple[Shot, ...]:
    """Return the shots between the cuts; they tile the film.

    Args:
        movie: The film.
        pts: Timestamp of every frame and of the film's end, shape (T + 1,).
        cuts: Ordinal of the first frame of each shot but the first, ascending.
        transitions: How each shot begins, the first included.
    """
    return tuple(
        Shot(
            id=shot_id(movie.id, index),
            span=Span(first, end, int(pts[first]), int(pts[end]), movie.time_base),
            transition_in=transition,
        )
        for index, ((first, end), transition) in enumerate(
            zip(pairwise([0, *cuts, movie.num_frames]), transitions, strict=True)
        )
    )


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Let OpenCV wake no other threads, in the whole process, for as long as this lasts.

    On the small pictures of frames they only wait, on the cores on which a film is decoded.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
