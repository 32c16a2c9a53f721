"""Keyframes of a film's shots, resized into squares, in one decode pass."""
# S shots, k keyframes a shot, H = W pixels of a side

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import MediaError
from mastershot.media.sampling import HeldFrames, nearest_frames, uniform_frames
from mastershot.media.video import Frame, open_video
from mastershot.shots.detectors import detector_view, make_detector
from mastershot.shots.settings import ShotSettings
from mastershot.training.engine.augmentations import square


def film_keyframes(path: Path, count: int, side_px: int) -> ImageArray:
    """Return evenly spaced keyframes of each shot, found now, uint8 (S, k, H, W, 3).

    Raises:
        MediaError: The film cannot be read.
    """
    film, settings = open_video(path), ShotSettings()
    detector, view = make_detector(settings, film.file), detector_view(settings)
    held, starts, rows = HeldFrames[Frame](count, detector.max_lag_frames), [0], []

    def end_shots(ends: list[int]) -> None:
        for end in ends:
            chosen = nearest_frames(held.cut(end), uniform_frames(starts[-1], end, count))
            rows.append(_filled([square(frame.rgb(), side_px) for frame in chosen], count))
            starts.append(end)

    num_frames = 0
    for frame in film.frames():
        found = detector.process(frame=frame.index, pts=frame.pts, image=view(frame))
        held.add(frame, changed=detector.changed)
        end_shots(found)
        num_frames = frame.index + 1
    end_shots([*detector.finish(), num_frames])
    return np.stack(rows)


def keyframes_at(
    path: Path, wanted: Sequence[Sequence[int]], count: int, side_px: int
) -> ImageArray:
    """Return the frames at these ordinals of each shot, uint8 (S, k, H, W, 3).

    Raises:
        MediaError: The film cannot be read, or has fewer frames than its shots need.
    """
    shots_of: dict[int, list[int]] = defaultdict(list)
    for shot, ordinals in enumerate(wanted):
        for ordinal in ordinals:
            shots_of[ordinal].append(shot)
    rows: list[list[ImageArray]] = [[] for _ in wanted]
    for frame in open_video(path).frames():
        for shot in shots_of.get(frame.index, ()):
            rows[shot].append(square(frame.rgb(), side_px))
    if short := [shot for shot, ordinals in enumerate(wanted) if len(rows[shot]) < len(ordinals)]:
        raise MediaError(
            f"{path} has no frame {wanted[short[0]][-1]} of shot {short[0]}: it is not the file "
            "that was analysed; analyse it again"
        )
    return np.stack([_filled(row, count) for row in rows])


def _filled(row: list[ImageArray], count: int) -> ImageArray:
    """Return a shot's keyframes (k, H, W, 3); one with fewer frames than k repeats its last."""
    return np.stack(row + [row[-1]] * (count - len(row)))
