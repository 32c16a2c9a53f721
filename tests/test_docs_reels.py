"""The examples of docs/reels.md, run on small films of the names they use."""

import re
import shlex
from pathlib import Path

import pytest

from mastershot.core.timeline import Timeline
from tests.factories.commands import run
from tests.factories.films import encode_film, flat_images

PAGE = Path(__file__).parents[1] / "docs" / "reels.md"
COLOURS = ((200, 30, 30), (0, 0, 0), (240, 240, 240))


def examples(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for colour, name in zip(COLOURS, ("reel1.mov", "reel2.mov", "reel3.mov"), strict=True):
        encode_film(tmp_path / name, flat_images([colour], each=20))
    for name in ("film.mp4", "film-2.mp4"):
        encode_film(tmp_path / name, flat_images([(9, 99, 9)], each=20))
    films = [
        flat_images([colour], each=each)
        for colour, each in zip(COLOURS, (40, 150, 40), strict=True)
    ]
    encode_film(tmp_path / "tape.mkv", [frame for film in films for frame in film])
    return tmp_path


def test_the_commands_do_what_is_said_of_them(folder: Path) -> None:
    lines = [line for block in examples("sh") for line in block.splitlines()]
    assert len(lines) == 4
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "mastershot"
        done = run(*words, "--steps", "shots", cwd=folder)
        assert done.returncode == 0, done.stderr
    out = folder / "mastershot-out"
    assert sorted(path.name for path in out.iterdir()) == ["reel1", "tape", "tape-01", "tape-02"]
    joined = Timeline.load(out / "reel1" / "timeline.json")
    assert [reel.path for reel in joined.movie.reels] == ["reel1.mov", "reel2.mov", "reel3.mov"]


def test_the_python_example_prints_the_reels(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = examples("python")
    exec(compile(example, PAGE.name, "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["film.mp4 0 20", "film-2.mp4 20 40"]
