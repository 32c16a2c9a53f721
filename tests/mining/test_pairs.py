import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.factories.reference import walk_sorted, window_scores

import mastershot as ms
from mastershot.core.errors import MastershotError, MiningError, SettingError, ShortMovieError
from mastershot.mining.pairs import mine_scene_pairs, scene_means, walk_down

Floats = npt.NDArray[np.float32]
SHARES = st.sampled_from([1.0, 0.5, 0.1, 0.01, 0.77])


def features(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.integers(1, 11), SHARES)
def test_the_walk_takes_what_the_sorted_walk_takes(
    seed: int, rows: int, columns: int, window: int, consider: float
) -> None:
    scores = features(seed, rows, columns)
    assert walk_down(scores, window, consider) == walk_sorted(scores, window, consider)


@given(
    arrays(np.float32, st.tuples(st.integers(1, 25), st.integers(1, 25)),
           elements=st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0])),
    st.integers(1, 11),
    SHARES,
)  # fmt: skip
def test_of_equal_entries_the_lower_row_then_the_lower_column_comes_first(
    scores: Floats, window: int, consider: float
) -> None:
    assert walk_down(scores, window, consider) == walk_sorted(scores, window, consider)


@pytest.mark.parametrize("kind", ["random", "hub", "rank one", "all equal", "tied"])
def test_films_of_many_shots_give_the_list_of_the_sorted_walk(kind: str) -> None:
    one, other = features(1, 300, 16), features(2, 260, 16)
    if kind == "hub":
        other += 5 * other[100]
    if kind == "rank one":
        one, other = abs(one[:, :1]), abs(other[:, :1])
    scores = scene_means(one, 9, "one") @ scene_means(other, 9, "other").T
    if kind == "all equal":
        scores[:] = 0.25
    if kind == "tied":
        scores = np.round(scores, 1)
    for consider in (1.0, 0.5, 0.003):
        assert walk_down(scores, 9, consider) == walk_sorted(scores, 9, consider)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30), st.integers(1, 12))
def test_means_of_shots_multiply_to_means_of_their_products(
    seed: int, shots: int, others: int, window: int
) -> None:
    one, other = features(seed, window + shots - 1, 7), features(seed + 1, window + others - 1, 7)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    found = scene_means(one, window, "one") @ scene_means(other, window, "other").T
    assert np.abs(found - window_scores(one, other, window)).max() < 1e-5


def test_no_two_pairs_overlap_and_scores_descend() -> None:
    pairs = mine_scene_pairs(features(3, 200, 32), features(4, 150, 32), keep=1.0)
    assert len(pairs) > 10
    for side in (0, 1):
        starts = sorted(pair[side] for pair in pairs)
        assert min(np.diff(starts)) >= 9
    scores = [score for _, _, score in pairs]
    assert scores == sorted(scores, reverse=True)
    assert all(type(cell) is kind for cell, kind in zip(pairs[0], (int, int, float), strict=True))


@pytest.mark.parametrize("keep", [1.0, 0.5, 0.3, 0.001])
def test_the_first_share_of_the_list_is_kept_rounded_up(keep: float) -> None:
    films = features(5, 120, 8), features(6, 130, 8)
    whole = mine_scene_pairs(*films, keep=1.0)
    assert mine_scene_pairs(*films, keep=keep) == whole[: math.ceil(len(whole) * keep)]


def test_a_film_of_one_scene_gives_one_pair() -> None:
    one, other = features(7, 9, 8), features(8, 9, 8)
    ((row, column, score),) = mine_scene_pairs(one, other)
    assert (row, column) == (0, 0)
    assert score == pytest.approx(float((one @ other.T).mean()), abs=1e-5)


def test_a_large_feature_does_not_spoil_those_after_it() -> None:
    one = features(9, 40, 4)
    spoilt = one.copy()
    spoilt[0] = 1e12
    assert (scene_means(spoilt, 9, "x")[1:] == scene_means(one, 9, "x")[1:]).all()


def test_half_and_double_precision_are_taken_too() -> None:
    one, other = features(10, 30, 8), features(11, 30, 8)
    due = [pair[:2] for pair in mine_scene_pairs(one, other)]
    found = mine_scene_pairs(one.astype(np.float64), other.astype(np.float64))  # type: ignore[arg-type]
    assert [pair[:2] for pair in found] == due
    assert mine_scene_pairs(one.astype(np.float16), other.astype(np.float16))  # type: ignore[arg-type]


def test_the_features_stay_as_they_were() -> None:
    one = features(12, 30, 8)
    before = one.copy()
    mine_scene_pairs(one, one)
    assert (one == before).all()


def bad(value: float) -> Floats:
    spoilt = features(13, 20, 4)
    spoilt[11, 2] = value
    return spoilt


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (features(0, 8, 4), "the first movie has 8 shots, fewer than the 9 of a scene"),
        (features(0, 0, 4), "the first movie has 0 shots"),
        (bad(math.nan), "shot 11 of the first movie has a feature that is not a finite"),
        (bad(math.inf), "shot 11 of the first movie"),
        (bad(3e38), "as long as .* overflow; scale them down"),
        (bad(1).astype(np.float64) * 1e300, "shot 0 of the first movie .* finite float32"),
        (np.ones((20, 4), np.int64), "are int64 of shape .*; they should be floating point"),
        (np.ones(20, np.float32), r"of shape \(20,\); they should be"),
        (np.ones((20, 0), np.float32), r"of shape \(20, 0\)"),
        (np.array([["a"] * 4] * 20), "should be floating point"),
        (None, "object of shape"),
        (features(0, 20, 5), "are 5 wide and of the second 4; both must come from one encoder"),
    ],
)
def test_features_that_mean_nothing_are_refused_in_one_sentence(one: Floats, message: str) -> None:
    with pytest.raises(MiningError, match=message):
        mine_scene_pairs(one, features(1, 20, 4))


def test_a_short_film_has_an_error_of_its_own() -> None:
    with pytest.raises(ShortMovieError, match="the second movie has 3 shots"):
        ms.mine_scene_pairs(features(0, 20, 4), features(0, 3, 4))
    assert issubclass(ShortMovieError, MastershotError)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("window", 0, "window is 0; it must be at least 1"),
        ("window", 2.5, "window is 2.5; it must be a whole number"),
        ("window", True, "window is True; it must be a whole number"),
        ("keep", 0, r"keep is 0; it must be in \(0, 1\]"),
        ("keep", 1.1, "keep is 1.1"),
        ("consider", math.nan, "consider is nan"),
        ("consider", -0.5, "consider is -0.5"),
    ],
)
def test_settings_that_mean_nothing_are_refused(setting: str, value: float, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        mine_scene_pairs(features(0, 20, 4), features(0, 20, 4), **{setting: value})  # type: ignore[arg-type]
