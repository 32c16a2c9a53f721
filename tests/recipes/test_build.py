from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import SettingError
from mastershot.recipes.build import Override, build, by_names_of, did_you_mean, laid_over
from mastershot.training.distillation.settings import DistillationSettings, DistilRecipe

NESTED = st.recursive(
    st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), NESTED, max_size=3)


@given(MAPPINGS, NESTED)
def test_what_is_laid_over_changes_nothing_that_it_was_given(values: Any, overlay: Any) -> None:
    before = deepcopy((values, overlay))
    try:
        found = laid_over(values, overlay)
    except SettingError:
        pass
    else:
        assert laid_over(found, overlay) == found
    assert (values, overlay) == before
    assert laid_over(values, {}) == values
    assert laid_over(values, overlay, depth=0) == overlay


@pytest.mark.parametrize(
    ("values", "overlay", "depth", "expected"),
    [
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, 2, {"a": {"x": 3, "y": 2}}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, 1, {"a": {"x": 3}}),
        ({"a": [{"x": 1}, {"x": 2}]}, {"a": {"1": {"x": 5}}}, 9, {"a": [{"x": 1}, {"x": 5}]}),
        ({"a": [1, 2]}, {"a": [3]}, 9, {"a": [3]}),
        ({}, {"a": {"b": {"c": 1}}}, 9, {"a": {"b": {"c": 1}}}),
    ],
)
def test_mappings_are_merged_and_lists_by_place(
    values: Any, overlay: Any, depth: int, expected: Any
) -> None:
    assert laid_over(values, overlay, depth=depth) == expected


@pytest.mark.parametrize("key", ["-1", "2", "01", "x", ""])
def test_an_item_that_a_list_lacks_is_named_with_how_many_there_are(key: str) -> None:
    with pytest.raises(SettingError, match=rf"^a\.{key} names no item: a holds 2, counted from 0$"):
        laid_over({"a": [1, 2]}, {"a": {key: 3}})


def test_an_override_is_text_where_a_setting_is_text_and_else_yaml() -> None:
    typed = {"name": Override("007"), "teachers": {"0": {"kind": Override("yes")}}}
    typed["training"] = Override("{steps: 0x10, study: 1}")
    typed["frames"] = [{"path": Override("~"), "share": Override("~")}]
    assert by_names_of(DistilRecipe, typed, []) == {
        "name": "007",
        "teachers": {"0": {"kind": "yes"}},
        "training": {"steps": 16, "study": 1},
        "frames": [{"path": "~", "share": None}],
    }
    with pytest.raises(SettingError, match=r"^frames\.0\.share is not plain YAML: "):
        by_names_of(DistilRecipe, {"frames": [{"share": Override("[")}]}, [])


def test_numbers_are_floats_where_floats_are_asked_for_and_stay_what_they_are_elsewhere() -> None:
    made = build(DistillationSettings, {"learning_rate": "1e-3", "weight_decay": 1, "steps": 5})
    assert (made.learning_rate, made.steps) == (0.001, 5)
    assert isinstance(made.weight_decay, float)
    for value in (True, "0x1", "", [1.0], "1" * 999):
        with pytest.raises(SettingError, match=r"^at\.learning_rate is .*; it must be a finite"):
            build(DistillationSettings, {"learning_rate": value}, "at")
    with pytest.raises(SettingError, match=r"^learning_rate is 10+…; it must be a finite"):
        build(DistillationSettings, {"learning_rate": 10**400})


def test_only_a_word_that_is_near_is_meant() -> None:
    assert did_you_mean("stepz", ["steps", "seed"]) == "; did you mean 'steps'?"
    assert did_you_mean("xyzzy", ["steps", "seed"]) == did_you_mean("a", []) == ""
