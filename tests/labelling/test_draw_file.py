import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mastershot.core.errors import DatasetError, OutputError, SettingError, TaxonomyError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import shot_file_name
from mastershot.datasets.tables.records import ScoredShots, best_columns
from mastershot.datasets.tables.score_table import ScoreTable, open_scores, write_scores
from mastershot.labelling.draw_file import Draw, draw_from, read_draw, write_draw

PLACES = Taxonomy("places", ("bar", "zoo", "inn", "loft", "cave", "pier", "road"))
NUM_SHOTS = 200


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


def test_a_draw_of_nothing_is_an_error(table: ScoreTable, tmp_path: Path) -> None:
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
