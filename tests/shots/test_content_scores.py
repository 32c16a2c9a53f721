from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import drawn_film

from mastershot.core.time import FrameTimes
from mastershot.media.video import open_video
from mastershot.pipeline.analyze import detect_shots
from mastershot.shots.content_scores import CONTENT, content_decider, content_scores
from mastershot.shots.detectors import detector_view
from mastershot.shots.settings import ShotSettings


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    drawn_film(path, num_scenes=3, shots_per_scene=3)
    return path


@pytest.mark.parametrize("min_shot_s", [0.0, 0.6, 1.5])
def test_scores_give_the_detectors_cuts_at_any_threshold(film: Path, min_shot_s: float) -> None:
    video = open_video(film)
    view = detector_view(ShotSettings("content"))
    scores = content_scores(view(frame) for frame in video.frames())
    times = FrameTimes(video.pts, video.file.time_base)
    assert scores.shape == (times.num_frames,)
    assert scores[0] == 0
    rate = video.file.mean_rate or Fraction(25)
    decide = content_decider(times, rate=rate, min_shot_s=min_shot_s)
    numbers = set()
    for threshold in (2.0, 10.0, 27.0, 60.0):
        cuts = [one.start_frame for one in decide({CONTENT: scores}, threshold)]
        shots = detect_shots(film, detector="content", threshold=threshold, min_shot_s=min_shot_s)
        assert cuts == [shot.span.first_frame for shot in shots[1:]], threshold
        numbers.add(len(cuts))
    assert len(numbers) > 1


def test_the_score_is_the_mean_difference_of_hue_saturation_and_value() -> None:
    black, red = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), (0, 0, 255), np.uint8)
    assert content_scores([black, black, red]).tolist() == [0, 0, (0 + 255 + 255) / 3]
    assert content_scores([]).shape == (0,)
