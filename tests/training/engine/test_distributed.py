"""Two processes take the steps of one; here they compute on CPUs and add up by gloo."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.factories.movies2scenes import FEATURE_NET, LOG, PIXEL_NET, TRAINING, write_films
from torch import Tensor

from mastershot.core.errors import SettingError
from mastershot.datasets.tables.pair_table import write_pairs
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.engine import distributed
from mastershot.training.engine.metrics_log import read_log
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import steps_done
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.scene_pairs import neighbour_scenes
from mastershot.training.movies2scenes.settings.encoders import (
    SceneContrastRecipe,
    ShotContrastRecipe,
    ShotSource,
)
from mastershot.training.movies2scenes.shot_encoder import train_shot_encoder

# Seven rows do not divide by two.
STEPS = replace(TRAINING, batch_size=7, learning_rate=1e-3, max_steps=5)
TRAININGS = {
    "plain": STEPS,
    "parts": replace(STEPS, micro_batch=2),
    "augmented": replace(STEPS, views="augmented"),
    "simclr": replace(STEPS, views="augmented", negatives="batch"),
}
KINDS = (*TRAININGS, "shotcol", "shots")
FIGURES = ("step", "loss", "alignment", "uniformity", "queue_age")


def train(kind: str, data: Path, out: Path, on_progress: OnProgress = no_progress) -> None:
    """Train an encoder of scenes, or of shots where that is the kind."""
    if kind == "shots":
        source = ShotSource("keyframes", "keyframes", image_px=16)
        shots = ShotContrastRecipe(source, PIXEL_NET, training=STEPS, log=LOG, data=str(data))
        train_shot_encoder(shots, out, on_progress)
    else:
        training = TRAININGS["parts" if kind == "shotcol" else "plain"]
        training = TRAININGS.get(kind, training)
        scenes = SceneContrastRecipe(
            ShotSource("features"),
            "neighbours.parquet" if kind == "shotcol" else "pairs.parquet",
            FEATURE_NET,
            training,
            log=LOG,
            data=str(data),
        )
        train_scene_encoder(scenes, out, on_progress)


def main(data: Path, kinds: Sequence[str]) -> None:
    """Train in one of two processes; at last the first kills itself."""

    def kill(stage: str, done: int, *_: object) -> None:
        if stage == "training" and done == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    with distributed.process_group(shared=True):
        for kind in kinds:
            train(kind, data, data / kind)
        train("plain", data, data / "killed", kill)


@pytest.fixture(scope="module", autouse=True)
def cpu() -> Iterator[None]:
    """Have this process compute where the two do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setattr(torch.cuda, "device_count", lambda: 0)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, cpu: None) -> Path:
    """A run of two processes of each kind; "resumed" was begun by one, "killed" was killed."""
    folder = tmp_path_factory.mktemp("processes")
    write_films(folder)
    neighbours = neighbour_scenes(ShotArrays(folder / "features"), 1, 1, reach=4)
    write_pairs(folder / "neighbours.parquet", [neighbours], neighbours.made_by)

    class StoppedError(Exception):
        pass

    def stop(stage: str, done: int, *_: object) -> None:
        if stage == "training" and done == 5:
            raise StoppedError

    with pytest.raises(StoppedError):
        train("resumed", folder, folder / "resumed", stop)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # As torchrun starts them, without torchrun to end the one when the other has died.
    env = {
        **os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1",
        "TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port, "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    pair = [
        subprocess.Popen(
            [sys.executable, __file__, str(folder), "resumed", *KINDS],
            env={**env, "RANK": rank, "LOCAL_RANK": rank}, stderr=subprocess.PIPE, text=True,
        )
        for rank in "01"
    ]  # fmt: skip
    try:
        errors = [process.communicate(timeout=120)[1] for process in pair]
    finally:
        for process in pair:
            process.kill()
    assert [process.returncode for process in pair] == [-signal.SIGKILL, 1], errors
    assert "another process of this run ended, so this one ends too" in errors[1]
    return folder


def state_of(run: Path) -> dict[str, Tensor]:
    """Return weights and queue, and the mean gradients, which unlike AdamW's steps have a scale."""
    kept = torch.load(run / "last.ckpt", weights_only=True)
    state: dict[str, Tensor] = dict(kept["state_dict"])
    for place, of_one in kept["optimizer_states"][0]["state"].items():
        state[f"gradient {place}"] = of_one["exp_avg"]
    for name in state:
        if name.startswith("encoder.") and name.endswith("queries_keys_values.bias"):
            # Keys' bias has no effect: its gradient is rounding errors, and AdamW steps by them.
            state[name].chunk(3)[1].zero_()
    return state


def assert_same_run(one: Path, other: Path) -> None:
    """Compare weights, queue, gradients, figures and the names of files."""
    states = state_of(one), state_of(other)
    assert states[0].keys() == states[1].keys()
    assert any(
        name.startswith("gradient") and value.max() > 0.01 for name, value in states[0].items()
    )
    for name, value in states[0].items():
        rtol = 1e-3 if name.startswith("gradient") else 0
        message = f"{name}: {{}}".format
        torch.testing.assert_close(states[1][name], value, rtol=rtol, atol=1e-5, msg=message)
    logs = [[{name: line[name] for name in FIGURES if name in line} for line in read_log(run)]
            for run in (one, other)]  # fmt: skip
    assert [line["step"] for line in logs[0]] == [2, 4, 5]
    for mine, theirs in zip(*logs, strict=True):
        assert theirs == pytest.approx(mine, abs=1.1e-5)  # The log has five places.
    files = [{path.name for path in run.rglob("*")} for run in (one, other)]
    assert files[0] == files[1]


@pytest.mark.parametrize("kind", [*KINDS, "resumed"])
def test_two_processes_take_the_steps_of_one(kind: str, data: Path, tmp_path: Path) -> None:
    train(kind, data, tmp_path)
    assert_same_run(tmp_path, data / kind)


def test_a_run_of_two_processes_that_died_resumes(data: Path, tmp_path: Path) -> None:
    assert steps_done(data / "killed") == 3
    train("plain", data, data / "killed")
    train("plain", data, tmp_path)
    assert_same_run(tmp_path, data / "killed")


def test_what_cannot_be_shared_and_a_gpu_too_few_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    refused = pytest.raises(SettingError, match="runs in one process; start it without torchrun")
    with refused, distributed.process_group(shared=False):
        pass
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    refused = pytest.raises(SettingError, match="process 3 on this machine finds 2 GPUs; start one")
    with refused, distributed.process_group(shared=True):
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
