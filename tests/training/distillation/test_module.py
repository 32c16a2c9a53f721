import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.factories.distillation import tiny_training, write_pictures

from mastershot.core.errors import SettingError
from mastershot.models.fire_net import FireNet
from mastershot.training.distillation.frames import FramePool, gather_frames
from mastershot.training.distillation.module import (
    Distillation,
    DistillationBatch,
    DistillationBatches,
    num_outputs,
    softened_kl,
    student_images,
    unexplained,
)
from mastershot.training.distillation.settings import (
    DistillationSettings,
    FrameSource,
    TeacherSettings,
)
from mastershot.training.distillation.teachers import LabelSpace, TeacherTargets

TEACHER = TeacherSettings("tflite", "w", "c", weight=0.5, temperature=2.0)


@dataclass
class MeanTeacher:
    """Outputs the mean of each channel, and gives the picture itself as both maps."""

    concepts: tuple[str, ...] = ("red", "green", "blue")
    hint_channels: tuple[int, int] | None = (3, 3)
    space: None = None
    shown: int = 0

    def targets(self, images: torch.Tensor) -> TeacherTargets:
        self.shown += len(images)
        return TeacherTargets(images.mean((2, 3)), middle=images, last=images)


@pytest.fixture
def pool(tmp_path: Path) -> FramePool:
    return gather_frames((FrameSource(str(write_pictures(tmp_path / "pictures"))),), tmp_path)


def some_batches(
    pool: FramePool,
    count: int,
    *,
    teachers: Sequence[tuple[MeanTeacher, TeacherSettings]] | None = None,
    first_step: int = 0,
    chances: torch.Tensor | None = None,
) -> list[DistillationBatch]:
    chances = torch.ones(len(pool)) if chances is None else chances
    teachers = teachers or [(MeanTeacher(), TEACHER)]
    batches = DistillationBatches(
        pool, teachers, tiny_training(), chances=chances, first_step=first_step
    )
    return list(islice(batches, count))


def test_the_stream_begins_anywhere_and_goes_on_the_same(pool: FramePool) -> None:
    whole = some_batches(pool, 11)
    for first in (1, 4, 7):
        for later, batch in zip(whole[first:], some_batches(pool, 11 - first, first_step=first),
                                strict=True):  # fmt: skip
            assert torch.equal(later.images, batch.images)
            (one,), (other,) = later.targets, batch.targets
            assert one is not None
            assert other is not None
            assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True) if a is not None)


def test_targets_belong_to_their_views_mirrored_or_not(pool: FramePool) -> None:
    # 2 batches straight and 2 mirrored make a group; the maps are the views, at the student's size.
    for batch in some_batches(pool, 8):
        (targets,) = batch.targets
        assert targets is not None
        assert targets.middle is not None
        assert targets.last is not None
        assert targets.middle.shape == (2, 3, 4, 4)
        assert targets.last.shape == (2, 3, 2, 2)
        seen = torch.nn.functional.adaptive_avg_pool2d(batch.images, 4)
        torch.testing.assert_close(targets.middle.float(), seen, atol=12.0, rtol=0)
        torch.testing.assert_close(targets.logits, batch.images.mean((2, 3)), atol=2.0, rtol=0)


def test_each_view_is_trained_on_straight_and_mirrored_and_shown_to_teachers_once(
    pool: FramePool,
) -> None:
    teacher = MeanTeacher()
    batches = some_batches(pool, 4, teachers=[(teacher, TEACHER)])
    straight = torch.cat([batch.images for batch in batches[:2]])
    mirrored = torch.cat([batch.images for batch in batches[2:]]).flip(3)
    assert teacher.shown == 4 == len(straight)
    for view in straight:
        assert (mirrored == view).all((1, 2, 3)).any()


def test_a_teacher_that_runs_seldom_has_no_targets_in_between(pool: FramePool) -> None:
    often, seldom = MeanTeacher(), MeanTeacher()
    rarely = TeacherSettings("tflite", "w", "c", every=2)
    batches = some_batches(pool, 12, teachers=[(often, TEACHER), (seldom, rarely)])
    assert all(batch.targets[0] is not None for batch in batches)
    given = [batch.targets[1] is not None for batch in batches]
    assert given == [True] * 4 + [False] * 4 + [True] * 4
    assert (often.shown, seldom.shown) == (12, 8)


def test_a_frame_without_a_chance_is_never_drawn(pool: FramePool) -> None:
    chances = torch.zeros(len(pool))
    chances[5] = 1.0
    dark = FramePool(pool.squares.copy(), pool.aspects, pool.names, pool.sources)
    dark.squares[:] = 0
    dark.squares[5] = 255
    for batch in some_batches(dark, 8, chances=chances):
        assert batch.images.min() > 50


def test_what_the_student_sees_are_whole_numbers_of_its_size() -> None:
    images = student_images(
        torch.tensor([-3.0, 99.6, 300.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8), 4
    )
    assert images.dtype == torch.uint8
    assert images[0, :, 2, 1].tolist() == [0, 100, 255]
    assert images.shape == (1, 3, 4, 4)


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
    teachers = [(MeanTeacher(hint_channels=None), TEACHER)] * 2
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
    teachers = [(MeanTeacher(), TEACHER)]
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
    teachers = [(ToySpaceTeacher(), TEACHER)]
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
    made = Distillation(FireNet(3), [(MeanTeacher(), TEACHER)], training).configure_optimizers()
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
