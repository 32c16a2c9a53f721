"""A data set that the commands about labels share."""

from pathlib import Path

import pytest
from tests.factories.commands import invoke
from tests.factories.films import drawn_film
from tests.factories.models import make_tiny_clip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for num_scenes, name in enumerate(("one", "two", "three"), start=1):
        drawn_film(folder / f"{name}.mp4", num_scenes=num_scenes)
    return folder


@pytest.fixture(scope="module")
def dataset(clips: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dataset") / "mine"
    done = invoke("label", "build", clips, "--out", out, "--encoder", tiny)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("3 clips, ")
    assert done.stderr == ""
    return out
