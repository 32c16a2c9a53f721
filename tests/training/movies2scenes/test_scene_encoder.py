import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.factories.movies2scenes import FEATURE_NET, LOG, PIXEL_NET, TRAINING, write_films

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.tables.pair_table import read_pairs, write_pairs
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.checkpoints import load_scene_encoder
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.scene_pairs import neighbour_scenes, same_scenes
from mastershot.training.movies2scenes.settings.encoders import (
    SceneContrastRecipe,
    ShotSource,
)

FEATURES = {"network": "features", "width": 8, "depth": 1, "heads": 1}


def recipe(data: Path, **changes: object) -> SceneContrastRecipe:
    base = SceneContrastRecipe(
        ShotSource("features"), "pairs.parquet", FEATURE_NET, TRAINING, log=LOG, data=str(data)
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def pixels(data: Path, **changes: object) -> SceneContrastRecipe:
    keyframes = ShotSource("keyframes", "keyframes", image_px=16)
    return recipe(data, shots=keyframes, network=PIXEL_NET, **changes)


def log_of(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_films(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", [recipe, pixels])
def test_a_run_makes_an_encoder_that_loads_to_the_same_vectors(data: Path, kind: object) -> None:
    asked = kind(data)  # type: ignore[operator]
    made = train_scene_encoder(asked, data / "run")
    encoder = load_scene_encoder(made)
    film = ShotArrays(data / asked.shots.path).movie(0)
    vectors = encoder.encode_film(film)
    assert vectors.shape == (6, 8)
    assert np.array_equal(vectors, load_scene_encoder(made).encode_film(film))
    assert encoder.encode_film(film, stride=1).shape == (18, 8)
    assert encoder.encode_film(film[:2]).shape == (1, 8)
    assert encoder.encode(np.asarray(film)[None]).shape == (1, 8)
    assert encoder.metadata["recipe"]["training"]["queue"] == 16
    assert encoder.metadata["queue"] == 16


def test_scenes_of_many_lengths_are_trained_on_and_their_padding_counts_for_nothing(
    data: Path,
) -> None:
    rows = np.random.default_rng(1).normal(size=(18, 6)).astype(np.float32)
    rows[[1, 2, 5, 8]] = 0
    write_movie(data / "features", "a", rows)
    pairs = same_scenes(ShotArrays(data / "features"), 3, 3)
    write_pairs(data / "pairs.parquet", [pairs], pairs.made_by)
    asked = recipe(data, network=replace(FEATURE_NET, padded=True))
    encoder = load_scene_encoder(train_scene_encoder(asked, data / "run"))
    padded, alone = encoder.encode(rows[None, :3]), encoder.encode(rows[None, :1])
    np.testing.assert_allclose(padded, alone, rtol=1e-5, atol=1e-6)


def test_the_log_holds_figures_and_the_reason_of_the_queue(data: Path) -> None:
    training = replace(TRAINING, queue=65_536)
    (data / "labels.csv").write_text(
        "movie,first_shot,label\n" + "".join(f"{m},{s},{s % 2}\n" for m in "abcd" for s in (0, 9))
    )
    log = replace(LOG, labels="labels.csv", neighbours=2)
    train_scene_encoder(recipe(data, training=training, log=log), data / "run")
    first, *rest = log_of(data / "run")
    assert first["queue"] == (
        "the queue holds 18 keys, a quarter of 72 distinct key scenes, instead of 65,536"
    )
    assert set(rest[-1]) == {
        "step", "seconds", "loss", "queue_age", "alignment", "uniformity", "knn_accuracy",
    }  # fmt: skip
    assert rest[-1]["step"] == 18
    assert "polyline" in (data / "run" / "curves.svg").read_text()


@pytest.mark.parametrize("views", ["plain", "augmented"])
@pytest.mark.parametrize("negatives", ["queue", "batch"])
@pytest.mark.parametrize("kind", [recipe, pixels])
def test_a_run_that_goes_on_ends_as_one_that_never_stopped(
    data: Path, kind: object, views: str, negatives: str
) -> None:
    training = replace(TRAINING, views=views, negatives=negatives, max_steps=6)
    asked = kind(data, training=training)  # type: ignore[operator]
    whole = load_scene_encoder(train_scene_encoder(asked, data / "whole"))

    class KilledError(Exception):
        pass

    def stop_at_5(stage: str, done: int, *_: object) -> None:
        if stage == "training" and done == 5:
            raise KilledError

    with pytest.raises(KilledError):
        train_scene_encoder(asked, data / "parts", stop_at_5)
    assert torch.load(data / "parts" / "last.ckpt", weights_only=True)["global_step"] == 3
    rest = load_scene_encoder(train_scene_encoder(asked, data / "parts"))
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, rest.network.state_dict()[name]), name
    both = [
        torch.load(data / run / "last.ckpt", weights_only=True)["state_dict"]
        for run in ("whole", "parts")
    ]
    assert all(torch.equal(both[0][name], both[1][name]) for name in both[0])
    if negatives == "queue":
        assert {"queue.vectors", "queue.ids", "queue.next_place"} <= both[0].keys()
        assert any(name.startswith("key_encoder.") for name in both[0])


@pytest.mark.parametrize("kind", [recipe, pixels])
def test_a_run_of_shotcol_that_goes_on_picks_as_one_that_never_stopped(
    data: Path, kind: object
) -> None:
    source = ShotArrays(data / kind(data).shots.path)  # type: ignore[operator]
    pairs = neighbour_scenes(source, 1, 1, reach=4)
    write_pairs(data / "pairs.parquet", [pairs], pairs.made_by)
    asked = kind(data, training=replace(TRAINING, max_steps=6))  # type: ignore[operator]
    whole = train_scene_encoder(asked, data / "whole")

    class KilledError(Exception):
        pass

    def stop_at_5(stage: str, done: int, *_: object) -> None:
        if stage == "training" and done == 5:
            raise KilledError

    with pytest.raises(KilledError):
        train_scene_encoder(asked, data / "parts", stop_at_5)
    rest = load_scene_encoder(train_scene_encoder(asked, data / "parts"))
    assert rest.metadata["weights_sha256"] == load_scene_encoder(whole).metadata["weights_sha256"]
    ids = [
        torch.load(data / run / "last.ckpt", weights_only=True)["state_dict"]["queue.ids"]
        for run in ("whole", "parts")
    ]
    assert torch.equal(*ids)  # of the keys that were picked


def test_a_run_killed_hard_goes_on_to_the_same_end(data: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from tests.training.movies2scenes.test_scene_encoder import recipe
        from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
        def train(data, step):
            def kill(stage, done, *_):
                if stage == "training" and done == step:
                    os.kill(os.getpid(), signal.SIGKILL)
            train_scene_encoder(recipe(data), data / "killed", kill)
        for step in (1, 8, 11):
            if not os.fork():  # a process of its own, without the seconds that importing takes
                try:
                    train(Path(sys.argv[1]), step)
                finally:
                    os._exit(0)
            print(os.waitstatus_to_exitcode(os.wait()[1]))
    """
    ends = subprocess.check_output(
        [sys.executable, "-c", textwrap.dedent(code), str(data)], text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert ends.split() == [str(-signal.SIGKILL)] * 3
    killed = load_scene_encoder(train_scene_encoder(recipe(data), data / "killed"))
    whole = load_scene_encoder(train_scene_encoder(recipe(data), data / "whole"))
    assert killed.metadata["weights_sha256"] == whole.metadata["weights_sha256"]


def test_a_run_that_is_done_changes_nothing_and_another_recipe_is_refused(data: Path) -> None:
    made = train_scene_encoder(recipe(data), data / "run")
    before = {path: path.stat().st_mtime_ns for path in made.iterdir()}
    assert train_scene_encoder(recipe(data), data / "run") == made
    assert {path: path.stat().st_mtime_ns for path in made.iterdir()} == before
    with pytest.raises(SettingError, match=r"begun with another recipe \(training.seed is 0 there"):
        train_scene_encoder(recipe(data, training=replace(TRAINING, seed=1)), data / "run")


def test_pairs_that_do_not_fit_the_shots_are_said(data: Path) -> None:
    (data / "features" / "d.npy").unlink()
    with pytest.raises(DatasetError, match=r"1 films of the scene pairs are not in .*: d"):
        train_scene_encoder(recipe(data), data / "run")
    write_movie(data / "features", "d", np.zeros((5, 6), np.float32))
    with pytest.raises(DatasetError, match="runs past the last shot of d"):
        train_scene_encoder(recipe(data), data / "run")
    pairs = read_pairs(data / "pairs.parquet")
    write_pairs(data / "pairs.parquet", [pairs], {})
    with pytest.raises(DatasetError, match="do not say how many shots a scene has"):
        train_scene_encoder(recipe(data), data / "run")
    none = replace(
        pairs,
        movie=pairs.movie[:0], first_shot=pairs.first_shot[:0], similar=pairs.similar[:0],
        similar_first_shot=pairs.similar_first_shot[:0], scores=pairs.scores[:0],
    )  # fmt: skip
    write_pairs(data / "pairs.parquet", [none], pairs.made_by)
    with pytest.raises(DatasetError, match="holds no scene pair"):
        train_scene_encoder(recipe(data), data / "run")
