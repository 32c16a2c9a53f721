"""Headings, written and read back by the reader of scripts."""

from itertools import product

import pytest

from mastershot.core.labels import LabelScore, load_taxonomy
from mastershot.curation.sluglines import parse_heading
from mastershot.labelling.perception.headings import SCRIPT_WORDS, heading_of
from mastershot.labelling.perception.setting import label_settings

NIGHT, INSIDE = LabelScore("NIGHT", 0.9), LabelScore("INT", 0.9)
KITCHEN = (LabelScore("kitchen", 0.5), LabelScore("house", 0.3))


def unsure(label: LabelScore) -> LabelScore:
    return LabelScore(label.name, label.score, unsure=True)


def test_a_sure_scene_has_a_whole_heading() -> None:
    assert heading_of(INSIDE, KITCHEN, NIGHT) == "INT. KITCHEN - NIGHT"
    both = LabelScore("INT/EXT", 0.9)
    assert heading_of(both, KITCHEN[1:], LabelScore("DAY", 0.9)) == "INT./EXT. HOUSE - DAY"


def test_what_is_unsure_or_unknown_is_left_out() -> None:
    places = ((), None, tuple(map(unsure, KITCHEN)))
    assert heading_of(INSIDE, KITCHEN, unsure(NIGHT)) == "INT. KITCHEN"
    assert heading_of(unsure(INSIDE), KITCHEN, NIGHT) == "KITCHEN - NIGHT"
    for labels in places:
        assert heading_of(INSIDE, labels, NIGHT) == "INT. NIGHT"
        assert heading_of(INSIDE, labels, None) == "INT."
        assert heading_of(None, labels, NIGHT) == "NIGHT"
        assert heading_of(unsure(INSIDE), labels, None) is None


@pytest.mark.parametrize(
    ("setting", "place", "text"),
    [
        ("INT", "beach", "BEACH"),
        ("EXT", "beach", "EXT. BEACH"),
        ("INT/EXT", "beach", "BEACH"),
        ("EXT", "classroom", "CLASSROOM"),
        ("INT", "classroom", "INT. CLASSROOM"),
        ("EXT", "grassland", "EXT. FIELD"),
        ("INT", "grassland", "FIELD"),
        ("INT", "house", "INT. HOUSE"),  # Houses have both.
        ("EXT", "house", "EXT. HOUSE"),
        ("INT/EXT", "car", "INT./EXT. CAR"),
        ("INT", "harbour of mine", "INT. HARBOUR OF MINE"),
    ],
)
def test_a_heading_does_not_contradict_its_place(setting: str, place: str, text: str) -> None:
    labels = (LabelScore(place, 0.5), LabelScore("kitchen", 0.3))
    assert heading_of(LabelScore(setting, 0.9), labels, None) == text


def test_a_place_that_is_not_named_contradicts_nothing() -> None:
    assert heading_of(INSIDE, (unsure(LabelScore("beach", 0.3)),), NIGHT) == "INT. NIGHT"


def test_a_heading_without_a_place_is_read_as_one_without_a_place() -> None:
    for setting, moment in product(("INT", "EXT", "INT/EXT"), ("DAY", "NIGHT")):
        text = heading_of(LabelScore(setting, 1.0), None, LabelScore(moment, 1.0))
        assert text is not None
        read = parse_heading(text)
        assert read is not None, text
        assert (read.setting, read.places, read.time_of_day) == (setting, [], moment), text


@pytest.mark.parametrize(
    ("setting", "moment"), [*product(("INT", "EXT", "INT/EXT"), ("DAY", "NIGHT"))]
)
def test_the_reader_of_scripts_reads_setting_and_time_of_every_label(
    setting: str, moment: str
) -> None:
    for label in load_taxonomy("movieclip").labels:
        text = heading_of(
            LabelScore(setting, 1.0), (LabelScore(label, 1.0),), LabelScore(moment, 1.0)
        )
        assert text is not None
        read = parse_heading(text)
        expected = setting if label_settings().get(label, setting) == setting else None
        assert (". " in text) is (expected is not None), text
        if expected is not None:
            assert read is not None, text
            assert (read.setting, read.time_of_day) == (setting, moment), text


def test_words_of_scripts_replace_labels_of_the_taxonomy() -> None:
    assert set(SCRIPT_WORDS) <= set(load_taxonomy("movieclip").labels)
    assert heading_of(None, (LabelScore("cab", 1.0),), None) == "TAXI"
