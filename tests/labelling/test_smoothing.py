"""Smoothing is exact inference: each figure is checked against sums over all paths of states."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mastershot.core.errors import SettingError
from mastershot.core.labels import load_taxonomy
from mastershot.labelling.smoothing import (
    SmoothingSettings,
    TransitionModel,
    default_model,
    parse_smoothing,
    posterior,
    smooth_scores,
)
from mastershot.labelling.transitions import TransitionCounts

LABELS = ("bar", "kitchen", "lake")
COUNTS = TransitionCounts(LABELS, np.array([[8.0, 2, 0], [1, 5, 0], [0, 0, 4]]))
MODEL = TransitionModel(COUNTS, SmoothingSettings(0.7, 2.0, 1.0, 0.1))


def plain_posterior(emissions: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Return the posterior by the sum over every path of states."""
    num_steps, num_states = emissions.shape
    total = np.zeros_like(emissions)
    for path in product(range(num_states), repeat=num_steps):
        weight = emissions[0, path[0]] / num_states
        for step in range(1, num_steps):
            weight *= transitions[path[step - 1], path[step]] * emissions[step, path[step]]
        for step, state in enumerate(path):
            total[step, state] += weight
    return total / total.sum(axis=1, keepdims=True)


def plain_smoothing(scores: np.ndarray, model: TransitionModel) -> np.ndarray:
    """Return smoothed scores by the sum over every path of places and of outliers."""
    outlier, (num_shots, num_labels) = model.settings.outlier_probability, scores.shape
    transitions, smoothed = model.transitions(model.counts.labels), np.zeros(scores.shape)
    q = scores**model.settings.temper
    q = q / q.sum(axis=1, keepdims=True)
    total = 0.0
    for path in product(range(num_labels), repeat=num_shots):
        for inlier in product((False, True), repeat=num_shots):
            weight = 1.0
            for shot, place in enumerate(path):
                weight *= transitions[path[shot - 1], place] if shot else 1
                if inlier[shot]:
                    weight *= (1 - outlier) * q[shot, place]
                else:
                    weight *= outlier / num_labels
            total += weight
            for shot, place in enumerate(path):
                own = scores[shot] / scores[shot].sum()
                smoothed[shot] += weight * (own if inlier[shot] else np.eye(num_labels)[place])
    return smoothed / total


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 4))
def test_the_posterior_is_the_sum_over_all_paths(seed: int, num_steps: int, num_states: int):
    random = np.random.default_rng(seed)
    emissions = random.dirichlet(np.full(num_states, 0.2), num_steps) + 1e-12
    transitions = random.dirichlet(np.full(num_states, 0.5), num_states) + 1e-12
    found = posterior(np.log(emissions), transitions)
    np.testing.assert_allclose(found, plain_posterior(emissions, transitions), atol=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_smoothed_scores_are_the_sum_over_all_that_may_be(seed: int, num_shots: int):
    random = np.random.default_rng(seed)
    scores = random.uniform(1e-3, 1, (num_shots, 3)).astype(np.float32) ** 3
    found, sums = smooth_scores(scores, LABELS, MODEL), scores.sum(axis=1, keepdims=True)
    expected = np.minimum(sums * plain_smoothing(scores, MODEL), 1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float32


def test_emissions_far_below_a_double_s_range_are_no_problem():
    random = np.random.default_rng(0)
    logs = random.normal(size=(2000, 3))
    transitions = MODEL.transitions(LABELS)
    found = posterior(logs - 1e5, transitions)
    np.testing.assert_allclose(found, posterior(logs, transitions), atol=1e-9)
    assert np.isfinite(found).all()


def test_films_of_one_batch_do_not_meet_and_padding_changes_nothing():
    random = np.random.default_rng(0)
    logs = random.normal(size=(2, 5, 3))
    logs[1, 3:] = 0
    both = posterior(logs, MODEL.transitions(LABELS))
    np.testing.assert_allclose(both[0], posterior(logs[0], MODEL.transitions(LABELS)))
    np.testing.assert_allclose(both[1, :3], posterior(logs[1, :3], MODEL.transitions(LABELS)))


def test_a_row_of_transitions_is_counts_and_the_prior():
    np.testing.assert_allclose(
        MODEL.transitions(("bar", "lake", "moat")),
        # Two pairs before any count, 0.7 of them for the label itself.
        [
            np.array([8 + 1.6, 0.2, 0.2]) / 10,
            np.array([0.2, 4 + 1.6, 0.2]) / 6,
            [0.1, 0.1, 0.8],
        ],
    )


def test_a_shot_that_its_neighbours_contradict_takes_their_place():
    wrong = np.array([[0.9, 0.1, 0.0]] * 3 + [[0.0, 0.0, 1.0]] + [[0.9, 0.1, 0.0]] * 3, np.float32)
    smoothed = smooth_scores(wrong, LABELS, MODEL)
    assert smoothed.argmax(axis=1).tolist() == [0] * 7
    # What they agree with stays as it is, its second label too.
    np.testing.assert_allclose(smoothed[1], wrong[1], atol=0.02)


def test_a_lasting_change_of_place_stays():
    scores = np.array([[0.9, 0.05, 0.05]] * 4 + [[0.05, 0.05, 0.9]] * 4, np.float32)
    assert smooth_scores(scores, LABELS, MODEL).argmax(axis=1).tolist() == [0] * 4 + [2] * 4


def test_a_shot_without_scores_gets_the_place_of_its_neighbours():
    scores = np.array([[0, 0.9, 0.1], [0, 0, 0], [0, 0.9, 0.1]], np.float32)
    smoothed = smooth_scores(scores, LABELS, MODEL)
    assert smoothed[1, 1] > 0.8
    np.testing.assert_allclose(smoothed.sum(axis=1), 1, atol=1e-6)
    nothing = smooth_scores(np.zeros((3, 3), np.float32), LABELS, MODEL)
    assert np.isfinite(nothing).all()


def test_one_shot_and_no_shot():
    alone = smooth_scores(np.array([[0.6, 0.3, 0.1]], np.float32), LABELS, MODEL)
    assert alone.argmax() == 0
    assert smooth_scores(np.zeros((0, 3), np.float32), LABELS, MODEL).shape == (0, 3)


def test_independent_scores_stay_as_high_as_they_were():
    sure = np.array([[0.9, 0.8, 0.1]] * 5, np.float32)
    np.testing.assert_allclose(smooth_scores(sure, LABELS, MODEL), sure, atol=0.02)
    low = sure / 10
    np.testing.assert_allclose(smooth_scores(low, LABELS, MODEL), low, atol=0.002)


def test_no_score_is_above_1():
    scores = np.array([[1, 0, 0]] * 5, np.float32)
    scores[2] = [0, 0.9, 0.9]  # 1.8 in all, most of which goes to the label of the neighbours
    assert smooth_scores(scores, LABELS, MODEL)[2].tolist()[0] == 1


def test_labels_that_the_table_lacks_are_smoothed_alike():
    labels = ("moat", "attic")
    scores = np.array([[0.95, 0.05]] * 3 + [[0.0, 1.0]] + [[0.95, 0.05]] * 3, np.float32)
    model = TransitionModel(COUNTS, SmoothingSettings(0.95, 30.0, 1.0, 0.3))
    smoothed = smooth_scores(scores, labels, model)
    assert smoothed[3, 0] > 0.3
    assert smoothed[0, 0] > 0.9


def test_thousands_of_shots_take_a_fraction_of_a_second():
    labels = load_taxonomy("movieclip").labels
    scores = np.random.default_rng(0).dirichlet(np.full(len(labels), 0.05), 5000)
    model, seconds = default_model(), []
    for _ in range(3):
        before = time.process_time()
        smoothed = smooth_scores(scores.astype(np.float32), labels, model)
        seconds.append(time.process_time() - before)
    np.testing.assert_allclose(smoothed.sum(axis=1), 1, atol=1e-5)
    assert min(seconds) < 1


def test_an_option_is_off_on_or_a_probability():
    assert parse_smoothing("off") is None
    assert parse_smoothing("on") == SmoothingSettings()
    assert parse_smoothing("0.9") == SmoothingSettings(stay=0.9)
    with pytest.raises(SettingError, match=r"smoothing 'strong' means nothing; use off, on, or"):
        parse_smoothing("strong")
    with pytest.raises(SettingError, match="stay is 1; it is a probability below 1"):
        parse_smoothing("1")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"stay": -0.1}, "stay is -0.1; it is a probability below 1"),
        ({"stay": float("nan")}, "stay is nan"),
        ({"outlier_probability": 0.0}, "outlier_probability is 0; it is above 0, at most 1"),
        ({"temper": 0.0}, "temper is 0; it is above 0"),
        ({"prior_count": float("inf")}, "prior_count is inf; it is above 0"),
    ],
)
def test_a_setting_that_means_nothing_says_what_would(setting: dict[str, float], words: str):
    with pytest.raises(SettingError, match=words):
        SmoothingSettings(**setting)


def test_what_a_timeline_keeps_changes_with_settings_and_counts():
    made = MODEL.made()
    assert made["stay"] == 0.7
    other = TransitionCounts(LABELS, COUNTS.counts + 1)
    assert TransitionModel(other, MODEL.settings).made() != made
