"""From the vectors of frames to the labels of shots and scenes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.movie import Movie, Scene, Shot, scene_id
from mastershot.core.protocols import FeatureStore
from mastershot.core.timeline import span_of_shots
from mastershot.labelling.weak_labels import (
    KeepRule,
    best_labels,
    borrowed_labels,
    clip_scene_scores,
    kept_labels,
    pool_shot_scores,
)
from mastershot.pipeline.plan import Labeller
from mastershot.scenes.grouping import group_shots

# Vectors read from the store at once: a few megabytes, whatever the film's length.
_FRAMES_AT_ONCE = 4096


def shot_vectors(
    shots: tuple[Shot, ...], space: EmbeddingSpace, store: FeatureStore
) -> Iterator[FloatArray]:
    """Yield the vectors of each shot's frames, shape (T, D), shot by shot."""
    wanted: list[range | tuple[int, ...]] = [
        shot.sampled_frames or range(shot.span.first_frame, shot.span.end_frame) for shot in shots
    ]
    start = 0
    while start < len(wanted):
        end, count = start, 0
        while end < len(wanted) and (end == start or count + len(wanted[end]) <= _FRAMES_AT_ONCE):
            count += len(wanted[end])
            end += 1
        frames = np.concatenate([np.asarray(run, np.int64) for run in wanted[start:end]])
        vectors = store.get(space, frames).vectors
        bounds = np.cumsum([0, *map(len, wanted[start:end])])
        for first, last in pairwise(bounds):
            yield vectors[first:last]
        start = end


def describe_shots(
    shots: tuple[Shot, ...],
    *,
    space: EmbeddingSpace,
    store: FeatureStore,
    labeller: Labeller | None,
) -> tuple[FloatArray, FloatArray | None]:
    """Return each shot's feature (S, D) and, with a labeller, its CLIPSceneScores (S, L).

    A shot's feature is the mean of its frames' vectors.
    """
    features, scores = [], []
    for vectors in shot_vectors(shots, space, store):
        features.append(vectors.mean(axis=0))
        if labeller is not None:
            scale = labeller.encoder.logit_scale
            scores.append(clip_scene_scores(vectors, labeller.label_vectors, scale))
    return np.stack(features), np.stack(scores) if labeller is not None else None


def find_scenes(movie: Movie, shots: tuple[Shot, ...], features: FloatArray) -> tuple[Scene, ...]:
    """Return the scenes that group the shots, without labels."""
    starts = group_shots(features)
    return tuple(
        Scene(scene_id(movie.id, index), first, end, span_of_shots(shots, first, end))
        for index, (first, end) in enumerate(zip(starts, [*starts[1:], len(shots)], strict=True))
    )


def label_shots(
    shots: tuple[Shot, ...], scores: FloatArray, labeller: Labeller, rule: KeepRule
) -> tuple[Shot, ...]:
    """Return the shots with their best labels, and those of them that are kept."""
    labelled = []
    for shot, row in zip(shots, scores, strict=True):
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
