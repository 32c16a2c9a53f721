"""Libraries, runs and recipes of version 0.1.0, before its parts were renamed, open and go on."""

import json
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.factories.distillation import tiny_recipe

import mastershot as ms
from mastershot.core.timeline import Timeline
from mastershot.pipeline.analysis.plan import Plan
from mastershot.recipes.load import load_recipe, shipped_recipes
from mastershot.training.distillation.train import distil
from mastershot.training.movies2scenes.checkpoints import load_scene_encoder
from mastershot.training.movies2scenes.movie_encoder import load_movie_encoder

ARCHIVE = Path(__file__).with_name("version_0_1.tar.xz")
# Other processors and numbers of threads round otherwise, and AdamW turns a gradient's last digit
# into up to a learning rate (0.01). A lost state of the optimiser moves weights by more than 0.02.
ATOL = 0.005
# New or changed since version 0.1.
NEW = re.compile(
    "movieclip|downstream|genres|^scenes/|scene_boundaries|distil/starter|encode|shotcol|mvit"
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("version_0_1")
    with tarfile.open(ARCHIVE) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture
def before(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, as the working directory, for the runs' paths start from there."""
    folder = tmp_path / "films"
    shutil.copytree(archive, folder)
    monkeypatch.chdir(folder)
    return folder


def resume(kind: str, run: str, *settings: str) -> Path:
    """Go on with a run by the recipe that its directory holds."""
    recipe = json.loads(Path(run, "recipe.json").read_text("utf-8"))
    Path("recipe.yaml").write_text(json.dumps({"recipe": kind, **recipe}), "utf-8")
    loaded = load_recipe("recipe.yaml", settings)
    made: Path = loaded.kind.run(loaded.settings, Path(run), lambda *_: None).path
    return made


def assert_same_weights(made: Path, expected: Path) -> None:
    files = [file.name for file in expected.glob("*.safetensors")]
    assert files
    for name in files:
        ours, theirs = load_file(made / name), load_file(expected / name)
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            torch.testing.assert_close(ours[key], value, rtol=0, atol=ATOL)


def steps_logged(run: str) -> list[int]:
    lines = Path(run, "log.jsonl").read_text("utf-8").splitlines()
    return [entry["step"] for entry in map(json.loads, lines) if "seconds" in entry]


def test_a_scene_encoder_goes_on_from_its_checkpoint(before: Path) -> None:
    made = resume("scene_contrast", "runs/scenes")
    assert_same_weights(made, before / "expected/scenes/scene_encoder")
    assert steps_logged("runs/scenes") == [2, 4, 4, 6, 8, 10, 12, 14, 16, 18]
    ours, theirs = load_scene_encoder(made), load_scene_encoder("expected/scenes/scene_encoder")
    film = np.load("features/a.npy")
    np.testing.assert_allclose(ours.encode_film(film), theirs.encode_film(film), atol=1e-3)


def test_a_movie_encoder_goes_on_from_its_checkpoint(before: Path) -> None:
    made = resume("movie_similarity", "runs/movies")
    assert_same_weights(made, before / "expected/movies/movie_encoder")
    assert steps_logged("runs/movies")[:3] == [2, 4, 4]
    assert load_movie_encoder("expected/movies/movie_encoder").network.settings.width == 8


def test_a_classifier_of_shot_scales_goes_on_from_its_checkpoint(before: Path) -> None:
    made = resume("shot_scale", "runs/scale")
    assert_same_weights(made, before / "expected/scale/classifier")


def test_a_checkpoint_of_a_distillation_has_the_names_and_shapes_of_before(
    archive: Path, tmp_path: Path
) -> None:
    before = json.loads((archive / "distil_checkpoint.json").read_text("utf-8"))
    distil(tiny_recipe(tmp_path), tmp_path / "run")
    checkpoint = torch.load(tmp_path / "run/last.ckpt", weights_only=True)
    shapes = {name: list(value.shape) for name, value in checkpoint["state_dict"].items()}
    assert shapes == before["state_dict"]
    assert [len(state["state"]) for state in checkpoint["optimizer_states"]] == before["optimizer"]


@pytest.mark.parametrize("setting", ["study.batch_size=4", "training.batch_size=4"])
def test_a_run_of_other_settings_is_still_refused(before: Path, setting: str) -> None:
    with pytest.raises(ms.MastershotError, match="was begun with another recipe"):
        resume("scene_contrast", "runs/scenes", setting)


def test_a_library_lists_verifies_searches_and_takes_a_film_again(before: Path) -> None:
    library = ms.Library("films.mastershot", create=False)
    listed = json.loads(Path("library_ls.json").read_text("utf-8"))
    assert [(film.id, film.num_shots, film.run_id) for film in library.movies()] == [
        (film["id"], film["num_shots"], film["run_id"]) for film in listed
    ]
    # The films were added from a folder that is not here; nothing else may be wrong.
    assert {problem.kind for problem in library.verify()} <= {"file"}
    with pytest.raises(ms.MastershotError, match="are of other weights than mastershot/starter"):
        library.search("a red wall", limit=3)
    film = next(film for film in listed if film["num_shots"] == 3)
    assert library.add("film.mp4").movie.id == film["id"]
    assert len(library.search("a red wall", limit=3)) == 3
    assert library.repair() == 0


def test_a_timeline_is_read_and_written_to_the_same_bytes(archive: Path) -> None:
    text = (archive / "out/film/timeline.json").read_text("utf-8")
    assert Timeline.from_json(text).to_json() == text


def test_labels_of_before_are_made_again_by_the_starter_of_today_and_shots_stay(
    before: Path,
) -> None:
    path = before / "out/film/timeline.json"
    old = json.loads(path.read_text("utf-8"))
    # That version had no step of sound.
    ms.analyze("film.mp4", Plan(steps=("shots", "labels", "scenes", "scale")), out="out")
    new = json.loads(path.read_text("utf-8"))
    assert old["made_by"]["steps"]["labels"] != new["made_by"]["steps"]["labels"]
    for name in ("first_frame", "end_frame", "start_pts", "transition_in", "sampled_frames"):
        assert [shot[name] for shot in new["shots"]] == [shot[name] for shot in old["shots"]]


@pytest.mark.parametrize("name", [name for name in shipped_recipes() if not NEW.search(name)])
def test_a_recipe_of_before_means_what_it_meant(archive: Path, name: str) -> None:
    old = load_recipe(str(archive / "recipes" / f"{name}.yaml"))
    assert old.settings == load_recipe(name).settings
