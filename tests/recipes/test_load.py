import re
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import SettingError
from mastershot.recipes.load import load_recipe, recipe_text, shipped_recipes
from mastershot.training.distillation.settings import DistilRecipe

# New or changed since version 0.1.
NEW = re.compile(
    "movieclip|downstream|genres|^scenes/|scene_boundaries|distil/starter|encode|shotcol|mvit"
)
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
    text = (
        PLAIN
        + "name: mine\ntraining: {steps: 7, learning_rate: 1e-3, augmentation: {min_area: 1}}\n"
    )
    recipe = load(tmp_path, text)
    assert (recipe.name, recipe.frames[0].path, recipe.frames[0].rate_hz) == ("mine", "films", 1.0)
    assert (recipe.training.steps, recipe.training.learning_rate) == (7, 0.001)
    assert isinstance(recipe.training.augmentation.min_area, float)
    assert recipe.training.batch_size == 64
    assert load_recipe(str(tmp_path / "mine.yaml")).name == "mine"


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("training.steps=9", lambda recipe: recipe.training.steps == 9),
        ("training.augmentation.colour=1e-1", lambda r: r.training.augmentation.colour == 0.1),
        ("frames.0.path=007", lambda recipe: recipe.frames[0].path == "007"),
        ("name=a: b, [c", lambda recipe: recipe.name == "a: b, [c"),
        (
            "training={steps: 3}",
            lambda recipe: (recipe.training.steps, recipe.training.seed) == (3, 0),
        ),
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
        ("frames.1.path=a", r"frames\.1 names no item: frames holds 1, counted from 0"),
        ("frames.first.path=a", "names no item: frames holds 1"),
        ("frames.0.path.deep=a", r"frames\.0\.path holds no further settings"),
        ("recipe=distil", "the kind of a recipe cannot be overridden"),
        ("training.stepz=3", "training.stepz is unknown; did you mean 'steps'"),
        ("training.steps=many", "training.steps is 'many'; it must be a whole number"),
        ("training.steps=1.5", "training.steps is 1.5; it must be a whole number"),
        ("training.steps=yes", "training.steps is True; it must be a whole number"),
        ("training.steps=", "training.steps is None; it must be a whole number"),
        (
            "training.learning_rate=fast",
            "training.learning_rate is 'fast'; it must be a finite number",
        ),
        (
            "training.learning_rate=[1]",
            r"training.learning_rate is \[1\]; it must be a finite number",
        ),
        ("training=3", "training must be lines of `key: value`; found 3"),
        ("frames=films", "frames is 'films'; it must be a list"),
        ("frames=[films]", r"frames\.0 must be lines of `key: value`; found 'films'"),
        ("frames=[", "frames is not plain YAML"),
        ("training.steps=0", "training.steps is 0; it must be at least 1"),
        (
            "training.learning_rate=.inf",
            "training.learning_rate is inf; it must be a finite number",
        ),
        ("training.teacher_px=40", r"is 40; it must be in \[32, 1,024\], a multiple of 16"),
        ("teachers.0.kind=cook", "teachers.0.kind is 'cook'; it must be one of squeezenet, tflite"),
        ("frames.0.path=", r"frames\.0\.path is ''; it must not be empty"),
        (
            "training.batch_size=9",
            "training.group_size is 512; it must be a multiple of batch_size 9",
        ),
    ],
)
def test_a_meaningless_override_is_one_sentence(
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
        (PLAIN + "name: 3", "name is 3; it must be text"),
        (PLAIN + "name: " + 200 * "x" + "\ntraining: " + 200 * "y", "found 'y{59}…"),
        (PLAIN + "name: a\nname: b", "key 'name' is given twice; keep one"),
        (PLAIN + "training: {steps: 1, steps: 2}", "key 'steps' is given twice"),
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
def test_a_recipe_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
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
def test_a_recipe_that_does_not_exist_is_one_sentence(source: str, hint: str) -> None:
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
    paths = [getattr(source, "path", source) for source in sources]
    assert not any(Path(path).is_absolute() for path in paths)
    assert not Path(getattr(recipe.settings, "data", ".")).is_absolute()


def test_the_starter_has_its_published_settings() -> None:
    recipe = load_recipe("distil/starter").settings
    training = recipe.training
    assert [source.share for source in recipe.frames] == [0.6, 0.12, 0.13, 0.15]
    assert [(one.weight, one.temperature, one.every) for one in recipe.teachers] == [
        (0.7, 2.0, 1), (0.3, 1.0, 2), (1.5, 1.0, 1),
    ]  # fmt: skip
    assert (training.steps, training.batch_size, training.seed) == (10_000, 64, 0)
    assert (training.learning_rate, training.warmup_steps) == (0.002, 400)
    assert (training.teacher_px, training.student_px, training.detail_px) == (160, 128, 112)
    assert (training.film_share, training.ema_decay, training.hint_weight) == (0.25, 0.999, 1.0)


@pytest.fixture(scope="module")
def version_0_1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipes that version 0.1 shipped."""
    folder = tmp_path_factory.mktemp("version_0_1")
    with tarfile.open(Path(__file__).parents[1] / "compatibility" / "version_0_1.tar.xz") as tar:
        recipes = [file for file in tar if file.name.startswith("./recipes/")]
        tar.extractall(folder, recipes, filter="data")
    return folder / "recipes"


@pytest.mark.parametrize("name", [name for name in shipped_recipes() if not NEW.search(name)])
def test_a_recipe_of_version_0_1_sets_what_the_shipped_one_sets(
    name: str, version_0_1: Path
) -> None:
    old = load_recipe(str(version_0_1 / f"{name}.yaml"))
    assert old.settings == load_recipe(name).settings
    text = (version_0_1 / f"{name}.yaml").read_text()
    assert bool(old.notes) == any(word in text for word in ("study", "watches", "distorted"))


@pytest.mark.parametrize(
    ("override", "notes"),
    [
        ("study.steps=9", ["study is now called training"]),
        ("study={steps: 9}", ["study is now called training"]),
        (
            "study.views.colour=1",
            ["study is now called training", "training.views is now called training.augmentation"],
        ),
        (
            "training.lessons_per_view=3",
            ["training.lessons_per_view is now called training.passes_per_view"],
        ),
        ("training.steps=9", []),
    ],
)
def test_a_former_name_of_a_setting_is_read_with_a_note(override: str, notes: list[str]) -> None:
    recipe = load_recipe("distil/clip", [override, override])
    assert [note.removeprefix("recipe distil/clip: ") for note in recipe.notes] == notes
    assert recipe.settings.training != load_recipe("distil/clip").settings.training


def test_a_former_value_is_read_with_a_note() -> None:
    recipe = load_recipe("movies2scenes/cowatch", ["training.views=distorted"])
    assert recipe.settings.training.views == "augmented"
    (note,) = recipe.notes
    assert note.endswith("training.views: distorted is now called training.views: augmented")


def test_a_setting_given_by_its_former_and_its_current_name_is_refused(tmp_path: Path) -> None:
    sentence = "study is a former name of training, which is given too; give only training"
    with pytest.raises(SettingError, match=sentence):
        load(tmp_path, PLAIN + "study: {steps: 3}\ntraining: {steps: 3}\n")
    with pytest.raises(SettingError, match=r"training\.views is a former name of augmentation"):
        load(tmp_path, PLAIN + "training: {views: {min_area: 1}, augmentation: {colour: 0}}\n")


@pytest.mark.parametrize("name", [name for name in shipped_recipes() if "movies2" in name])
def test_what_is_shown_of_a_recipe_is_a_file_that_sets_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(recipe_text(name), "utf-8")
    assert load_recipe(str(tmp_path / "copy.yaml")).settings == load_recipe(name).settings


def test_recipes_load_without_tensors_and_help_without_yaml() -> None:
    code = """
        import sys
        from mastershot.recipes.load import load_recipe, shipped_recipes
        for name in shipped_recipes():
            load_recipe(name)
        print(sorted({"torch", "lightning", "lancedb"} & sys.modules.keys()))
    """
    ends = [
        subprocess.check_output([sys.executable, "-c", textwrap.dedent(text)], text=True)
        for text in (code, "import mastershot.apps.cli, sys; print('yaml' in sys.modules)")
    ]
    assert ends == ["[]\n", "False\n"]
