"""CLIPSceneScore as METHODS A4 writes it, and the labels METHODS A5 keeps."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories import reference
from tests.factories.models import make_tiny_clip

from mastershot.core.errors import SettingError
from mastershot.core.labels import LabelScore, Taxonomy, load_taxonomy
from mastershot.core.movie import SCALES
from mastershot.core.protocols import ImageTextEncoder
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.weak_labels import (
    SCALE_PROMPTS,
    AbstentionRule,
    KeepRule,
    best_labels,
    borrowed_labels,
    clip_scene_scores,
    encode_labels,
    encode_scales,
    is_close,
    kept_labels,
    pool_shot_scores,
    rule_of_shot,
)

PLACES = Taxonomy("places", ("street", "forest", "kitchen", "beach", "church", "bar", "cave"))
THREE_PLACES = Taxonomy("places", ("forest", "beach", "bar"))
KEEP = KeepRule()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ImageTextEncoder:
    folder = make_tiny_clip(tmp_path_factory.mktemp("models") / "clip")
    return load_encoder(folder, device="cpu", precision="float32")


def unit_vectors(rng: np.random.Generator, number: int, width: int) -> np.ndarray:
    vectors = rng.normal(size=(number, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def scores_of(**values: float) -> np.ndarray:
    """Scores over PLACES; what is not named has 0."""
    return np.array([values.get(label, 0.0) for label in PLACES.labels], np.float32)


def test_scores_of_a_small_random_clip_equal_plain_loops(clip: ImageTextEncoder) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (7, 6, 9, 3), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    frame_vectors = clip.encode_images(frames)
    label_vectors = encode_labels(clip, load_taxonomy("movieclip"))
    ours = clip_scene_scores(frame_vectors, label_vectors, clip.logit_scale)
    plain = reference.clip_scene_scores(
        frame_vectors.tolist(), label_vectors.tolist(), clip.logit_scale
    )
    assert ours.dtype == np.float32
    assert ours.shape == (179,)
    np.testing.assert_allclose(ours, plain, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_frames=st.integers(1, 6),
    num_labels=st.integers(1, 9),
    logit_scale=st.sampled_from([1.0, 14.3, 100.0, 117.3]),
)
def test_scores_equal_plain_loops_and_sum_to_one(
    seed: int, num_frames: int, num_labels: int, logit_scale: float
) -> None:
    rng = np.random.default_rng(seed)
    frame_vectors, label_vectors = (
        unit_vectors(rng, num_frames, 8),
        unit_vectors(rng, num_labels, 8),
    )
    ours = clip_scene_scores(frame_vectors, label_vectors, logit_scale)
    plain = reference.clip_scene_scores(frame_vectors.tolist(), label_vectors.tolist(), logit_scale)
    np.testing.assert_allclose(ours, plain, atol=1e-5)
    assert ours.sum() == pytest.approx(1, abs=1e-5)


def test_probabilities_are_averaged_and_not_cosines() -> None:
    # Of two frames one is all street, the other all forest: each label holds half the time.
    frame_vectors = np.eye(2, dtype=np.float32)
    label_vectors = np.array([[1, 0], [0, 1], [0.8, 0.6]], np.float32)
    scores = clip_scene_scores(frame_vectors, label_vectors, 100.0)
    np.testing.assert_allclose(scores, [0.5, 0.5, 0], atol=1e-5)
    assert (frame_vectors @ label_vectors.T).mean(axis=0).argmax() == 2


def test_a_shot_of_thousands_of_frames_is_scored_as_the_mean_of_its_parts() -> None:
    rng = np.random.default_rng(1)
    frame_vectors, label_vectors = unit_vectors(rng, 3000, 8), unit_vectors(rng, 5, 8)
    whole = clip_scene_scores(frame_vectors, label_vectors, 20.0)
    parts = [clip_scene_scores(frame_vectors[i : i + 1], label_vectors, 20.0) for i in range(3000)]
    np.testing.assert_allclose(whole, np.mean(parts, axis=0), atol=1e-6)


def test_labels_go_into_the_encoders_own_prompt_braces_and_all(clip: ImageTextEncoder) -> None:
    vectors = encode_labels(clip, Taxonomy("odd", ("street", "{label}", "{0} {", "100% set")))
    prompts = [
        "A photo of a street, a type of background location",
        "A photo of a {label}, a type of background location",
        "A photo of a {0} {, a type of background location",
        "A photo of a 100% set, a type of background location",
    ]
    np.testing.assert_array_equal(vectors, clip.encode_texts(prompts))


def test_the_score_of_a_scene_is_the_mean_over_its_shots() -> None:
    shot_scores = np.array([[1, 0], [0, 1], [0.5, 0.5], [0, 1]], np.float32)
    pooled = pool_shot_scores(shot_scores, first_shot=1, end_shot=4)
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, [1 / 6, 5 / 6], rtol=1e-6)


def test_the_best_label_is_kept_from_forty_per_cent_and_others_above_ten() -> None:
    labels = best_labels(scores_of(forest=0.45, beach=0.3, bar=0.15, cave=0.05), PLACES)
    assert [label.name for label in labels] == ["forest", "beach", "bar", "cave", "street"]
    assert kept_labels(labels) == ("forest", "beach", "bar")


def test_below_forty_per_cent_every_label_is_unsure() -> None:
    labels = best_labels(scores_of(forest=0.39, beach=0.35, bar=0.2), PLACES)
    assert all(label.unsure for label in labels)
    assert kept_labels(labels) == ()


def test_thresholds_are_compared_in_the_scores_own_float32() -> None:
    # float(np.float32(0.1)) is above 0.1, and float(np.float32(0.4)) above 0.4.
    labels = best_labels(scores_of(forest=0.4, beach=0.1), PLACES)
    assert kept_labels(labels) == ("forest",)
    just_above = np.nextafter(np.float32(0.1), np.float32(1))
    just_below = np.nextafter(np.float32(0.4), np.float32(0))
    assert kept_labels(best_labels(scores_of(forest=0.4, beach=just_above), PLACES)) == (
        "forest",
        "beach",
    )
    assert kept_labels(best_labels(scores_of(forest=just_below), PLACES)) == ()


def test_equal_scores_keep_the_order_of_the_taxonomy() -> None:
    labels = best_labels(scores_of(cave=0.2, bar=0.2, kitchen=0.2, street=0.4), PLACES)
    assert [label.name for label in labels] == ["street", "kitchen", "bar", "cave", "forest"]


def test_a_sixth_label_is_never_kept() -> None:
    sixth = np.full(7, 1 / 7, np.float32)
    labels = best_labels(sixth, PLACES, KeepRule(min_best=0.1))
    assert kept_labels(labels) == PLACES.labels[:5]


def test_a_small_taxonomy_gives_all_its_labels() -> None:
    labels = best_labels(np.array([1.0], np.float32), Taxonomy("one", ("room",)))
    assert labels == (LabelScore("room", 1.0),)


def test_a_scale_is_the_mean_of_its_prompts_at_unit_length(clip: ImageTextEncoder) -> None:
    vectors = encode_scales(clip)
    assert vectors.shape == (5, 8)
    assert tuple(SCALE_PROMPTS) == SCALES
    for vector, scale in zip(vectors, SCALES, strict=True):
        prompts = [clip.encode_texts([prompt])[0] for prompt in SCALE_PROMPTS[scale]]
        mean = sum(prompts) / len(prompts)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_no_two_scales_share_a_prompt(scale: str) -> None:
    others = {prompt for name in SCALES if name != scale for prompt in SCALE_PROMPTS[name]}
    assert not others & set(SCALE_PROMPTS[scale])


def scale(**shares: float) -> dict[str, float]:
    return dict.fromkeys(SCALES, 0.0) | shares


def kept_at(score: float, shot_scale: dict[str, float] | None) -> tuple[str, ...]:
    scores = np.array([score, 1 - score, 0], np.float32)
    return kept_labels(best_labels(scores, THREE_PLACES, rule_of_shot(KEEP, shot_scale)))


def test_a_label_on_a_close_up_needs_more() -> None:
    assert kept_at(0.55, scale(LS=1.0)) == ("forest", "beach")
    assert kept_at(0.55, scale(CS=1.0)) == ()
    assert kept_at(0.62, scale(CS=1.0)) == ("forest", "beach")
    assert kept_at(0.55, scale(ECS=0.3, CS=0.3, MS=0.4)) == ()


def test_a_shot_of_unknown_scale_is_judged_as_ever() -> None:
    assert rule_of_shot(KEEP, None) == KEEP
    assert kept_at(0.55, None) == ("forest", "beach")


def test_what_is_close_is_the_sum_of_the_two_closest_scales() -> None:
    assert is_close(scale(ECS=0.25, CS=0.25, LS=0.5))
    assert not is_close(scale(ECS=0.2, CS=0.25, LS=0.55))
    assert not is_close(scale(CS=0.7, LS=0.3), AbstentionRule(close_from=0.8))


def test_only_the_best_labels_threshold_is_raised_and_never_lowered() -> None:
    close = scale(CS=1.0)
    assert asdict(rule_of_shot(KEEP, close)) == asdict(KEEP) | {"min_best": 0.6}
    strict = KeepRule(min_best=0.9)
    assert rule_of_shot(strict, close) == strict
    assert rule_of_shot(KEEP, close, AbstentionRule(min_best_close=0.4)) == KEEP


@pytest.mark.parametrize("name", ["min_best_close", "close_from"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"{name} is .*; it is from 0 to 1"):
        AbstentionRule(**{name: value})


def test_a_shot_that_is_unsure_borrows_what_its_scene_is_sure_of() -> None:
    def labels(*scores: float) -> tuple:
        return best_labels(np.array(scores, np.float32), THREE_PLACES)

    scene, close_up, sure = labels(0.6, 0.32, 0.08), labels(0.2, 0.1, 0.3), labels(0, 0, 0.9)
    assert [label.name for label in borrowed_labels(close_up, scene)] == ["forest", "beach"]
    assert borrowed_labels(sure, scene) == ()
    assert borrowed_labels(close_up, close_up) == ()


def test_labels_with_thresholds_of_their_own_are_kept_from_there_on() -> None:
    taxonomy = Taxonomy("three", ("kitchen", "bar", "sea"))
    scores = np.array([0.1, 0.5, 0.3], np.float32)
    own = np.array([0.1, 0.6, 0.1], np.float32)  # the best label fails, others pass
    best = best_labels(scores, taxonomy, KeepRule(min_best=0.0), own)
    assert [(label.name, label.unsure) for label in best] == [
        ("bar", True), ("sea", False), ("kitchen", False),
    ]  # fmt: skip
    assert kept_labels(best_labels(scores, taxonomy, KeepRule(min_best=0.55), own)) == ()
