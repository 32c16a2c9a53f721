from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.factories.exports import export_of, without_source
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Interval, Lane
from mastershot.exports.formats.lanes import lanes_of
from mastershot.exports.formats.tables import read_csv, read_parquet, write_csv, write_parquet
from mastershot.exports.tables import write_shots_csv
from mastershot.store.frames import frame_times_of


def read(tmp_path: Path, text: str) -> list[tuple[str, str, list[tuple[int, int, str]]]]:
    path, timeline = tmp_path / "table.csv", make_timeline()
    path.write_text(text, "utf-8")
    lanes = read_csv(path, timeline, frame_times_of(timeline))
    return [
        (
            lane.name,
            lane.role,
            [(i.span.first_frame, i.span.end_frame, i.text) for i in lane.intervals],
        )
        for lane in lanes
    ]


def test_a_row_has_all_of_an_interval_and_runs_no_formula(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "film.csv"
    times = frame_times_of(timeline)
    lane = Lane("=a", "truth", "", (Interval(times.span(40, 70), "=1+1, \"x\"\n'y'", 0.1),))
    write_csv(export_of(timeline, times, [lane]), path)
    header, rows = path.read_text("utf-8").split("\n", 1)
    assert header.strip().split(",")[:6] == [
        "lane", "role", "text", "score", "first_frame", "end_frame",
    ]  # fmt: skip
    assert rows.startswith("'=a,truth,\"'=1+1")
    assert rows.strip().endswith("1.75175,3.003,0:00:01.752,0:00:03.003")
    (found,) = without_source(read_csv(path, timeline, times))
    assert found == lane


def test_tables_of_others_are_read_by_frames_or_seconds(tmp_path: Path) -> None:
    by_frames = "start_frame;last_frame;label;track\n0;23;eins;a\n48;71;zwei;b\n"
    assert read(tmp_path, by_frames) == [
        ("a", "notes", [(0, 24, "eins")]), ("b", "notes", [(48, 72, "zwei")]),
    ]  # fmt: skip
    # The film starts at 0.083 s on its own clock: 0 is before it, so these count from there.
    by_seconds = "Begin\tEnd\tComment\n0\t1.0\tone\n0:00:02,0\t3\ttwo\n"
    assert read(tmp_path, by_seconds) == [
        ("table", "notes", [(0, 24, "one"), (48, 72, "two")]),
    ]  # fmt: skip
    own_clock = "start_s,end_s\n0.0834,1.0844\n4,4.01\n"
    assert read(tmp_path, own_clock) == [("table", "notes", [(0, 24, ""), (94, 95, "")])]


def test_lists_of_shots_are_shots(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "shots.csv"
    write_shots_csv(timeline, path)
    (lane,) = read_csv(path, timeline, frame_times_of(timeline))
    assert (lane.name, lane.role) == ("shots", "shots")
    assert [one.span for one in lane.intervals] == [shot.span for shot in timeline.shots]
    starts = "start_s\n0\n1.668\n2.92\n"
    assert read(tmp_path, starts) == [
        ("shots", "shots", [(0, 40, ""), (40, 70, ""), (70, 120, "")]),
    ]  # fmt: skip
    # As PySceneDetect writes it: frames from 1, the end inclusive.
    listed = (
        "Timecode List:,00:00:01.668\n"
        "Scene Number,Start Frame,Start Time (seconds),End Frame,End Time (seconds)\n"
        "1,1,0.000,40,1.668\n2,41,1.668,120,5.005\n"
    )
    assert read(tmp_path, listed) == [("shots", "shots", [(0, 40, ""), (40, 120, "")])]


def test_a_film_whose_clock_starts_below_zero_reads_back(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "film.csv"
    movie = replace(timeline.movie, start_pts=-3003, end_pts=-3003 + 120 * 1001)
    shots = tuple(
        replace(one, span=replace(one.span, start_pts=one.span.start_pts - 5005,
                                  end_pts=one.span.end_pts - 5005))
        for one in timeline.shots
    )  # fmt: skip
    timeline = replace(timeline, movie=movie, shots=shots, scenes=None, audio=())
    times = frame_times_of(timeline)
    lanes = lanes_of(timeline, times, ["shots"])
    write_csv(export_of(timeline, times, lanes), path)
    assert "-0.125125" in path.read_text()
    assert without_source(read_csv(path, timeline, times)) == without_source(lanes)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "has no column that says where something starts"),
        ("start_s,lane\n1,x\n", "none where they end"),
        ("start_s,end_s\n", "has a header but no row"),
        ("start_s,end_s\n1,0.5\n", r"line 2 says 1 to 0\.5; a run"),
        ("start_s,end_s\n1,2\n400,500\n", "line 3 says 400 to 500"),
        ("start_s,end_s\nsoon,2\n", "'soon' is no time"),
        ("start_s,end_s\nnan,2\n", "'nan' is no time"),
        ("start_s,end_s\n-1,2\n", "line 2 starts at -1, before the film's first frame"),
        ("start_s\n-1\n2\n", "line 2 starts at -1, before the film's first frame"),
        ("start_s,end_s\n,\n1,\n", "line 3 does not say where it starts and ends"),
        ("first_frame,end_frame\n5,5\n", "says frames 5 to 5"),
        ("first_frame,end_frame\n5,121\n", "120 frames"),
        ("first_frame,end_frame\nx,121\n", "'x' is no number of a frame"),
        ("first_frame,end_frame,score\n1,2,7\n", "'7' is no score"),
        ("first_frame,end_frame,start_s,end_s\n5,9,3,4\n", "where other frames are"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(EditsError, match=problem) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_binary_is_no_table(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "table.csv"
    path.write_bytes(bytes(range(256)) * 9)
    with pytest.raises(EditsError, match="is a binary file"):
        read_csv(path, timeline, frame_times_of(timeline))
    with pytest.raises(EditsError, match="is no Parquet file"):
        read_parquet(path, timeline, frame_times_of(timeline))
    with pytest.raises(EditsError, match="is no Parquet file: No such file"):
        read_parquet(tmp_path / "no.parquet", timeline, frame_times_of(timeline))


def test_a_table_whose_text_is_damaged_is_refused(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "film.parquet"
    times = frame_times_of(timeline)
    write_parquet(export_of(timeline, times, lanes_of(timeline, times)), path)
    table = parquet.read_table(path)
    column = table.column_names.index("text")
    damaged = pa.array([b"\xed!"] * table.num_rows, pa.binary()).view(pa.string())
    parquet.write_table(table.set_column(column, table.schema.field("text"), damaged), path)
    with pytest.raises(EditsError, match="is damaged: it is not UTF-8 text"):
        read_parquet(path, timeline, times)


def test_parquet_holds_the_same_rows_and_knows_its_film(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "film.parquet"
    times = frame_times_of(timeline)
    lanes = lanes_of(timeline, times)
    write_parquet(export_of(timeline, times, lanes), path)
    assert without_source(read_parquet(path, timeline, times)) == without_source(lanes)
    other = make_timeline("other.mp4")
    with pytest.raises(EditsError, match=f"is of film {timeline.movie.id}, and this timeline of"):
        read_parquet(path, other, frame_times_of(other))
