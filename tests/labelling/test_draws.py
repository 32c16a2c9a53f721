import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import DatasetError, OutputError, SettingError, TaxonomyError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.datasets.movieclip import shot_file_name
from mastershot.datasets.tables.records import ScoredShot, ScoredShots, best_columns, columns_of
from mastershot.datasets.tables.score_table import ScoreTable, open_scores, write_scores
from mastershot.labelling.draws import (
    Draw,
    draw_from,
    draw_shots,
    equal_allocation,
    label_strata,
    proportional_allocation,
    read_draw,
    write_draw,
)

PLACES = Taxonomy("places", ("bar", "zoo", "inn", "loft", "cave", "pier", "road"))
NUM_SHOTS = 200
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
    assert label_strata(columns_of(shots[3:], places, num_best=0), places) == ["no label"]


def scored() -> ScoredShots:
    random = np.random.default_rng(0)
    labels, scores = best_columns(random.random((NUM_SHOTS, len(PLACES)), np.float32), 7)
    labels[0], scores[0] = -1, 0  # a shot without a label
    return ScoredShots(
        videos=[f"v{row // 20}" for row in range(NUM_SHOTS)],
        files=[shot_file_name(f"v{row // 20}", row % 20 + 1) for row in range(NUM_SHOTS)],
        frames=np.zeros((NUM_SHOTS, 2), np.int64),
        times_s=np.stack([np.arange(NUM_SHOTS), np.arange(NUM_SHOTS) + 1.0], axis=1),
        labels=labels,
        scores=scores,
        scales=["CS"] * NUM_SHOTS,
    )


@pytest.fixture
def table(tmp_path: Path) -> ScoreTable:
    write_scores(tmp_path / "scores.parquet", [scored()], PLACES, {})
    return open_scores(tmp_path / "scores.parquet")


def test_drawn_shots_come_with_the_five_best_labels_and_no_score(table: ScoreTable) -> None:
    draw, shots = draw_from(table, 50, seed=4), scored()
    assert (len(draw.shots), draw.num_shots, draw.seed) == (50, NUM_SHOTS - 1, 4)
    names = zip(shots.videos, shots.files, strict=True)
    row_of = {f"{video}/{file}": row for row, (video, file) in enumerate(names)}
    for shot in draw.shots:
        row = row_of[shot.name]
        best = [PLACES.labels[label] for label in shots.labels[row, :5].tolist()]
        assert list(shot.labels) == best
        assert shot.stratum.startswith(f"{best[0]}, ")
        assert (shot.start_s, shot.end_s, shot.scale) == (row, row + 1, "CS")
    assert sum(draw.weights.values()) == pytest.approx(NUM_SHOTS - 1, rel=0.1)


def test_an_equal_draw_takes_as_many_of_each_kind(table: ScoreTable) -> None:
    draw = draw_from(table, 21, allocation="equal")
    counts = Counter(shot.stratum for shot in draw.shots)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_draw_is_read_as_it_was_written(table: ScoreTable, tmp_path: Path) -> None:
    draw = draw_from(table, 9)
    write_draw(tmp_path / "draw.json", draw)
    assert read_draw(tmp_path / "draw.json") == draw
    assert draw_from(table, 9) == draw
    assert draw_from(table, 9, seed=1) != draw


def test_a_draw_of_nothing_from_a_data_set_is_an_error(table: ScoreTable, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="a draw of 0 shots means nothing"):
        draw_from(table, 0)
    write_scores(tmp_path / "none.parquet", [], PLACES, {})
    with pytest.raises(DatasetError, match="there is no shot to draw from"):
        draw_from(open_scores(tmp_path / "none.parquet"), 5)


def test_a_label_that_no_table_of_verdicts_can_hold_is_an_error(tmp_path: Path) -> None:
    labels = Taxonomy("places", ("bar; pub", *PLACES.labels[1:]))
    write_scores(tmp_path / "a.parquet", [replace(scored(), scales=None)], labels, {})
    with pytest.raises(DatasetError, match="label 'bar; pub' holds a semicolon"):
        draw_from(open_scores(tmp_path / "a.parquet"), NUM_SHOTS)


def damaged(**changes: Any) -> str:
    shot = {"video": "v", "file": "a.mp4", "start_s": 0, "end_s": 1, "labels": ["bar"],
            "stratum": "bar", "weight": 2, "scale": ""}  # fmt: skip
    value = {"schema": "mastershot/draw/1", "taxonomy": "t", "labels": ["bar"], "seed": 0,
             "allocation": "equal", "num_shots": 2, "shots": [shot | changes]}  # fmt: skip
    return json.dumps(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no draw of shots"),
        ("[]", "is no draw of shots"),
        ('{"schema": "other"}', "its schema is 'other', not 'mastershot/draw/1'"),
        (damaged(extra=1), "is no draw of shots .*extra"),
        (damaged(labels=[1]), "should hold texts"),
        (damaged(weight="2"), "should hold numbers"),
        (damaged(weight=-2), "should hold numbers"),
        (damaged(labels=None), "is no draw of shots"),
    ],
)
def test_what_is_no_draw_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "draw.json").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_draw(tmp_path / "draw.json")


def test_a_draw_that_is_whole_is_read(tmp_path: Path) -> None:
    (tmp_path / "draw.json").write_text(damaged())
    assert isinstance(read_draw(tmp_path / "draw.json"), Draw)
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_draw(tmp_path / "gone.json")
    (tmp_path / "draw.json").write_text(damaged().replace('"labels": ["bar"], "seed"',
                                                          '"labels": [], "seed"'))  # fmt: skip
    with pytest.raises(TaxonomyError, match="holds no label"):
        read_draw(tmp_path / "draw.json")


def test_a_draw_into_a_folder_that_is_not_there_is_an_error(
    table: ScoreTable, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_draw(tmp_path / "gone" / "draw.json", draw_from(table, 2))
