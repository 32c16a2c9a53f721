"""Another threshold from kept scores: the same shots as an analysis with it, without decoding."""

from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film
from tests.shots.test_temporal import clip
from typer.testing import CliRunner

import mastershot as ms
from mastershot.apps.cli import app
from mastershot.core.errors import SettingError
from mastershot.core.timeline import Timeline
from mastershot.pipeline.analysis.plan import Plan
from mastershot.pipeline.evaluation.tuning import tune_shots, write_tuned
from mastershot.shots.settings import ShotSettings
from mastershot.synthetic.transitions import Editing, edit


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    edited = edit(clip, 6, np.random.default_rng(2), Editing(shot=(30, 50), flash=0))
    encode_film(path, list(edited.frames))
    return path


@pytest.mark.parametrize("detector", ["content", "temporal"])
def test_a_threshold_gives_the_shots_of_an_analysis_with_it(
    film: Path, tmp_path: Path, detector: str
) -> None:
    threshold = {"content": 9.0, "temporal": 0.2}[detector]
    ms.analyze(film, Plan(steps=("shots",), shots=ShotSettings(detector)), tmp_path / "one")
    again = Plan(steps=("shots",), shots=ShotSettings(detector, threshold=threshold))
    expected = ms.analyze(film, again, tmp_path / "two")
    folder = tmp_path / "one" / "film"
    (tuned,) = tune_shots(folder, [threshold])
    assert [one.span for one in tuned.shots.intervals] == [s.span for s in expected.shots]
    written = write_tuned(folder, tuned)
    assert Timeline.load(folder / "timeline.json") == written
    assert [shot.transition_in for shot in written.shots] == [
        shot.transition_in for shot in expected.shots
    ]


def test_the_command_tries_thresholds_and_writes_one(film: Path, tmp_path: Path) -> None:
    plan = Plan(steps=("shots",), shots=ShotSettings("temporal"))
    ms.analyze(film, plan, tmp_path)
    runner = CliRunner()
    tried = runner.invoke(app, ["shots", "tune", str(tmp_path / "film")])
    assert tried.exit_code == 0
    assert "threshold 0.5: " in tried.output
    same = runner.invoke(app, ["shots", "tune", str(tmp_path / "film"), "--threshold", "0.5"])
    assert "every cut is where it was" in same.output
    bad = runner.invoke(app, ["shots", "tune", str(tmp_path / "film"), "--threshold", "1.5"])
    assert bad.exit_code == 2
    assert "a probability" in bad.output
    alone = runner.invoke(app, ["shots", "tune", str(tmp_path / "film"), "--write"])
    assert alone.exit_code == 2


def test_an_unknown_detector_is_refused(film: Path, tmp_path: Path) -> None:
    ms.analyze(film, Plan(steps=("shots",)), tmp_path)
    with pytest.raises(SettingError, match="no threshold"):
        tune_shots(tmp_path / "film", [0.5], detector="magic")
