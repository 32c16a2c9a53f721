"""Scores for moderation, kept as vectors: made once, read again for every policy."""
# N samples, C outputs of a detector

from collections.abc import Sequence

import numpy as np

from mastershot.core.embeddings import Embeddings, FloatArray, IntArray
from mastershot.core.movie import Movie, Shot
from mastershot.core.protocols import FeatureStore
from mastershot.core.time import FrameTimes
from mastershot.encoders.detectors.sound import HOP_SAMPLES
from mastershot.labelling.moderation.intervals import Samples, Times
from mastershot.labelling.moderation.words import score_words, words_space
from mastershot.media.sound import SOUND_RATE_HZ
from mastershot.pipeline.analysis.stored import first_vectors, frames_of, sampled_blocks
from mastershot.pipeline.moderation.detectors import HEARD, Detector, Moderation
from mastershot.pipeline.moderation.models import ShotModel

_TIME_DIGITS = 4
_HALF_HOP_S = HOP_SAMPLES / SOUND_RATE_HZ / 2


def keep_scores(moderation: Moderation, shots: tuple[Shot, ...], store: FeatureStore) -> None:
    """Score the stored vectors of a film's sampled frames, where that was not done before.

    Networks that see frames have scored them in the decoding pass; here are those that read the
    vectors of an encoder.
    """
    if moderation.encoder is not None and moderation.described is not None:
        encoder, space = moderation.encoder, words_space(moderation.encoder)
        for block in sampled_blocks(shots):
            frames = store.missing(space, frames_of(block))
            if len(frames):
                vectors = store.get(encoder.space, frames).vectors
                scores = score_words(vectors, moderation.described, encoder.logit_scale)
                store.put(Embeddings(space, frames, scores))
    for model in moderation.models:
        if isinstance(model, ShotModel):
            _score_shots(model, shots, store)


def _score_shots(model: ShotModel, shots: tuple[Shot, ...], store: FeatureStore) -> None:
    keys = shot_frames(shots)
    if not len(store.missing(model.space, keys)):
        return
    parts = [
        model.scores(part) for part in first_vectors(shots, model.encoder.space, model.most, store)
    ]
    store.put(Embeddings(model.space, keys, np.concatenate(parts).astype(np.float32)))


def shot_frames(shots: Sequence[Shot]) -> IntArray:
    """Return the first sampled frame of each shot, under which scores of all of it are kept."""
    first = [(shot.sampled_frames or (shot.span.first_frame,))[0] for shot in shots]
    return np.array(first, np.int64)


def needed_ordinals(detector: Detector, shots: tuple[Shot, ...]) -> IntArray | None:
    """Return the ordinals of the rows that a detector has of a film; None where all are needed."""
    if detector.unit == "window":
        return None
    if detector.unit == "shot":
        return shot_frames(shots)
    return np.concatenate([frames_of(block) for block in sampled_blocks(shots)])


def read_samples(
    detector: Detector, shots: tuple[Shot, ...], times: FrameTimes, store: FeatureStore
) -> tuple[Samples, FloatArray]:
    """Return what a detector scored and its kept rows, (N, C) or, of windows, (N, 1 + C).

    A frame stands for what is nearer to it than to the next sampled frame of its shot, a window of
    sound for what is nearer to its centre than to another's. A shot's scores are those of each of
    its sampled frames.

    Raises:
        KeyError: The store lacks a row.
    """
    if detector.unit == "window":
        rows = store.get(detector.space).vectors[1:]
        centres = rows[:, 0].astype(np.float64).round(_TIME_DIGITS)
        return Samples(centres, *_around(centres)), rows
    frames, starts, ends, shot_of = _frames(shots)
    if detector.unit == "shot":
        rows = store.get(detector.space, shot_frames(shots)).vectors[shot_of]
    else:
        rows = store.get(detector.space, frames).vectors
    shown, first, end = (_seconds(each, times) for each in (frames, starts, ends))
    return Samples(shown, first, end, frames), rows


def listened_s(store: FeatureStore) -> float | None:
    """Return how many seconds of a film were listened to; None where no scores are kept."""
    first = np.zeros(1, np.int64)
    if len(store.missing(HEARD.space, first)):
        return None
    return float(store.get(HEARD.space, first).vectors[0, 0])


def _around(centres: Times) -> tuple[Times, Times]:
    """Return where the time that windows stand for starts and ends."""
    starts, ends = centres - _HALF_HOP_S, centres + _HALF_HOP_S
    return starts.round(_TIME_DIGITS), ends.round(_TIME_DIGITS)


def _seconds(frames: IntArray, times: FrameTimes) -> Times:
    """Return when frames start, exactly as spans say it."""
    base = times.time_base
    pts = times.pts[frames].tolist()
    return np.array([at * base.numerator / base.denominator for at in pts], np.float64)


def copy_scores(
    moderation: Moderation,
    movie: Movie,
    first_frame: int,
    stores: tuple[FeatureStore, FeatureStore],
) -> None:
    """Copy the scores of a part of a file, from its first frame there, from one store to another.

    Scores of whole shots are left out: the part may have cut them.
    """
    (source, target), last = stores, first_frame + movie.num_frames
    for detector in moderation.detectors:
        rows = source.get(detector.space)
        if detector.unit == "window":
            start_s, end_s = (
                float(at * movie.time_base) for at in (movie.start_pts, movie.end_pts)
            )
            inside = (rows.vectors[:, 0] >= start_s) & (rows.vectors[:, 0] < end_s)
            inside[0] = True
            vectors = rows.vectors[inside]
            hop_s, length_s = 2 * _HALF_HOP_S, movie.duration_s
            vectors[0, 0] = min(vectors[0, 0], length_s, (len(vectors) - 1) * hop_s + hop_s)
            target.put(Embeddings(detector.space, np.arange(len(vectors)), vectors))
        elif detector.kind == "words":
            held = (rows.frames >= first_frame) & (rows.frames < last)
            frames = rows.frames[held] - first_frame
            target.put(Embeddings(detector.space, frames, rows.vectors[held]))


def _frames(shots: tuple[Shot, ...]) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return the sampled frames, the half-open runs they stand for, and their shots, each (N,)."""
    parts = []
    for index, shot in enumerate(shots):
        span = shot.span
        every = range(span.first_frame, span.end_frame)
        frames = np.asarray(shot.sampled_frames or every, np.int64)
        between = (frames[:-1] + frames[1:] + 1) // 2
        bounds = np.concatenate([[span.first_frame], between, [span.end_frame]])
        parts.append((frames, bounds[:-1], bounds[1:], np.full(len(frames), index)))
    joined = [np.concatenate(rows).astype(np.int64) for rows in zip(*parts, strict=True)]
    return joined[0], joined[1], joined[2], joined[3]
