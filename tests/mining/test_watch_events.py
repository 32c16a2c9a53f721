import random
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables import watch_log
from mastershot.datasets.tables.watch_log import WatchLog
from mastershot.mining import watch_events
from mastershot.mining.watch_events import EventReport, sorted_events, views_of

PLACES = {"c": 0, "a": 1, "b": 2}
View = tuple[int, int, float]


def log_of(folder: Path, rows: list[tuple[str | None, str | None, float | None]]) -> WatchLog:
    names = ("user", "movie", "time")
    kinds = (pa.string(), pa.string(), pa.float64())
    columns = zip(*rows, strict=True) if rows else [()] * 3
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    parquet.write_table(pa.table(dict(zip(names, arrays, strict=True))), folder / "log.parquet")
    return WatchLog(folder / "log.parquet")


def events_of(
    folder: Path, rows: list[tuple[str | None, str | None, float | None]]
) -> tuple[list[list[View]], EventReport]:
    """Return the views of each file that has any, and the report."""
    paths, report = sorted_events(log_of(folder, rows), PLACES, folder)
    files = [
        list(zip(*(array.tolist() for array in views_of(path)), strict=True)) for path in paths
    ]
    return [file for file in files if file], report


@pytest.mark.parametrize("piece_rows", [1, 7, 1000])
def test_each_viewer_s_first_views_are_in_one_file_and_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_rows: int
) -> None:
    monkeypatch.setattr(watch_log, "_PIECE_ROWS", piece_rows)
    draw = random.Random(0)
    viewers = [f"viewer {number}" for number in range(130)]
    rows = [
        (draw.choice(viewers), draw.choice("abcx"), float(draw.randrange(6))) for _ in range(500)
    ]
    first: dict[str, dict[int, float]] = {}
    for viewer, movie, time_s in rows:
        seen = first.setdefault(viewer, {})
        if movie in PLACES:
            seen[PLACES[movie]] = min(time_s, seen.get(PLACES[movie], time_s))
    due = [sorted(seen.items(), key=lambda view: view[::-1]) for seen in first.values() if seen]
    files, report = events_of(tmp_path, [*rows])
    found: dict[int, list[tuple[int, float]]] = {}
    for file in files:
        in_file = [code for code, _, _ in file]
        assert in_file == sorted(in_file)
        assert not found.keys() & set(in_file)
        for code, place, time_s in file:
            found.setdefault(code, []).append((place, time_s))
    assert sorted(found.values()) == sorted(due)
    assert (report.num_viewers, report.num_kept) == (len(due), sum(map(len, due)))
    left_out = report.num_repeated + report.num_unknown
    assert (report.num_events, left_out) == (500, 500 - report.num_kept)


def test_a_time_is_possible_from_1970_until_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_events, "time", SimpleNamespace(time=lambda: 100.0))
    times = [0.0, -0.5, 100.0, 100.5, None, float("inf"), float("nan")]
    files, report = events_of(tmp_path, [(str(n), "a", time_s) for n, time_s in enumerate(times)])
    assert [view for file in files for view in file] == [(0, 1, 0.0), (2, 1, 100.0)]
    assert (report.num_kept, report.num_impossible, report.num_incomplete) == (2, 5, 0)


def test_at_most_twenty_movies_are_named_the_most_watched_first(tmp_path: Path) -> None:
    strange = [(str(n), f"x{n % 30}", 1.0) for n in range(31)]
    places = {f"m{n}": n for n in range(25)}
    log = log_of(tmp_path, [("1", "m3", 1.0), *strange])
    _, report = sorted_events(log, places, tmp_path)
    assert (report.num_unknown, report.num_unknown_movies) == (31, 30)
    assert (len(report.unknown_movies), report.unknown_movies[0]) == (20, ("x0", 2))
    assert (report.num_unseen_movies, len(report.unseen_movies)) == (24, 20)
    assert report.unseen_movies[:4] == ("m0", "m1", "m2", "m4")


def test_a_log_of_which_nothing_counts_says_how_much_was_left_out_for_what(tmp_path: Path) -> None:
    sentence = (
        r"^none of the 4 views of .*log\.parquet counts: 1 lack a viewer or a movie, 2 have an "
        r"impossible time \(due: seconds since 1970, or 2024-05-01 20:15:00\), 1 are of movies not "
        "in the library$"
    )
    with pytest.raises(DatasetError, match=sentence):
        events_of(
            tmp_path, [(None, "x", -1.0), ("1", "x", -1.0), ("1", "b", 1e13), ("1", "x", 1.0)]
        )
    with pytest.raises(DatasetError, match=r"is empty; it should hold one view a row$"):
        events_of(tmp_path, [])
