"""One decoding pass of a trailer, in which every expert gets what it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.movie import Movie, Shot
from mastershot.core.time import FrameTimes
from mastershot.media.probe import FilmFile
from mastershot.media.sampling import HeldFrames, nearest_frames, uniform_frames
from mastershot.media.sound import SoundPiece
from mastershot.media.video import Film, Frame
from mastershot.pipeline.experts.watching import ClipExpert, Seen, Watcher
from mastershot.shots.detectors import cut_into_shots, detector_view, make_detector
from mastershot.shots.settings import ShotSettings

FRAMES_A_CLIP = 4
"""Sampled frames of a clip, evenly spaced, whose vectors are averaged."""
DECODING = "decoding and shots"
"""What is not an expert's time."""


@dataclass(frozen=True, eq=False)
class Watched:
    """A trailer that the experts have seen.

    Attributes:
        movie: The film as it was decoded.
        clips: Its shots.
        vectors: Of each expert, (N, D) or (N, P, D).
        seconds: How long each expert took, and `DECODING`.
    """

    movie: Movie
    clips: tuple[Shot, ...]
    vectors: Mapping[str, FloatArray]
    seconds: Mapping[str, float]


def watch_trailer(
    file: FilmFile,
    experts: Sequence[ClipExpert],
    shots: ShotSettings,
    *,
    synopsis: str = "",
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Watched:
    """Return what experts make of a trailer, after one pass over its frames.

    Raises:
        MediaError: It cannot be decoded.
        EditsError: The file of subtitles beside it is none.
    """
    began_s = perf_counter()
    film, clock = Film(file), _Stopwatch()
    detector, view = make_detector(shots, file), detector_view(shots)
    lag = detector.max_lag_frames
    watchers = {one.described.name: one.watch(file, lag) for one in experts}
    held = HeldFrames[Frame](FRAMES_A_CLIP, lag)
    ends: list[int] = []

    def close(end: int) -> None:
        first = ends[-1] if ends else 0
        chosen = nearest_frames(held.cut(end), uniform_frames(first, end, FRAMES_A_CLIP))
        ends.append(end)
        for name, watcher in watchers.items():
            clock.run(name, watcher.sample, chosen, range(first, end))

    seeing = {name: one for name, one in watchers.items() if one.sees_all}
    for frame in film.frames(_hear(watchers, clock)):
        image = view(frame)
        cuts = detector.process(frame=frame.index, pts=frame.pts, image=image)
        held.add(frame, changed=detector.changed)
        if seeing:
            points = frame.points_bgr() if shots.exact else image
            for name, watcher in seeing.items():
                clock.run(name, watcher.see, frame, points)
        for end in cuts:
            close(end)
        progress(frame.index + 1, file.stated_frames)
    movie = film.movie()
    for end in (*detector.finish(), movie.num_frames):
        close(end)
    clips = cut_into_shots(movie, film.pts, ends[:-1], detector.transitions())
    times = FrameTimes(film.pts, movie.time_base)
    seen = Seen(file.path, movie, clips, times, film.sound_shifts_s, synopsis)
    vectors = {
        name: np.asarray(clock.run(name, watcher.finish, seen), np.float32)
        for name, watcher in watchers.items()
    }
    seconds = dict(clock.seconds)
    seconds[DECODING] = perf_counter() - began_s - sum(seconds.values())
    return Watched(movie, clips, vectors, seconds)


def _hear(
    watchers: Mapping[str, Watcher], clock: "_Stopwatch"
) -> Callable[[SoundPiece], None] | None:
    hearing = {name: one for name, one in watchers.items() if one.hears}
    if not hearing:
        return None

    def hear(piece: SoundPiece) -> None:
        for name, watcher in hearing.items():
            clock.run(name, watcher.hear, piece)

    return hear


class _Stopwatch:
    """Adds up how long calls take, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def run(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        began_s = perf_counter()
        try:
            return work(*arguments)
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - began_s
