"""From the vectors of frames to scenes, shot scales, and labels of shots and scenes."""
# S shots, L labels, D width of a space

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.movie import SCALES, Movie, Scene, Shot, scene_id
from mastershot.core.protocols import FeatureStore, ImageTextEncoder
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots
from mastershot.labelling.smoothing import smooth_scores
from mastershot.labelling.weak_labels import (
    KeepRule,
    best_labels,
    borrowed_labels,
    clip_scene_scores,
    kept_labels,
    pool_shot_scores,
    rule_of_shot,
)
from mastershot.pipeline.analysis.decode_pass import Decoded
from mastershot.pipeline.analysis.plan import Labeller, LoadedPlan, Plan
from mastershot.pipeline.analysis.scale import ShotScaler, TrainedScaler
from mastershot.scenes.grouping import group_shots

# Vectors read from the store at once: a few megabytes, whatever the film's length.
_FRAMES_AT_ONCE = 4096


def annotate(decoded: Decoded, made: MadeBy, loaded: LoadedPlan, store: FeatureStore) -> Timeline:
    """Return the timeline of a decoded film: scenes, then shot scales, then labels."""
    movie, shots, scenes = decoded.movie, decoded.shots, None
    if "scenes" in loaded.plan.steps:
        scenes = find_scenes(movie, shots, loaded.scene_spaces, store)
    if loaded.scaler is not None:
        shots = scale_shots(shots, loaded.scaler, store)
    if loaded.labeller is not None:
        scores = score_shots(shots, loaded.labeller, store)
        shots = label_shots(shots, scores, loaded.labeller, loaded.plan)
        if scenes is not None:
            scenes = label_scenes(scenes, scores, loaded.labeller, loaded.plan.keep)
            # An unsure shot, such as a close-up, borrows its scene's sure labels.
            shots = tuple(
                replace(shot, borrowed=borrowed_labels(shot.labels or (), scene.labels or ()))
                for scene in scenes
                for shot in shots[scene.first_shot : scene.end_shot]
            )
    return Timeline(movie, made, shots, scenes, decoded.damaged, decoded.notes)


def find_scenes(
    movie: Movie, shots: tuple[Shot, ...], spaces: Iterable[EmbeddingSpace], store: FeatureStore
) -> tuple[Scene, ...]:
    """Return the scenes by the mean vectors of their shots in all the spaces, without labels."""
    starts = group_shots(
        *(_mean_of_shots(shots, space, store, lambda part: part.mean(axis=0)) for space in spaces)
    )
    return tuple(
        Scene(scene_id(movie.id, index), first, end, span_of_shots(shots, first, end))
        for index, (first, end) in enumerate(zip(starts, [*starts[1:], len(shots)], strict=True))
    )


def scale_shots(
    shots: tuple[Shot, ...], scaler: ShotScaler, store: FeatureStore
) -> tuple[Shot, ...]:
    """Return the shots with the probability of each scale."""
    if isinstance(scaler, TrainedScaler):
        scores = _classify_shots(shots, scaler, store)
    else:
        scores = _score_texts(shots, scaler.encoder, scaler.vectors, store)
    return tuple(
        replace(shot, scale=dict(zip(SCALES, row, strict=True)))
        for shot, row in zip(shots, scores.tolist(), strict=True)
    )


def score_shots(shots: tuple[Shot, ...], labeller: Labeller, store: FeatureStore) -> FloatArray:
    """Return each shot's CLIPSceneScores, shape (S, L), labels in taxonomy order.

    They are smoothed over the film's shots where the labeller has a smoother.
    """
    scores = _score_texts(shots, labeller.encoder, labeller.label_vectors, store)
    if labeller.smoother is None:
        return scores
    return smooth_scores(scores, labeller.taxonomy.labels, labeller.smoother)


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
    """Return the scenes with the best labels by the mean score of their shots."""
    labelled = []
    for scene in scenes:
        mean = pool_shot_scores(scores, first_shot=scene.first_shot, end_shot=scene.end_shot)
        labelled.append(replace(scene, labels=best_labels(mean, labeller.taxonomy, rule)))
    return tuple(labelled)


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of the sampled frames of one shot; all of them, unless it is very long.

    Attributes:
        shot: Index of the shot.
        frames: Ordinals of the frames, ascending, at least one.
    """

    shot: int
    frames: IntArray


def sampled_blocks(shots: tuple[Shot, ...]) -> Iterator[list[Piece]]:
    """Yield the sampled frames of each shot, shot after shot, in blocks of some thousand frames."""
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
    shots: tuple[Shot, ...], spaces: Collection[EmbeddingSpace], store: FeatureStore
) -> bool:
    """Return True if every sampled frame of the shots has its vector in each space."""
    return not any(
        len(store.missing(space, frames_of(block)))
        for space in spaces
        for block in sampled_blocks(shots)
    )


def _score_texts(
    shots: tuple[Shot, ...], encoder: ImageTextEncoder, texts: FloatArray, store: FeatureStore
) -> FloatArray:
    """Return the CLIPSceneScore of each of L texts, (L, D), on each shot, shape (S, L)."""
    scores = partial(clip_scene_scores, label_vectors=texts, logit_scale=encoder.logit_scale)
    return _mean_of_shots(shots, encoder.space, store, scores)


def _classify_shots(
    shots: tuple[Shot, ...], scaler: TrainedScaler, store: FeatureStore
) -> FloatArray:
    """Return a classifier's probabilities from each shot's first frames, shape (S, 5)."""
    space, steps = scaler.encoder.space, scaler.classifier.settings.max_steps
    rows, scaled = [], -1
    for block in sampled_blocks(shots):
        # A piece of a shot that began in an earlier block has none of its first frames.
        pieces = [piece for piece in block if piece.shot > scaled]
        if pieces:
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
    earlier = 0  # frames in the last row
    for block in sampled_blocks(shots):
        vectors = store.get(space, frames_of(block)).vectors
        ends = np.cumsum([len(piece.frames) for piece in block])
        for piece, part in zip(block, np.split(vectors, ends[:-1]), strict=True):
            mean, count = summary(part), len(part)
            if piece.shot == len(rows):
                rows.append(mean)
            else:
                rows[-1] = np.average([rows[-1], mean], axis=0, weights=[earlier, count])
                count += earlier
            earlier = count
    return np.stack(rows).astype(np.float32)
