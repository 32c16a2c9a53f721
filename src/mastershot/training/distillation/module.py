"""The batches that a student is trained on, and its loss.

Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531) on views that teacher and student
share (Beyer et al. 2022, arXiv:2106.05237), with the teacher's maps as hints where it gives them
(Romero et al. 2015, arXiv:1412.6550). Teachers run on a group of views at once, and the student
sees the group more than once: a pass costs the teachers more than the student.
"""
# B batch, G group, N concepts, D width of a space, C channels, H × W size of a map
# S side of a square in pixels

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.functional import (
    adaptive_avg_pool2d,
    cosine_similarity,
    interpolate,
    kl_div,
    log_softmax,
    normalize,
)
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import IterableDataset

from mastershot.training.distillation.film_views import film_views
from mastershot.training.distillation.frames import FramePool
from mastershot.training.distillation.labels import LabelTeacher
from mastershot.training.distillation.settings import DistillationSettings
from mastershot.training.distillation.teachers import Teachers, TeacherTargets
from mastershot.training.engine.augmentations import augment
from mastershot.training.engine.samplers import step_seed
from mastershot.training.engine.trainer import adamw_with_cosine

if TYPE_CHECKING:
    from mastershot.models.students import StudentNetwork


class DistillationBatch(NamedTuple):
    """The views of one optimiser step, and their targets.

    Attributes:
        images: RGB values 0…255, (B, 3, S, S).
        targets: One a teacher; None where it was not run.
    """

    images: Tensor
    targets: tuple[TeacherTargets | None, ...]


@dataclass(frozen=True, eq=False)
class DistillationBatches(IterableDataset[DistillationBatch]):
    """Batches of views with targets without end, the same for the same seed and step.

    Attributes:
        pool: Frames.
        teachers: What gives the targets.
        settings: How views and batches are made.
        chances: Weight that each frame is drawn by, (F,).
        first_step: Step of the first batch.
    """

    pool: FramePool
    teachers: Teachers
    settings: DistillationSettings
    chances: Tensor
    first_step: int = 0

    def __iter__(self) -> Iterator[DistillationBatch]:
        first, skipped = divmod(self.first_step, self.settings.steps_per_group)
        for group in count(first):
            yield from islice(self._batches_of_group(group), skipped, None)
            skipped = 0

    def _batches_of_group(self, group: int) -> Iterator[DistillationBatch]:
        settings = self.settings
        generator = torch.Generator().manual_seed(step_seed(settings.seed, group))
        rows = torch.multinomial(
            self.chances, settings.group_size, replacement=True, generator=generator
        )
        images, targets = self._run_teachers(rows, group, generator)
        for turn in range(settings.passes_per_view):
            order = torch.randperm(len(rows), generator=generator)
            for part in torch.split(order, settings.batch_size):
                select = partial(_select, rows=part, mirrored=turn % 2 == 1)
                of_part = tuple(one and one.apply(select) for one in targets)
                yield DistillationBatch(select(images).float(), of_part)

    def _run_teachers(
        self, rows: Tensor, group: int, generator: torch.Generator
    ) -> tuple[Tensor, list[TeacherTargets | None]]:
        """Return the group's images at the student's size, and each teacher's targets if it ran."""
        settings, side_px = self.settings, self.settings.teacher_px
        images: list[Tensor] = []
        targets: list[list[TeacherTargets]] = [[] for _ in self.teachers]
        for part in torch.split(rows, settings.batch_size):
            squares, aspects = self.pool.images(part), torch.from_numpy(self.pool.aspects)[part]
            views = augment(
                squares, aspects, settings.augmentation, side_px=side_px, generator=generator
            )
            if settings.film_share:
                views = film_views(views, settings.film_share, generator)
            images.append(student_images(views, settings.student_px))
            with torch.inference_mode(), mixed_precision(views, settings.precision):
                last = None
                for parts, (teacher, of_teacher) in zip(targets, self.teachers, strict=True):
                    if group % of_teacher.every:
                        continue
                    if isinstance(teacher, LabelTeacher):
                        assert last is not None  # The recipe has a squeezenet before it.
                        parts.append(teacher.targets_of_rows(part, last))
                        continue
                    one = teacher.targets(views)
                    last = last if one.last is None else one.last
                    parts.append(_pooled(one, settings.student_px))
        joined = [TeacherTargets.join(parts) if parts else None for parts in targets]
        return torch.cat(images), joined


def student_images(images: Tensor, side_px: int) -> Tensor:
    """Return images at the student's size, uint8 (G, 3, S, S)."""
    sized = interpolate(images, (side_px, side_px), mode="bilinear", antialias=True)
    return sized.round_().clamp_(0, 255).to(torch.uint8)


def mixed_precision(images: Tensor, precision: str) -> torch.autocast:
    """Return the context that computes in the precision of the settings, where images are."""
    return torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16-mixed")


def _pooled(targets: TeacherTargets, student_px: int) -> TeacherTargets:
    """Return targets with maps of the size of the student's own, in half precision."""
    if targets.middle is None or targets.last is None:
        return targets
    middle = adaptive_avg_pool2d(targets.middle, student_px // 8).half()
    last = adaptive_avg_pool2d(targets.last, student_px // 16).half()
    return targets._replace(middle=middle, last=last)


def _select(tensor: Tensor, rows: Tensor, *, mirrored: bool) -> Tensor:
    """Return rows of a tensor; those of images and maps, which have four dimensions, mirrored."""
    chosen = tensor[rows]
    return chosen.flip(3) if mirrored and chosen.ndim == 4 else chosen


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
        self.average = _averaged(student, settings.ema_decay) if settings.ema_decay else None
        self._teacher_settings = [of_teacher for _, of_teacher in teachers]
        self._widths = [len(teacher.concepts) for teacher, _ in teachers]
        self._space = teachers[0][0].space
        self.settings = settings
        channels = [teacher.hint_channels for teacher, _ in teachers if teacher.hint_channels]
        if channels and student.map_channels:
            middle, last = student.map_channels
            self.middle_hint = nn.Conv2d(middle, channels[0][0], 1)
            self.last_hint = nn.Conv2d(last, channels[0][1], 1)

    @property
    def trained(self) -> "StudentNetwork":
        """The network that is evaluated and exported: of averaged weights, if they are averaged."""
        return self.student if self.average is None else cast("StudentNetwork", self.average.module)

    def optimizer_step(self, *arguments: Any, **options: Any) -> None:
        """Take a step, and average the weights after it, before a checkpoint is saved."""
        super().optimizer_step(*arguments, **options)
        if self.average is not None:
            self.average.update_parameters(self.student)

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
                loss = loss + self.settings.hint_weight * hint
            if targets.vectors is not None:
                away = 1 - cosine_similarity(maps.outputs, targets.vectors).mean()
                self.log("away", away)
                loss = loss + self.settings.cosine_weight * away
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
            (one for one in self.parameters() if one.requires_grad),
            learning_rate=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            steps=self.settings.steps,
            warmup_steps=self.settings.warmup_steps,
        )


def _averaged(student: "StudentNetwork", decay: float) -> AveragedModel:
    """Return the exponential moving average of a student's weights and normalisation figures.

    It begins at the random weights; as EMA of Mean Teacher does, it forgets them faster at first.
    """

    def average(kept: Tensor, new: Tensor, steps: Tensor | int) -> Tensor:
        now = min(decay, (1 + int(steps)) / (10 + int(steps)))
        return kept.lerp(new, 1 - now) if kept.is_floating_point() else new

    return AveragedModel(student, avg_fn=average, use_buffers=True).requires_grad_(False)


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
