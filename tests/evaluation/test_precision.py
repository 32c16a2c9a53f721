import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mastershot.evaluation import precision
from mastershot.evaluation.precision import (
    RECALLS,
    average_precisions,
    precision_curves,
    resample_precisions,
)

RNG = np.random.default_rng(3)
TRUTH = RNG.random((300, 6)) < [0.01, 0.1, 0.3, 0.5, 0.9, 0]
TRUTH[0, 0] = True
# One decimal: most scores are tied with others.
SCORES = np.round(0.3 * TRUTH + 0.7 * RNG.random(TRUTH.shape), 1).astype(np.float32)
SCORES[:, 4] = 0.5
FILMS = [f"film {number % 17}" for number in range(300)]


def test_average_precision_is_that_of_scikit_learn_also_with_ties() -> None:
    found = average_precisions(SCORES, TRUTH)
    assert np.isnan(found[5])
    expected = [average_precision_score(TRUTH[:, c], SCORES[:, c]) for c in range(5)]
    assert found[:5] == pytest.approx(expected, abs=1e-12)


def test_average_precision_of_a_ranking_that_can_be_done_by_hand() -> None:
    truth = np.array([[True], [False], [True], [False]])
    scores = np.array([[0.9], [0.8], [0.7], [0.1]], np.float32)
    assert average_precisions(scores, truth) == pytest.approx([(1 + 2 / 3) / 2])
    assert average_precisions(np.ones_like(scores), truth) == pytest.approx([0.5])


@pytest.mark.parametrize("block", [1024, 3])
def test_a_resample_is_the_precision_with_weights(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "_BLOCK_THRESHOLDS", block)
    found = resample_precisions(SCORES, TRUTH, FILMS, seed=1, num_resamples=5)
    draws = np.random.default_rng(1).integers(0, 17, size=(5, 17))
    names = sorted(set(FILMS))
    for resample, draw in enumerate(draws):
        drawn = [names[place] for place in draw]
        weights = np.array([drawn.count(film) for film in FILMS])
        for column in range(6):
            held = TRUTH[:, column]
            assert found.num_positives[resample, column] == weights[held].sum()
            if weights[held].sum():
                expected = average_precision_score(held, SCORES[:, column], sample_weight=weights)
                assert found.resampled[resample, column] == pytest.approx(expected, abs=1e-12)
            else:
                assert np.isnan(found.resampled[resample, column])


def resampled(seed: int = 0) -> bytes:
    return resample_precisions(
        SCORES, TRUTH, FILMS, seed=seed, num_resamples=50
    ).resampled.tobytes()


def test_resamples_are_settled_by_the_seed_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    first = resampled()
    assert first == resampled()
    assert first != resampled(seed=1)
    # Counts too large for float32 are summed in float64, to the same numbers.
    monkeypatch.setattr(precision, "_EXACT_IN_FLOAT32", 1)
    assert first == resampled()


def test_the_area_under_a_curve_is_the_average_precision() -> None:
    truth = np.zeros((1000, 1), np.bool_)
    truth[RNG.permutation(1000)[:100]] = True
    scores = RNG.random((1000, 1)).astype(np.float32) + truth.astype(np.float32)
    curve = precision_curves(scores / 2, truth)[0]
    # 100 positives: each step of recall is one of the grid's, which starts at 0.
    assert curve[1:].mean() == pytest.approx(average_precisions(scores, truth)[0], abs=1e-12)
    assert curve[0] == curve[1]
    assert len(RECALLS) == len(curve) == 101
    assert np.isnan(precision_curves(scores, np.zeros_like(truth))).all()
