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

from mastershot.core.errors import DatasetError, EncoderError, MastershotError, SettingError
from mastershot.datasets.tables.pair_table import read_pairs, write_pairs
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.checkpoints import load_scene_encoder, load_shot_encoder
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.scene_pairs import same_scenes
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
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


def test_micro_batches_take_the_same_step(data: Path) -> None:
    whole = load_scene_encoder(
        train_scene_encoder(recipe(data, training=replace(TRAINING, max_steps=3)), data / "whole")
    )
    parts = load_scene_encoder(
        train_scene_encoder(
            recipe(data, training=replace(TRAINING, max_steps=3, micro_batch=3)), data / "parts"
        )
    )
    # AdamW's step is as long for a gradient of rounding errors, such as that of the keys' bias, so
    # vectors are compared and not weights.
    film = ShotArrays(data / "features").movie(0)
    assert np.allclose(whole.encode_film(film), parts.encode_film(film), atol=1e-4)


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


@pytest.mark.parametrize("settings", [{"window": True}, {"window": 0}, [1], "x"])
def test_pairs_that_say_something_odd_are_refused(data: Path, settings: object) -> None:
    pairs = read_pairs(data / "pairs.parquet")
    write_pairs(data / "pairs.parquet", [pairs], {"settings": settings})
    with pytest.raises(DatasetError, match="do not say how many shots a scene has"):
        train_scene_encoder(recipe(data), data / "run")


def test_training_ends_where_the_loss_is_not_finite_and_keeps_the_last_checkpoint(
    data: Path,
) -> None:
    rows = np.array(np.load(data / "features" / "c.npy"))
    rows[5] = np.nan
    write_movie(data / "features", "c", rows)
    log = replace(LOG, save_every=1)
    with pytest.raises(MastershotError, match=r"the loss of step \d+ is nan: .* not finite"):
        train_scene_encoder(
            recipe(data, log=log, training=replace(TRAINING, batch_size=2)), data / "run"
        )
    state = torch.load(data / "run" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(value.isfinite().all() for value in state.values())
    assert not (data / "run" / "scene_encoder").exists()


def test_a_folder_that_holds_no_encoder_is_said(data: Path) -> None:
    with pytest.raises(EncoderError, match=r"holds no scene_encoder\.json"):
        load_scene_encoder(data)
    with pytest.raises(EncoderError, match=r"holds no shot_encoder\.json"):
        load_shot_encoder(data)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "is of format 'x'; this version reads mastershot/scene-encoder/1"),
        ({"network": {"width": 7}}, "does not describe an encoder"),
        ({"network": {"widhh": 8}}, "does not describe an encoder"),
        ({"row_shape": [6, 6]}, "does not describe an encoder"),
        ({"num_shots": "many"}, "does not describe an encoder"),
        ({"num_shots": 10**9}, "does not describe an encoder"),
        ({"network": {"network": "features", "width": 10**6, "heads": 1}}, "does not describe"),
        ({"network": {**FEATURES, "depth": 10**6, "width": 1}}, "weights in 1,000,000 blocks"),
        ({"network": {**FEATURES, "depth": 1.0}}, "depth is 1.0; it must be a whole number"),
        ({"network": {**FEATURES, "depth": True}}, "depth is True; it must be a whole number"),
        ({"network": [1]}, "does not describe an encoder"),
        ({"num_shots": float("inf")}, "num_shots is inf; it must be a whole number"),
        ({"row_shape": [float("inf")]}, "row_shape.0 is inf; it must be a whole number"),
        ({"row_shape": None}, "does not describe an encoder"),
        ({"row_shape": [2**26], "network": {**FEATURES, "width": 64}}, "weights in 1 blocks"),
        ({"network": {"width": 8, "heads": 2}, "row_shape": [1, 8, 8, 3]}, "lacks 'vit'|describe"),
        ({"row_shape": [7]}, "cannot be loaded"),
        ({"weights_sha256": "0"}, "is not the file that its description was written for"),
    ],
)
def test_a_description_that_cannot_be_is_said(
    data: Path, change: dict[str, object], sentence: str
) -> None:
    made = train_scene_encoder(recipe(data, training=replace(TRAINING, max_steps=1)), data / "run")
    path = made / "scene_encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(EncoderError, match=sentence):
        load_scene_encoder(made)


@pytest.mark.parametrize(
    "vit",
    [
        {"width": 8.0}, {"width": 2**20, "heads": 1}, {"depth": 10**9, "width": 1, "heads": 1},
        {"mlp_ratio": float("nan")}, {"image_px": 2**20}, {"pixel_mean": [1]}, {"norm_eps": "x"},
        {"wide": 1}, [1], None,
    ],
)  # fmt: skip
def test_a_description_of_a_vit_that_cannot_be_is_said(data: Path, vit: object) -> None:
    made = train_scene_encoder(pixels(data, training=replace(TRAINING, max_steps=1)), data / "run")
    path = made / "scene_encoder.json"
    saved = json.loads(path.read_text())
    saved["vit"] = {**saved["vit"], **vit} if isinstance(vit, dict) else vit
    path.write_text(json.dumps(saved))
    with pytest.raises(EncoderError, match="does not describe an encoder"):
        load_scene_encoder(made)


def test_damaged_weights_and_scenes_of_another_kind_are_said(data: Path) -> None:
    made = train_scene_encoder(recipe(data, training=replace(TRAINING, max_steps=1)), data / "run")
    encoder = load_scene_encoder(made)
    for scenes in (np.zeros((2, 3, 7), np.float32), np.zeros((2, 6), np.float32),
                   np.zeros((2, 3, 6), np.uint8), np.zeros((2, 0, 6), np.float32)):  # fmt: skip
        with pytest.raises(SettingError, match=r"this encoder takes features \(scenes, shots, 6\)"):
            encoder.encode(scenes)
    with pytest.raises(SettingError, match="0 shots with a stride of 0 hold no scene"):
        encoder.encode_film(np.zeros((0, 6), np.float32))
    weights = made / "scene_encoder.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_scene_encoder(made)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 1}, "batch_size is 1; it must be at least 2"),
        ({"micro_batch": -1}, "micro_batch is -1"),
        ({"micro_batch": 2, "negatives": "batch"}, "with negatives from the batch"),
        ({"negatives": "all"}, "negatives is 'all'; it must be one of queue, batch"),
        ({"views": "odd"}, "views is 'odd'; it must be one of plain, augmented"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; it must be above 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"noise": -1.0}, "noise is -1"),
        ({"momentum": 1.5}, r"momentum is 1.5; it must be in \[0, 1\]"),
        ({"dropout": 1.0}, "dropout is 1"),
        ({"queue": 0}, "queue is 0"),
        ({"projection": 0}, "projection is 0"),
        ({"max_steps": -1}, "max_steps is -1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_meaningless_training_is_one_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        ContrastiveSettings(**change)  # type: ignore[arg-type]


def test_a_network_sees_what_it_is_for(data: Path) -> None:
    with pytest.raises(
        SettingError, match=r"shots\.content is features; network vit sees keyframes"
    ):
        recipe(data, network=PIXEL_NET)
    with pytest.raises(SettingError, match="padded is of features; scenes of keyframes have one"):
        replace(PIXEL_NET, padded=True)
