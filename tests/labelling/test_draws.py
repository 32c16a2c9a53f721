from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.datasets.tables.records import ScoredShot, columns_of
from mastershot.labelling.draws import (
    draw_shots,
    equal_allocation,
    label_strata,
    proportional_allocation,
)

NAMES = [f"v/v-Scene-{number:03}.mp4" for number in range(300)]
STRATA = ["bar"] * 240 + ["zoo"] * 50 + ["inn"] * 10

sizes_and_number = st.lists(st.integers(1, 50), min_size=1, max_size=9).flatmap(
    lambda sizes: st.tuples(st.just(sizes), st.integers(1, sum(sizes)))
)


@given(sizes_and_number)
def test_proportional_draws_are_within_one_of_their_share(case: tuple[list[int], int]) -> None:
    sizes, number = np.array(case[0]), case[1]
    counts = proportional_allocation(sizes, number)
    assert counts.sum() == number
    assert (counts <= sizes).all()
    assert (np.abs(counts - number * sizes / sizes.sum()) < 1).all()


@given(sizes_and_number)
def test_equal_draws_differ_by_one_at_most_save_where_a_stratum_is_used_up(
    case: tuple[list[int], int],
) -> None:
    sizes, number = np.array(case[0]), case[1]
    counts = equal_allocation(sizes, number)
    assert counts.sum() == number
    assert (counts <= sizes).all()
    assert (counts >= np.minimum(sizes, counts.max() - 1)).all()


def test_a_draw_is_stratified_and_says_what_each_shot_stands_for() -> None:
    drawn = draw_shots(NAMES, STRATA, 30)
    assert Counter(shot.stratum for shot in drawn) == {"bar": 24, "zoo": 5, "inn": 1}
    assert all(STRATA[shot.place] == shot.stratum for shot in drawn)
    assert len({shot.place for shot in drawn}) == 30
    even = draw_shots(NAMES, STRATA, 45, allocate=equal_allocation)
    assert Counter(shot.stratum for shot in even) == {"bar": 18, "zoo": 17, "inn": 10}
    for kind in ("bar", "zoo", "inn"):
        weights = [shot.weight for shot in even if shot.stratum == kind]
        assert sum(weights) == pytest.approx(STRATA.count(kind))


def test_a_seed_settles_the_draw_whatever_the_order_of_the_shots() -> None:
    backwards = draw_shots(NAMES[::-1], STRATA[::-1], 30, seed=7)
    one = [NAMES[shot.place] for shot in draw_shots(NAMES, STRATA, 30, seed=7)]
    assert [NAMES[::-1][shot.place] for shot in backwards] == one
    assert [NAMES[shot.place] for shot in draw_shots(NAMES, STRATA, 30, seed=8)] != one


def test_every_shot_of_a_stratum_is_as_likely() -> None:
    counts = Counter(
        shot.place
        for seed in range(400)
        for shot in draw_shots(NAMES[:20], ["a"] * 20, 5, seed=seed)
    )
    # 400 draws of 5 in 20: 100 each, with a standard deviation of about 8.7.
    assert all(abs(counts[place] - 100) < 4 * 8.7 for place in range(20))


def test_raters_do_not_see_one_kind_after_the_other() -> None:
    kinds = [shot.stratum for shot in draw_shots(NAMES, STRATA, 45, allocate=equal_allocation)]
    assert sum(a != b for a, b in pairwise(kinds)) > 15
    firsts = [
        draw_shots(NAMES, STRATA, 45, allocate=equal_allocation, seed=s)[0] for s in range(90)
    ]
    assert 10 <= sum(shot.stratum == "inn" for shot in firsts) <= 33  # 20 expected, deviation 3.9


def test_few_shots_are_all_drawn() -> None:
    assert len(draw_shots(NAMES[:3], STRATA[:3], 1000)) == 3


def test_a_draw_of_nothing_is_an_error() -> None:
    with pytest.raises(SettingError, match="a draw of 0 shots means nothing"):
        draw_shots(NAMES, STRATA, 0)
    with pytest.raises(DatasetError, match="there is no shot to draw from"):
        draw_shots([], [], 5)
    with pytest.raises(DatasetError, match="two shots to draw from have the same name"):
        draw_shots(["a", "a"], ["x", "y"], 1)


def test_kinds_are_best_labels_and_how_sure_they_are() -> None:
    places = Taxonomy("places", ("bar", "zoo"))
    scored = [("zoo", 0.4), ("zoo", 0.39), ("bar", 0.9), (None, 0.0)]
    shots = [
        ScoredShot("v", f"{n}.mp4", 0, 1, 0, 1, (LabelScore(name, score),) if name else ())
        for n, (name, score) in enumerate(scored)
    ]
    columns = columns_of(shots, places)
    assert label_strata(columns, places) == [
        "zoo, from 0.4", "zoo, below 0.4", "bar, from 0.4", "no label",
    ]  # fmt: skip
    assert label_strata(columns, places, ()) == ["zoo", "zoo", "bar", "no label"]
    assert label_strata(columns, places, (0.4, 0.6))[2] == "bar, from 0.6"
    assert label_strata(columns_of(shots[3:], places, num_best=0), places) == ["no label"]
