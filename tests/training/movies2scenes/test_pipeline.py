import json
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.movies2scenes import FEATURE_NET, LOG, PIXEL_NET, TRAINING, write_films

from mastershot.core.errors import DatasetError, SettingError
from mastershot.training.movies2scenes.checkpoints import load_scene_encoder
from mastershot.training.movies2scenes.pipeline import STAGES, run_pipeline
from mastershot.training.movies2scenes.settings.encoders import ShotSource
from mastershot.training.movies2scenes.settings.stages import (
    MovieTrainingSettings,
    PairingSettings,
    PipelineRecipe,
    SimilaritySettings,
)

STEPS = replace(TRAINING, max_steps=1)
VECTORS = ShotSource("features")
KEYFRAMES = ShotSource("keyframes", "keyframes", image_px=16)
SAME = PairingSettings(window=3, positives="same")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_films(tmp_path, films=6)
    rows = "".join(f"{name},drama,\n" for name in "abcdef")
    (tmp_path / "movies.csv").write_text(f"movie,genres,synopsis\n{rows}")
    return tmp_path


def recipe(data: Path, **changes: Any) -> PipelineRecipe:
    movies = MovieTrainingSettings(batch_size=4, max_steps=1, width=8, num_shots=136, held_out=0.3)
    base = PipelineRecipe(
        VECTORS, SimilaritySettings("genre", movies="movies.csv", num_similar=1),
        movie_training=movies, pairs=PairingSettings(window=3), network=FEATURE_NET,
        shot_network=PIXEL_NET, shot_training=STEPS, training=STEPS, log=LOG, data=str(data),
    )  # fmt: skip
    return replace(base, **changes)


def stages(run: Path) -> set[str]:
    return {path.name for path in run.iterdir() if path.name in STAGES}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"similarity", "movie_encoder", "pairs", "scenes"}),
        ({"movie_encoder": False}, {"similarity", "pairs", "scenes"}),
        ({"pairs": SAME}, {"pairs", "scenes"}),
        ({"pairs": replace(SAME, positives="nearest")}, {"pairs", "scenes"}),
        ({"shots": KEYFRAMES, "network": PIXEL_NET, "pairs": SAME}, {"pairs", "scenes"}),
        (
            {"shots": KEYFRAMES, "network": PIXEL_NET, "pairs": replace(SAME, positives="nearest")},
            {"pairs", "scenes"},
        ),
        ({"shots": KEYFRAMES, "network": PIXEL_NET, "shot_encoder": "train"}, set(STAGES)),
    ],
)
def test_a_chain_has_the_stages_that_its_recipe_needs(
    data: Path, changes: dict[str, Any], expected: set[str]
) -> None:
    made = run_pipeline(recipe(data, **changes), data / "run")
    assert stages(data / "run") == expected
    encoder = load_scene_encoder(made)
    assert encoder.shape.row_shape == ((1, 16, 16, 3) if "shots" in changes else (6,))
    assert encoder.shape.num_shots == 3


def test_a_chain_that_was_stopped_goes_on_at_the_stage_that_is_missing(data: Path) -> None:
    class KilledError(Exception):
        pass

    reported: list[str] = []

    def stop(stage: str, *_: object) -> None:
        reported.append(stage)
        if stage == "training":
            raise KilledError

    with pytest.raises(KilledError):
        run_pipeline(recipe(data), data / "run", stop)
    assert {"movies", "scene pairs", "training"} <= set(reported)
    before = {path: path.stat().st_mtime_ns for path in (data / "run" / "pairs").iterdir()}
    reported.clear()
    made = run_pipeline(recipe(data), data / "run", lambda stage, *_: reported.append(stage))
    assert not {"movies", "scene pairs"} & set(reported)
    assert {path: path.stat().st_mtime_ns for path in (data / "run" / "pairs").iterdir()} == before
    with pytest.raises(SettingError, match=r"training\.seed is 0 there and 1 here"):
        run_pipeline(recipe(data, training=replace(STEPS, seed=1)), data / "run")
    rmtree(made.parent)
    assert run_pipeline(recipe(data), data / "run") == made


def test_what_is_missing_is_said_before_anything_is_written(data: Path) -> None:
    with pytest.raises(DatasetError, match=r"^shots .*gone do not exist; name a library"):
        run_pipeline(recipe(data, shots=ShotSource("gone")), data / "run")
    (data / "movies.csv").unlink()
    with pytest.raises(DatasetError, match=r"^similarity\.movies .*movies\.csv does not exist$"):
        run_pipeline(recipe(data), data / "run")
    assert not (data / "run").exists()


def test_films_that_cannot_be_read_are_logged_and_the_rest_are_used(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    colours = [(210, 40, 40), (20, 20, 20), (230, 230, 230)] * 3
    encode_film(tmp_path / "films" / "one.mp4", flat_images(colours, each=24))
    (tmp_path / "films" / "broken.mp4").write_bytes(b"no film")
    source = ShotSource("films", "keyframes", image_px=16)
    asked = recipe(tmp_path, shots=source, network=PIXEL_NET, pairs=replace(SAME, window=1))
    asked = replace(asked, similarity=SimilaritySettings("random"))
    run_pipeline(asked, tmp_path / "run")
    (line,) = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    (unread,) = json.loads(line)["unread"]
    assert "broken.mp4" in unread
