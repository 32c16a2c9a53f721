"""Vectors of frames become scenes, scales and labels, in blocks that change no result."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.timelines import make_embeddings, make_space, make_timeline

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import SCALES
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule
from mastershot.pipeline.analysis import stored as steps
from mastershot.pipeline.analysis.annotate import (
    annotate,
    find_scenes,
    label_scenes,
    label_shots,
    scale_shots,
    score_shots,
)
from mastershot.pipeline.analysis.decode_pass import Decoded
from mastershot.pipeline.analysis.labeller import Labeller
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan
from mastershot.pipeline.analysis.scale import PromptedScaler, TrainedScaler
from mastershot.pipeline.analysis.stored import frames_of, has_vectors, sampled_blocks
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.store.features import FolderFeatures

SPACE = make_space(8)
LABELS = Taxonomy("three", ("kitchen", "bar", "sea"))


def labeller_of(label_vectors: FloatArray, *, logit_scale: float = 1.0) -> Labeller:
    """Return a labeller whose labels have these vectors."""
    encoder: Any = SimpleNamespace(
        space=SPACE,
        logit_scale=logit_scale,
        label_template="{label}",
        encode_texts=lambda texts: label_vectors,
    )
    return Labeller(encoder, LABELS)


def store_of(folder: Path, vectors: FloatArray, space: EmbeddingSpace = SPACE) -> FolderFeatures:
    store = FolderFeatures(folder)
    store.put(Embeddings(space, np.arange(len(vectors)), vectors.astype(np.float32)))
    return store


def towards_labels(shot_labels: Sequence[int], shot_frames: Sequence[int]) -> FloatArray:
    """Return a frame's vector for each frame of shots that each show one label."""
    return np.repeat(np.eye(8, dtype=np.float32)[list(shot_labels)], shot_frames, axis=0)


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    at_once=st.integers(1, 50),
    data=st.data(),
)
def test_blocks_hold_every_sampled_frame_once_in_order_and_never_too_many(
    lengths: list[int], at_once: int, data: st.DataObject
) -> None:
    shots = make_timeline(shot_frames=lengths, scene_shots=None).shots
    sampled = []
    for shot in shots:
        every = list(range(shot.span.first_frame, shot.span.end_frame))
        chosen = data.draw(st.lists(st.sampled_from(every), unique=True))
        sampled.append(replace(shot, sampled_frames=tuple(sorted(chosen))))
    expected = [
        (index, frame)
        for index, shot in enumerate(sampled)
        for frame in shot.sampled_frames or range(shot.span.first_frame, shot.span.end_frame)
    ]
    with patch.object(steps, "_FRAMES_AT_ONCE", at_once):
        blocks = list(sampled_blocks(tuple(sampled)))
    pieces = [piece for block in blocks for piece in block]
    assert [(piece.shot, frame) for piece in pieces for frame in piece.frames] == expected
    assert all(0 < len(frames_of(block)) <= at_once for block in blocks)
    assert all(len(piece.frames) for piece in pieces)


def test_shots_have_vectors_only_if_each_frame_has_one_in_each_space(tmp_path: Path) -> None:
    shots, store = (
        make_timeline(shot_frames=(4, 6), scene_shots=None).shots,
        FolderFeatures(tmp_path),
    )
    store.put(make_embeddings(SPACE, range(10)))
    store.put(make_embeddings(COLOR_SPACE, range(9)))
    assert has_vectors(shots, [SPACE], store)
    assert not has_vectors(shots, [SPACE, COLOR_SPACE], store)
    sampled = tuple(replace(shot, sampled_frames=(shot.span.first_frame,)) for shot in shots)
    assert has_vectors(sampled, [SPACE, COLOR_SPACE], store)


@pytest.mark.parametrize("at_once", [1, 7, 4096])
def test_scores_are_those_of_a_plain_loop_whatever_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(steps, "_FRAMES_AT_ONCE", at_once)
    chance, lengths = np.random.default_rng(0), (3, 20, 1, 9)
    vectors = chance.normal(size=(sum(lengths), 8)).astype(np.float32)
    labels = chance.normal(size=(3, 8)).astype(np.float32)
    shots = make_timeline(shot_frames=lengths, scene_shots=None).shots
    found = score_shots(shots, labeller_of(labels, logit_scale=2.0), store_of(tmp_path, vectors))
    for row, shot in zip(found, shots, strict=True):
        weights = np.exp(2.0 * vectors[shot.span.first_frame : shot.span.end_frame] @ labels.T)
        expected = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
        assert row == pytest.approx(expected, abs=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("at_once", [6, 4096])
def test_a_classifier_gets_the_first_frames_of_each_shot_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(steps, "_FRAMES_AT_ONCE", at_once)
    seen: list[list[float]] = []

    def scores(shots: Sequence[FloatArray]) -> FloatArray:
        seen.extend(shot[:, 0].tolist() for shot in shots)
        return np.eye(5, dtype=np.float32)[[int(shot[0, 0]) % 5 for shot in shots]]

    classifier: Any = SimpleNamespace(settings=SimpleNamespace(max_steps=4), scores=scores)
    encoder: Any = SimpleNamespace(space=SPACE)
    vectors = np.arange(30, dtype=np.float32)[:, None] * np.ones(8, np.float32)
    shots = make_timeline(shot_frames=(2, 15, 13), scene_shots=None).shots
    scaled = scale_shots(shots, TrainedScaler(encoder, classifier), store_of(tmp_path, vectors))
    assert seen == [[0, 1], [2, 3, 4, 5], [17, 18, 19, 20]]
    assert [shot.likeliest_scale for shot in scaled] == [SCALES[0], SCALES[2], SCALES[2]]
    assert all(shot.scale is not None and tuple(shot.scale) == SCALES for shot in scaled)


def test_scenes_tile_the_shots_and_change_where_any_space_does(tmp_path: Path) -> None:
    lengths = (3,) * 18
    timeline = make_timeline(shot_frames=lengths, scene_shots=None)
    store = store_of(tmp_path, towards_labels([0] * 6 + [1] * 12, lengths))
    colours = np.zeros((54, COLOR_SPACE.width), np.float32)
    colours[:36, 0], colours[36:, 1] = 1, 1
    store.put(Embeddings(COLOR_SPACE, np.arange(54), colours))

    def starts(*spaces: EmbeddingSpace) -> list[int]:
        scenes = find_scenes(timeline.movie, timeline.shots, spaces, store)
        replace(timeline, scenes=scenes)  # Refuses scenes that do not tile the shots.
        return [scene.first_shot for scene in scenes]

    assert starts(SPACE) == [0, 6]
    assert starts(COLOR_SPACE) == [0, 12]
    assert starts(SPACE, COLOR_SPACE) == [0, 6, 12]


def test_a_close_up_needs_more_than_its_neighbour_of_the_same_scores() -> None:
    far, close = make_timeline(shot_frames=(3, 3), scene_shots=None, labels=None).shots
    close = replace(close, scale=dict(zip(SCALES, (0.3, 0.3, 0.4, 0, 0), strict=True)))
    scores = np.array([[0.5, 0.3, 0.2]] * 2, np.float32)
    plan = Plan(keep=KeepRule(min_best=0.4, above=0.2), abstain=AbstentionRule(0.6, 0.5))
    labelled = label_shots((far, close), scores, LoadedPlan(plan, labeller_of(np.eye(3, 8))))
    assert [shot.kept for shot in labelled] == [("kitchen", "bar"), ()]
    assert all(
        [label.name for label in shot.labels or ()] == list(LABELS.labels) for shot in labelled
    )


def test_a_scene_is_labelled_by_the_mean_of_its_shots_alone() -> None:
    timeline = make_timeline(shot_frames=(5, 1, 1), scene_shots=(2, 1))
    scores = np.array([[0.9, 0.1, 0], [0, 0.9, 0.1], [0, 0, 1]], np.float32)
    assert timeline.scenes is not None
    loaded = LoadedPlan(Plan(), labeller_of(np.eye(3, 8)))
    first, second = label_scenes(timeline.scenes, scores, loaded)
    assert first.labels is not None
    assert second.labels is not None
    assert [label.name for label in first.labels] == ["bar", "kitchen", "sea"]
    assert [label.score for label in first.labels] == pytest.approx([0.5, 0.45, 0.05])
    assert (second.labels[0].name, second.labels[0].score) == ("sea", 1.0)


def test_an_unsure_shot_borrows_from_its_own_scene_after_scales_are_known(tmp_path: Path) -> None:
    lengths = (3,) * 12
    timeline = make_timeline(shot_frames=lengths, scene_shots=None, labels=None)
    vectors = towards_labels([0] * 6 + [1] * 6, lengths)
    vectors[3:6, 7] = vectors[24:27, 7] = 1  # These two shots look like close-ups.
    store = store_of(tmp_path, vectors)
    store.put(Embeddings(COLOR_SPACE, np.arange(36), np.eye(36, 256, dtype=np.float32)))
    labeller = labeller_of(5 * np.eye(3, 8, dtype=np.float32))
    scales = np.zeros((5, 8), np.float32)
    scales[1, 7], scales[2] = 9, 1
    plan = Plan(abstain=AbstentionRule(min_best_close=1.0))
    loaded = LoadedPlan(plan, labeller, PromptedScaler(labeller.encoder, scales))
    made = annotate(Decoded(timeline.movie, timeline.shots), timeline.made_by, loaded, store)
    assert [index for index, shot in enumerate(made.shots) if not shot.kept] == [1, 8]
    assert [[label.name for label in made.shots[index].borrowed] for index in (1, 8)] == [
        ["kitchen"],
        ["bar"],
    ]
    assert not any(shot.borrowed for shot in made.shots if shot.kept)
    alone = annotate(
        Decoded(timeline.movie, timeline.shots),
        timeline.made_by,
        replace(loaded, plan=replace(plan, steps=("shots", "labels")), scaler=None),
        store,
    )
    assert alone.scenes is None
    assert all(shot.kept and not shot.borrowed for shot in alone.shots)
