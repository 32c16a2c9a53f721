from dataclasses import replace

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.datasets.tables.records import ScoredShot, ScoredShots, columns_of
from mastershot.labelling.statistics import (
    CorpusStatistics,
    GalleryShot,
    ScoreSummary,
    summarise,
)

PLACES = Taxonomy("places", ("street", "forest", "kitchen"))


def shot(video: str, number: int, label: str | None, score: float = 0.5) -> ScoredShot:
    labels = () if label is None else (LabelScore(label, score),)
    start_s = 2.0 * number
    return ScoredShot(video, f"{number}.mp4", 0, 48, start_s, start_s + 2.0, labels)


def batches(*shots: ScoredShot) -> list[ScoredShots]:
    """Return the shots in pieces of two."""
    return [columns_of(shots[first : first + 2], PLACES) for first in range(0, len(shots), 2)]


def test_the_row_of_table_2() -> None:
    shots = [shot("a", 1, "street"), shot("a", 2, None), shot("v_b_seg_0_10", 1, "forest")]
    summary = summarise(batches(*shots), ScoreSummary(PLACES))
    films, years = {"a": "tt1", "b": "tt2"}, {"tt1": 1999, "tt2": 1930}
    assert summary.corpus(films, years) == CorpusStatistics(2, (1930, 1999), 2, 3, 1.5, 2.0)
    assert summary.corpus() == CorpusStatistics(None, None, 2, 3, 1.5, 2.0)
    assert summary.corpus({"a": "tt1"}).num_movies == 1


def test_nothing_has_no_statistics() -> None:
    with pytest.raises(DatasetError, match="there is no shot to count"):
        ScoreSummary(PLACES).corpus()


def test_labels_and_scores_are_counted_by_the_best_label() -> None:
    shots = [
        shot("a", 1, "street", 0.4),
        shot("a", 2, "street", 0.39),
        shot("a", 3, "kitchen", 1.0),
        shot("a", 4, "kitchen", 0.0),
        shot("a", 5, None),
    ]
    summary = summarise(batches(*shots), ScoreSummary(PLACES))
    assert summary.label_counts.tolist() == [2, 0, 2]
    assert summary.num_sure == 2
    counts = np.zeros(20, int)
    counts[[0, 7, 8, 19]] = 1
    assert summary.score_counts.tolist() == counts.tolist()


def test_sure_shots_count_for_each_genre_of_their_film() -> None:
    genres = {"a": ("Western",), "b": ("Western", "War")}
    shots = [
        shot("a", 1, "street"),
        shot("a", 2, "street", 0.3),
        shot("v_b_seg_0_10", 1, "forest"),
        shot("b", 2, "kitchen"),
        shot("b", 3, "kitchen"),
        shot("c", 1, "kitchen"),
    ]
    summary = summarise(batches(*shots), ScoreSummary(PLACES, genres_of_clip=genres))
    assert summary.genres.best(5) == {
        "War": [("kitchen", 2), ("forest", 1)],
        "Western": [("kitchen", 2), ("street", 1), ("forest", 1)],
    }
    assert summary.genres.best(1) == {"War": [("kitchen", 2)], "Western": [("kitchen", 2)]}


def test_galleries_hold_the_surest_and_the_least_sure_shots() -> None:
    random = np.random.default_rng(0)
    scores = random.choice([0.1, 0.2, 0.3, 0.5, 0.9], 41)
    labels = random.choice(["street", "kitchen"], 41)
    shots = [shot("a", n, labels[n], float(scores[n])) for n in range(41)]
    galleries = summarise(batches(*shots), ScoreSummary(PLACES, gallery=4)).galleries()
    assert galleries.keys() == {"street", "kitchen"}
    for label, (surest, least) in galleries.items():
        mine = [
            GalleryShot("a", f"{n}.mp4", float(np.float32(scores[n])))
            for n in range(41)
            if labels[n] == label
        ]
        assert surest == sorted(mine, key=lambda shot: -shot.score)[:4]
        assert least == sorted(mine, key=lambda shot: shot.score)[:4]


def test_sure_shots_are_counted_by_scale() -> None:
    shots = [shot("a", n, "street", score) for n, score in enumerate((0.9, 0.3, 0.4, 0.1))]
    shots.append(shot("a", 5, None))
    columns = replace(columns_of(shots, PLACES), scales=["CS", "CS", "LS", "", "LS"])
    summary = summarise([columns, columns], ScoreSummary(PLACES))
    assert summary.scale_counts == {"CS": (2, 4), "LS": (2, 4), "": (0, 2)}
