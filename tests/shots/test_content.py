from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from tests.films import drawn_film, encode_film, flat_images
from tests.media.test_video import real_films

from mastershot.core.errors import SettingError
from mastershot.media.video import open_video
from mastershot.shots.content import ShotSettings, detector_view, make_detector


def cuts_of(path: Path, settings: ShotSettings) -> list[int]:
    film = open_video(path)
    detector, view = make_detector(settings, film.file), detector_view(settings)
    cuts: list[int] = []
    for frame in film.frames():
        cuts += detector.process(frame=frame.index, pts=frame.pts, image=view(frame))
    return cuts + detector.finish()


def peer_cut_times_s(path: Path, detector: str) -> list[float]:
    """Return what the ``scenedetect`` command's own code finds with its defaults."""
    from scenedetect import FrameTimecode, SceneManager
    from scenedetect import open_video as open_with_opencv
    from scenedetect.detectors import AdaptiveDetector, ContentDetector

    video = open_with_opencv(str(path))
    min_frames = FrameTimecode("0.6s", video.frame_rate).frame_num
    kind = {"content": ContentDetector, "adaptive": AdaptiveDetector}[detector]
    manager = SceneManager()
    manager.add_detector(kind(min_scene_len=min_frames))
    manager.detect_scenes(video)
    return [cut.seconds for cut in manager.get_cut_list(show_warning=False)]


@pytest.mark.parametrize("settings", [ShotSettings(), ShotSettings(exact=True)])
def test_every_drawn_cut_is_found_and_no_other(tmp_path: Path, settings: ShotSettings) -> None:
    plan = drawn_film(tmp_path / "film.mp4", num_scenes=4, shots_per_scene=3)
    assert cuts_of(tmp_path / "film.mp4", settings) == list(plan.cuts)


def test_the_adaptive_detector_finds_hard_cuts(tmp_path: Path) -> None:
    plan = drawn_film(tmp_path / "film.mp4", num_scenes=4, shots_per_scene=3)
    found = cuts_of(tmp_path / "film.mp4", ShotSettings(detector="adaptive"))
    assert set(plan.cuts) <= set(found)


def test_a_shot_is_never_shorter_than_the_minimum(tmp_path: Path) -> None:
    images = flat_images([(240, 240, 240), (20, 20, 20), (240, 200, 0), (0, 0, 30)], each=10)
    path = encode_film(tmp_path / "film.mkv", images)
    assert cuts_of(path, ShotSettings(min_shot_s=0)) == [10, 20, 30]
    found = cuts_of(path, ShotSettings(min_shot_s=0.6))
    assert all(after - before >= round(0.6 * 24) for before, after in pairwise([0, *found]))


def test_a_cut_under_variable_frame_rate_is_an_exact_frame(tmp_path: Path) -> None:
    images = flat_images([(240, 240, 240), (20, 20, 20)], each=20)
    pts = [40 * i if i < 10 else 400 + 80 * (i - 10) for i in range(40)]
    path = encode_film(tmp_path / "film.mkv", images, pts=pts, time_base=Fraction(1, 1000))
    assert cuts_of(path, ShotSettings()) == [20]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"detector": "magic"}, "detector 'magic' is unknown; use content or adaptive"),
        ({"min_shot_s": -1.0}, "it must be 0 or more"),
        ({"min_shot_s": float("nan")}, "it must be 0 or more"),
        ({"threshold": 0.0}, "it must be above 0"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        ShotSettings(**settings)


@pytest.mark.parametrize("detector", ["content", "adaptive"])
def test_exact_mode_cuts_where_pyscenedetect_cuts(real_data: Path, detector: str) -> None:
    for path in real_films(real_data):
        film = open_video(path)
        pts = [frame.pts for frame in film.frames()]
        found = cuts_of(path, ShotSettings(detector=detector, exact=True))
        found_s = [float((pts[cut] - pts[0]) * film.file.time_base) for cut in found]
        assert found_s == pytest.approx(peer_cut_times_s(path, detector), abs=0.002), path.name


def test_fast_mode_finds_the_cuts_of_exact_mode(real_data: Path) -> None:
    """F1 over all cuts of all films, at one frame's tolerance, is at least 0.97."""
    hits = num_fast = num_exact = 0
    for path in real_films(real_data):
        fast = cuts_of(path, ShotSettings())
        exact = cuts_of(path, ShotSettings(exact=True))
        hits += sum(any(abs(cut - other) <= 1 for other in exact) for cut in fast)
        num_fast, num_exact = num_fast + len(fast), num_exact + len(exact)
    assert num_exact > 150
    assert 2 * hits / (num_fast + num_exact) >= 0.97
