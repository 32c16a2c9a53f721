"""The commands of docs/editors.md, run in their order on a small film."""

import re
import shlex
from pathlib import Path
from typing import cast

import pytest

from mastershot.core.lanes import Lane
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.catalogue import FORMATS
from tests.factories.commands import invoke
from tests.factories.films import encode_film, flat_images
from tests.test_docs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "editors.md").read_text("utf-8")


def test_the_commands_of_the_page_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    encode_film(Path("film.mp4"), flat_images([(200, 0, 0), (0, 0, 200), (0, 99, 0)], each=24))
    lines = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0].strip().splitlines()
    assert len(lines) == 8
    for line in lines:
        if line == "mastershot analyze film.mp4":
            line += " --steps shots"
        line = line.replace("shots,headings,audio", "shots")  # A film without sound or place.
        done = invoke(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}: {done.output}"
        if line.startswith("mastershot import"):
            assert "every cut is where it was" in done.stdout
    timeline = Timeline.load("mastershot-out/film/timeline.json")
    assert [(lane.name, lane.role) for lane in timeline.lanes] == [
        ("edits", "shots"), ("checked", "truth"),
    ]  # fmt: skip
    assert Timeline.load("again/film/timeline.json").shots[1].span == timeline.shots[1].span
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    spaces: dict[str, object] = {}
    exec(code.replace('ms.analyze("film.mp4")', '"mastershot-out/film"'), spaces)
    lanes = cast("tuple[Lane, ...]", spaces["lanes"])
    assert [lane.role for lane in lanes].count("shots") == 1


def test_every_option_the_page_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE))
    shown = "".join(invoke(name, "--help").stdout for name in ("export", "import", "analyze"))
    assert sorted(option for option in named if option not in shown) == []


def test_formats_of_the_page_are_those_of_the_table() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert named <= {known.name for known in FORMATS}
    assert {"edl", "otio", "fcpxml"} <= named
