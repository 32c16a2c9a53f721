"""Films whose scores of moderation are made up: no network runs, and the truth is known."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.factories.timelines import make_timeline

from mastershot.core.embeddings import Embeddings, EmbeddingSpace
from mastershot.core.protocols import FeatureStore
from mastershot.core.timeline import Timeline
from mastershot.encoders.detectors.content import CONTENT_CLASSES
from mastershot.encoders.detectors.packaged import NSFW_MOBILENET
from mastershot.labelling.moderation.policy import VIOLENT_SOUNDS
from mastershot.pipeline.moderation.cutting import with_policy
from mastershot.pipeline.moderation.detectors import HEARD, Detector
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import frame_times_of

CONTENT = EmbeddingSpace("detector:sexual-content", NSFW_MOBILENET.weights_hash, 5)
SEEN = Detector("nsfw", "seen", "seen", "frame", CONTENT_CLASSES, CONTENT)
SAMPLED = ((10, 20, 30), (45, 55, 65), (80, 95, 110))
"""The sampled frames of the three shots, of 40, 30 and 50 frames at 24000/1001 a second."""

GUNSHOT = 1 + VIOLENT_SOUNDS.index("Gunshot, gunfire")
SCREAM = 1 + VIOLENT_SOUNDS.index("Screaming")


def scored_timeline(
    store: FeatureStore,
    *,
    name: str = "film.mp4",
    porn: Mapping[int, float] | None = None,
    gunshots: Mapping[float, float] | None = None,
    policy: str | Path = "default",
    has_audio: bool = True,
    detectors: tuple[Detector, ...] = (SEEN, HEARD),
) -> Timeline:
    """Return a film moderated by a policy, its scores in the store.

    ``porn`` is the score of some sampled frames, ``gunshots`` that of windows by their centres;
    0.01 and 0 elsewhere.
    """
    timeline = make_timeline(name)
    shots = tuple(
        replace(shot, sampled_frames=frames)
        for shot, frames in zip(timeline.shots, SAMPLED, strict=True)
    )
    frames = np.array([frame for each in SAMPLED for frame in each], np.int64)
    scores = np.full((len(frames), 5), 0.01, np.float32)
    scores[:, CONTENT_CLASSES.index("Porn")] = [(porn or {}).get(at, 0.01) for at in frames]
    store.put(Embeddings(CONTENT, frames, scores))
    centres = np.arange(10) * 0.4875 + 0.4875
    windows = np.zeros((11, HEARD.space.width), np.float32)
    windows[0, 0] = timeline.movie.duration_s if has_audio else 0
    windows[1:, 0] = centres
    for at, score in (gunshots or {}).items():
        windows[1 + int(np.abs(centres - at).argmin()), GUNSHOT] = score
    kept = windows if has_audio else windows[:1]
    store.put(Embeddings(HEARD.space, np.arange(len(kept)), kept))
    step: dict[str, Any] = {"detectors": [one.made() for one in detectors]}
    made = replace(timeline.made_by, steps={**timeline.made_by.steps, "moderation": step})
    timeline = replace(
        timeline,
        movie=replace(timeline.movie, has_audio=has_audio),
        shots=shots,
        made_by=made,
        moderation=(),
        moderation_coverage=(),
    )
    return with_policy(timeline, policy, store, frame_times_of(timeline))


def scored_folder(folder: Path, **scores: Any) -> Path:
    """Write such a film as an analysis leaves it, and return its folder."""
    timeline = scored_timeline(FolderFeatures(folder / "features"), **scores)
    (folder / "thumbs").mkdir()
    for shot in timeline.shots:
        assert shot.thumb is not None
        (folder / shot.thumb).write_bytes(b"\xff\xd8\xff\xe0 a shot")
    (folder / "timeline.json").write_text(timeline.to_json(), "utf-8")
    return folder
