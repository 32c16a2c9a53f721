from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import average_precision_score
from tests.factories.tag_scores import drawn_scores

from mastershot.core.errors import DatasetError
from mastershot.evaluation.correlation import row_ranks, sample_correlations
from mastershot.evaluation.tagging import (
    aligned_scores,
    confused_classes,
    precision_gains,
    tagging_figures,
)

SCORES = drawn_scores()


def test_means_over_classes_are_those_of_scikit_learn() -> None:
    figures = tagging_figures(SCORES, num_resamples=50)
    truth, scores = SCORES.truth[:, 1:], SCORES.scores[:, 1:]  # No sample has class a.
    assert (figures.num_samples, figures.num_films, figures.num_classes) == (200, 40, 7)
    for found, average in (
        (figures.mean_precision, "macro"),
        (figures.weighted_precision, "weighted"),
    ):
        expected = average_precision_score(truth, scores, average=average)
        assert found.value == pytest.approx(expected, abs=1e-12)
        assert found.num_items == 7
        assert found.interval.low < found.value < found.interval.high
    micro = average_precision_score(SCORES.truth, SCORES.scores, average="micro")
    assert figures.micro_precision.value == pytest.approx(micro, abs=1e-12)
    assert np.isnan(figures.per_class[0].average_precision.value)
    assert [row.num_positives for row in figures.per_class] == SCORES.truth.sum(axis=0).tolist()


def test_the_interval_of_the_mean_is_from_the_resamples_of_films() -> None:
    figures = tagging_figures(SCORES, num_resamples=50, seed=2)
    means = np.nanmean(figures.resamples.resampled[:, 1:], axis=1)
    interval = figures.mean_precision.interval
    value, ends = figures.mean_precision.value, np.quantile(means, [0.975, 0.025])
    assert [interval.low, interval.high] == pytest.approx(2 * value - ends)
    again = tagging_figures(SCORES, num_resamples=50, seed=2)
    assert again.mean_precision == figures.mean_precision
    assert again.pearson == figures.pearson


def test_correlations_are_those_of_numpy_and_scipy_averaged_over_samples() -> None:
    figures = tagging_figures(SCORES, num_resamples=20)
    varied = [row for row in range(200) if 0 < SCORES.truth[row].sum() < 8]
    pairs = [(SCORES.scores[row].astype(np.float64), SCORES.truth[row]) for row in varied]
    pearson = np.mean([np.corrcoef(scores, truth)[0, 1] for scores, truth in pairs])
    spearman = np.mean([spearmanr(scores, truth).statistic for scores, truth in pairs])
    assert figures.pearson.value == pytest.approx(pearson, abs=1e-12)
    assert figures.spearman.value == pytest.approx(spearman, abs=1e-12)
    assert figures.num_constant_truth == 200 - len(varied) > 0
    assert figures.pearson.num_items == len(varied)
    assert figures.pearson.interval.low < pearson < figures.pearson.interval.high


def test_ranks_are_those_of_scipy() -> None:
    assert (row_ranks(SCORES.scores) + 1 == rankdata(SCORES.scores, axis=1)).all()


def test_constant_truth_has_no_correlation_and_constant_scores_have_none_to_show() -> None:
    scores = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.1, 0.1, 0.1]], np.float32)
    truth = np.array([[False] * 3, [True] * 3, [True, False, False]])
    for values in (scores, row_ranks(scores)):
        assert np.isnan(sample_correlations(values, truth)).tolist() == [True, True, False]
        assert sample_correlations(values, truth)[2] == 0
    constant = replace(drawn_scores(3, 3), scores=scores, truth=truth.T[:1].repeat(3, 0).T)
    figures = tagging_figures(constant, num_resamples=5)
    assert np.isnan(figures.pearson.value)
    assert figures.pearson.num_items == 0
    assert figures.num_constant_truth == 3


def test_a_class_of_one_film_has_no_interval() -> None:
    truth = SCORES.truth.copy()
    truth[:, 0] = [film == "f3" for film in SCORES.films]
    truth[:, 1] = [film in ("f3", "f4") for film in SCORES.films]
    rows = tagging_figures(replace(SCORES, truth=truth), num_resamples=50).per_class
    assert [row.num_films for row in rows[:2]] == [1, 2]
    assert np.isnan(rows[0].average_precision.interval.low)
    assert rows[1].average_precision.interval.low < rows[1].average_precision.interval.high


def test_figures_of_one_film_have_no_interval() -> None:
    alone = replace(SCORES, films=("f3",) * len(SCORES))
    figures = tagging_figures(alone, num_resamples=5)
    gains = precision_gains(alone, replace(drawn_scores(skill=0.7), films=alone.films))
    several = tagging_figures(SCORES, num_resamples=5)
    for name in ("mean_precision", "weighted_precision", "micro_precision", "pearson", "spearman"):
        found = getattr(figures, name)
        assert found.value == pytest.approx(getattr(several, name).value)
        assert np.isnan([found.interval.low, found.interval.high]).all()
    assert np.isnan(gains.mean_precision.interval.low)


def test_confused_classes_are_counted_by_the_class_that_scores_highest() -> None:
    scores = replace(
        drawn_scores(4, 3),
        scores=np.array([[0.9, 0.1, 0], [0.9, 0.1, 0], [0.1, 0.1, 0], [0, 0, 1]], np.float32),
        truth=np.array([[0, 1, 0], [0, 1, 1], [1, 0, 0], [0, 1, 0]], np.bool_),
    )
    found = [tuple(vars(one).values()) for one in confused_classes(scores)]
    assert found == [("b", "a", 2, 2 / 3), ("b", "c", 1, 1 / 3), ("c", "a", 1, 1.0)]


def test_gains_are_paired_and_follow_names_not_places() -> None:
    better = drawn_scores(skill=0.7)
    order, columns = np.random.default_rng(0).permutation(200), [7, 0, 1, 2, 3, 4, 5, 6]
    shuffled = replace(
        better,
        scores=better.scores[order][:, columns],
        truth=better.truth[order][:, columns],
        videos=tuple(better.videos[row] for row in order),
        films=tuple(better.films[row] for row in order),
        classes=tuple(better.classes[column] for column in columns),
    )
    gains = precision_gains(SCORES, shuffled)
    one, other = tagging_figures(SCORES), tagging_figures(better)
    gained = other.mean_precision.value - one.mean_precision.value
    assert gains.mean_precision.value == pytest.approx(gained, abs=1e-12)
    assert 0 < gains.mean_precision.interval.low < gained < gains.mean_precision.interval.high
    assert [row.name for row in gains.per_class] == list("bcdefgh")
    difference = other.resamples.resampled[:, 7] - one.resamples.resampled[:, 7]
    assert gains.per_class[-1].gain.interval.low == pytest.approx(np.quantile(difference, 0.025))
    none = precision_gains(SCORES, SCORES).mean_precision
    assert (none.value, none.interval.low, none.interval.high) == (0, 0, 0)


def test_scores_of_other_samples_classes_or_truth_are_not_compared() -> None:
    with pytest.raises(DatasetError, match="only one of them has sample"):
        aligned_scores(SCORES, replace(SCORES, files=("x", *SCORES.files[1:])))
    with pytest.raises(DatasetError, match="only one of them has class a"):
        aligned_scores(SCORES, replace(SCORES, classes=("z", *SCORES.classes[1:])))
    with pytest.raises(DatasetError, match="different true labels; evaluate both"):
        aligned_scores(SCORES, replace(SCORES, truth=~SCORES.truth))


def test_samples_without_any_class_cannot_be_evaluated() -> None:
    with pytest.raises(DatasetError, match="no sample has a class"):
        tagging_figures(replace(SCORES, truth=np.zeros_like(SCORES.truth)))
