"""The commands of docs/dataset.md, run in their order on small clips."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mastershot.apps.cli import app
from mastershot.datasets.movieclip import read_split_folder
from mastershot.labelling.draws import read_draw
from tests.factories.films import encode_film, flat_images
from tests.factories.models import make_tiny_clip
from tests.test_docs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "dataset.md").read_text("utf-8")
NUM_CLIPS = 8


def run(line: str) -> str:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, shlex.split(line)[1:])
    assert done.exit_code == 0, f"{line}: {done.output}"
    return done.stdout


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("clips").mkdir()
    rows = ["video,film,year,genres"]
    for clip in range(NUM_CLIPS):
        colours = [(30 * clip, 250 - 30 * clip, 90), (250, 30 * clip, 10 * clip)]
        encode_film(Path("clips") / f"c{clip}.mp4", flat_images(colours, each=20))
        rows.append(f"c{clip},f{clip},1999,Drama")
    Path("films.csv").write_text("\n".join([*rows, ""]))
    make_tiny_clip(tmp_path / "clip")
    return tmp_path


def test_the_commands_of_the_page_run_in_their_order(here: Path) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = block.strip().splitlines()
    assert [line.split()[1:3] for line in lines] == [
        ["label", "build"], ["label", "stats"], ["label", "select"],
        ["verify", "draw"], ["verify", "report"], ["label", "select"],
    ]  # fmt: skip
    for line in lines:
        if line.startswith("mastershot verify report"):
            rate("mine/rating/draw.json")
        if line.startswith("mastershot label select"):
            line += " --top1 0"  # a random encoder is sure of nothing
        run(line.replace("--encoder clip", "--encoder ./clip"))
    _, verified = read_split_folder("mine/verified")
    assert {shot.video for shot in verified["human-verified"]} == {"c0"}
    _, splits = read_split_folder("mine/training")
    trained = {shot.video for shots in splits.values() for shot in shots}
    assert "c0" not in trained
    assert len(trained) > NUM_CLIPS / 2


def rate(path: str) -> None:
    """Write what two raters say of the shots of the first clip."""
    shots = [shot for shot in read_draw(path).shots if shot.video == "c0"]
    for rater in ("ann", "bob"):
        rows = [f"{shot.name},{rater},{';'.join(shot.labels)}" for shot in shots]
        Path(f"verdicts-{rater}.csv").write_text("\n".join(["shot,rater,ticked", *rows, ""]))


def test_every_option_the_page_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", PAGE))
    pages = [["label", "build"], ["label", "select"], ["label", "stats"], ["verify", "draw"],
             ["verify", "report"]]  # fmt: skip
    shown = "".join(run(f"mastershot {' '.join(page)} --help") for page in pages)
    assert len(named) > 10
    assert sorted(option for option in named if option not in shown) == []


def test_every_file_the_page_names_is_written_by_the_package() -> None:
    source = "".join(p.read_text("utf-8") for p in (REPOSITORY / "src").rglob("*.py"))
    for name in ("scores.parquet", "movieCLIP_dataset.json", "failures.csv", "clips.mastershot",
                 "index.json", "selection.json", "verdicts.csv", "report.json"):  # fmt: skip
        assert name in PAGE
        assert f'"{name}"' in source
