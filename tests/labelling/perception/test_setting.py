"""Settings and times of day from vectors and light whose answer is known."""

import csv
import math
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from mastershot.core.embeddings import FloatArray
from mastershot.core.labels import LabelScore, load_taxonomy
from mastershot.labelling.perception.light import STATISTICS, light_statistics
from mastershot.labelling.perception.setting import (
    INDOOR_WEIGHTS,
    LABELS_TABLE,
    NIGHT_WEIGHTS,
    indoor_logits,
    indoor_probabilities,
    is_outdoors,
    label_settings,
    load_places,
    night_probabilities,
    not_contradicting,
    prompted_probabilities,
    scene_setting,
    setting_of,
    time_of_day_of,
)

OUTSIDE, INSIDE = LabelScore("EXT", 0.9), LabelScore("INT", 0.9)
UNSURE = LabelScore("EXT", 0.55, unsure=True)


def light_of(*gray: int) -> FloatArray:
    return np.stack([light_statistics(np.full((8, 8, 3), level, np.uint8)) for level in gray])


def test_the_table_has_each_place_of_places365_once_with_its_setting() -> None:
    places = load_places()
    assert len(set(places.names)) == len(places.names) == 365
    settings = dict(zip(places.names, places.is_indoor.tolist(), strict=True))
    assert (settings["kitchen"], settings["beach"]) == (1.0, 0.0)
    assert {*INDOOR_WEIGHTS} == {"bias", "places"}
    assert {*NIGHT_WEIGHTS} <= {"bias", *STATISTICS}


def test_log_odds_are_those_of_the_share_of_places_that_are_inside() -> None:
    places = np.eye(3, dtype=np.float32)
    is_indoor = np.array([1, 0, 0], np.float32)
    (even, inside) = indoor_logits(places[[2, 0]], places, is_indoor, logit_scale=4.0)
    # Softmax of twice the cosine: the outside one and another, against the inside one.
    assert even == pytest.approx(-math.log(math.exp(2) + 1), abs=1e-5)
    assert inside == pytest.approx(math.log(math.exp(2) / 2), abs=1e-5)
    assert np.abs(indoor_logits(places, places, is_indoor, logit_scale=1e4)).max() <= 6


def test_probabilities_are_logistic_in_places() -> None:
    bias, slope = INDOOR_WEIGHTS["bias"], INDOOR_WEIGHTS["places"]
    expected = [1 / (1 + math.exp(-bias - slope * x)) for x in (-1, 2)]
    found = indoor_probabilities(np.array([-1, 2], np.float32), light_of(128, 60))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_what_is_lit_before_black_shows_no_place_and_everything_of_it_is_unsure() -> None:
    images = [np.zeros((8, 8, 3), np.uint8) for _ in range(2)]
    images[1][2:5, 2:5] = 250
    light = np.stack([light_statistics(image) for image in images])
    indoors = indoor_probabilities(np.array([6, -6], np.float32), light)
    assert indoors.tolist() == night_probabilities(light).tolist() == [0.5, 0.5]
    assert setting_of(0.5).unsure
    assert time_of_day_of(0.5, outdoors=True).unsure


def test_scores_of_prompts_are_probabilities_where_a_place_is_shown() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]], np.float32)
    found = prompted_probabilities(scores, light_of(128, 60, 2))
    assert found.tolist() == pytest.approx([0.9, 0.2, 0.5])
    assert found.dtype == np.float32


def test_a_bright_grey_is_likelier_day_than_a_dark_one() -> None:
    day, night = night_probabilities(light_of(170, 25))
    assert day < 0.5 < night


@pytest.mark.parametrize(
    ("indoors", "name", "score", "unsure"),
    [(0.9, "INT", 0.9, False), (0.1, "EXT", 0.9, False), (0.5, "INT", 0.5, True)],
)
def test_the_likelier_setting_is_named_and_unsure_in_the_band(
    indoors: float, name: str, score: float, unsure: bool
) -> None:
    found = setting_of(indoors)
    assert (found.name, found.unsure) == (name, unsure)
    assert found.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("night", "name", "unsure"),
    [(0.01, "DAY", False), (0.3, "DAY", True), (0.6, "NIGHT", True), (0.99, "NIGHT", False)],
)
def test_a_time_of_day_is_sure_only_outdoors(night: float, name: str, unsure: bool) -> None:
    found = time_of_day_of(night, outdoors=True)
    assert (found.name, found.unsure) == (name, unsure)
    assert time_of_day_of(night, outdoors=False) == LabelScore(name, found.score, unsure=True)


def test_outdoors_is_what_is_surely_so() -> None:
    assert [is_outdoors(one) for one in (OUTSIDE, INSIDE, UNSURE, None)] == [
        True,
        False,
        False,
        False,
    ]


def test_a_scene_of_both_is_both_and_of_unsure_shots_by_their_mean() -> None:
    both = scene_setting((INSIDE, OUTSIDE, OUTSIDE, UNSURE), 0.4)
    assert both == LabelScore("INT/EXT", 0.75)
    assert scene_setting((INSIDE, OUTSIDE, *[UNSURE] * 3), 0.4).unsure
    assert scene_setting((INSIDE, OUTSIDE, OUTSIDE, OUTSIDE), 0.2).name == "EXT"
    assert scene_setting((UNSURE,), 0.45) == setting_of(0.45)


def test_labels_that_settle_a_setting_are_of_the_taxonomy_and_agree_with_scripts() -> None:
    settled = label_settings()
    assert set(settled) <= set(load_taxonomy("movieclip").labels)
    assert set(settled.values()) == {"INT", "EXT"}
    assert (settled["beach"], settled["classroom"]) == ("EXT", "INT")
    assert not {"house", "car", "bar", "hotel", "church", "bridge", "airport"} & set(settled)
    table = resources.files("mastershot.labelling.perception") / LABELS_TABLE
    for row in csv.DictReader(table.read_text("utf-8").splitlines()):
        total, agreeing = int(row["headings"]), int(row["of_that_setting"])
        assert agreeing >= 0.85 * total, row
        assert row["places365"] == row["setting"] or total >= 10, row


def test_a_setting_that_contradicts_a_kept_place_is_unsure_and_keeps_its_score() -> None:
    inside = LabelScore("INT", 0.9)
    beach, classroom = LabelScore("beach", 0.6), LabelScore("classroom", 0.6)
    assert not_contradicting(inside, (beach,)) == LabelScore("INT", 0.9, unsure=True)
    assert not_contradicting(inside, (classroom, beach)) == inside
    assert not_contradicting(inside, (replace(beach, unsure=True), beach)).unsure
    assert not_contradicting(inside, ()) == not_contradicting(inside, None) == inside
