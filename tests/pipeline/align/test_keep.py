from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.errors import OutputError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.pipeline.align import keep

SCRIPT = "INT. KITCHEN - DAY\n\nThey cook.\n\nEXT. BEACH - DAY\n\nThey run.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    timeline = make_timeline()
    mine = Lane("notes", "notes", "", (Interval(timeline.shots[0].span, "mine"),))
    (tmp_path / "timeline.json").write_text(replace(timeline, lanes=(mine,)).to_json(), "utf-8")
    (tmp_path / "script.txt").write_text(SCRIPT, "utf-8")
    return tmp_path


def test_a_script_is_put_beside_the_lanes_that_are_there(folder: Path) -> None:
    found = keep.keep_script(folder / "script.txt", folder, name="draft")
    lanes = {lane.name: lane for lane in Timeline.load(folder / "timeline.json").lanes}
    assert lanes["draft"] == found.lanes[0]
    assert lanes["notes"].intervals[0].text == "mine"
    assert not (folder / "report.html").exists()


def test_a_report_that_is_there_shows_the_script(folder: Path) -> None:
    (folder / "report.html").write_text("old", "utf-8")
    keep.keep_script(folder / "script.txt", folder / "timeline.json")
    assert "INT. KITCHEN - DAY" in (folder / "report.html").read_text("utf-8")


def test_a_timeline_that_cannot_be_written_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OutputError("timeline.json cannot be written: no space")

    monkeypatch.setattr(keep, "put_lanes", fail)
    with pytest.raises(OutputError, match="cannot be written"):
        keep.keep_script(folder / "script.txt", folder)
