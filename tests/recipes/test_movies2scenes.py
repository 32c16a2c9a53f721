"""Every recipe of Movies2Scenes says what the paper says, and its debug version takes two steps."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.recipes.load import load_recipe, recipe_text, shipped_recipes
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.synthetic.library import plan_library, write_metadata
from mastershot.training.engine.settings import no_progress
from mastershot.training.movies2scenes.checkpoints import load_scene_encoder, load_shot_encoder

RECIPES = [name for name in shipped_recipes() if name.startswith("movies2scenes/")]


def debug(name: str) -> str:
    return f"debug/{name.replace('/', '-')}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keyframes, features and metadata of twelve films of 20 shots."""
    folder = tmp_path_factory.mktemp("library")
    library = plan_library(12, seed=3)
    write_metadata(library, folder)
    rng = np.random.default_rng(0)
    for name in ("one", "three", "features"):
        (folder / name).mkdir()
    for film in library.films:
        frames = rng.integers(0, 255, (20, 3, 32, 32, 3), np.uint8)
        write_movie(folder / "three", film.id, frames)
        write_movie(folder / "one", film.id, frames[:, 1:2])
        write_movie(folder / "features", film.id, rng.normal(size=(20, 6)).astype(np.float32))
    return folder


@pytest.mark.parametrize("name", RECIPES)
def test_a_debug_version_takes_two_steps(name: str, data: Path, tmp_path: Path) -> None:
    source = load_recipe(debug(name)).settings.shots
    shots = source.content if source.content == "features" else "one"
    shots = "three" if source.frames_per_shot == 3 else shots
    recipe = load_recipe(debug(name), [f"data={data}", f"shots.path={shots}"])
    assert recipe.kind.problems(recipe.settings) == []
    result = recipe.kind.run(recipe.settings, tmp_path, no_progress)
    assert result.figures["step"] == 2
    assert np.isfinite(result.figures["loss"])
    load = load_shot_encoder if name.endswith("shot-encoder") else load_scene_encoder
    encoder = load(result.path)
    arrays = ShotArrays(data / shots)
    vectors = encoder.encode_film(arrays.movie(0))
    assert vectors.shape == (
        -(-20 // encoder.shape.num_shots) - (20 % encoder.shape.num_shots > 0),
        encoder.width,
    )
    log = [json.loads(line) for line in (result.path.parent / "log.jsonl").read_text().splitlines()]
    assert "queue" in log[0]
    assert (result.path.parent / "curves.svg").read_text().startswith("<svg")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shots"), [("features", "features"), ("cowatch", "one")])
def test_two_processes_run_a_recipe_and_again_change_nothing(
    name: str, shots: str, data: Path, tmp_path: Path
) -> None:
    def run() -> dict[Path, int]:
        subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
             "-m", "mastershot", "run", debug(f"movies2scenes/{name}"), f"data={data}",
             f"shots.path={shots}", "--out", tmp_path / "run"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1",
                 "CUDA_VISIBLE_DEVICES": ""},
            timeout=300, check=True,
        )  # fmt: skip
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}

    first = run()
    assert load_scene_encoder(tmp_path / "run" / "scenes" / "scene_encoder").width == 8
    assert run() == first


def test_a_run_notes_what_it_left_out_and_how_well_similar_films_are_recognised(
    data: Path, tmp_path: Path
) -> None:
    views = (data / "cowatch.csv").read_text()
    odd = ",tt9000001,5\n5,tt9000001,-3\n5,nofilm,1500525293\n5,nofilm,1500525294\n"
    (tmp_path / "views.csv").write_text(views + odd)
    shutil.copytree(data / "features", tmp_path / "features")
    write_movie(tmp_path / "features", "tt9000003", np.zeros((5, 6), np.float32))
    write_movie(tmp_path / "features", "tt9000004", np.full((20, 6), np.nan, np.float32))
    write_movie(tmp_path / "features", "unseen", np.zeros((20, 6), np.float32))
    settings = [f"data={tmp_path}", "shots.path=features", "similarity.viewing_log=views.csv"]
    recipe = load_recipe("debug/movies2scenes-features", settings)
    notes = recipe.kind.run(recipe.settings, tmp_path / "run", no_progress).notes
    assert notes[:4] == (
        "films without a similar one: 1, the first: unseen",
        "films with fewer shots than a scene: 1, the first: tt9000003",
        "films with damaged features: 1, the first: shot 0 of movie 'tt9000004' has a feature that "
        "is not a finite float32 number; encode it again",
        f"of {len(views.splitlines()) + 3} views, left out: 1 lack a viewer or a film, 1 are at an "
        "impossible time, 2 are of films that are not in the library",
    )
    assert re.fullmatch(
        r"whether two films are similar is predicted correctly for .* of 6 held-out pairs, .*",
        notes[-1],
    )


def test_metadata_is_read_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    settings = [f"data={data}", "shots.path=one"]
    recipe = load_recipe(
        "debug/movies2scenes-cowatch", [*settings, "similarity.viewing_log=gone.csv"]
    )
    with pytest.raises(DatasetError, match=r"viewing_log .*gone\.csv does not exist"):
        recipe.kind.run(recipe.settings, tmp_path / "run", no_progress)
    assert not (tmp_path / "run").exists()
    (tmp_path / "views.csv").write_text("user,movie,time\n")
    views = f"similarity.viewing_log={tmp_path / 'views.csv'}"
    recipe = load_recipe("debug/movies2scenes-cowatch", [*settings, views])
    with pytest.raises(DatasetError, match="is empty; it should hold one view a row"):
        recipe.kind.run(recipe.settings, tmp_path / "run", no_progress)
    assert not (tmp_path / "run" / "shot_encoder").exists()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_is_and_has_a_debug_debug(name: str) -> None:
    assert recipe_text(name).startswith("# ")
    one, other = asdict(load_recipe(name).settings), asdict(load_recipe(debug(name)).settings)
    for key in ("pairs", "movie_encoder"):
        assert one.get(key) == other.get(key)


def test_the_papers_settings_are_the_defaults() -> None:
    recipe = load_recipe("movies2scenes/cowatch").settings
    network, training = recipe.network, recipe.training
    assert (network.network, network.width, network.depth, network.heads) == ("vit", 768, 12, 12)
    assert (recipe.shots.image_px, network.patch_px) == (128, 16)
    assert (recipe.pairs.window, recipe.pairs.keep, recipe.shots.frames_per_shot) == (9, 0.5, 1)
    assert (training.queue, training.momentum, training.temperature) == (65_536, 0.999, 0.07)
    assert (training.learning_rate, training.weight_decay, training.warmup_epochs) == (
        1.5e-4,
        0.01,
        40,
    )
    assert (training.batch_size, training.epochs, training.projection) == (128, 100, 128)
    movies = recipe.movie_training
    assert (movies.learning_rate, movies.batch_size, movies.epochs) == (0.1, 256, 100)
    assert (movies.num_shots, movies.width, recipe.similarity.num_similar) == (1024, 512, 3)


def test_each_axis_of_table_1_is_a_recipe() -> None:
    settings = {name: load_recipe(name).settings for name in RECIPES if "shot-enc" not in name}
    windows = {name: recipe.pairs.window for name, recipe in settings.items()}
    assert {windows[f"movies2scenes/shots-{n}"] for n in (1, 4, 16)} == {1, 4, 16}
    assert settings["movies2scenes/frames-3"].shots.frames_per_shot == 3
    mvit = settings["movies2scenes/mvit"]
    assert (mvit.network.backbone, mvit.training.batch_size, mvit.shots.image_px) == (
        "mvit_v2_s", 32, 224,
    )  # fmt: skip
    measures = {recipe.similarity.measure for recipe in settings.values()}
    assert measures == {"cowatch", "random", "genre", "synopsis"}
    films = {recipe.similarity.max_movies for recipe in settings.values()}
    assert films == {0, 300, 3_000, 7_500, 15_000}
