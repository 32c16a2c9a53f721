from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import SettingError
from mastershot.training.engine.settings import (
    AugmentationSettings,
    by_current_names,
    find_encoder,
    under,
)

FORMER = ("study", "watches", "views", "distortion", "training", "viewing_log", "seed")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"min_area": 0.0}, "min_area is 0"),
        ({"min_area": 1.5}, "min_area is 1.5"),
        ({"max_stretch": 0.5}, "max_stretch is 0.5"),
        ({"colour": -0.1}, "colour is -0.1"),
        ({"grey_share": 1.1}, "grey_share is 1.1"),
        ({"mixed_share": 2.0}, "mixed_share is 2"),
    ],
)
def test_views_that_cannot_be_are_reported(changes: dict[str, float], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        AugmentationSettings(**changes)


def test_a_known_encoder_goes_by_its_name_whatever_folders_there_are(tmp_path: Path) -> None:
    for folder in ("clip", "mine"):
        (tmp_path / folder).mkdir()

    def name(weights: str) -> str:
        return find_encoder(weights, str(tmp_path))

    assert name("clip") == "openai/clip-vit-base-patch32"
    assert name("mine") == str(tmp_path / "mine")
    assert name("some/checkpoint") == "some/checkpoint"


def test_a_path_of_a_recipe_starts_from_its_data_unless_it_is_absolute_or_of_the_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert under("~/data", "films/a") == Path("/home/me/data/films/a")
    assert under("data", "~/films") == Path("/home/me/films")
    assert under("data", "/films") == Path("/films")


def test_former_names_and_values_become_current_and_each_is_told() -> None:
    reported: list[tuple[str, str]] = []
    former = {"study": 1, "watches": 2, "views": "distorted", "lessons_per_view": 3, 4: 5}
    fields = ("training", "viewing_log", "views", "augmentation")
    assert by_current_names(former, fields, lambda *names: reported.append(names)) == {
        "training": 1, "viewing_log": 2, "views": "augmented", "lessons_per_view": 3, 4: 5,
    }  # fmt: skip
    assert reported == [
        ("study", "training"),
        ("watches", "viewing_log"),
        ("views: distorted", "views: augmented"),
    ]


@given(
    values=st.dictionaries(st.sampled_from(FORMER), st.integers()),
    fields=st.sets(st.sampled_from(FORMER)),
)
def test_current_names_stay_and_a_name_given_twice_is_refused(
    values: dict[str, int], fields: set[str]
) -> None:
    try:
        current = by_current_names(values, fields)
    except SettingError as error:
        former, _, new = str(error).split(";")[0].partition(" is a former name of ")
        new = new.partition(",")[0]
        assert former in values
        assert new in values or {"views", "distortion"} <= values.keys()
        return
    assert by_current_names(current, fields) == current
    assert {name: current[name] for name in fields & values.keys()} == {
        name: values[name] for name in fields & values.keys()
    }


def test_two_former_names_of_one_setting_are_refused() -> None:
    with pytest.raises(SettingError, match="views is a former name of augmentation, which is giv"):
        by_current_names({"distortion": 1, "views": 2}, ["augmentation"])
