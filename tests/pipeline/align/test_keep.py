from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.errors import OutputError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.pipeline.align.keep import put_timeline, timeline_file


def test_a_timeline_is_named_by_its_file_or_its_folder(tmp_path: Path) -> None:
    assert timeline_file(tmp_path) == tmp_path / "timeline.json"
    assert timeline_file(tmp_path / "other.json") == tmp_path / "other.json"


def test_the_report_shows_the_lanes_of_the_timeline_that_is_put(tmp_path: Path) -> None:
    timeline = make_timeline()
    (tmp_path / "report.html").write_text("old", "utf-8")
    lane = Lane("script", "script", "", (Interval(timeline.shots[0].span, "INT. BAR", 0.25),))
    changed = replace(timeline, lanes=(lane,))
    put_timeline(changed, tmp_path / "timeline.json")
    assert Timeline.load(tmp_path / "timeline.json") == changed
    assert 'title="INT. BAR (0.25)"' in (tmp_path / "report.html").read_text("utf-8")


def test_a_timeline_alone_gets_no_report(tmp_path: Path) -> None:
    put_timeline(make_timeline(), tmp_path / "t.json")
    assert [path.name for path in tmp_path.iterdir()] == ["t.json"]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        put_timeline(make_timeline(), tmp_path / "no" / "t.json")
