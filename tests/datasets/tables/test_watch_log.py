from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables import watch_log
from mastershot.datasets.tables.watch_log import WatchLog

MOMENT = datetime(2024, 5, 1, 20, 15, tzinfo=UTC)


def seconds_of(log: WatchLog) -> list[float]:
    return [time_s for piece in log.pieces() for time_s in piece.times_s.tolist()]


@pytest.mark.parametrize(
    ("cell", "time_s"),
    [
        ("1714594500", 1714594500.0),
        ("1714594500.5", 1714594500.5),
        ("1.7145945e9", 1714594500.0),
        ("2024-05-01 20:15:00", MOMENT.timestamp()),
        ("2024-05-01T20:15:00.25Z", MOMENT.timestamp()),
        ("2024-05-01", MOMENT.timestamp() - (20 * 60 + 15) * 60),
        ("", np.nan),
        ("yesterday", np.nan),
        ("nan", np.nan),
        ("2024-02-31", np.nan),
        ("2024-05-01 25:15:00", np.nan),
        ("1e999", np.inf),
    ],
)
def test_a_time_is_seconds_or_a_moment_or_a_day(tmp_path: Path, cell: str, time_s: float) -> None:
    (tmp_path / "log.csv").write_text(f"user,movie,time\n1,a,{cell}\n2,b,7\n")
    assert seconds_of(WatchLog(tmp_path / "log.csv")) == pytest.approx([time_s, 7], nan_ok=True)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([1714594500, None]),
        pa.array([1714594500.0, None]),
        pa.array(["2024-05-01T20:15:00", None]),
        pa.array([MOMENT, None], pa.timestamp("ms", "UTC")),
        pa.array([MOMENT.replace(tzinfo=None), None], pa.timestamp("ns")),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_times_may_be_of_any_type(tmp_path: Path, times: Any) -> None:
    table = pa.table({"movie": ["a", "b"], "time": times, "user": [1, 2], "more": [0, 0]})
    parquet.write_table(table, tmp_path / "log.parquet")
    found = seconds_of(WatchLog(tmp_path / "log.parquet"))
    assert found == pytest.approx([MOMENT.timestamp(), np.nan], nan_ok=True)


def test_a_parquet_day_is_a_time_and_viewers_may_be_numbers(tmp_path: Path) -> None:
    table = pa.table({"u": [7, None], "m": ["a", "b"], "t": [date(1970, 1, 2)] * 2})
    parquet.write_table(table, tmp_path / "log.parquet")
    log = WatchLog(tmp_path / "log.parquet", ("u", "m", "t"), {"a": "tt1"})
    (piece,) = log.pieces()
    assert (piece.viewers, piece.viewer.tolist()) == (["7"], [0, -1])
    assert (piece.movies, piece.times_s.tolist()) == (["tt1", "b"], [86400.0, 86400.0])


def test_a_long_log_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_log, "_PIECE_BYTES", 1000)
    rows = "".join(f"v{row % 7},m{row % 5},{row}\n" for row in range(500))
    (tmp_path / "log.csv").write_text("user,movie,time\n" + rows)
    pieces = list(WatchLog(tmp_path / "log.csv").pieces())
    assert len(pieces) > 3
    assert seconds_of(WatchLog(tmp_path / "log.csv")) == list(range(500))
    assert [p.viewers[code] for p in pieces for code in p.viewer] == [
        f"v{i % 7}" for i in range(500)
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("log.csv", "", "cannot be read: .*[Ee]mpty"),
        ("log.csv", "user;movie;time\n1;a;2\n", "it has user;movie;time, which should be separ"),
        ("log.csv", "user,movie,time,user\n1,a,2,1\n", "has two columns 'user'; keep one"),
        ("log.csv", "user,film,time\n1,a,2\n", "has no column 'movie'; it has user, film, time"),
        ("log.csv", "user,movie,time\n1,a,2\n1,a\n", "cannot be read: .*Expected 3 columns, got 2"),
        ("log.csv", "user,movie,time\n1,\udcff,2\n", "cannot be read: .*UTF8"),
        ("log.parquet", "PAR1", "cannot be read"),
        ("log.txt", "", "is a .csv or a .parquet file, not"),
    ],
)
def test_a_damaged_log_says_what_is_wrong(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DatasetError, match=message):
        list(WatchLog(tmp_path / name).pieces())


def test_a_film_called_na_is_a_film_and_other_columns_may_hold_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_log, "_PIECE_BYTES", 64)
    rows = "".join(f"{row},NA,7,{row}\n" for row in range(20)) + "null,nan,8,words\n,,9,\n"
    (tmp_path / "log.csv").write_text(f"user,movie,time,stars\n{rows}")
    pieces = list(WatchLog(tmp_path / "log.csv").pieces())
    assert {name for piece in pieces for name in piece.movies} == {"NA", "nan"}
    assert pieces[-1].movie[-1] == pieces[-1].viewer[-1] == -1
    assert sum(map(len, pieces)) == 22


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.csv cannot be read: No such file"):
        list(WatchLog(tmp_path / "none.csv").pieces())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_log_says_which_movies_it_names_and_may_call_them_otherwise(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"log.{suffix}"
    names = ["a", "b", "a", None, "c"]
    if suffix == "csv":
        path.write_text("user,movie,time\n" + "".join(f"1,{name or ''},2\n" for name in names))
    else:
        parquet.write_table(pa.table({"user": [1] * 5, "movie": names, "time": [2] * 5}), path)
    log = WatchLog(path, ids={"a": "tt1", "c": "b"})
    assert log.movie_names() == ["tt1", "b"]
    (piece,) = log.renamed({"tt1": "film", "b": "other"}).pieces()
    assert [piece.movies[code] for code in piece.movie if code >= 0] == [
        "film", "other", "film", "other",
    ]  # fmt: skip
