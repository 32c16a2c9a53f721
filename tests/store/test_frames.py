from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.errors import TimelineError
from mastershot.core.time import FrameTimes
from mastershot.store.frames import (
    FRAMES_FILE,
    FrameTable,
    frame_times_of,
    read_frames,
    write_frames,
)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    pts = np.array([7, 1001, 2003, 2004])
    scores = {"content": np.arange(3, dtype=np.float32)}
    write_frames(FrameTable(pts, scores), tmp_path / FRAMES_FILE)
    table = read_frames(tmp_path / FRAMES_FILE)
    assert table.pts.tolist() == pts.tolist()
    assert table.scores["content"].tolist() == [0, 1, 2]


def test_even_times_of_a_long_film_take_little_room(tmp_path: Path) -> None:
    pts = np.arange(3 * 3600 * 24 + 1) * 1001
    write_frames(FrameTable(pts), tmp_path / FRAMES_FILE)
    assert (tmp_path / FRAMES_FILE).stat().st_size < 10_000


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"not a table", b"\x80\x04"])
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FRAMES_FILE).write_bytes(data)
    with pytest.raises(TimelineError, match="does not hold the times of frames") as caught:
        read_frames(tmp_path / FRAMES_FILE)
    assert str(caught.value).endswith("writes: it is of another kind, or damaged")


def test_times_are_computed_where_the_rate_is_constant() -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    assert times.are_exact
    for shot in timeline.shots:
        assert times.span(shot.span.first_frame, shot.span.end_frame) == shot.span


def test_times_of_another_film_are_not_taken(tmp_path: Path) -> None:
    timeline = make_timeline()
    write_frames(FrameTable(np.arange(timeline.movie.num_frames)), tmp_path / FRAMES_FILE)
    assert frame_times_of(timeline, tmp_path).num_frames == timeline.movie.num_frames


def test_a_variable_rate_without_its_file_is_said_to_be_inexact() -> None:
    timeline = make_timeline()
    varying = replace(timeline, movie=replace(timeline.movie, variable_frame_rate=True))
    assert not frame_times_of(varying).are_exact


def test_the_nearest_frame_and_the_one_on_screen() -> None:
    times = FrameTimes(np.array([100, 140, 260, 300]), Fraction(1, 1000))
    assert [times.frame_at(t) for t in (0, 0.1, 0.119, 0.121, Fraction(1, 5), 0.21, 0.3, 9)] == [
        0, 0, 0, 1, 1, 2, 3, 3,
    ]  # fmt: skip
    assert [times.frame_shown_at(t) for t in (0, 0.139, Fraction(7, 50), 0.259, 0.26, 9)] == [
        0, 0, 1, 1, 2, 2,
    ]  # fmt: skip
