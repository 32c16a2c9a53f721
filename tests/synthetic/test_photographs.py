from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import OutputError
from mastershot.media.video import open_video
from mastershot.shots.detectors import detector_view, make_detector
from mastershot.shots.settings import ShotSettings
from mastershot.synthetic.photographs import (
    CameraMove,
    Grade,
    PhotographFilm,
    PhotographShot,
    photograph_frames,
    plan_photograph_film,
    write_photograph_film,
)
from mastershot.synthetic.plan import Picture

PICTURE = Picture(48, 32, Fraction(8))
PLAIN = Grade((1.0, 1.0, 1.0), gamma=1.0, saturation=1.0, grain=0.0)


def ramp(height: int = 60, width: int = 80) -> ImageArray:
    """Return a picture whose red is its column and whose green is its row."""
    rows, columns = np.indices((height, width))
    return np.stack([columns, rows, np.full_like(rows, 100)], axis=2).astype(np.uint8)


def filmed(move: CameraMove, *, grade: Grade = PLAIN, frames: int = 12) -> np.ndarray:
    film = PhotographFilm((PhotographShot("kitchen", frames, move, 5),), grade, PICTURE, 0)
    return np.stack(list(photograph_frames(film, [ramp()]))).astype(int)


def test_a_plan_holds_the_truth_of_each_shot_and_follows_from_the_seed() -> None:
    places = ["kitchen", "kitchen", "harbor"]
    film = plan_photograph_film(places, picture=PICTURE, seed=3)
    assert [shot.place for shot in film.shots] == places
    assert all(12 <= shot.num_frames <= 24 for shot in film.shots)
    assert film.starts == tuple(np.cumsum([0, *(shot.num_frames for shot in film.shots)]))
    assert film == plan_photograph_film(places, picture=PICTURE, seed=3)
    assert film != plan_photograph_film(places, picture=PICTURE, seed=4)


def test_the_camera_stays_inside_the_photograph_and_keeps_its_proportions() -> None:
    for move in ("pan", "zoom_in", "zoom_out", "hand_held"):
        frames = filmed(move)
        width = frames[:, 0, -1, 0] - frames[:, 0, 0, 0]
        height = frames[:, -1, 0, 1] - frames[:, 0, 0, 1]
        assert frames[..., 0].max() <= 79
        assert frames[..., 1].max() <= 59
        np.testing.assert_allclose(width / height, 48 / 32, atol=0.1)


def test_a_pan_moves_steadily_a_zoom_grows_and_its_reverse_shrinks() -> None:
    left = filmed("pan")[:, 16, 0, 0]
    assert len(set(np.sign(np.diff(left)).tolist()) - {0}) == 1
    zoomed_in, zoomed_out = (
        frames[:, 0, -1, 0] - frames[:, 0, 0, 0]
        for frames in (filmed("zoom_in"), filmed("zoom_out"))
    )
    assert zoomed_in[-1] < zoomed_in[0]
    assert zoomed_out[-1] > zoomed_out[0]
    shaken = filmed("hand_held", frames=40)[:, 16, 24, :2]
    assert len(np.unique(shaken, axis=0)) > 3


def test_a_grade_changes_the_colours_of_all_shots_and_grain_their_noise() -> None:
    plain = filmed("pan")
    red = filmed("pan", grade=replace(PLAIN, gains=(1.5, 1.0, 1.0)))
    np.testing.assert_allclose(red[..., 0], 1.5 * plain[..., 0], atol=1)
    np.testing.assert_array_equal(red[..., 1:], plain[..., 1:])
    bright = filmed("pan", grade=replace(PLAIN, gamma=0.5))
    np.testing.assert_allclose(bright[..., 2], 255 * (100 / 255) ** 0.5, atol=1)
    grey = filmed("pan", grade=replace(PLAIN, saturation=0.0))
    assert (grey.max(axis=3) - grey.min(axis=3)).max() == 0
    grain = filmed("pan", grade=replace(PLAIN, grain=5.0))[..., 2] - 100
    assert 4 < grain.std() < 6
    assert (grain[0] != grain[1]).any()


def test_the_file_holds_the_planned_shots_and_a_detector_finds_its_cuts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    photographs = [
        np.broadcast_to(rng.integers(40, 200, 3).astype(np.uint8), (60, 80, 3)) for _ in range(4)
    ]
    film = plan_photograph_film(["a", "b", "a", "c"], picture=PICTURE, seed=1)
    write_photograph_film(film, photographs, tmp_path / "film.mp4")
    video, settings = open_video(tmp_path / "film.mp4"), ShotSettings()
    detector, view = make_detector(settings, video.file), detector_view(settings)
    cuts, num_frames = [], 0
    for index, frame in enumerate(video.frames()):
        cuts += detector.process(frame=index, pts=frame.pts, image=view(frame))
        num_frames += 1
    assert num_frames == film.starts[-1]
    assert (*cuts, *detector.finish()) == film.starts[1:-1]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    film = plan_photograph_film(["a"], picture=PICTURE)
    with pytest.raises(OutputError, match=r"film .*film\.mp4 cannot be written"):
        write_photograph_film(film, [ramp()], tmp_path / "missing" / "film.mp4")
