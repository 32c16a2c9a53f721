import json
from pathlib import Path

import pytest
from tests.factories.distillation import write_pictures
from tests.factories.models import make_tiny_clip
from typer.testing import CliRunner

from mastershot.apps.cli import app
from mastershot.recipes.load import shipped_recipes


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe file whose run takes a moment."""
    make_tiny_clip(tmp_path / "toy")
    write_pictures(tmp_path / "pictures")
    code, _, _ = invoke("recipes", "copy", "debug/distil", tmp_path / "mine.yaml")
    assert code == 0
    text = (tmp_path / "mine.yaml").read_text()
    text = text.replace("mastershot-out/demo.mp4", "pictures").replace("starter", "toy")
    (tmp_path / "mine.yaml").write_text(text + f"data: {tmp_path}\n")
    return tmp_path / "mine.yaml"


def test_a_run_says_where_its_student_is(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, shown, errors = invoke("run", recipe, "training.steps=2", "--out", out)
    assert (code, shown) == (0, f"mine → {out}/student\n")
    assert errors == f"mastershot: the run is kept in {out}\n"
    code, shown, errors = invoke(
        "run", recipe, "training.steps=2", "--out", out, "--json", "--quiet"
    )
    result = json.loads(shown)
    assert (code, errors) == (0, "")
    assert (result["recipe"], result["made"]) == ("mine", f"{out}/student")
    assert result["agreement"][0]["source"] == "pictures"


def test_files_that_could_not_be_read_are_listed(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "bad.jpg").write_text("no picture")
    code, shown, errors = invoke(
        "run", recipe, "training.steps=2", "--out", tmp_path / "out", "--json", "--quiet"
    )
    assert code == 0
    assert "files that could not be read: 1, the first: " in errors
    assert "bad.jpg is not a picture" in json.loads(shown)["unread"][0]


def test_a_run_goes_into_a_folder_of_its_name(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("run", recipe, "training.steps=2", "--quiet")[0] == 0
    assert (tmp_path / "mastershot-runs" / "mine" / "student" / "student.json").exists()


def test_what_cannot_be_run_is_one_sentence_and_usage(recipe: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        ((recipe, "training.stepz=2"), "training.stepz is unknown; did you mean 'steps'?"),
        ((recipe, "frames.0.path=gone"), f"frames {tmp_path}/gone do not exist"),
        (("distil/startr",), "did you mean 'distil/starter'?"),
    ):
        code, shown, errors = invoke("run", *arguments, "--quiet", "--out", tmp_path / "out")
        assert (code, shown) == (2, "")
        assert sentence in errors
        assert len(errors.splitlines()) == 1


def test_recipes_are_listed_with_what_they_do() -> None:
    code, shown, _ = invoke("recipes", "list")
    assert code == 0
    assert [line.split()[0] for line in shown.splitlines()] == shipped_recipes()
    assert {"debug/distil", "distil/starter", "shot_scale/movieshots"} <= set(shipped_recipes())
    rows = json.loads(invoke("recipes", "list", "--json")[1])
    about = {row["name"]: row["about"] for row in rows}
    assert about["distil/starter"].startswith("The encoder that ships with the package")


def test_a_recipe_is_shown_as_it_is() -> None:
    code, shown, _ = invoke("recipes", "show", "distil/clip")
    assert code == 0
    assert "recipe: distil\n" in shown
    assert invoke("recipes", "show", "distil/clap")[0] == 2


def test_a_copy_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    code, _, errors = invoke("recipes", "copy", "distil/clip", tmp_path / "mine.yaml")
    assert (code, (tmp_path / "mine.yaml").read_text()) == (1, "mine")
    assert "exists already; name another file" in errors
    code, _, errors = invoke("recipes", "copy", "distil/clip", tmp_path / "no" / "mine.yaml")
    assert code == 1
    assert "cannot be written: No such file" in errors


def test_a_recipe_is_checked_without_being_run(recipe: Path, tmp_path: Path) -> None:
    assert invoke("recipes", "check", recipe)[:2] == (0, "mine can be run\n")
    code, shown, errors = invoke("recipes", "check", recipe, "frames.0.path=gone", "--json")
    checked = json.loads(shown)
    assert code == 1
    assert checked["settings"]["frames"][0]["path"] == "gone"
    assert checked["problems"][0] in errors
    assert invoke("recipes", "check", recipe, "nonsense=1")[0] == 2


def test_former_names_of_settings_are_noted(recipe: Path, tmp_path: Path) -> None:
    note = f"mastershot: recipe {recipe}: study is now called training\n"
    assert invoke("recipes", "check", recipe, "study.steps=2")[2] == note
    out = ("--out", tmp_path / "out", "--quiet")
    assert invoke("run", recipe, "study.steps=2", *out) == (0, f"mine → {out[1]}/student\n", note)
    code, _, noted = invoke("run", recipe, "study.steps=2", "study.nonsense=2", *out)
    assert code == 2
    assert "training.nonsense is unknown" in noted


def test_a_debug_version_is_shown_and_copied_whole(tmp_path: Path) -> None:
    name = "debug/movies2scenes-films-300"
    assert "network: {width: 8, depth: 1, heads: 2}\n" in invoke("recipes", "show", name)[1]
    assert invoke("recipes", "copy", name, tmp_path / "mine.yaml")[0] == 0
    settings = [
        json.loads(invoke("recipes", "check", source, "--json")[1])["settings"]
        for source in (name, tmp_path / "mine.yaml")
    ]
    assert settings[0] == settings[1]
    assert settings[0]["similarity"]["max_movies"] == 8
