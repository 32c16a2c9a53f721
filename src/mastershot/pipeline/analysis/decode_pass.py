"""The decoding pass: one pass over the frames gives cuts, pictures and the frames' vectors."""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mastershot.core.embeddings import Embeddings, ImageArray
from mastershot.core.lanes import Mark, ShotSound, SoundEvent
from mastershot.core.movie import DamagedSpan, Movie, Shot
from mastershot.core.protocols import FeatureStore, ShotDetector
from mastershot.core.time import FrameTimes
from mastershot.media.pictures import JpegWriter
from mastershot.media.reels.film import AnyFilm
from mastershot.media.sampling import (
    HeldFrames,
    RateClock,
    Sampling,
    nearest_frames,
    uniform_frames,
)
from mastershot.media.sound import SoundPiece
from mastershot.media.video import Frame
from mastershot.pipeline.analysis.plan import LoadedPlan
from mastershot.pipeline.analysis.sound import SoundListener
from mastershot.pipeline.edits import EditList
from mastershot.pipeline.experts.decode import FilmWatch
from mastershot.pipeline.experts.vectors import ClipVectors, FrameVectors
from mastershot.pipeline.moderation.detectors import HEARD
from mastershot.shots.detectors import (
    cut_into_shots,
    detector_view,
    make_detector,
    opencv_on_one_thread,
)
from mastershot.shots.lists import ListedShots
from mastershot.shots.marks.measures import FrameMeter
from mastershot.shots.marks.rules import by_start, find_marks, marks_of
from mastershot.shots.marks.settings import MarkSettings
from mastershot.store.frames import FrameTable

# Called with the stage's name, how much is done, and of how much (None if unknown).
Progress: TypeAlias = Callable[[str, int, int | None], None]

_THUMB_SIDE_PX = 320
_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Decoded:
    """What one decoding pass found.

    Attributes:
        movie: The film as it was decoded.
        shots: Its shots, with their pictures, the frames that were sampled and what is heard.
        damaged: The spans of which frames could not be decoded.
        notes: What the user should know of how the film was read.
        audio: The sounds that are heard; None where they are not asked for.
        marks: Runs of frames that are technical or static; None where they were not looked for.
        frames: What is kept of every frame; None where the film was not decoded for it.
        times: When each frame is shown; None where that is not known any more.
    """

    movie: Movie
    shots: tuple[Shot, ...]
    damaged: tuple[DamagedSpan, ...] = ()
    notes: tuple[str, ...] = ()
    audio: tuple[SoundEvent, ...] | None = None
    marks: tuple[Mark, ...] | None = None
    frames: FrameTable | None = None
    times: FrameTimes | None = None


@opencv_on_one_thread()
def decode_film(
    film: AnyFilm,
    loaded: LoadedPlan,
    *,
    store: FeatureStore | None = None,
    thumbs: Path | None = None,
    progress: Progress = no_progress,
) -> Decoded:
    """Return the film's shots, after one pass over its frames.

    Vectors of the frames that the plan samples, a recogniser's features of shots, and what experts
    of genres say of them, go to the store, pictures to the folder ``thumbs``; without these none
    are made. One thread beside this one makes vectors of frames, while the film is decoded on.

    Raises:
        MediaError: The film cannot be decoded to its end.
        ShotListError: A list of shots does not fit the film.
    """
    detector, view = _detector(film, loaded)
    worker = ThreadPoolExecutor(1, "vectors")
    try:
        sampler = _sampler(film, loaded, detector.max_lag_frames, store, thumbs, worker)
        listener = None if loaded.hearing is None else SoundListener(loaded.hearing, worker)
        meter = None if loaded.marks is None else _meter(film, loaded.marks)
        watch = None
        if loaded.genres is not None and store is not None:
            watch = FilmWatch(film.file, loaded.genres.experts, detector.max_lag_frames)
        # Where shots come from a list, or from exact pixels, the image is not the grid of points.
        is_grid = loaded.listed is None and not loaded.plan.shots.exact
        for frame in film.frames(_hearing(listener, watch)):
            image = view(frame)
            cuts = detector.process(frame=frame.index, pts=frame.pts, image=image)
            if meter is not None:
                meter.add(image)
            sampler.add(frame, changed=detector.changed)
            sampler.end_shots(cuts)
            if watch is not None:
                watch.add(frame, image if is_grid else None, changed=detector.changed)
                watch.end_shots(cuts)
            progress("shots", frame.index + 1, film.file.stated_frames)
        last = [*detector.finish(), film.movie().num_frames]
        sampler.end_shots(last)
        if watch is not None:
            watch.end_shots(last)
        sampler.finish()
        if listener is not None:
            listener.finish(film.sound_shifts_s, film.sound_bounds_s)
    finally:
        worker.shutdown(cancel_futures=True)
    movie = film.movie()
    shots = cut_into_shots(movie, film.pts, sampler.ends[:-1], detector.transitions())
    sampled = tuple(
        replace(shot, sampled_frames=frames, thumb=thumb)
        for shot, frames, thumb in zip(shots, sampler.sampled, sampler.thumbs, strict=True)
    )
    audio, marks = None, None
    times = FrameTimes(film.pts, movie.time_base)
    if meter is not None and loaded.marks is not None:
        marks = find_marks(meter.measures(), times, loaded.marks)
    if listener is not None:
        if (sounds := listener.sounds_of(sampled)) is not None:
            sampled = tuple(map(_with_sound, sampled, sounds))
            if marks is not None and loaded.marks is not None:
                silence = _silence(listener, times, loaded.marks)
                marks = by_start([*marks, *silence])
        audio = listener.events()
        if store is not None and loaded.moderation is not None:
            windows = listener.windows()
            store.put(Embeddings(HEARD.space, np.arange(len(windows)), windows))
    frames, notes = FrameTable(film.pts, detector.scores()), film.notes()
    if watch is not None and loaded.genres is not None and store is not None:
        said: list[str] = []
        vectors = watch.finish(film, sampled, said=said)
        loaded.genres.keep(vectors, sampled, loaded.made_by(), store)
        notes = (*notes, *said)
    return Decoded(movie, sampled, film.damaged, notes, audio, marks, frames, times)


def _hearing(
    listener: SoundListener | None, watch: FilmWatch | None
) -> Callable[[SoundPiece], None] | None:
    """Return what hears the film's sound; None if nobody does, and it is not decoded."""
    hears = [] if listener is None else [listener.hear]
    hears += [] if watch is None or not watch.hears else [watch.hear]

    def hear(piece: SoundPiece) -> None:
        for one in hears:
            one(piece)

    return hear if hears else None


def _meter(film: AnyFilm, settings: MarkSettings) -> FrameMeter:
    return FrameMeter(settings, float(film.file.mean_rate or 25))


def _silence(
    listener: SoundListener, times: FrameTimes, settings: MarkSettings
) -> tuple[Mark, ...]:
    """Return the marks of silence, from the frame that starts nearest to where it begins."""
    start_s, end_s = (float(int(times.pts[at]) * times.time_base) for at in (0, -1))
    found = listener.silences(start_s, end_s, settings.silence_s)
    runs = [(times.frame_at(first_s), times.frame_at(last_s)) for first_s, last_s in found]
    kept = [run for run in runs if run[0] < run[1]]
    return marks_of({"silence": np.array(kept, np.int64).reshape(-1, 2)}, times)


def _sampler(
    film: AnyFilm,
    loaded: LoadedPlan,
    lag: int,
    store: FeatureStore | None,
    thumbs: Path | None,
    worker: Executor,
) -> "ShotSampler":
    """Return what follows the film's shots, with what makes vectors of them."""
    vectors: tuple[FrameVectors, ...] = ()
    clips, space = None, loaded.clip_space
    if store is not None:
        vectors = tuple(FrameVectors(*each, store, worker) for each in loaded.encoders.items())
        if loaded.recogniser is not None and space is not None:
            clips = ClipVectors(space, loaded.recogniser.trained, store, lag, worker)
    return ShotSampler(film, loaded.plan.sampling, lag, vectors, thumbs, clips)


def _with_sound(shot: Shot, sound: ShotSound) -> Shot:
    return replace(shot, sound=sound)


def _detector(
    film: AnyFilm, loaded: LoadedPlan
) -> tuple[ShotDetector, Callable[[Frame], ImageArray]]:
    if loaded.listed is not None:
        listed = loaded.listed
        shots = listed.shots_of(film.file) if isinstance(listed, EditList) else listed
        return ListedShots(shots, film.file), lambda frame: _NO_PICTURE
    return make_detector(loaded.plan.shots, film.file), detector_view(loaded.plan.shots)


class ShotSampler:
    """Follows the film shot by shot: a picture of each, and what vectors are made of.

    Attributes:
        ends: The end of each shot so far, as an ordinal.
        sampled: Its sampled frames; empty where every frame is.
        thumbs: The place of its picture, relative to the timeline.
    """

    def __init__(
        self,
        film: AnyFilm,
        sampling: Sampling,
        max_lag_frames: int,
        vectors: tuple[FrameVectors, ...],
        thumbs: Path | None,
        clips: ClipVectors | None = None,
    ) -> None:
        # Of `rate`, a shot between two ticks gets one frame.
        self._wanted = int(sampling.amount) if sampling.kind == "uniform" else 1
        self._kind, self._clock = sampling.kind, RateClock(sampling.amount, film.file.time_base)
        self._held = HeldFrames[Frame](self._wanted, max_lag_frames)
        self._vectors, self._clips = vectors, clips
        self._folder, self._jpeg = thumbs, JpegWriter()
        self._ticked: list[int] = []
        self.ends: list[int] = []
        self.sampled: list[tuple[int, ...]] = []
        self.thumbs: list[str | None] = []

    def add(self, frame: Frame, *, changed: bool) -> None:
        """Take the next frame of the film, and whether a shot may start with it."""
        self._held.add(frame, changed=changed)
        if self._clips is not None:
            self._clips.add(frame)
        if not self._vectors or self._kind == "uniform":
            return
        if self._kind == "every":
            self._take(frame)
        elif self._clock.takes(frame):
            self._take(frame)
            self._ticked.append(frame.index)

    def end_shots(self, ends: list[int]) -> None:
        """Close the shots that end before these frames."""
        for end in ends:
            first, held = self.ends[-1] if self.ends else 0, self._held.cut(end)
            self.thumbs.append(self._picture(held, first, end))
            sampled = tuple(frame for frame in self._ticked if frame < end)
            self._ticked = self._ticked[len(sampled) :]
            if self._vectors and self._kind != "every" and not sampled:
                chosen = nearest_frames(held, uniform_frames(first, end, self._wanted))
                for frame in chosen:
                    self._take(frame)
                sampled = tuple(frame.index for frame in chosen)
            if self._clips is not None:
                self._clips.end_shot(first, end)
            self.sampled.append(sampled)
            self.ends.append(end)

    def finish(self) -> None:
        """Encode and keep all that is held."""
        for vectors in self._vectors:
            vectors.finish()
        if self._clips is not None:
            self._clips.finish()

    def _take(self, frame: Frame) -> None:
        made: dict[int | None, ImageArray] = {}
        for vectors in self._vectors:
            vectors.take(frame, made)

    def _picture(self, held: list[Frame], first: int, end: int) -> str | None:
        """Write the picture of a shot, its middle frame; return its place."""
        if self._folder is None:
            return None
        middle = nearest_frames(held, uniform_frames(first, end, 1))[0]
        name = f"{len(self.ends):05}.jpg"
        jpeg = self._jpeg.encode(middle.rgb(longest_side_px=_THUMB_SIDE_PX))
        (self._folder / name).write_bytes(jpeg)
        return f"thumbs/{name}"
