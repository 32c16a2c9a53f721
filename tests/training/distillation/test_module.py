import math
from typing import Any

import numpy as np
import pytest
import torch
from tests.factories.distillation import tiny_training
from tests.training.distillation.test_teacher_targets import MeanTeacher

from mastershot.core.errors import SettingError
from mastershot.models.fire_net import FireNet
from mastershot.training.distillation.module import (
    Distillation,
    num_outputs,
    softened_kl,
    unexplained,
)
from mastershot.training.distillation.settings import DistillationSettings, TeacherSettings
from mastershot.training.distillation.teacher_targets import DistillationBatch
from mastershot.training.distillation.teachers import LabelSpace, TeacherTargets

SETTINGS = TeacherSettings("tflite", "w", "c", weight=0.5, temperature=2.0)


class ToyEncoder:
    logit_scale = 20.0


class ToySpaceTeacher:
    """Two labels in a space of three dimensions."""

    concepts = ("a", "b")
    hint_channels = None
    space = LabelSpace(ToyEncoder(), torch.tensor([[1.0, 0, 0], [0, 0.6, 0.8]]))  # type: ignore[arg-type]

    def targets(self, images: torch.Tensor) -> TeacherTargets:
        raise AssertionError("no test calls this")


def loss_of(module: Distillation, batch: DistillationBatch) -> tuple[float, dict[str, float]]:
    logged: dict[str, float] = {}
    module.log = lambda name, value: logged.__setitem__(name, float(value.detach()))  # type: ignore[method-assign]
    return float(module.training_step(batch, 0).detach()), logged


def softmax(values: list[float]) -> list[float]:
    total = sum(math.exp(value) for value in values)
    return [math.exp(value) / total for value in values]


def plain_kl(logits: torch.Tensor, targets: torch.Tensor, temperature: float) -> float:
    total = 0.0
    for row, other in zip(logits.double().tolist(), targets.double().tolist(), strict=True):
        student = softmax([value / temperature for value in row])
        teacher = softmax([value / temperature for value in other])
        total += sum(p * (math.log(p) - math.log(q)) for p, q in zip(teacher, student, strict=True))
    return temperature**2 * total / len(logits)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_the_kl_is_that_of_a_plain_loop(temperature: float) -> None:
    logits, targets = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0)) * 3
    found = softened_kl(logits, targets, temperature)
    assert float(found) == pytest.approx(plain_kl(logits, targets, temperature), rel=1e-4)


def test_a_student_with_the_same_outputs_has_no_loss_whatever_the_constant() -> None:
    logits = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    assert float(softened_kl(logits, logits + 7, 2.0)) == pytest.approx(0, abs=1e-5)


def test_what_is_unexplained_is_a_share_of_the_variance() -> None:
    hint = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    values = hint.flatten().tolist()
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    error = sum((0.5 - value) ** 2 for value in values) / len(values)
    assert float(unexplained(hint, hint)) == 0
    assert float(unexplained(torch.full_like(hint, mean), hint)) == pytest.approx(1, rel=1e-5)
    found = float(unexplained(torch.full_like(hint, 0.5), hint))
    assert found == pytest.approx(error / variance, rel=1e-5)


def test_a_hint_that_is_flat_does_not_divide_by_zero() -> None:
    flat = torch.ones(1, 2, 2, 2)
    assert float(unexplained(flat * 2, flat)) == pytest.approx(1e6)


def test_the_loss_adds_the_part_that_each_teacher_with_targets_gives() -> None:
    torch.manual_seed(0)
    teachers = [(MeanTeacher(hint_channels=None), SETTINGS)] * 2
    network = FireNet(num_outputs(teachers)).eval()
    module = Distillation(network, teachers, tiny_training())
    images, (one, other) = torch.rand(2, 3, 32, 32) * 255, torch.randn(2, 2, 3)
    outputs = network(images).detach()
    targets = TeacherTargets(one), TeacherTargets(other)
    loss, logged = loss_of(module, DistillationBatch(images, targets))
    expected = [plain_kl(outputs[:, :3], one, 2.0), plain_kl(outputs[:, 3:], other, 2.0)]
    assert loss == pytest.approx(0.5 * sum(expected), rel=1e-4)
    found = [logged[name] for name in ("kl_0", "kl_1", "loss")]
    assert found == pytest.approx([*expected, loss], rel=1e-4)
    alone, _ = loss_of(module, DistillationBatch(images, (TeacherTargets(one), None)))
    assert alone == pytest.approx(0.5 * expected[0], rel=1e-4)


def test_hints_weigh_as_much_as_the_settings_state() -> None:
    torch.manual_seed(0)
    teachers = [(MeanTeacher(), SETTINGS)]
    network = FireNet(3).eval()
    images, maps = (
        torch.rand(2, 3, 32, 32) * 255,
        (torch.randn(2, 3, 4, 4), torch.randn(2, 3, 2, 2)),
    )
    batch = DistillationBatch(images, (TeacherTargets(torch.randn(2, 3), None, *maps),))
    module = Distillation(network, teachers, tiny_training(hint_weight=3.0))
    loss, logged = loss_of(module, batch)
    own = network.maps(images)
    hint = torch.tensor(0.0)
    for layer, own_map, given in ((module.middle_hint, own.middle, maps[0]),
                                  (module.last_hint, own.last, maps[1])):  # fmt: skip
        guess = torch.einsum("oc,bchw->bohw", layer.weight[:, :, 0, 0], own_map)
        guess = guess + layer.bias.view(1, -1, 1, 1)
        hint += (((guess - given) ** 2).mean() / given.var(correction=0)).detach()
    assert logged["hint"] == pytest.approx(float(hint), rel=1e-4)
    assert loss == pytest.approx(0.5 * logged["kl_0"] + 3 * float(hint), rel=1e-4)


def test_a_student_of_a_space_is_trained_on_cosines_and_the_direction() -> None:
    torch.manual_seed(0)
    teachers = [(ToySpaceTeacher(), SETTINGS)]
    assert num_outputs(teachers) == 3
    network = FireNet(3).eval()
    module = Distillation(network, teachers, tiny_training(cosine_weight=4.0))
    images = torch.rand(2, 3, 32, 32) * 255
    vectors = torch.nn.functional.normalize(torch.randn(2, 3), dim=1)
    targets = TeacherTargets(ToySpaceTeacher.space.logits(vectors), vectors)
    outputs = network(images).detach()
    cosines = [float(o @ v / o.norm()) for o, v in zip(outputs, vectors, strict=True)]
    logits = torch.tensor(
        [[20 * float(o @ label / o.norm()) for label in ToySpaceTeacher.space.label_vectors]
         for o in outputs]
    )  # fmt: skip
    loss, logged = loss_of(module, DistillationBatch(images, (targets,)))
    assert logged["away"] == pytest.approx(1 - np.mean(cosines), rel=1e-4)
    kl = plain_kl(logits, targets.logits, 2.0)
    assert loss == pytest.approx(0.5 * kl + 4 * (1 - np.mean(cosines)), rel=1e-4)
    torch.testing.assert_close(module.logits(outputs)[0], logits, rtol=1e-4, atol=1e-4)


def test_the_rate_is_warmed_up_as_the_settings_state() -> None:
    training = tiny_training(steps=10, warmup_steps=4)
    made = Distillation(FireNet(3), [(MeanTeacher(), SETTINGS)], training).configure_optimizers()
    (rate,) = made["lr_scheduler"]["scheduler"].lr_lambdas
    assert [rate(step) for step in (0, 3, 7, 10)] == pytest.approx([0.25, 1.0, 0.5, 0.0])
    (group,) = made["optimizer"].param_groups
    assert group["initial_lr"] == training.learning_rate
    assert group["weight_decay"] == training.weight_decay


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"batch_size": 1}, "batch_size is 1"),
        ({"group_size": 100}, "group_size is 100; it must be a multiple of batch_size 64"),
        ({"group_size": 0}, "group_size is 0"),
        ({"passes_per_view": 0}, "passes_per_view"),
        ({"learning_rate": 0.0}, "learning_rate is 0"),
        ({"weight_decay": -1.0}, "weight_decay is -1"),
        ({"warmup_steps": -1}, "warmup_steps is -1"),
        ({"hint_weight": float("nan")}, "hint_weight is nan"),
        ({"cosine_weight": -2.0}, "cosine_weight is -2"),
        ({"teacher_px": 100}, r"teacher_px is 100; it must be in .*, a multiple of 16"),
        ({"student_px": 16}, "student_px is 16"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_training_that_cannot_be_is_reported(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        DistillationSettings(**settings)
