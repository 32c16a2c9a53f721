"""Headings of films: made in the pass, and made again without decoding."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.factories.films import drawn_film, encode_film, flat_images
from tests.factories.models import make_tiny_clip
from tests.factories.reference import clip_scene_scores as plain_scene_scores

from mastershot.core.movie import Movie, Scene, Shot, scene_id
from mastershot.core.timeline import Timeline, span_of_shots, timeline_schema
from mastershot.labelling.perception.setting import SETTING_PROMPTS, TIME_PROMPTS
from mastershot.labelling.weak_labels import encode_prompts
from mastershot.media.video import open_video
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis import headings
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie

WITH = Plan(steps=("shots", "labels", "scenes", "headings"))

GREYS = [(level, level, level) for level in (20, 120, 230, 20)]


def one_scene(movie: Movie, shots: tuple[Shot, ...], *_: object) -> tuple[Scene, ...]:
    return (Scene(scene_id(movie.id, 0), 0, len(shots), span_of_shots(shots, 0, len(shots))),)


def test_a_black_film_has_no_setting_no_time_of_day_and_says_so(tmp_path: Path) -> None:
    film = encode_film(tmp_path / "black.mp4", flat_images([(0, 0, 0)], each=30))
    timeline, folder = analyze_movie(film, prepare(Plan(steps=("shots", "headings"))), tmp_path)
    assert all(shot.setting is not None and shot.setting.unsure for shot in timeline.shots)
    assert all(shot.time_of_day is not None and shot.time_of_day.unsure for shot in timeline.shots)
    page = (folder / "report.html").read_text("utf-8")
    assert "indoors 0.50 <em>unsure</em>" in page


def test_headings_are_in_the_timeline_the_table_and_the_report(tmp_path: Path) -> None:
    drawn_film(tmp_path / "film.mp4")
    timeline, folder = analyze_movie(tmp_path / "film.mp4", prepare(WITH), tmp_path)
    value = json.loads(timeline.to_json())
    jsonschema.validate(value, timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline
    assert all({"setting", "time_of_day"} <= set(part) for part in value["shots"] + value["scenes"])
    with (folder / "shots.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    page = (folder / "report.html").read_text("utf-8")
    for index, row in enumerate(rows):
        scene, setting = timeline.scene_of(index), timeline.shots[index].setting
        assert scene is not None
        assert setting is not None
        assert row["heading"] == (scene.heading or "")
        assert (row["setting"], row["setting_unsure"]) == (
            setting.name,
            str(setting.unsure).lower(),
        )
        assert scene.heading is None or f'<p class="slugline">{scene.heading}</p>' in page


def test_they_are_made_again_without_decoding_and_absent_where_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_film(tmp_path / "film.mp4")
    first, _ = analyze_movie(tmp_path / "film.mp4", prepare(WITH), tmp_path)

    def refuse(*args: object, **settings: object) -> None:
        raise AssertionError("the film was decoded again")

    monkeypatch.setattr(story, "decode_film", refuse)
    bare = replace(WITH, steps=("shots", "labels", "scenes"))
    without, _ = analyze_movie(tmp_path / "film.mp4", prepare(bare), tmp_path)
    assert "headings" not in without.made_by.steps
    value = json.loads(without.to_json())
    for part in value["shots"] + value["scenes"]:
        assert not {"setting", "time_of_day", "heading"} & set(part)
    again, _ = analyze_movie(tmp_path / "film.mp4", prepare(WITH), tmp_path)
    assert (again.shots, again.scenes) == (first.shots, first.scenes)


def test_clip_is_asked_in_words_and_black_stays_unsure(tmp_path: Path) -> None:
    film = encode_film(tmp_path / "film.mp4", flat_images([(200, 30, 30), (0, 0, 0)], each=30))
    make_tiny_clip(tmp_path / "clip")
    plan = Plan(steps=("shots", "headings"), encoder=str(tmp_path / "clip"), precision="float32")
    loaded = prepare(plan)
    assert isinstance(loaded.settings, headings.PromptedSettings)
    timeline, _ = analyze_movie(film, loaded, tmp_path)
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    encoder, (red, black) = loaded.settings.encoder, timeline.shots
    images = {frame.index: frame.rgb() for frame in open_video(film).frames()}
    vectors = encoder.encode_images([images[frame] for frame in red.sampled_frames])
    for prompts, found in ((SETTING_PROMPTS, red.setting), (TIME_PROMPTS, red.time_of_day)):
        words = encode_prompts(encoder, list(prompts.values()))
        scores = dict(
            zip(prompts, plain_scene_scores(vectors, words, encoder.logit_scale), strict=True)
        )
        assert found is not None
        assert found.name == max(scores, key=lambda name: scores[name])
        assert found.score == pytest.approx(max(scores.values()), abs=1e-3)
    for found in (black.setting, black.time_of_day):
        assert found is not None
        assert (found.score, found.unsure) == (0.5, True)
    made = timeline.made_by.steps["headings"]
    assert set(made["prompts"]) == {"INT", "EXT", "NIGHT", "DAY"}


def test_the_starter_is_asked_for_places() -> None:
    loaded = prepare(Plan(steps=("shots", "headings")))
    assert isinstance(loaded.settings, headings.PlaceSettings)


@pytest.mark.parametrize(
    ("indoors", "nights", "moment", "unsure"),
    [
        ([0.9, 0.9, 0.9, 0.05], [0.01, 0.01, 0.01, 0.99], "NIGHT", False),
        ([0.9, 0.9, 0.9, 0.05], [0.99, 0.99, 0.99, 0.01], "DAY", False),
        ([0.9, 0.9, 0.9, 0.9], [0.99, 0.99, 0.99, 0.99], "NIGHT", True),
    ],
)
def test_shots_outdoors_tell_the_time_of_their_scene(
    indoors: list[float],
    nights: list[float],
    moment: str,
    unsure: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = encode_film(tmp_path / "film.mp4", flat_images(GREYS, each=30))

    def found(values: list[float]) -> object:
        return lambda *_: np.array(values, np.float32)

    monkeypatch.setattr(headings, "indoor_probabilities", found(indoors))
    monkeypatch.setattr(headings, "night_probabilities", found(nights))
    monkeypatch.setattr("mastershot.pipeline.analysis.annotate.find_scenes", one_scene)
    either = tmp_path / "either.txt"
    either.write_text("house\n")  # A place that may be inside or outside.
    timeline, _ = analyze_movie(film, prepare(replace(WITH, taxonomy=either)), tmp_path)
    (scene,) = timeline.scenes or ()
    assert scene.setting is not None
    assert scene.setting.name == "INT"
    assert scene.time_of_day is not None
    assert (scene.time_of_day.name, scene.time_of_day.unsure) == (moment, unsure)
    assert (scene.heading or "").endswith(moment) is not unsure


def test_a_scene_named_by_a_place_outdoors_is_not_indoors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = encode_film(tmp_path / "film.mp4", flat_images(GREYS, each=30))
    monkeypatch.setattr(
        headings, "indoor_probabilities", lambda *_: np.array([1, 1, 1, 0.1], np.float32)
    )
    monkeypatch.setattr("mastershot.pipeline.analysis.annotate.find_scenes", one_scene)
    for place, sure, heading in (("beach", False, "BEACH"), ("kitchen", True, "INT. KITCHEN")):
        listed = tmp_path / f"{place}.txt"
        listed.write_text(f"{place}\n")  # Of one label the score is 1, so it is kept.
        plan = replace(WITH, taxonomy=listed)
        timeline, _ = analyze_movie(film, prepare(plan), tmp_path / place)
        (scene,) = timeline.scenes or ()
        assert scene.setting is not None
        assert (scene.setting.name, scene.setting.unsure) == ("INT", not sure)
        assert (scene.heading or "").removesuffix(" - NIGHT").removesuffix(" - DAY") == heading
        found = [shot.setting.unsure for shot in timeline.shots if shot.setting is not None]
        assert found == ([True, True, True, False] if place == "beach" else [False] * 3 + [True])
