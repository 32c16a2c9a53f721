"""The scores that shot detectors decide by, kept beside a timeline or computed from its film."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import SettingError, TimelineError
from mastershot.core.files import failure_reason
from mastershot.core.movie import Transition
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.media.video import open_video
from mastershot.shots.content_scores import CONTENT, Decide, content_decider, content_scores
from mastershot.shots.detectors import detector_view, shortest_frames
from mastershot.shots.settings import ShotSettings
from mastershot.shots.temporal import FrameScorer
from mastershot.shots.transitions import LIGHT, PROBABILITIES, film_transitions
from mastershot.store.frames import FRAMES_FILE, FrameTable, read_frames, write_frames

Scores = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Decider:
    """How a detector gets from scores to boundaries.

    Attributes:
        scores: Names of the scores it needs.
        make: Returns what decides for a film.
        compute: Returns the scores of a film whose table of frames lacks them; None where only
            an analysis can give them.
        thresholds: What a sweep tries; where there are none, scores that frames have, of the
            first name.
    """

    scores: tuple[str, ...]
    make: Callable[[Timeline, FrameTimes], Decide]
    compute: Callable[[Timeline], Scores] | None = None
    thresholds: tuple[float, ...] = ()


def decider_of(timeline: Timeline, detector: str | None) -> tuple[str, Decider]:
    """Return the name and the row of the detector named, or of that which made the timeline.

    Raises:
        SettingError: It is none whose threshold can be swept.
    """
    name = detector or str(timeline.made_by.steps.get("shots", {}).get("detector", "a list"))
    if name not in DECIDERS:
        known = ", ".join(DECIDERS)
        raise SettingError(
            f"shots of {timeline.movie.path} are by {name}, which has no threshold to sweep; name "
            f"one of {known} with --detector"
        )
    return name, DECIDERS[name]


def scores_of(timeline: Timeline, folder: Path, decider: Decider) -> Scores:
    """Return the scores that a detector decides a film by.

    They are read from ``frames.npz`` beside the timeline; where it lacks them and they can be
    computed, the film is decoded once and they are added to it.

    Raises:
        TimelineError: The table is damaged or lacks the scores, and they cannot be computed.
        MediaError: The film cannot be read.
    """
    path, num_frames = folder / FRAMES_FILE, timeline.movie.num_frames
    table = read_frames(path) if path.is_file() else None
    if table is not None and len(table.pts) != num_frames + 1:
        table = None
    if table is not None and all(name in table.scores for name in decider.scores):
        return table.scores
    if decider.compute is None:
        raise TimelineError(
            f"{path} holds no scores {', '.join(decider.scores)}; analyse the film again"
        )
    computed = decider.compute(timeline)
    if table is not None:
        table = replace(table, scores={**table.scores, **computed})
        _keep(table, path)
    return computed


def _keep(table: FrameTable, path: Path) -> None:
    try:
        write_frames(table, path)
    except OSError as error:
        raise TimelineError(f"{path} cannot be written: {failure_reason(error)}") from error


def _decide_by_content(timeline: Timeline, times: FrameTimes) -> Decide:
    made = timeline.made_by.steps.get("shots", {})
    min_shot_s = float(made.get("min_shot_s", ShotSettings("content").shortest_s))
    return content_decider(times, rate=timeline.movie.frame_rate, min_shot_s=min_shot_s)


def _decide_by_network(timeline: Timeline, times: FrameTimes) -> Decide:
    made = timeline.made_by.steps.get("shots", {})
    settings = ShotSettings("temporal", min_shot_s=made.get("min_shot_s"))
    least = shortest_frames(settings, timeline.movie.frame_rate)

    def decide(scores: Scores, threshold: float) -> list[Transition]:
        rows, light = (np.asarray(scores[name], np.float32) for name in (PROBABILITIES, LIGHT))
        return [one.transition for one in film_transitions(rows, light, threshold, least)[1]]

    return decide


def _scores_by_content(timeline: Timeline) -> Scores:
    is_exact = timeline.made_by.steps.get("shots", {}).get("pixels") == "exact"
    return {CONTENT: content_scores(_images(timeline, ShotSettings("content", exact=is_exact)))}


def _scores_by_network(timeline: Timeline) -> Scores:
    scorer = FrameScorer()
    for image in _images(timeline, ShotSettings("temporal")):
        scorer.add(image)
    scorer.finish()
    return scorer.scores()


def _images(timeline: Timeline, settings: ShotSettings) -> Iterator[ImageArray]:
    """Yield what a detector sees of each frame of a timeline's film."""
    made, path = timeline.made_by.steps, timeline.movie.path
    view, num_frames = detector_view(settings), 0
    for frame in open_video(path, stream=made.get("reading", {}).get("stream")).frames():
        num_frames += 1
        yield view(frame)
    if num_frames != timeline.movie.num_frames:
        raise TimelineError(
            f"{path} has {num_frames} frames, and its timeline {timeline.movie.num_frames}: it is "
            "another film by now; analyse it again"
        )


# A gradual transition is many frames of much the same probability, none of them apart.
_PROBABILITIES_TRIED = tuple(number / 50 for number in range(1, 50))

DECIDERS: Mapping[str, Decider] = MappingProxyType(
    {
        "content": Decider((CONTENT,), _decide_by_content, _scores_by_content),
        "temporal": Decider(
            (PROBABILITIES, LIGHT), _decide_by_network, _scores_by_network, _PROBABILITIES_TRIED
        ),
        **dict.fromkeys(
            ("learned", "cascade"),
            Decider((PROBABILITIES, LIGHT), _decide_by_network, thresholds=_PROBABILITIES_TRIED),
        ),
    }
)
"""The detectors whose threshold can be swept, by name."""
