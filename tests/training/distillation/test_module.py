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
from mastershot.training.distillation.teacher_targets import TaughtBatch
from mastershot.training.distillation.teachers import Lesson, TaughtSpace

TOLD = TeacherSettings("tflite", "w", "c", weight=0.5, temperature=2.0)


class ToyEncoder:
    logit_scale = 20.0


class ToySpaceTeacher:
    """Two labels in a space of three dimensions."""

    concepts = ("a", "b")
    hint_channels = None
    space = TaughtSpace(ToyEncoder(), torch.tensor([[1.0, 0, 0], [0, 0.6, 0.8]]))  # type: ignore[arg-type]

    def teach(self, images: torch.Tensor) -> Lesson:
        raise AssertionError("nobody asks")


def loss_of(module: Distillation, batch: TaughtBatch) -> tuple[float, dict[str, float]]:
    told: dict[str, float] = {}
    module.log = lambda name, value: told.__setitem__(name, float(value.detach()))  # type: ignore[method-assign]
    return float(module.training_step(batch, 0).detach()), told


def softmax(values: list[float]) -> list[float]:
    total = sum(math.exp(value) for value in values)
    return [math.exp(value) / total for value in values]


def plain_kl(logits: torch.Tensor, taught: torch.Tensor, temperature: float) -> float:
    total = 0.0
    for row, other in zip(logits.double().tolist(), taught.double().tolist(), strict=True):
        student = softmax([value / temperature for value in row])
        teacher = softmax([value / temperature for value in other])
        total += sum(p * (math.log(p) - math.log(q)) for p, q in zip(teacher, student, strict=True))
    return temperature**2 * total / len(logits)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_the_kl_is_that_of_a_plain_loop(temperature: float) -> None:
    logits, taught = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0)) * 3
    found = softened_kl(logits, taught, temperature)
    assert float(found) == pytest.approx(plain_kl(logits, taught, temperature), rel=1e-4)


def test_a_student_who_says_the_same_has_no_loss_whatever_the_constant() -> None:
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


def test_the_loss_adds_what_each_teacher_who_looked_says() -> None:
    torch.manual_seed(0)
    teachers = [(MeanTeacher(hint_channels=None), TOLD), (MeanTeacher(hint_channels=None), TOLD)]
    network = FireNet(num_outputs(teachers)).eval()
    module = Distillation(network, teachers, tiny_training())
    images, (one, other) = torch.rand(2, 3, 32, 32) * 255, torch.randn(2, 2, 3)
    outputs = network(images).detach()
    loss, told = loss_of(module, TaughtBatch(images, (Lesson(one), Lesson(other))))
    expected = [plain_kl(outputs[:, :3], one, 2.0), plain_kl(outputs[:, 3:], other, 2.0)]
    assert loss == pytest.approx(0.5 * sum(expected), rel=1e-4)
    assert [told["kl_0"], told["kl_1"], told["loss"]] == pytest.approx([*expected, loss], rel=1e-4)
    alone, _ = loss_of(module, TaughtBatch(images, (Lesson(one), None)))
    assert alone == pytest.approx(0.5 * expected[0], rel=1e-4)


def test_hints_weigh_what_the_settings_say() -> None:
    torch.manual_seed(0)
    teachers = [(MeanTeacher(), TOLD)]
    network = FireNet(3).eval()
    images, maps = (
        torch.rand(2, 3, 32, 32) * 255,
        (torch.randn(2, 3, 4, 4), torch.randn(2, 3, 2, 2)),
    )
    batch = TaughtBatch(images, (Lesson(torch.randn(2, 3), None, *maps),))
    module = Distillation(network, teachers, tiny_training(hint_weight=3.0))
    loss, told = loss_of(module, batch)
    own = network.maps(images)
    hint = torch.tensor(0.0)
    for layer, own_map, given in ((module.middle_hint, own.middle, maps[0]),
                                  (module.last_hint, own.last, maps[1])):  # fmt: skip
        guess = torch.einsum("oc,bchw->bohw", layer.weight[:, :, 0, 0], own_map)
        guess = guess + layer.bias.view(1, -1, 1, 1)
        hint += (((guess - given) ** 2).mean() / given.var(correction=0)).detach()
    assert told["hint"] == pytest.approx(float(hint), rel=1e-4)
    assert loss == pytest.approx(0.5 * told["kl_0"] + 3 * float(hint), rel=1e-4)


def test_a_student_of_a_space_learns_cosines_and_the_direction() -> None:
    torch.manual_seed(0)
    teachers = [(ToySpaceTeacher(), TOLD)]
    assert num_outputs(teachers) == 3
    network = FireNet(3).eval()
    module = Distillation(network, teachers, tiny_training(cosine_weight=4.0))
    images = torch.rand(2, 3, 32, 32) * 255
    vectors = torch.nn.functional.normalize(torch.randn(2, 3), dim=1)
    lesson = Lesson(ToySpaceTeacher.space.logits(vectors), vectors)
    outputs = network(images).detach()
    cosines = [float(o @ v / o.norm()) for o, v in zip(outputs, vectors, strict=True)]
    logits = torch.tensor(
        [[20 * float(o @ label / o.norm()) for label in ToySpaceTeacher.space.label_vectors]
         for o in outputs]
    )  # fmt: skip
    loss, told = loss_of(module, TaughtBatch(images, (lesson,)))
    assert told["away"] == pytest.approx(1 - np.mean(cosines), rel=1e-4)
    kl = plain_kl(logits, lesson.logits, 2.0)
    assert loss == pytest.approx(0.5 * kl + 4 * (1 - np.mean(cosines)), rel=1e-4)
    torch.testing.assert_close(module.logits(outputs)[0], logits, rtol=1e-4, atol=1e-4)


def test_the_rate_rises_and_then_falls_along_a_cosine_to_nothing() -> None:
    module = Distillation(
        FireNet(3), [(MeanTeacher(), TOLD)], tiny_training(steps=10, warmup_steps=4)
    )
    rates = [module._rate(step) for step in range(11)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    expected = [0.5 * (1 + math.cos(math.pi * done / 6)) for done in range(7)]
    assert rates[4:] == pytest.approx(expected)


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
def test_a_meaningless_training_is_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        DistillationSettings(**settings)
