"""What every shot detector must do, run on each."""

from typing import get_args

import pytest
from tests.factories.films import encode_film, flat_images

from mastershot.core.protocols import ShotDetector
from mastershot.media.video import Film, open_video
from mastershot.shots.detectors import make_detector
from mastershot.shots.lists import ListedShots, read_shot_list
from mastershot.shots.settings import DetectorName, ShotSettings

COLOURS = [(240, 240, 240), (20, 20, 20), (240, 200, 0)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    folder = tmp_path_factory.mktemp("film")
    (folder / "list.txt").write_text("0 29\n30 59\n60 89\n")
    return open_video(encode_film(folder / "film.mkv", flat_images(COLOURS, each=30)))


def make(kind: str, film: Film) -> ShotDetector:
    if kind == "listed":
        return ListedShots(read_shot_list(film.file.path.parent / "list.txt"), film.file)
    return make_detector(ShotSettings(detector=kind), film.file)


@pytest.mark.parametrize("kind", [*get_args(DetectorName), "listed"])
def test_a_detector_tells_each_cut_once_in_order_and_in_time(kind: str, film: Film) -> None:
    detector = make(kind, film)
    reported: list[int] = []
    for frame in film.frames():
        for cut in detector.process(frame=frame.index, pts=frame.pts, image=frame.points_bgr()):
            assert frame.index - detector.max_lag_frames <= cut <= frame.index
            reported.append(cut)
    reported += detector.finish()
    assert reported == [30, 60]


@pytest.mark.parametrize("kind", get_args(DetectorName))
def test_a_detector_that_saw_nothing_tells_nothing(kind: str, film: Film) -> None:
    assert make(kind, film).finish() == []
