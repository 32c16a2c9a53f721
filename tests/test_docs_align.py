"""The commands and the example of docs/align.md, run on a drawn film with a script."""

import re
import shlex
from pathlib import Path

import pytest

from mastershot.core.timeline import Timeline
from mastershot.synthetic.films import write_film
from mastershot.synthetic.plan import plan_film
from tests.factories.commands import invoke
from tests.test_docs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "align.md").read_text("utf-8")
SCRIPT = "INT. KITCHEN - DAY\n\nMARIE\nWe wait.\n\nEXT. BEACH - DAY\n\nMARIE\nThe sea!\n"
SUBTITLES = "1\n00:00:00,200 --> 00:00:01,000\nWe wait.\n"


def test_the_commands_of_the_page_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_film(plan_film(2, 2, seed=0), Path("film.mp4"))
    Path("script.txt").write_text(SCRIPT, "utf-8")
    Path("film.srt").write_text(SUBTITLES, "utf-8")
    block = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0]
    for line in block.splitlines():
        program, *words = shlex.split(line)
        assert program == "mastershot"
        done = invoke(*words)
        assert done.exit_code == 0, f"{line}: {done.output}"
    lanes = {lane.name: lane for lane in Timeline.load("mastershot-out/film/timeline.json").lanes}
    assert lanes["script"].role == "script"
    assert {one.text for one in lanes["script"].intervals} <= {
        "INT. KITCHEN - DAY", "EXT. BEACH - DAY",
    }  # fmt: skip
    assert Path("script.csv").read_text().count("script") >= 1
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    made = 'ms.Timeline.load("mastershot-out/film/timeline.json")'
    exec(compile(example.replace('ms.analyze("film.mp4")', made), "align.md", "exec"), {})
    assert "INT. KITCHEN - DAY" in capsys.readouterr().out
