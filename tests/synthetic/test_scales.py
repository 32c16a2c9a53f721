from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import OutputError
from mastershot.core.movie import SCALES
from mastershot.datasets.movieshots import count_scales, read_movieshots, shared_trailers
from mastershot.media.video import open_video
from mastershot.synthetic.scales import ANNOTATIONS, CLIPS, SHOWN, draw_scale_shots


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scales")
    draw_scale_shots(folder, num_trailers=6)
    return folder


def test_every_split_has_a_shot_of_each_scale_and_trailers_of_its_own(folder: Path) -> None:
    shots = read_movieshots(folder / ANNOTATIONS)
    assert [len(shots[split]) for split in ("train", "val", "test")] == [20, 5, 5]
    for part in shots.values():
        assert len(set(count_scales(part).values())) == 1
    assert shared_trailers(shots) == ()


def test_every_shot_is_a_film_of_half_a_second_or_more(folder: Path) -> None:
    for part in read_movieshots(folder / ANNOTATIONS).values():
        for shot in part:
            film = open_video(shot.path(folder / CLIPS))
            assert 12 <= sum(1 for _ in film.frames()) <= 36


def test_each_scale_shows_more_than_the_closer_ones() -> None:
    assert tuple(SHOWN) == SCALES
    shown = [bound for scale in SCALES for bound in SHOWN[scale]]
    assert shown == sorted(shown)


def test_the_same_seed_draws_the_same_and_another_another(folder: Path, tmp_path: Path) -> None:
    draw_scale_shots(tmp_path / "same", num_trailers=3)
    draw_scale_shots(tmp_path / "other", num_trailers=3, seed=1)
    name = Path(CLIPS) / "drawn001" / "shot_0002.mp4"
    frames = [
        np.stack([frame.rgb() for frame in open_video(root / name).frames()])
        for root in (folder, tmp_path / "same", tmp_path / "other")
    ]
    np.testing.assert_array_equal(frames[0], frames[1])
    assert frames[0].shape != frames[2].shape or (frames[0] != frames[2]).any()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"shots cannot be drawn into .*file: Not a directory"):
        draw_scale_shots(tmp_path / "file", num_trailers=1)
