"""From the vectors of frames to scenes, shot scales, and labels of shots and scenes."""
# S shots, L labels, D width of a space

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.movie import SCALES, Movie, Scene, Shot, scene_id
from mastershot.core.protocols import FeatureStore, ImageTextEncoder
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots
from mastershot.encoders.scene_head import SceneHead
from mastershot.labelling.smoothing import smooth_scores
from mastershot.labelling.weak_labels import (
    best_labels,
    borrowed_labels,
    clip_scene_scores,
    kept_labels,
    pool_shot_scores,
    rule_of_shot,
)
from mastershot.pipeline.analysis.decode_pass import Decoded
from mastershot.pipeline.analysis.headings import with_settings
from mastershot.pipeline.analysis.labeller import Labeller
from mastershot.pipeline.analysis.people import see_people
from mastershot.pipeline.analysis.plan import LoadedPlan
from mastershot.pipeline.analysis.scale import ShotScaler, TrainedScaler
from mastershot.pipeline.analysis.stored import first_vectors, mean_of_shots
from mastershot.pipeline.moderation.cutting import moderate
from mastershot.scenes.grouping import group_shots
from mastershot.store.frames import frame_times_of


def annotate(decoded: Decoded, made: MadeBy, loaded: LoadedPlan, store: FeatureStore) -> Timeline:
    """Return the timeline of a decoded film: scenes, people, scales, labels, headings, genres."""
    movie, shots, scenes = decoded.movie, decoded.shots, None
    if "scenes" in loaded.plan.steps:
        head = None if loaded.scene_head is None else loaded.scene_head.head
        scenes = find_scenes(movie, shots, loaded.scene_spaces, store, head)
    if loaded.people is not None:
        space, by_people = loaded.people.space, loaded.scale_by_people
        shots = see_people(movie, shots, space, store, with_scale=by_people)
    if loaded.scaler is not None:
        shots = scale_shots(shots, loaded.scaler, store)
    if loaded.taxonomy is not None:
        scores = label_scores(shots, loaded, made, store)
        shots = label_shots(shots, scores, loaded)
        if scenes is not None:
            scenes = label_scenes(scenes, scores, loaded)
            # An unsure shot, such as a close-up, borrows its scene's sure labels.
            shots = tuple(
                replace(shot, borrowed=borrowed_labels(shot.labels or (), scene.labels or ()))
                for scene in scenes
                for shot in shots[scene.first_shot : scene.end_shot]
            )
    if loaded.settings is not None:
        shots, scenes = with_settings(shots, scenes, loaded.settings, store)
    timeline = Timeline(
        movie, made, shots, scenes, decoded.damaged, decoded.notes, decoded.audio, decoded.marks
    )
    if loaded.genres is not None:
        timeline = replace(timeline, **loaded.genres.with_genres(timeline, store))
    if loaded.moderation is None:
        return timeline
    times = frame_times_of(timeline) if decoded.times is None else decoded.times
    return moderate(timeline, loaded.moderation, store, times)


def find_scenes(
    movie: Movie,
    shots: tuple[Shot, ...],
    spaces: Iterable[EmbeddingSpace],
    store: FeatureStore,
    head: SceneHead | None = None,
) -> tuple[Scene, ...]:
    """Return the scenes by the mean vectors of their shots in all the spaces, without labels.

    Without a head, shots are grouped by similarity.
    """
    means = [mean_of_shots(shots, space, store, lambda part: part.mean(axis=0)) for space in spaces]
    starts = group_shots(*means) if head is None else head.first_shots(np.hstack(means))
    return tuple(
        Scene(scene_id(movie.id, index), first, end, span_of_shots(shots, first, end))
        for index, (first, end) in enumerate(zip(starts, [*starts[1:], len(shots)], strict=True))
    )


def scale_shots(
    shots: tuple[Shot, ...], scaler: ShotScaler, store: FeatureStore
) -> tuple[Shot, ...]:
    """Return the shots with the probability of each scale."""
    if isinstance(scaler, TrainedScaler):
        space, most = scaler.encoder.space, scaler.classifier.settings.max_steps
        parts = map(scaler.classifier.scores, first_vectors(shots, space, most, store))
        scores = np.concatenate(list(parts))
    else:
        scores = _score_texts(shots, scaler.encoder, scaler.vectors, store)
    return tuple(
        replace(shot, scale=dict(zip(SCALES, row, strict=True)), scale_by=scaler.source)
        for shot, row in zip(shots, scores.tolist(), strict=True)
    )


def label_scores(
    shots: tuple[Shot, ...], loaded: LoadedPlan, made: MadeBy, store: FeatureStore
) -> FloatArray:
    """Return the score of each label of the plan's taxonomy on each shot, shape (S, L).

    They are CLIPSceneScores, or those of a recogniser, or the mean of both, weighted by their
    shares; a label that only one of them knows keeps that one's part. Where the plan says so, they
    are smoothed over the film's shots.
    """
    scores = _unsmoothed_scores(shots, loaded, made, store)
    if loaded.smoother is None:
        return scores
    assert loaded.taxonomy is not None
    return smooth_scores(scores, loaded.taxonomy.labels, loaded.smoother)


def _unsmoothed_scores(
    shots: tuple[Shot, ...], loaded: LoadedPlan, made: MadeBy, store: FeatureStore
) -> FloatArray:
    words = None
    if loaded.words is not None:
        words = score_shots(shots, loaded.words, store)
    if loaded.recogniser is None:
        assert words is not None
        return words
    recognised = loaded.recogniser.scores(shots, made, store)
    if words is None:
        return recognised
    assert loaded.taxonomy is not None
    fused = np.zeros((len(shots), len(loaded.taxonomy)), np.float32)
    share, place = loaded.recogniser.share, loaded.taxonomy.labels.index
    fused[:, : words.shape[1]] = (1 - share) * words
    fused[:, [place(name) for name in loaded.recogniser.trained.card.classes]] += share * recognised
    return fused


def score_shots(shots: tuple[Shot, ...], labeller: Labeller, store: FeatureStore) -> FloatArray:
    """Return each shot's CLIPSceneScores, shape (S, L), labels in taxonomy order."""
    return _score_texts(shots, labeller.encoder, labeller.label_vectors, store)


def label_shots(
    shots: tuple[Shot, ...], scores: FloatArray, loaded: LoadedPlan
) -> tuple[Shot, ...]:
    """Return the shots with their best labels, and those of them that are kept."""
    assert loaded.taxonomy is not None
    labelled = []
    for shot, row in zip(shots, scores, strict=True):
        rule = rule_of_shot(loaded.keep, shot.scale, loaded.plan.abstain)
        labels = best_labels(row, loaded.taxonomy, rule, loaded.thresholds)
        labelled.append(replace(shot, labels=labels, kept=kept_labels(labels)))
    return tuple(labelled)


def label_scenes(
    scenes: tuple[Scene, ...], scores: FloatArray, loaded: LoadedPlan
) -> tuple[Scene, ...]:
    """Return the scenes with the best labels by the mean score of their shots."""
    assert loaded.taxonomy is not None
    labelled = []
    for scene in scenes:
        mean = pool_shot_scores(scores, first_shot=scene.first_shot, end_shot=scene.end_shot)
        labels = best_labels(mean, loaded.taxonomy, loaded.keep, loaded.thresholds)
        labelled.append(replace(scene, labels=labels))
    return tuple(labelled)


def _score_texts(
    shots: tuple[Shot, ...], encoder: ImageTextEncoder, texts: FloatArray, store: FeatureStore
) -> FloatArray:
    """Return the CLIPSceneScore of each of L texts, (L, D), on each shot, shape (S, L)."""
    scores = partial(clip_scene_scores, label_vectors=texts, logit_scale=encoder.logit_scale)
    return mean_of_shots(shots, encoder.space, store, scores)
