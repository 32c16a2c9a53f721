from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.condensed_movies import read_condensed_movies
from mastershot.datasets.movielens import read_movielens
from mastershot.datasets.tables.watch_log import WatchLog
from mastershot.mining import watch_counts
from mastershot.mining.co_watch import CoWatch
from mastershot.mining.settings import CoWatchSettings
from mastershot.mining.similarity import hub_share
from mastershot.mining.watch_events import EventReport

MOVIES = ["a", "b", "c", "d"]
COUNT = CoWatchSettings("count", next_items=0, min_viewers=1)


def log_of(folder: Path, *rows: str) -> WatchLog:
    path = folder / "log.csv"
    path.write_text("\n".join(["user,movie,time", *rows]) + "\n")
    return WatchLog(path)


def test_movies_watched_after_one_are_ranked_by_their_viewers(tmp_path: Path) -> None:
    log = log_of(tmp_path, "1,a,10", "1,b,20", "2,a,10", "2,b,11", "2,c,12", "3,c,1", "3,a,2")
    table = CoWatch(log, COUNT).similar(MOVIES)
    assert list(table.rows()) == [
        ("a", "b", 1, 2.0), ("a", "c", 2, 1.0), ("b", "c", 1, 1.0), ("c", "a", 1, 1.0),
    ]  # fmt: skip
    assert table.without_neighbours == ("d",)
    events = table.made_by["events"]
    assert table.made_by["num_pairs"] == 4
    assert (events["num_viewers"], events["unseen_movies"]) == (3, ("d",))


def test_a_log_in_any_order_gives_the_same_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{viewer},{movie},{rng.integers(1e9)}" for viewer in range(30) for movie in MOVIES]
    due = CoWatch(log_of(tmp_path, *rows), COUNT).similar(MOVIES)
    shuffled = [rows[place] for place in rng.permutation(len(rows))]
    found = CoWatch(log_of(tmp_path, *shuffled), COUNT).similar(MOVIES)
    assert list(found.rows()) == list(due.rows())
    assert found.made_by["events"]["num_out_of_order"] > 20


def test_views_that_cannot_be_are_counted_and_left_out(tmp_path: Path) -> None:
    log = log_of(
        tmp_path,
        "1,a,10", "1,b,20", "1,a,30", "1,b,20", ",a,10", "1,,10", "2,a,-5", "2,b,soon", "2,b,",
        "2,b,99999999999", "2,x,10", "2,x,11", "2,y,12", "2,c,2024-05-01 20:15:00",
        "2,d,2024-05-01T20:15:01Z", "3,a,2024-13-45 00:00:00",
    )  # fmt: skip
    table = CoWatch(log, COUNT).similar(MOVIES)
    events = EventReport(**table.made_by["events"])
    assert [row[:2] for row in table.rows()] == [("a", "b"), ("c", "d")]
    assert (events.num_events, events.num_kept, events.num_repeated) == (16, 4, 2)
    assert (events.num_incomplete, events.num_impossible, events.num_out_of_order) == (2, 5, 1)
    assert (events.num_unknown, events.unknown_movies) == (3, (("x", 2), ("y", 1)))


def test_a_log_of_nothing_that_counts_says_why(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none of the 2 views .* 1 have an impossible time"):
        CoWatch(log_of(tmp_path, "1,a,1700000000000", "1,x,5")).similar(MOVIES)
    with pytest.raises(DatasetError, match=r"viewing log .* is empty"):
        CoWatch(log_of(tmp_path)).similar(MOVIES)


@pytest.mark.parametrize(("next_items", "within_days"), [(1, 0.0), (3, 0.0), (0, 0.5), (2, 0.1)])
def test_only_movies_within_the_horizon_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, next_items: int, within_days: float
) -> None:
    monkeypatch.setattr(watch_counts, "_RUN_PAIRS", 7)
    rng = np.random.default_rng(1)
    movies = [f"m{number}" for number in range(12)]
    views = {
        viewer: sorted((int(rng.integers(200)), place) for place in rng.permutation(12)[:9])
        for viewer in range(20)
    }
    rows = [f"{viewer},{movies[m]},{t}" for viewer, seen in views.items() for t, m in seen]
    due: Counter[tuple[str, str]] = Counter()
    for seen in views.values():
        for place, (time_s, movie) in enumerate(seen):
            for step, (later_s, other) in enumerate(seen[place + 1 :], start=1):
                near = not within_days or later_s - time_s <= within_days * 86_400
                if near and (not next_items or step <= next_items):
                    due[movies[movie], movies[other]] += 1
    settings = CoWatchSettings("count", next_items, within_days, min_viewers=1)
    log = log_of(tmp_path, *rows)
    table = CoWatch(log, settings).similar(movies, num_similar=12)
    assert {(a, b): score for a, b, _, score in table.rows()} == due
    assert table.made_by["num_pairs"] == len(due)
    settings = CoWatchSettings("lift", next_items, within_days, min_viewers=2, prior=0.5)
    lift = CoWatch(log, settings).similar(movies, num_similar=12)
    for a, b, _, score in lift.rows():
        first = sum(count for pair, count in due.items() if pair[0] == a)
        second = sum(count for pair, count in due.items() if pair[1] == b)
        expected = first * second / due.total()
        assert score == pytest.approx(due[a, b] / (expected + 0.5), rel=1e-5)
    assert {pair for pair, count in due.items() if count > 1} == {r[:2] for r in lift.rows()}


@pytest.mark.slow
def test_on_movielens_counts_of_any_later_film_make_hubs_and_lift_does_not(
    real_data: Path,
) -> None:
    release = read_movielens(real_data / "movielens")
    films = read_condensed_movies(real_data / "condensed_movies").movies
    shared = [movie for movie in release.movies if movie in films]
    assert len(shared) == 2_673
    counted = CoWatch(release.log, COUNT).similar(shared)
    settings = CoWatchSettings(next_items=0, min_viewers=1)
    lifted = CoWatch(release.log, settings).similar(shared)
    assert hub_share(counted) == pytest.approx(0.231, abs=0.001)
    assert hub_share(lifted) < 0.06
