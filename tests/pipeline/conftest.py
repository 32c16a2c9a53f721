"""Small trailers that the tests of data sets of genres share."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.factories.films import drawn_film, encode_film, flat_images, remux
from tests.factories.genre_runs import GenreRun, make_genre_run
from tests.factories.sounds import sounding_film, speech_like

from mastershot.pipeline.experts.catalogue import ExpertSettings, load_experts
from mastershot.pipeline.experts.watching import ClipExpert

COLOURS = [(250, 250, 240), (20, 20, 60), (30, 200, 30)]


@pytest.fixture(scope="session")
def experts() -> Sequence[ClipExpert]:
    return load_experts(ExpertSettings())


@pytest.fixture(scope="session")
def trailers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with sound, one without, one of a single shot, and a damaged one."""
    folder = tmp_path_factory.mktemp("trailers")
    images = flat_images(COLOURS, each=36)
    sound = speech_like(4.5, seed=3)
    sounding_film(folder / "loud.mkv", images, sound, rate_hz=16_000)
    drawn_film(folder / "drawn.mp4", num_scenes=2)
    remux(folder / "drawn.mp4", folder / "mute.mp4", lambda number, data: data)
    (folder / "drawn.mp4").unlink()
    encode_film(folder / "single.mp4", flat_images([(90, 90, 20)], each=20))
    (folder / "broken.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(3000))
    return folder


@pytest.fixture(scope="session")
def genre_run(tmp_path_factory: pytest.TempPathFactory) -> GenreRun:
    """A run of genres with all five experts and a fine stage; nothing may be written to it."""
    return make_genre_run(tmp_path_factory.mktemp("genre-run"))
