import json
from pathlib import Path

import pytest
from tests.factories.commands import invoke
from tests.factories.timelines import make_timeline

from mastershot.core.timeline import Timeline

SCRIPT = "INT. KITCHEN - DAY\n\nThey cook.\n\nEXT. BEACH - DAY\n\nThey run.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "timeline.json").write_text(make_timeline().to_json(), "utf-8")
    (tmp_path / "report.html").write_text("old", "utf-8")
    (tmp_path / "script.txt").write_text(SCRIPT, "utf-8")
    return tmp_path


def test_align_puts_the_headings_into_timeline_and_report(folder: Path) -> None:
    done = invoke("align", folder / "script.txt", "--onto", folder)
    assert done.exit_code == 0, done.output
    lane = Timeline.load(folder / "timeline.json").lanes[0]
    assert (lane.name, lane.role) == ("script", "script")
    assert "INT. KITCHEN - DAY" in {one.text for one in lane.intervals}
    assert "INT. KITCHEN - DAY" in (folder / "report.html").read_text("utf-8")
    assert "INT. KITCHEN - DAY" in done.stdout
    assert "no subtitles" in done.stderr


def test_align_twice_keeps_one_lane_of_each_name(folder: Path) -> None:
    for name in ("draft", "draft", "final"):
        done = invoke("align", folder / "script.txt", "--onto", folder, "--name", name, "--json")
        assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["name"] == "final"
    assert found["runs"][0]["heading"]["text"] == "INT. KITCHEN - DAY"
    assert found["runs"][0]["span"]["first_frame"] == 0
    names = [lane.name for lane in Timeline.load(folder / "timeline.json").lanes]
    assert [name for name in names if "differences" not in name] == ["draft", "final"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7", "is a PDF"),
        (bytes(range(256)) * 40, "is a binary file"),
        (b"One sentence and no heading.", "has no scene heading"),
    ],
)
def test_what_is_no_script_is_one_sentence(folder: Path, data: bytes, sentence: str) -> None:
    (folder / "script.txt").write_bytes(data)
    before = (folder / "timeline.json").read_bytes()
    done = invoke("align", folder / "script.txt", "--onto", folder)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert (folder / "timeline.json").read_bytes() == before


def test_a_timeline_without_scenes_says_which_step_to_run(folder: Path) -> None:
    timeline = make_timeline(scene_shots=None)
    (folder / "timeline.json").write_text(timeline.to_json(), "utf-8")
    done = invoke("align", folder / "script.txt", "--onto", folder / "timeline.json")
    assert done.exit_code == 1
    assert "--steps shots,labels,scenes,headings" in done.stderr


def test_what_is_no_timeline_is_one_sentence(folder: Path) -> None:
    done = invoke("align", folder / "script.txt", "--onto", folder / "script.txt")
    assert done.exit_code == 1
    assert "is not valid JSON" in done.stderr
