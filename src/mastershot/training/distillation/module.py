"""The loss of a student, and how it is optimised.

Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531) on views that teacher and student
share (Beyer et al. 2022, arXiv:2106.05237), with the teacher's maps as hints where it gives them
(Romero et al. 2015, arXiv:1412.6550).
"""
# B batch, N concepts, D width of a space, C channels, H × W size of a map

from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, kl_div, log_softmax, normalize

from mastershot.training.distillation.settings import DistillationSettings
from mastershot.training.distillation.teacher_targets import DistillationBatch
from mastershot.training.distillation.teachers import Teachers
from mastershot.training.engine.trainer import adamw_with_cosine

if TYPE_CHECKING:
    from mastershot.models.students import StudentNetwork


class Distillation(LightningModule):
    """A student with its loss, optimiser and schedule."""

    def __init__(
        self, student: "StudentNetwork", teachers: Teachers, settings: DistillationSettings
    ) -> None:
        """Take a student with one output a concept of each teacher, or one a dimension.

        A teacher's maps are hints for a student that has maps itself, and unused for another.
        """
        super().__init__()
        self.student = student.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._teacher_settings = [of_teacher for _, of_teacher in teachers]
        self._widths = [len(teacher.concepts) for teacher, _ in teachers]
        self._space = teachers[0][0].space
        self._settings = settings
        channels = [teacher.hint_channels for teacher, _ in teachers if teacher.hint_channels]
        if channels and student.map_channels:
            middle, last = student.map_channels
            self.middle_hint = nn.Conv2d(middle, channels[0][0], 1)
            self.last_hint = nn.Conv2d(last, channels[0][1], 1)

    def training_step(self, batch: DistillationBatch, _: int) -> Tensor:
        """Return the loss of a batch, summed over the teachers that have targets for it."""
        images = batch.images.contiguous(memory_format=torch.channels_last)
        maps = self.student.maps(images)
        loss: Tensor = maps.outputs.new_zeros(())
        logits = self.logits(maps.outputs)
        for index, teacher in enumerate(self._teacher_settings):
            targets = batch.targets[index]
            if targets is None:
                continue
            part = softened_kl(logits[index], targets.logits, teacher.temperature)
            self.log(f"kl_{index}", part)
            loss = loss + teacher.weight * part
            if targets.middle is not None and targets.last is not None and maps.middle is not None:
                hint = unexplained(self.middle_hint(maps.middle), targets.middle)
                hint = hint + unexplained(self.last_hint(maps.last), targets.last)
                self.log("hint", hint)
                loss = loss + self._settings.hint_weight * hint
            if targets.vectors is not None:
                away = 1 - cosine_similarity(maps.outputs, targets.vectors).mean()
                self.log("away", away)
                loss = loss + self._settings.cosine_weight * away
        self.log("loss", loss)
        return loss

    def logits(self, outputs: Tensor) -> tuple[Tensor, ...]:
        """Return the logits (B, N) of each teacher's concepts from the network's outputs."""
        if self._space is not None:
            return (self._space.logits(normalize(outputs, dim=1)),)
        return torch.split(outputs, self._widths, 1)

    def configure_optimizers(self) -> dict[str, Any]:  # type: ignore[override]
        """Return AdamW, warmed up and then cooled along a cosine."""
        return adamw_with_cosine(
            self.parameters(),
            learning_rate=self._settings.learning_rate,
            weight_decay=self._settings.weight_decay,
            steps=self._settings.steps,
            warmup_steps=self._settings.warmup_steps,
        )


def softened_kl(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Return T² · KL(teacher ‖ student) of outputs softened by T, a mean over the batch."""
    student = log_softmax(logits / temperature, 1)
    teacher = log_softmax(targets.float() / temperature, 1)
    return temperature**2 * kl_div(student, teacher, reduction="batchmean", log_target=True)


def unexplained(guess: Tensor, hint: Tensor) -> Tensor:
    """Return the share of a hint's variance that a guess leaves unexplained."""
    hint = hint.float()
    return (guess - hint).square().mean() / hint.var(correction=0).clamp_min(1e-6)


def num_outputs(teachers: Teachers) -> int:
    """Return how many outputs a student of these teachers has."""
    space = teachers[0][0].space
    if space is not None:
        return space.label_vectors.shape[1]
    return sum(len(teacher.concepts) for teacher, _ in teachers)
