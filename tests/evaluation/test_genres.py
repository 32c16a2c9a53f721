"""Figures of genres against their definitions."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from mastershot.core.errors import SettingError
from mastershot.evaluation.genres import choose_thresholds, genre_figures

GENRES = ("a", "b", "c", "d")


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random((200, 4)) < [0.5, 0.2, 0.05, 0.0]
    scores = np.clip(truth * 0.4 + rng.random((200, 4)) * 0.7, 0, 1).astype(np.float32)
    return scores, truth


def test_figures_equal_scikit_learns() -> None:
    scores, truth = drawn()
    thresholds = np.array([0.5, 0.6, 0.7, 0.5], np.float32)
    found = genre_figures(scores, truth, thresholds, GENRES)
    given, counted = scores >= thresholds, slice(0, 3)
    for name, metric in (
        ("precision", precision_score), ("recall", recall_score), ("f1", f1_score),
    ):  # fmt: skip
        expected = metric(truth[:, counted], given[:, counted], average="weighted", zero_division=0)
        assert getattr(found, name).value == pytest.approx(expected)
    for average in ("micro", "macro", "weighted"):
        expected = average_precision_score(truth[:, counted], scores[:, counted], average=average)
        assert getattr(found, f"auprc_{average}").value == pytest.approx(expected)
    assert found.left_out == ("d",)
    assert found.f1.interval.low < found.f1.value < found.f1.interval.high


def test_giving_every_genre_has_the_f1_of_its_share() -> None:
    scores, truth = drawn()
    found = genre_figures(np.ones_like(scores), truth, np.full(4, 0.5, np.float32), GENRES)
    assert found.f1.value == pytest.approx(found.all_positive_f1)
    shares = truth[:, :3].mean(axis=0)
    expected = (2 * shares / (1 + shares) * shares).sum() / shares.sum()
    assert found.all_positive_f1 == pytest.approx(expected)
    assert found.recall.value == 1


def test_thresholds_are_the_best_of_validation_and_a_half_where_nothing_is_there() -> None:
    scores, truth = drawn(1)
    chosen = choose_thresholds(scores, truth)
    assert chosen[3] == 0.5
    for genre in range(3):
        best = max(f1_score(truth[:, genre], scores[:, genre] >= at) for at in scores[:, genre])
        assert f1_score(truth[:, genre], scores[:, genre] >= chosen[genre]) == pytest.approx(best)


def test_nothing_to_score_is_said() -> None:
    with pytest.raises(SettingError, match="no trailer that is to be scored has a genre"):
        genre_figures(np.ones((2, 1), np.float32), np.zeros((2, 1), bool),
                      np.ones(1, np.float32), ("a",))  # fmt: skip
