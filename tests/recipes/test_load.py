from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import SettingError
from mastershot.recipes.load import load_recipe, recipe_text, shipped_recipes
from mastershot.training.distillation.settings import DistilRecipe

PLAIN = """recipe: distil
frames: [{path: films}]
teachers: [{kind: encoder, weights: clip, concepts: movieclip}]
"""


def load(folder: Path, text: str | bytes, *overrides: str) -> DistilRecipe:
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings: DistilRecipe = load_recipe(str(path), overrides).settings
    return settings


def test_a_recipe_sets_what_differs_from_the_defaults(tmp_path: Path) -> None:
    text = PLAIN + "name: mine\nstudy: {steps: 7, learning_rate: 1e-3, views: {min_area: 1}}\n"
    recipe = load(tmp_path, text)
    assert (recipe.name, recipe.frames[0].path, recipe.frames[0].rate_hz) == ("mine", "films", 1.0)
    assert (recipe.training.steps, recipe.training.learning_rate) == (7, 0.001)
    assert isinstance(recipe.training.views.min_area, float)
    assert recipe.training.batch_size == 64
    assert load_recipe(str(tmp_path / "mine.yaml")).name == "mine"


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("training.steps=9", lambda recipe: recipe.training.steps == 9),
        ("training.views.colour=1e-1", lambda recipe: recipe.training.views.colour == 0.1),
        ("frames.0.path=007", lambda recipe: recipe.frames[0].path == "007"),
        ("name=a: b, [c", lambda recipe: recipe.name == "a: b, [c"),
        ("data=x=y", lambda recipe: recipe.data == "x=y"),
        ("frames=[{path: a}, {path: b, share: 2}]", lambda recipe: recipe.frames[1].share == 2.0),
    ],
)
def test_settings_are_overridden_by_dotted_names(tmp_path: Path, override: str, found: Any) -> None:
    assert found(load(tmp_path, PLAIN, override))


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("steps", "'steps' is no key=value"),
        ("=3", "'=3' is no key=value"),
        ("training..steps=3", "is no key=value"),
        ("frames.1.path=a", "names no item: frames holds 1, counted from 0"),
        ("frames.first.path=a", "names no item: frames holds 1"),
        ("frames.0.path.deep=a", r"frames\.0\.path holds no further settings"),
        ("recipe=distil", "the kind of a recipe cannot be overridden"),
        ("training.stepz=3", "training.stepz is unknown; did you mean 'steps'"),
        ("training.steps=many", "training.steps must be a whole number; found 'many'"),
        ("training.steps=1.5", "training.steps must be a whole number; found 1.5"),
        ("training.steps=yes", "training.steps must be a whole number; found True"),
        ("training.steps=", "training.steps must be a whole number; found None"),
        ("training.learning_rate=fast", "training.learning_rate must be a number; found 'fast'"),
        ("training.learning_rate=[1]", r"training.learning_rate must be a number; found \[1\]"),
        ("training=3", "training must be lines of `key: value`; found 3"),
        ("frames=films", "frames must be a list; found 'films'"),
        ("frames=[films]", r"frames\.0 must be lines of `key: value`; found 'films'"),
        ("frames=[", "frames is not plain YAML"),
        ("training.steps=0", "steps is 0"),
    ],
)
def test_an_override_that_means_nothing_is_said(
    tmp_path: Path, override: str, sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        load(tmp_path, PLAIN, override)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty; it begins with `recipe: KIND`"),
        ("# a comment\n", "is empty"),
        ("[1, 2]", r"must be lines of `key: value`; found \[1, 2\]"),
        ("just words", "must be lines of `key: value`; found 'just words'"),
        ("name: x", "must begin with `recipe: KIND`, one of distil, .*; found None"),
        ("recipe: distill", "found 'distill'; did you mean 'distil'"),
        ("recipe: [distil]", r"found \['distil'\]"),
        ("recipe: distil", "frames is missing"),
        (PLAIN + "trainings: {steps: 3}", "trainings is unknown; did you mean 'training'"),
        (PLAIN + "xyzzy: 3", "xyzzy is unknown; known are frames, teachers"),
        (PLAIN + "1: 3", "1 is unknown"),
        (PLAIN + "name: 3", "name must be text; found 3"),
        (PLAIN + "name: " + 200 * "x" + "\nstudy: " + 200 * "y", "found 'y{59}…"),
        (PLAIN + "name: a\nname: b", "key 'name' stands there twice; keep one"),
        (PLAIN + "training: {steps: 1, steps: 2}", "key 'steps' stands there twice"),
        (PLAIN + "name: !!python/object/apply:os.system [true]", "is not plain YAML: .* tag"),
        (PLAIN + "name: !secret x", "is not plain YAML: .* tag"),
        ("a: &a [1]\nb: *a", "anchors and aliases are not taken; write it out, line 1"),
        ("a: *gone", "anchors and aliases are not taken"),
        (PLAIN + "data: {", "is not plain YAML: .*, line 4"),
        (PLAIN + "---\nname: b", "is not plain YAML: .*another document"),
        (PLAIN + "? [a]\n: b", "is not plain YAML: .*unhashable"),
        (PLAIN + "name: 2001-02-32", "holds a value that means nothing: day is out of range"),
        ("[" * 20_000, "is nested too deep"),
        ("\x00", "is not plain YAML: unacceptable character"),
        (b"\xff\xfe\x00", "cannot be read as UTF-8 text"),
        (b"a: " + b"1" * (1 << 20), "has more than 1048576 bytes"),
    ],
)
def test_a_recipe_that_cannot_be_is_said(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(SettingError, match=rf"recipe .*mine\.yaml.*{sentence}"):
        load(tmp_path, text)


def test_many_aliases_are_not_followed(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    with pytest.raises(SettingError, match="anchors and aliases are not taken"):
        load(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("source", "hint"),
    [("distil/startr", "; did you mean 'distil/starter'"), ("gone.yaml", ""), (".", "")],
)
def test_a_recipe_that_is_not_there_is_said(source: str, hint: str) -> None:
    with pytest.raises(SettingError, match=f"is neither a file nor one of debug/distil.*{hint}"):
        load_recipe(source)


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_loads_and_says_what_it_is(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe_text(name).startswith("# ")
    sources = getattr(recipe.settings, "frames", ())
    if hasattr(recipe.settings, "shots"):
        sources = [recipe.settings.shots]
    assert all(not Path(source.path).is_absolute() for source in sources)
    assert not Path(getattr(recipe.settings, "data", ".")).is_absolute()


def test_the_starter_is_told_apart_from_any_other_study() -> None:
    recipe = load_recipe("distil/starter").settings
    training = recipe.training
    assert [source.share for source in recipe.frames] == [0.55, 0.25, 0.2]
    assert [(told.weight, told.temperature, told.every) for told in recipe.teachers] == [
        (1.0, 2.0, 1), (0.3, 1.0, 2),
    ]  # fmt: skip
    assert (training.steps, training.batch_size) == (8_000, 32)
    assert (training.learning_rate, training.warmup_steps, training.seed) == (0.0015, 400, 0)
    assert (training.teacher_px, training.student_px, training.hint_weight) == (192, 128, 1.0)
