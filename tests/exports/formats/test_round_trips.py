"""What is written and read back has the same frames, at every rate, over three hours."""

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.exports import RATES, export_of, film, films_and_lanes, without_source

from mastershot.exports.formats.eaf import read_eaf, write_eaf
from mastershot.exports.formats.players import clock
from mastershot.exports.formats.players.subtitles import read_subtitles, timing_text
from mastershot.exports.formats.players.webvtt import read_webvtt, write_webvtt
from mastershot.exports.formats.tables import read_csv, read_parquet, write_csv, write_parquet

FORMATS = {
    "webvtt": (write_webvtt, read_webvtt, "film.vtt", "film.metadata.vtt"),
    "eaf": (write_eaf, read_eaf, "film.eaf", "film.eaf"),
    "csv": (write_csv, read_csv, "film.csv", "film.csv"),
    "parquet": (write_parquet, read_parquet, "film.parquet", "film.parquet"),
}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None)
@given(drawn=films_and_lanes(), lead_s=st.sampled_from([0, 0.0213, 1.4]))
def test_lanes_read_back_as_they_were(name: str, drawn: Any, lead_s: float) -> None:
    write, read, written, back = FORMATS[name]
    timeline, times, lanes = drawn
    # The file may start before its first picture, as where sound is first.
    origin = max(Fraction(0), times.pts[0].item() * times.time_base - Fraction(lead_s))
    with TemporaryDirectory() as folder, patch.object(clock, "start_of_file_s", lambda _: origin):
        write(export_of(timeline, times, lanes), Path(folder) / written)
        found = read(Path(folder) / back, timeline, times)
    by_name = sorted(without_source(found), key=lambda lane: lane.name)
    assert by_name == sorted(lanes, key=lambda lane: lane.name)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("start_pts", [0, 126_000])
@settings(max_examples=10, deadline=None)
@given(first=st.integers(0, 100_000), length=st.integers(1, 200))
def test_subtitles_at_milliseconds_mean_the_frames_they_were_set_to(
    rate: str, start_pts: int, first: int, length: int
) -> None:
    timeline, times = film(rate, start_pts)
    players = clock.clock_of(timeline, times)
    stamps = [players.units_at(frame) for frame in (first, first + length)]
    # Both roundings occur: up, as here, and to the nearest, as in most editors.
    nearest = [
        round((times.pts[frame].item() - start_pts) * times.time_base * 1000)
        for frame in (first, first + length)
    ]
    for start_ms, end_ms in (stamps, nearest):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "film.srt"
            path.write_text(f"1\n{timing_text(start_ms, end_ms)}\nwords\n", "utf-8")
            (lane,) = read_subtitles(path, timeline, times)
        assert lane.intervals[0].span == times.span(first, first + length)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("unit", [clock.MILLISECOND, clock.NANOSECOND, Fraction(1, 24000)], ids=str)
def test_at_the_time_of_a_chapter_its_own_first_frame_is_on_screen(
    rate: str, unit: Fraction
) -> None:
    timeline, times = film(rate, 2002)
    players = clock.clock_of(timeline, times)
    for frame in range(0, times.num_frames, 997):
        at = players.origin + players.units_at(frame, unit) * unit
        assert times.frame_shown_at(at) == frame
