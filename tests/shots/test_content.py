import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from tests.factories.films import drawn_film, encode_film, first_video_stream, flat_images
from tests.media.test_video import FILMS, real_films

from mastershot.core.errors import SettingError
from mastershot.media.video import open_video
from mastershot.shots.detectors import detector_view, make_detector
from mastershot.shots.settings import ShotSettings

Detect = Callable[[Path], dict[str, list[int]]]
# The settings that real films are tried with, all in one decoding.
REAL_SETTINGS = {
    "fast": ShotSettings("content"),
    "content": ShotSettings("content", exact=True),
    "adaptive": ShotSettings(detector="adaptive", exact=True),
}


def cuts_of(path: Path, settings: ShotSettings) -> list[int]:
    return detect(path, {"cuts": settings})["cuts"]


def detect(path: Path, asked: dict[str, ShotSettings]) -> dict[str, list[int]]:
    """Return the cuts by the names of settings, and the timestamp of every frame as "pts"."""
    film = open_video(path, stream=first_video_stream(path))  # The one that OpenCV reads.
    detectors = {name: make_detector(settings, film.file) for name, settings in asked.items()}
    views = {settings.exact: detector_view(settings) for settings in asked.values()}
    found: dict[str, list[int]] = {name: [] for name in (*asked, "pts")}
    for frame in film.frames():
        found["pts"].append(frame.pts)
        images = {exact: view(frame) for exact, view in views.items()}
        for name, detector in detectors.items():
            image = images[asked[name].exact]
            found[name] += detector.process(frame=frame.index, pts=frame.pts, image=image)
    for name, detector in detectors.items():
        found[name] += detector.finish()
    return found


@pytest.fixture
def detect_once(workers_folder: Path) -> Detect:
    """`detect` with `REAL_SETTINGS`, which decodes a film for the first test that asks alone."""

    def detect_or_read(path: Path) -> dict[str, list[int]]:
        kept = workers_folder / f"cuts-of-{path.parent.name}-{path.name}.json"
        if not kept.exists():
            with NamedTemporaryFile("w", dir=workers_folder, delete=False) as partial:
                json.dump(detect(path, REAL_SETTINGS), partial)
            Path(partial.name).replace(kept)
        return json.loads(kept.read_text())

    return detect_or_read


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


@pytest.mark.parametrize("settings", [ShotSettings("content"), ShotSettings("content", exact=True)])
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
    assert cuts_of(path, ShotSettings("content", min_shot_s=0)) == [10, 20, 30]
    found = cuts_of(path, ShotSettings("content", min_shot_s=0.6))
    assert all(after - before >= round(0.6 * 24) for before, after in pairwise([0, *found]))


def test_a_cut_under_variable_frame_rate_is_an_exact_frame(tmp_path: Path) -> None:
    images = flat_images([(240, 240, 240), (20, 20, 20)], each=20)
    pts = [40 * i if i < 10 else 400 + 80 * (i - 10) for i in range(40)]
    path = encode_film(tmp_path / "film.mkv", images, pts=pts, time_base=Fraction(1, 1000))
    assert cuts_of(path, ShotSettings("content")) == [20]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"detector": "magic"}, "detector 'magic' is unknown; use content, adaptive"),
        ({"min_shot_s": -1.0}, "it must be 0 or more"),
        ({"min_shot_s": float("nan")}, "it must be 0 or more"),
        ({"threshold": 0.0}, "it must be above 0"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        ShotSettings(**settings)


@pytest.mark.parametrize("films", FILMS)
@pytest.mark.parametrize("detector", ["content", "adaptive"])
def test_exact_mode_cuts_where_pyscenedetect_cuts(
    real_data: Path, detect_once: Detect, detector: str, films: str
) -> None:
    paths = sorted((real_data / "films").glob(films))
    assert paths
    for path in paths:
        found = detect_once(path)
        time_base = open_video(path, stream=first_video_stream(path)).file.time_base
        pts = found["pts"]
        found_s = [float((pts[cut] - pts[0]) * time_base) for cut in found[detector]]
        assert found_s == pytest.approx(peer_cut_times_s(path, detector), abs=0.002), path.name


def test_fast_mode_finds_the_cuts_of_exact_mode(real_data: Path, detect_once: Detect) -> None:
    """F1 over all cuts of all films, at one frame's tolerance, is at least 0.97."""
    hits = num_fast = num_exact = 0
    for path in real_films(real_data):
        found = detect_once(path)
        fast, exact = found["fast"], found["content"]
        hits += sum(any(abs(cut - other) <= 1 for other in exact) for cut in fast)
        num_fast, num_exact = num_fast + len(fast), num_exact + len(exact)
    assert num_exact > 150
    assert 2 * hits / (num_fast + num_exact) >= 0.97
