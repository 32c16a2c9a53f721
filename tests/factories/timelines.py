"""Films and timelines made by hand, small and exact, for any part's tests."""

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from mastershot.core.embeddings import Embeddings, EmbeddingSpace
from mastershot.core.labels import LabelScore
from mastershot.core.lanes import ShotSound, SoundEvent
from mastershot.core.movie import Movie, Scene, Shot, Transition, movie_id, scene_id, shot_id
from mastershot.core.time import Span
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots

SPEECH = SoundEvent("Speech", 0.9, 0.5, 3.0, 1.25)
APPLAUSE = SoundEvent("Applause", 0.75, 3.5, 4.0, 3.625)
JPEG = b"\xff\xd8\xff\xe0 a picture of shot "


def make_movie(name: str = "film.mp4", *, num_frames: int = 120, **changes: Any) -> Movie:
    """Return a film at 23.976 frames a second whose id follows from its name."""
    content_hash = "blake2b:" + hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    fields: dict[str, Any] = {
        "id": movie_id(content_hash),
        "path": name,
        "content_hash": content_hash,
        "frame_rate": Fraction(24000, 1001),
        "time_base": Fraction(1, 24000),
        "start_pts": 2002,
        "end_pts": 2002 + 1001 * num_frames,
        "num_frames": num_frames,
        "width_px": 640,
        "height_px": 360,
        "sample_aspect_ratio": Fraction(4, 3),
        "has_audio": True,
        "variable_frame_rate": False,
    }
    return Movie(**(fields | changes))


def make_timeline(
    name: str = "film.mp4",
    *,
    shot_frames: Sequence[int] = (40, 30, 50),
    scene_shots: Sequence[int] | None = (2, 1),
    labels: Sequence[str] | None = ("kitchen", "bar"),
    steps: dict[str, dict[str, Any]] | None = None,
    audio: Sequence[SoundEvent] = (SPEECH, APPLAUSE),
) -> Timeline:
    """Return a film's timeline; shots and scenes have the lengths given, in frames and shots.

    Every shot and scene carries the labels; the first shot is unsure and borrows its scene's.
    """
    movie = make_movie(name, num_frames=sum(shot_frames))
    scored = _scored(labels)
    starts = np.cumsum([0, *shot_frames]).tolist()
    shots = tuple(
        Shot(
            id=shot_id(movie.id, index),
            span=_span(movie, first, end),
            transition_in=Transition("cut" if index else "start", first, first),
            labels=scored,
            kept=tuple(label.name for label in scored or () if index),
            borrowed=() if index else scored or (),
            thumb=f"thumbs/{index:05}.jpg",
            sound=ShotSound(0.5, 0.25, 0.125, -20.5, movie.start_pts / 24000 if index else None),
        )
        for index, (first, end) in enumerate(pairwise(starts))
    )
    scenes = None if scene_shots is None else _scenes(movie, shots, scene_shots, scored)
    settings = {"shots": {"detector": "content"}} if steps is None else steps
    made_by = MadeBy("0.1.0", "2025-01-01T00:00:00Z", settings)
    return Timeline(movie, made_by, shots, scenes, audio=tuple(audio))


def make_thumbs(timeline: Timeline) -> dict[str, bytes]:
    """Return one small picture a shot, by shot id."""
    return {shot.id: JPEG + shot.id.encode() for shot in timeline.shots}


def make_space(width: int = 8, model: str = "toy") -> EmbeddingSpace:
    """Return the space of an encoder that does not exist."""
    return EmbeddingSpace(model=model, weights_hash=f"blake2b:{width:032}", width=width)


def make_embeddings(
    space: EmbeddingSpace, frames: Sequence[int] | range, *, seed: int = 0
) -> Embeddings:
    """Return vectors that depend on frame and seed alone, so that they differ."""
    rows = [np.random.default_rng([seed, frame]).random(space.width) for frame in frames]
    vectors = np.asarray(rows, np.float32).reshape(len(frames), space.width)
    return Embeddings(space, np.asarray(frames, np.int64), vectors)


def _scored(labels: Sequence[str] | None) -> tuple[LabelScore, ...] | None:
    if labels is None:
        return None
    return tuple(
        LabelScore(name, 0.7 / (rank + 1), unsure=rank > 0) for rank, name in enumerate(labels)
    )


def _span(movie: Movie, first: int, end: int) -> Span:
    start = movie.start_pts
    return Span(first, end, start + 1001 * first, start + 1001 * end, movie.time_base)


def _scenes(
    movie: Movie,
    shots: tuple[Shot, ...],
    scene_shots: Sequence[int],
    labels: tuple[LabelScore, ...] | None,
) -> tuple[Scene, ...]:
    starts = np.cumsum([0, *scene_shots]).tolist()
    return tuple(
        Scene(scene_id(movie.id, index), first, end, span_of_shots(shots, first, end), labels)
        for index, (first, end) in enumerate(pairwise(starts))
    )
