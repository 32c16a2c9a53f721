from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images

from mastershot.core.errors import MediaError
from mastershot.media.sampling import uniform_frames
from mastershot.shots.settings import ShotSettings
from mastershot.training.movies2scenes import keyframes
from mastershot.training.movies2scenes.keyframes import film_keyframes, keyframes_at


@pytest.fixture(autouse=True)
def shots_by_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that only grows brighter is one shot to this detector."""
    monkeypatch.setattr(keyframes, "ShotSettings", lambda: ShotSettings("content"))


COLOURS = [(210, 40, 40), (20, 20, 20), (230, 230, 230)]


def ramp(path: Path, num_frames: int) -> Path:
    """Write one shot, at most 33 frames long, whose frames grow brighter by seven levels each."""
    greys = [(16 + 7 * index,) * 3 for index in range(num_frames)]
    return encode_film(path, flat_images(greys, each=1), options={"qp": "0"})


def places(found: np.ndarray) -> list[list[int]]:
    """Return which frame of a ramp each keyframe is."""
    return np.rint((found.mean((2, 3, 4)) - 16) / 7).astype(int).tolist()


def test_each_shot_has_its_keyframes_as_squares(tmp_path: Path) -> None:
    film = encode_film(tmp_path / "film.mp4", flat_images(COLOURS, each=24))
    found = film_keyframes(film, 2, 20)
    assert (found.dtype, found.shape) == (np.uint8, (3, 2, 20, 20, 3))
    assert np.abs(found.mean((2, 3)) - np.array(COLOURS)[:, None]).max() < 12


@pytest.mark.parametrize(("num_frames", "count"), [(30, 1), (30, 3), (7, 7), (4, 6), (1, 3)])
def test_keyframes_are_evenly_spaced_and_the_last_fills_up_a_short_shot(
    tmp_path: Path, num_frames: int, count: int
) -> None:
    film = ramp(tmp_path / "film.mp4", num_frames)
    wanted = uniform_frames(0, num_frames, count)
    found = film_keyframes(film, count, 16)
    assert places(found) == [wanted + wanted[-1:] * (count - len(wanted))]
    assert np.array_equal(keyframes_at(film, [wanted], count, 16), found)


def test_a_long_shot_has_keyframes_near_the_evenly_spaced_ones(tmp_path: Path) -> None:
    greys = [(20 + 2 * index,) * 3 for index in range(100)]
    film = encode_film(tmp_path / "film.mp4", flat_images(greys, each=1), options={"qp": "0"})
    found = (film_keyframes(film, 3, 16).mean((2, 3, 4))[0] - 20) / 2
    assert np.abs(found - uniform_frames(0, 100, 3)).max() <= 100 / 32 + 0.5


def test_frames_asked_for_by_their_ordinals_may_be_of_several_shots(tmp_path: Path) -> None:
    film = ramp(tmp_path / "film.mp4", 12)
    assert places(keyframes_at(film, [[2, 5], [5], [0, 11]], 2, 16)) == [[2, 5], [5, 5], [0, 11]]


def test_a_film_that_cannot_be_read_or_is_another_is_said(tmp_path: Path) -> None:
    film = ramp(tmp_path / "film.mp4", 12)
    with pytest.raises(MediaError, match=r"has no frame 12 of shot 1: it is not the file that was"):
        keyframes_at(film, [[2], [4, 12], [90]], 2, 16)
    (tmp_path / "none.mp4").write_bytes(b"no film")
    with pytest.raises(MediaError, match=r"none\.mp4"):
        film_keyframes(tmp_path / "none.mp4", 1, 16)
