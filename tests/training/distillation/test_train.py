import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.factories.distillation import (
    tiny_recipe,
    tiny_training,
    write_labelled_table,
    write_pictures,
)
from tests.factories.models import make_tiny_clip

from mastershot.core.errors import EncoderError, OutputError, SettingError
from mastershot.encoders.catalogue import load_encoder
from mastershot.models.fire_net import FireNet
from mastershot.training.distillation.settings import (
    DistilRecipe,
    FrameSource,
    HeldOutSettings,
    TeacherSettings,
)
from mastershot.training.distillation.train import distil
from mastershot.training.engine.settings import AugmentationSettings

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.factories.distillation import tiny_recipe
from mastershot.training.distillation.train import distil

def on_progress(stage, done, total, figures):
    if stage == "training" and done == 3:
        os.kill(os.getpid(), signal.SIGKILL)

distil(tiny_recipe(Path(sys.argv[1])), Path(sys.argv[2]), on_progress)
"""


def weights_of(student: Path) -> dict[str, torch.Tensor]:
    return load_file(student / "student.safetensors")


def settings_of(student: Path) -> dict[str, Any]:
    return json.loads((student / "student.json").read_text())


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def undisturbed(data: Path) -> Path:
    """The student of a run that nothing stopped."""
    return distil(tiny_recipe(data), data / "undisturbed")


def test_a_run_leaves_a_student_that_states_how_it_was_made(undisturbed: Path) -> None:
    settings = settings_of(undisturbed)
    assert settings["format"] == "mastershot/student/1"
    assert (settings["kind"], settings["network"], settings["image_px"]) == ("concepts", "fire", 32)
    assert (settings["name"], settings["seed"], settings["steps"]) == ("tiny", 0, 5)
    assert settings["concepts"] == [[f"place {number}" for number in range(7)]]
    (teacher,) = settings["teachers"]
    assert teacher.pop("sha256").isalnum()
    assert teacher == {
        "kind": "squeezenet", "weights": "squeezenet.safetensors", "weight": 1.0, "temperature": 2.0
    }  # fmt: skip
    (agreement,) = settings["agreement"]
    (trained_on,) = settings["trained_on"]
    assert trained_on["source"] == agreement["source"] == "pictures"
    assert trained_on["frames"] + agreement["num_frames"] == 12


def test_the_student_is_the_last_checkpoint_fused_and_halved(undisturbed: Path) -> None:
    state = torch.load(undisturbed.parent / "last.ckpt", weights_only=True)
    assert state["global_step"] == 5
    trained = FireNet(7).eval()
    trained.load_state_dict(
        {name[8:]: value for name, value in state["state_dict"].items() if name[:8] == "student."}
    )
    shipped = FireNet(7, normed=False)
    weights = weights_of(undisturbed)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert weights.pop("concept_vectors").shape == (7, 384)
    shipped.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    images = torch.rand(2, 3, 32, 32) * 255
    with torch.inference_mode():
        torch.testing.assert_close(shipped(images), trained(images), rtol=0.02, atol=0.05)


def test_agreement_and_loss_are_logged_now_and_then_and_at_the_end(undisturbed: Path) -> None:
    log = log_of(undisturbed.parent)
    assert [entry["step"] for entry in log] == [2, 4, 5]
    for entry in log:
        assert entry["loss"] == pytest.approx(entry["kl_0"] + entry["hint"], rel=1e-3)
        assert 0 <= entry["agreement"][0]["top1"] <= entry["agreement"][0]["top5"] <= 1


def test_a_run_that_was_killed_resumes_to_the_same_weights(data: Path, undisturbed: Path) -> None:
    out = data / "killed"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(data), str(out)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (out / "last.ckpt").exists()
    assert not (out / "student").exists()
    student = distil(tiny_recipe(data), out)
    assert equal(weights_of(student), weights_of(undisturbed))
    assert [(entry["step"], "resumed" in entry) for entry in log_of(out)] == [
        (2, False), (2, True), (4, False), (5, False),
    ]  # fmt: skip


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Have SIGINT interrupt, which a shell has ignored in what it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_interrupts_and_resumes(
    data: Path, undisturbed: Path, number: signal.Signals
) -> None:
    def stop(stage: str, done: int, total: int | None, figures: Mapping[str, float]) -> None:
        if stage == "training" and done == 3:
            os.kill(os.getpid(), number)

    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    out = data / f"stopped-{number.name}"
    with pytest.raises(KeyboardInterrupt):
        distil(tiny_recipe(data), out, stop)
    assert not (out / "student").exists()
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    student = distil(tiny_recipe(data), out)
    assert equal(weights_of(student), weights_of(undisturbed))


def test_a_run_that_is_done_changes_nothing(data: Path, undisturbed: Path) -> None:
    files = [path for path in undisturbed.parent.rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in files if path.name != "lock"}
    assert distil(tiny_recipe(data), undisturbed.parent) == undisturbed
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_run_killed_while_it_was_exporting_exports(data: Path, undisturbed: Path) -> None:
    out = copytree(undisturbed.parent, data / "exporting")
    (out / "student").rename(out / "student.part")
    (out / "student.part" / "student.json").unlink()
    assert settings_of(distil(tiny_recipe(data), out)) == settings_of(undisturbed)


def test_another_seed_is_another_student(data: Path, undisturbed: Path) -> None:
    student = distil(tiny_recipe(data, training=tiny_training(seed=1)), data / "seed")
    assert not equal(weights_of(student), weights_of(undisturbed))


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"training": tiny_training(steps=9)}, "training.steps is 5 there and 9 here"),
        ({"frames": (FrameSource("pictures", share=2.0),)}, "frames.0.share is 1.0 there and 2.0"),
    ],
)
def test_the_folder_of_another_recipe_is_refused(
    data: Path, undisturbed: Path, changes: dict[str, Any], difference: str
) -> None:
    with pytest.raises(SettingError, match=rf"begun with another recipe \({difference}"):
        distil(tiny_recipe(data, **changes), undisturbed.parent)


def test_a_folder_that_holds_something_else_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").touch()
    with pytest.raises(SettingError, match=r"holds log\.jsonl of something else"):
        distil(tiny_recipe(data), tmp_path)
    for text in ("{", "[1]", "7"):
        (tmp_path / "recipe.json").write_text(text)
        with pytest.raises(SettingError, match=r"recipe\.json is no recipe of a run"):
            distil(tiny_recipe(data), tmp_path)


def test_a_checkpoint_that_cannot_be_read_is_reported(data: Path, undisturbed: Path) -> None:
    out = copytree(undisturbed.parent, data / "damaged")
    rmtree(out / "student")
    (out / "last.ckpt").write_bytes(b"half a checkpoint")
    with pytest.raises(OutputError, match=r"last\.ckpt is not a checkpoint that can be read"):
        distil(tiny_recipe(data), out)


def test_a_place_that_cannot_be_written_is_reported(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file cannot be used for a run"):
        distil(tiny_recipe(data), tmp_path / "file")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frames": (FrameSource("gone"),)}, "frames .*gone do not exist"),
        (
            {"teachers": (TeacherSettings("tflite", "gone", "classes.txt"),)},
            "weights .*gone of the tflite teacher do not exist",
        ),
        (
            {"teachers": (TeacherSettings("squeezenet", "squeezenet.safetensors", "gone"),)},
            "concepts .*gone of the squeezenet teacher do not exist",
        ),
        ({"held_out": HeldOutSettings(0.1, "gone.csv")}, "list gone.csv of held_out is neither"),
    ],
)
def test_what_is_missing_is_reported_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    recipe = tiny_recipe(tmp_path, **changes)
    with pytest.raises(SettingError, match=sentence):
        distil(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_teacher_that_is_broken_is_reported(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)
    (tmp_path / "squeezenet.safetensors").write_text("broken")
    with pytest.raises(EncoderError, match="is not a SqueezeNet in safetensors form"):
        distil(recipe, tmp_path / "out")


def test_labels_that_nothing_is_right_for_are_reported_before_training(tmp_path: Path) -> None:
    listed, right = tmp_path / "listed.csv", tmp_path / "right.csv"
    listed.write_text("name,label\n001.png,attic\n002.png,bar\n")
    right.write_text("label,right\nbar,bar\n")
    recipe = tiny_recipe(tmp_path, held_out=HeldOutSettings(0.3, str(listed), str(right)))
    stages: list[str] = []
    with pytest.raises(SettingError, match=r"movieclip is listed as right for attic$"):
        distil(recipe, tmp_path / "out", lambda stage, *_: stages.append(stage))
    assert "training" not in stages


def space_recipe(folder: Path, **changes: Any) -> DistilRecipe:
    make_tiny_clip(folder / "toy")
    write_pictures(folder / "pictures")
    (folder / "labels.txt").write_text("kitchen\nbar\nforest\n")
    teacher = TeacherSettings("encoder", "toy", "labels.txt")
    recipe = tiny_recipe(folder, teachers=(teacher,), training=tiny_training(steps=2))
    return replace(recipe, **changes)


def test_the_student_of_an_encoder_is_an_encoder_of_its_space(tmp_path: Path) -> None:
    student = distil(space_recipe(tmp_path), tmp_path / "out")
    settings = settings_of(student)
    teacher = load_encoder(tmp_path / "toy")
    assert settings["kind"] == "space"
    assert settings["text"] == {
        "encoder": str(tmp_path / "toy"),
        "width": 8,
        "logit_scale": teacher.logit_scale,
        "label_template": teacher.label_template,
        "weights_hash": teacher.space.weights_hash,
    }
    assert settings["teachers"][0]["weights_hash"] == teacher.space.weights_hash
    encoder = load_encoder(student)
    vectors = encoder.encode_images(np.zeros((2, 40, 30, 3), np.uint8))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    words = ["a bar"]
    assert np.array_equal(encoder.encode_texts(words), teacher.encode_texts(words))
    assert {"kl_0", "away", "loss"} <= log_of(tmp_path / "out")[-1].keys()


def test_a_student_of_an_encoder_comes_closer_to_it(tmp_path: Path) -> None:
    training = tiny_training(
        steps=20, batch_size=4, learning_rate=3e-3, augmentation=AugmentationSettings(colour=0.0)
    )
    away: list[float] = []

    def on_progress(stage: str, done: int, total: int | None, figures: Mapping[str, float]) -> None:
        if "away" in figures:
            away.append(figures["away"])

    recipe = space_recipe(tmp_path, training=training, report_every=20, save_every=20)
    distil(recipe, tmp_path / "out", on_progress)
    assert len(away) == 20
    assert np.mean(away[-5:]) < 0.7 * away[0]


@pytest.mark.parametrize("teacher_kind", ["an encoder", "a classifier"])
def test_a_vision_transformer_can_be_the_student(tmp_path: Path, teacher_kind: str) -> None:
    make = space_recipe if teacher_kind == "an encoder" else tiny_recipe
    recipe = make(tmp_path, training=tiny_training(steps=2), network="vit")
    student = distil(recipe, tmp_path / "out")
    assert settings_of(student)["network"] == "vit"
    weights = weights_of(student)
    assert weights["frames.positions"].shape == (4, 192)
    assert weights["head.weight"].shape == ((8 if teacher_kind == "an encoder" else 7), 192)
    figures = log_of(tmp_path / "out")[-1]
    assert "kl_0" in figures
    assert "hint" not in figures
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 30, 3), np.uint8)
    encoder = load_encoder(student)
    vectors = encoder.encode_images(frames)
    assert vectors.shape == (3, encoder.space.width)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 0
    assert np.array_equal(encoder.encode_images(frames[1:2]), vectors[1:2])


def test_a_vision_transformer_that_was_stopped_resumes_to_the_same_weights(tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int | None, figures: Mapping[str, float]) -> None:
        if stage == "training" and done == 3:
            raise KeyboardInterrupt

    recipe = tiny_recipe(tmp_path, network="vit")
    undisturbed = distil(recipe, tmp_path / "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        distil(recipe, tmp_path / "stopped", stop)
    assert not (tmp_path / "stopped" / "student").exists()
    assert equal(weights_of(distil(recipe, tmp_path / "stopped")), weights_of(undisturbed))


def test_a_run_begun_before_there_was_a_choice_of_networks_resumes(
    data: Path, undisturbed: Path
) -> None:
    out = copytree(undisturbed.parent, data / "older")
    begun = json.loads((out / "recipe.json").read_text())
    assert begun.pop("network") == "fire"
    (out / "recipe.json").write_text(json.dumps(begun))
    assert distil(tiny_recipe(data), out) == out / "student"
    with pytest.raises(SettingError, match="network is 'fire' there and 'vit' here"):
        distil(tiny_recipe(data, network="vit"), out)


def labelled_recipe(data: Path) -> DistilRecipe:
    """Return a recipe with all there is: labels, film-like views, averaged weights."""
    recipe = tiny_recipe(data)
    write_labelled_table(data / "t.parquet", count=24)
    return replace(
        recipe,
        frames=(*recipe.frames, FrameSource("*.parquet")),
        teachers=(*recipe.teachers, TeacherSettings("labels", temperature=1.0)),
        training=tiny_training(steps=6, film_share=0.5, ema_decay=0.9),
    )


def test_labels_are_concepts_of_their_own_and_a_stopped_run_resumes_with_averaged_weights(
    tmp_path: Path,
) -> None:
    recipe = labelled_recipe(tmp_path)
    whole = distil(recipe, tmp_path / "whole")
    settings = settings_of(whole)
    assert settings["concepts"][1] == ["a", "b"]
    assert settings["teachers"][1] == {
        "kind": "labels", "weights": "", "trust": 0.9, "weight": 1.0, "temperature": 1.0
    }  # fmt: skip
    assert {(one["teacher"], one["source"]) for one in settings["agreement"]} == {
        (teacher, source)
        for teacher in ("squeezenet.safetensors", "labels")
        for source in ("pictures", "*.parquet")
    }

    def stop(stage: str, done: int, *_: object) -> None:
        if stage == "training" and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distil(recipe, tmp_path / "stopped", stop)
    assert equal(weights_of(distil(recipe, tmp_path / "stopped")), weights_of(whole))


def test_what_ships_is_the_average_and_not_the_last_step(tmp_path: Path) -> None:
    student = distil(labelled_recipe(tmp_path), tmp_path / "run")
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["state_dict"]
    shipped = weights_of(student)["head.bias"].float()
    assert torch.equal(shipped, state["average.module.head.bias"].half().float())
    assert not torch.equal(shipped, state["student.head.bias"].half().float())
