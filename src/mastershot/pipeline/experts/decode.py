"""What every expert gets of a film in its one decoding pass, shot by shot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import EditsError
from mastershot.core.movie import Movie, Shot
from mastershot.core.time import FrameTimes
from mastershot.media.probe import FilmFile
from mastershot.media.reels.film import AnyFilm
from mastershot.media.sampling import HeldFrames, nearest_frames, uniform_frames
from mastershot.media.sound import SoundPiece
from mastershot.media.video import READING_REVISION, Film, Frame
from mastershot.pipeline.experts.watching import ClipExpert, Seen
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


class FilmWatch:
    """Follows one decoding pass of a film, and hands every expert what it needs of it.

    Attributes:
        seconds: How long each expert took so far, by name.
    """

    def __init__(self, file: FilmFile, experts: Sequence[ClipExpert], max_lag_frames: int) -> None:
        """Take a film before its first frame, whose cuts are reported at most so late."""
        self._file, self._clock, self._first = file, _Stopwatch(), 0
        self._watchers = {one.described.name: one.watch(file, max_lag_frames) for one in experts}
        self._seeing = {name: one for name, one in self._watchers.items() if one.sees_all}
        self._hearing = {name: one for name, one in self._watchers.items() if one.hears}
        self._held = HeldFrames[Frame](FRAMES_A_CLIP, max_lag_frames)
        self._shapes = {one.described.name: one.described.shape for one in experts}
        self.seconds = self._clock.seconds

    @property
    def hears(self) -> bool:
        """Whether an expert is to be given the film's sound."""
        return bool(self._hearing)

    def hear(self, piece: SoundPiece) -> None:
        """Take the next piece of sound."""
        for name, watcher in self._hearing.items():
            self._clock.run(name, watcher.hear, piece)

    def add(self, frame: Frame, points: ImageArray | None, *, changed: bool) -> None:
        """Take the next frame of the film, and whether a shot may start with it.

        Args:
            frame: The frame.
            points: Its grid of points, BGR, where it is at hand.
            changed: See `ShotDetector.changed`.
        """
        self._held.add(frame, changed=changed)
        if self._seeing:
            points = frame.points_bgr() if points is None else points
            for name, watcher in self._seeing.items():
                self._clock.run(name, watcher.see, frame, points)

    def end_shots(self, ends: Sequence[int]) -> None:
        """Close the shots that end before these frames."""
        for end in ends:
            wanted = uniform_frames(self._first, end, FRAMES_A_CLIP)
            chosen = nearest_frames(self._held.cut(end), wanted)
            for name, watcher in self._watchers.items():
                self._clock.run(name, watcher.sample, chosen, range(self._first, end))
            self._first = end

    def finish(
        self,
        film: AnyFilm,
        shots: Sequence[Shot],
        *,
        synopsis: str = "",
        said: list[str] | None = None,
    ) -> dict[str, FloatArray]:
        """Return the vectors of each expert, once the film has ended: (N, D) or (N, P, D).

        Args:
            film: The film.
            shots: Its shots, which are its clips.
            synopsis: What it is about; may be empty.
            said: Takes a sentence where the subtitles beside the film cannot be read, and the
                expert then has nothing to say; without it, that is an error.

        Raises:
            EditsError: The file of subtitles beside the film is none.
        """
        movie = film.movie()
        times = FrameTimes(film.pts, movie.time_base)
        # What lies beside the first of several reels is not of the film.
        path = None if self._file.reels else self._file.path
        seen = Seen(path, movie, tuple(shots), times, tuple(film.sound_shifts_s), synopsis)
        vectors = {}
        for name, watcher in self._watchers.items():
            try:
                rows = self._clock.run(name, watcher.finish, seen)
            except EditsError as error:
                if said is None:
                    raise
                said.append(f"{error}, so expert {name} has nothing to say")
                rows = np.full((len(shots), *self._shapes[name]), np.nan)
            vectors[name] = np.asarray(rows, np.float32)
        return vectors


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
    film = Film(file)
    detector, view = make_detector(shots, file), detector_view(shots)
    watch = FilmWatch(file, experts, detector.max_lag_frames)
    ends: list[int] = []
    for frame in film.frames(watch.hear if watch.hears else None):
        image = view(frame)
        cuts = detector.process(frame=frame.index, pts=frame.pts, image=image)
        watch.add(frame, None if shots.exact else image, changed=detector.changed)
        watch.end_shots(cuts)
        ends += cuts
        progress(frame.index + 1, file.stated_frames)
    movie = film.movie()
    last = [*detector.finish(), movie.num_frames]
    watch.end_shots(last)
    ends += last
    clips = cut_into_shots(movie, film.pts, ends[:-1], detector.transitions())
    vectors = watch.finish(film, clips, synopsis=synopsis)
    seconds = dict(watch.seconds)
    seconds[DECODING] = perf_counter() - began_s - sum(seconds.values())
    return Watched(movie, clips, vectors, seconds)


def clip_settings(shots: ShotSettings) -> dict[str, Any]:
    """Return what is kept of how clips, which are shots, and their frames were found."""
    return {
        "detector": shots.detector,
        "pixels": "exact" if shots.exact else "points",
        "threshold": shots.score_threshold,
        "min_shot_s": shots.shortest_s,
        "reading": READING_REVISION,
        "frames_a_clip": FRAMES_A_CLIP,
    }


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
