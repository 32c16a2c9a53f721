"""The commands of docs/chapters.md, run in their order on a small film with subtitles."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import mastershot as ms
from mastershot.apps.cli import app
from tests.factories.films import encode_film, flat_images
from tests.test_docs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "chapters.md").read_text("utf-8")
SRT = "1\n00:00:00,500 --> 00:00:01,500\nBeware of the <i>fox</i>!\n"
ANALYZE = "mastershot analyze film.mp4 --library films.mastershot"


def run(line: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
    return runner.invoke(app, shlex.split(line)[1:])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("film.srt").write_text(SRT)
    images = flat_images([(240, 240, 240), (20, 20, 100), (240, 220, 40)], each=24)
    encode_film(Path("film.mp4"), images, options={"bf": "0", "g": "24"})
    if shutil.which("ffmpeg") is not None:
        command = "ffmpeg -v error -i film.mp4 -i film.srt -c copy -c:s mov_text with.mp4"
        subprocess.run(command.split(), check=True)
        Path("with.mp4").replace("film.mp4")
    return tmp_path


def test_the_commands_run_as_they_stand(here: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line]
    assert lines[0] == ANALYZE
    lines[0] += " --steps shots,scenes"
    outputs = {}
    for line in lines:
        done = run(line)
        if "--subtitles" in line and shutil.which("ffmpeg") is None:
            assert "holds no subtitle track" in done.output
            continue
        assert done.exit_code == 0, f"{line}: {done.output}"
        outputs[line] = done.output
    found = next(text for line, text in outputs.items() if line.startswith("mastershot search"))
    assert "said at 0:00:00.500: Beware of the fox!" in found
    assert (
        "beware of the fox"
        in ms.Timeline.load("mastershot-out/film/timeline.json").to_json().lower()
    )
    clips = sorted(path.name for path in Path("clips").iterdir())
    assert clips[0].startswith("00000_0000000_")
    assert Path("film.metadata.vtt").read_text().count("-->") >= 1
    lanes = {lane.name for lane in ms.Timeline.load("mastershot-out/film/timeline.json").lanes}
    assert {"subtitles", "mine"} <= lanes


def test_lanes_that_were_brought_in_stay_in_a_library(here: Path) -> None:
    assert run(f"{ANALYZE} --steps shots").exit_code == 0
    line = "mastershot import film.srt --onto mastershot-out/film --library films.mastershot"
    assert run(line).exit_code == 0
    again = run(
        "mastershot library add film.mp4 --library films.mastershot --steps shots --min-shot 0.1"
    )
    assert again.exit_code == 0, again.output
    library = ms.Library("films.mastershot")
    timeline = library.timeline(library.movies()[0].id)
    assert [lane.name for lane in timeline.lanes] == ["subtitles"]


def test_what_cannot_be_imported_is_one_sentence(here: Path) -> None:
    assert run(f"{ANALYZE} --steps shots").exit_code == 0
    Path("bad.srt").write_bytes(b"\x00\x01")
    Path("bad.eaf").write_text("<!DOCTYPE a [<!ENTITY b 'c'>]><ANNOTATION_DOCUMENT/>")
    Path("late.vtt").write_text("WEBVTT\n\n00:10:00.000 --> 00:10:01.000\nx\n")
    for name in ("bad.srt", "bad.eaf", "late.vtt", "no.csv"):
        done = run(f"mastershot import {name} --onto mastershot-out/film")
        assert done.exit_code == 1, done.output
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert name in done.stderr
    assert run("mastershot import --onto mastershot-out/film").exit_code == 2
