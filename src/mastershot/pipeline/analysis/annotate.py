"""From the vectors of frames to the labels of shots and scenes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.movie import SCALES, Movie, Scene, Shot, scene_id
from mastershot.core.protocols import FeatureStore
from mastershot.core.timeline import span_of_shots
from mastershot.labelling.weak_labels import (
    KeepRule,
    best_labels,
    borrowed_labels,
    clip_scene_scores,
    kept_labels,
    pool_shot_scores,
    rule_of_shot,
)
from mastershot.pipeline.analysis.plan import Labeller, Plan
from mastershot.pipeline.analysis.scale import LearntScaler, Scaler
from mastershot.scenes.grouping import group_shots

# Vectors read from the store at once: a few megabytes, whatever the film's length.
_FRAMES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of the frames that one shot rests on; all of them, unless it is very long.

    Attributes:
        shot: Index of the shot.
        frames: Ordinals of the frames, ascending, at least one.
    """

    shot: int
    frames: IntArray


def sampled_blocks(shots: tuple[Shot, ...]) -> Iterator[list[Piece]]:
    """Yield the frames each shot rests on, shot after shot, in blocks of some thousand frames."""
    block: list[Piece] = []
    count = 0
    for index, shot in enumerate(shots):
        every = range(shot.span.first_frame, shot.span.end_frame)
        frames = np.asarray(shot.sampled_frames or every, np.int64)
        for first in range(0, len(frames), _FRAMES_AT_ONCE):
            piece = Piece(index, frames[first : first + _FRAMES_AT_ONCE])
            if block and count + len(piece.frames) > _FRAMES_AT_ONCE:
                yield block
                block, count = [], 0
            block.append(piece)
            count += len(piece.frames)
    yield block


def frames_of(block: Sequence[Piece]) -> IntArray:
    """Return the frames of a block, ascending."""
    return np.concatenate([piece.frames for piece in block])


def has_vectors(
    shots: tuple[Shot, ...], spaces: Sequence[EmbeddingSpace], store: FeatureStore
) -> bool:
    """Return True if every frame the shots rest on has its vector in each space."""
    return not any(
        len(store.missing(space, frames_of(block)))
        for space in spaces
        for block in sampled_blocks(shots)
    )


def shot_features(
    shots: tuple[Shot, ...], space: EmbeddingSpace, store: FeatureStore
) -> FloatArray:
    """Return each shot's feature, the mean of its frames' vectors, shape (S, D)."""
    return _mean_of_shots(shots, space, store, lambda vectors: vectors.mean(axis=0))


def score_shots(shots: tuple[Shot, ...], labeller: Labeller, store: FeatureStore) -> FloatArray:
    """Return each shot's CLIPSceneScores, shape (S, L), labels in taxonomy order."""
    words, scale = labeller.label_vectors, labeller.encoder.logit_scale
    return _mean_of_shots(
        shots,
        labeller.encoder.space,
        store,
        lambda vectors: clip_scene_scores(vectors, words, scale),
    )


def scale_shots(shots: tuple[Shot, ...], scaler: Scaler, store: FeatureStore) -> tuple[Shot, ...]:
    """Return the shots with how likely each scale is of them."""
    if isinstance(scaler, LearntScaler):
        scores = _scores_of_beginnings(shots, scaler, store)
    else:
        words, logit_scale = scaler.vectors, scaler.encoder.logit_scale
        scores = _mean_of_shots(
            shots,
            scaler.encoder.space,
            store,
            lambda vectors: clip_scene_scores(vectors, words, logit_scale),
        )
    return tuple(
        replace(shot, scale=dict(zip(SCALES, row, strict=True)))
        for shot, row in zip(shots, scores.tolist(), strict=True)
    )


def _scores_of_beginnings(
    shots: tuple[Shot, ...], scaler: LearntScaler, store: FeatureStore
) -> FloatArray:
    """Return what a classifier says of each shot's first frames, shape (S, 5)."""
    space, steps = scaler.encoder.space, scaler.classifier.settings.max_steps
    rows, scaled = [], -1
    for block in sampled_blocks(shots):
        pieces = [piece for piece in block if piece.shot > scaled]
        if not pieces:
            continue  # The middle of a shot too long for one block.
        scaled = pieces[-1].shot
        vectors = [store.get(space, piece.frames[:steps]).vectors for piece in pieces]
        rows.append(scaler.classifier.scores(vectors))
    return np.concatenate(rows)


def _mean_of_shots(
    shots: tuple[Shot, ...],
    space: EmbeddingSpace,
    store: FeatureStore,
    summary: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """Return the mean over each shot's frames, from the means of its pieces, one row a shot.

    The vectors of one block are in memory at a time, however long a shot is.
    """
    rows: list[FloatArray] = []
    weights = np.zeros(len(shots))
    for block in sampled_blocks(shots):
        vectors = store.get(space, frames_of(block)).vectors
        ends = np.cumsum([len(piece.frames) for piece in block])
        for piece, end in zip(block, ends, strict=True):
            weight = len(piece.frames)
            mean = summary(vectors[end - weight : end])
            if piece.shot == len(rows):
                rows.append(mean)
            else:
                earlier = weights[piece.shot]
                rows[piece.shot] = (rows[piece.shot] * earlier + mean * weight) / (earlier + weight)
            weights[piece.shot] += weight
    return np.stack(rows).astype(np.float32)


def find_scenes(
    movie: Movie, shots: tuple[Shot, ...], features: Sequence[FloatArray]
) -> tuple[Scene, ...]:
    """Return the scenes that group the shots by all their features, without labels."""
    starts = group_shots(*features)
    return tuple(
        Scene(scene_id(movie.id, index), first, end, span_of_shots(shots, first, end))
        for index, (first, end) in enumerate(zip(starts, [*starts[1:], len(shots)], strict=True))
    )


def label_shots(
    shots: tuple[Shot, ...], scores: FloatArray, labeller: Labeller, plan: Plan
) -> tuple[Shot, ...]:
    """Return the shots with their best labels, and those of them that are kept."""
    labelled = []
    for shot, row in zip(shots, scores, strict=True):
        rule = rule_of_shot(plan.keep, shot.scale, plan.abstain)
        labels = best_labels(row, labeller.taxonomy, rule)
        labelled.append(replace(shot, labels=labels, kept=kept_labels(labels)))
    return tuple(labelled)


def label_scenes(
    scenes: tuple[Scene, ...], scores: FloatArray, labeller: Labeller, rule: KeepRule
) -> tuple[Scene, ...]:
    """Return the scenes with the best labels of their shots' mean score."""
    return tuple(
        replace(
            scene,
            labels=best_labels(
                pool_shot_scores(scores, first_shot=scene.first_shot, end_shot=scene.end_shot),
                labeller.taxonomy,
                rule,
            ),
        )
        for scene in scenes
    )


def borrow_from_scenes(shots: tuple[Shot, ...], scenes: tuple[Scene, ...]) -> tuple[Shot, ...]:
    """Return the shots; an unsure one, such as a close-up, borrows what its scene is sure of."""
    return tuple(
        replace(shot, borrowed=borrowed_labels(shot.labels or (), scene.labels or ()))
        for scene in scenes
        for shot in shots[scene.first_shot : scene.end_shot]
    )
