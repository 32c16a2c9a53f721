import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.sounds import sounding_film, tone

from mastershot.core.people import Sighting, sighting_of_boxes
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.encoders.detectors.content import ContentClassifier
from mastershot.encoders.detectors.people import PeopleDetector
from mastershot.labelling.perception.people import SCALE_RULE
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis import plan as planning
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.store.features import FolderFeatures

NOBODY = np.empty((0, 5), np.float32)
CLOSE = sighting_of_boxes(np.array([[0.4, 0.1, 0.6, 0.6, 0.9]], np.float32), NOBODY)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return encode_film(path, flat_images([(200, 30, 30), (0, 0, 0)], each=30))


def look_at_red(self: PeopleDetector, image: np.ndarray) -> Sighting:
    return CLOSE if image[..., 0].mean() > 100 else sighting_of_boxes(NOBODY, NOBODY)


def loaded_for(*steps: str) -> LoadedPlan:
    return prepare(Plan(steps=("shots", *steps)))


def check(timeline: Timeline) -> None:
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline


def test_shots_say_who_is_seen_and_how_close_they_are(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PeopleDetector, "look_at", look_at_red)
    timeline, _ = analyze_movie(film, loaded_for("people", "scale"), tmp_path)
    check(timeline)
    red, black = timeline.shots
    assert (red.likeliest_scale, red.scale_by) == ("CS", "people")
    assert red.people is not None
    assert (red.people.faces, red.people.tallest_face) == (1, pytest.approx(0.5))
    assert (black.scale, black.scale_by) == (None, None)
    assert black.people is not None
    assert black.people.faces == 0


def test_without_step_scale_there_are_people_alone(film: Path, tmp_path: Path) -> None:
    timeline, _ = analyze_movie(film, loaded_for("people"), tmp_path)
    assert all(shot.people is not None and shot.scale is None for shot in timeline.shots)
    assert "scale" not in timeline.made_by.steps


def test_a_step_that_is_off_loads_and_keeps_nothing(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PeopleDetector", "find_moderation"):
        monkeypatch.setattr(planning, name, lambda *a, **k: pytest.fail("it was loaded"))
    timeline, folder = analyze_movie(film, loaded_for(), tmp_path)
    assert all(shot.people is None for shot in timeline.shots)
    assert not (folder / "features").exists()


def test_another_rule_decodes_nothing(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PeopleDetector, "look_at", look_at_red)
    analyze_movie(film, loaded_for("people", "scale"), tmp_path)
    monkeypatch.setattr(story, "decode_film", lambda *a, **k: pytest.fail("it was decoded"))
    monkeypatch.setattr(planning, "SCALE_RULE", replace(SCALE_RULE, full_body=0.5))
    timeline, _ = analyze_movie(film, loaded_for("people", "scale"), tmp_path)
    assert timeline.made_by.steps["scale"]["rule"]["full_body"] == 0.5


def test_scores_of_content_are_kept_of_each_sampled_frame(film: Path, tmp_path: Path) -> None:
    timeline, folder = analyze_movie(film, loaded_for("moderation"), tmp_path)
    check(timeline)
    frames = [frame for shot in timeline.shots for frame in shot.sampled_frames]
    kept = FolderFeatures(folder / "features").get(ContentClassifier().space)
    assert kept.frames.tolist() == frames
    np.testing.assert_allclose(kept.vectors.sum(axis=1), 1, atol=1e-5)
    assert timeline.made_by.steps["moderation"]["model"] == "nsfw"


def test_sound_that_is_asked_for_later_looks_at_no_frame_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sounding_film(tmp_path / "film.mkv", flat_images([(200, 30, 30)], each=24), tone(1))
    monkeypatch.setattr(PeopleDetector, "look_at", look_at_red)
    before, _ = analyze_movie(path, loaded_for("people", "scenes"), tmp_path)
    monkeypatch.setattr(PeopleDetector, "look_at", lambda *a: pytest.fail("it looked again"))
    monkeypatch.setattr(
        "mastershot.pipeline.experts.vectors._statistics", lambda *a: pytest.fail("so did colours")
    )
    after, _ = analyze_movie(path, loaded_for("people", "scenes", "sound"), tmp_path)
    assert after.shots[0].sound is not None
    assert after.shots[0].people == before.shots[0].people
    assert before.audio is None
    assert after.audio is not None
