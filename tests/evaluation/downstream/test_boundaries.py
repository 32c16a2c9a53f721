import numpy as np
import pytest

from mastershot.evaluation.downstream.boundaries import (
    AskedFilm,
    BoundaryAnswers,
    chance_precision,
    measure_boundaries,
)
from mastershot.evaluation.downstream.figures import MAIN
from mastershot.evaluation.scene_boundaries import gap_precision

TRUTHS = ([True, False, False, True], [False, True, False], [False, False, False, True, False])
FILMS = [
    AskedFilm(f"film-{place}", np.array(truth), tuple(5.0 * edge for edge in range(len(truth) + 2)))
    for place, truth in enumerate(TRUTHS)
]


def answers(seed: int | None = None, threshold: float = 0.5) -> BoundaryAnswers:
    """Return the truth as scores, or with a seed drawn ones."""
    rng = np.random.default_rng(seed)
    scores = [film.truth if seed is None else rng.random(len(film.truth)) for film in FILMS]
    return BoundaryAnswers(tuple(np.asarray(one, np.float32) for one in scores), threshold)


def test_right_scores_reach_one_in_all_figures() -> None:
    found = measure_boundaries([answers()], FILMS).figures
    assert {key: figure.value for key, figure in found.items()} == {
        MAIN: 1, "f1": 1, "miou": 1, "recall_3s": 1,
    }  # fmt: skip
    assert found[MAIN].num_items == 12
    assert found["miou"].num_items == 3


def test_precision_is_of_all_gaps_together_and_the_mean_over_seeds() -> None:
    drawn = [answers(1), answers(2)]
    found = measure_boundaries(drawn, FILMS)
    truth = np.concatenate([film.truth for film in FILMS])
    expected = [gap_precision(np.concatenate(one.scores), truth) for one in drawn]
    assert found.by_seed.tolist() == expected
    main = found.figures[MAIN]
    assert main.value == pytest.approx(np.mean(expected))
    assert main.interval.low <= main.value <= main.interval.high
    assert main.interval.low < main.interval.high


def test_a_threshold_above_all_scores_finds_one_scene_a_film() -> None:
    found = measure_boundaries([answers(threshold=2.0)], FILMS).figures
    assert found[MAIN].value == 1
    assert found["recall_3s"].value == found["f1"].value == 0
    # True scenes of 1, 3 and 1, of 2 and 2, and of 4 and 2 shots, each against the whole film.
    best = [(np.mean([1, 3, 1]) + 3) / 5 / 2, (2 + 2) / 4 / 2, (3 + 4) / 6 / 2]
    assert found["miou"].value == pytest.approx(np.mean(best))


def test_chance_is_the_share_of_boundaries() -> None:
    assert chance_precision(FILMS).value == pytest.approx(4 / 12)
    none = BoundaryAnswers(tuple(np.zeros(len(film.truth), np.float32) for film in FILMS), 0.5)
    assert measure_boundaries([none], FILMS).figures[MAIN].value == pytest.approx(4 / 12)


def test_without_times_and_with_films_without_gaps_the_rest_is_measured() -> None:
    untimed = [AskedFilm(film.name, film.truth, ()) for film in FILMS]
    assert set(measure_boundaries([answers()], untimed).figures) == {MAIN, "f1"}
    short = AskedFilm("short", np.zeros(0, np.bool_), (0.0, 1.0))
    more = BoundaryAnswers((*answers().scores, np.zeros(0, np.float32)), 0.5)
    found = measure_boundaries([more], [*FILMS, short]).figures
    assert found["recall_3s"].num_items == 3
    assert found["miou"].num_items == 4
    assert found["miou"].value == 1
