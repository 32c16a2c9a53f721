"""How shots are found: the detectors, and their settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from mastershot.core.errors import SettingError

DetectorName: TypeAlias = Literal["content", "adaptive", "temporal", "learned", "cascade"]
DEFAULT_DETECTOR: DetectorName = "temporal"
BY_SCENEDETECT: tuple[DetectorName, ...] = ("content", "adaptive")
_THRESHOLDS: Mapping[DetectorName, float] = {
    "content": 27.0,
    "adaptive": 3.0,
    "temporal": 0.5,
    "learned": 0.5,
    "cascade": 0.5,
}
_SHORTEST_S = 0.6  # The default of the `scenedetect` command.
_SHORTEST_BY_NETWORK_S = 0.15


@dataclass(frozen=True)
class ShotSettings:
    """How shots are found.

    Attributes:
        detector: ``temporal`` is a small network over measures of frames, which finds gradual
            transitions and passes over flashes; ``content`` compares neighbouring frames, and
            ``adaptive`` compares that score with its surroundings, so that fast camera moves are
            not taken for cuts; both are PySceneDetect's. ``learned`` is TransNet V2; ``cascade``
            is ``temporal``, and asks TransNet V2 where it is in doubt.
        exact: True gives ``content`` and ``adaptive`` the pixels PySceneDetect's own reader would
            give them; False a grid of points of each frame, several times cheaper.
        threshold: Score from which on a frame is a cut; None takes the detector's default: 27
            for content and 3 (a ratio) for adaptive, PySceneDetect's; 0.5, a probability, for
            the others.
        min_shot_s: Shortest shot in seconds; None takes 0.6, the default of the ``scenedetect``
            command, for content and adaptive, and 0.15 for the others.
    """

    detector: DetectorName = DEFAULT_DETECTOR
    exact: bool = False
    threshold: float | None = None
    min_shot_s: float | None = None

    def __post_init__(self) -> None:
        if self.detector not in get_args(DetectorName):
            *most, last = get_args(DetectorName)
            names = f"{', '.join(most)} or {last}"
            raise SettingError(f"detector {self.detector!r} is unknown; use {names}")
        if self.min_shot_s is not None and not 0 <= self.min_shot_s < float("inf"):
            raise SettingError(f"minimum shot length is {self.min_shot_s} s; it must be 0 or more")
        if self.threshold is not None and not self.threshold > 0:
            raise SettingError(f"threshold is {self.threshold}; it must be above 0")
        if self.is_by_scenedetect:
            return
        if self.score_threshold >= 1:
            raise SettingError(
                f"threshold of {self.detector} is {self.threshold}; it is a probability, below 1 "
                "(content and adaptive have others)"
            )
        if self.exact:
            raise SettingError(
                f"exact pixels are for content and adaptive, not for {self.detector}; name one of "
                "these detectors, or leave out exact"
            )

    @property
    def is_by_scenedetect(self) -> bool:
        """Whether PySceneDetect finds the cuts."""
        return self.detector in BY_SCENEDETECT

    @property
    def score_threshold(self) -> float:
        """The threshold in force."""
        return _THRESHOLDS[self.detector] if self.threshold is None else self.threshold

    @property
    def shortest_s(self) -> float:
        """The shortest shot in force, in seconds."""
        if self.min_shot_s is not None:
            return self.min_shot_s
        return _SHORTEST_S if self.is_by_scenedetect else _SHORTEST_BY_NETWORK_S
