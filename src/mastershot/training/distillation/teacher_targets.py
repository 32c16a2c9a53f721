"""The stream of batches: augmented views of frames, with the teachers' targets.

Teachers run on a group of views at once, and the student sees the group more than once: a pass
costs the teachers more than the student.
"""
# B batch, G group, S side of a square in pixels

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate
from torch.utils.data import IterableDataset

from mastershot.training.distillation.frames import FramePool
from mastershot.training.distillation.settings import DistillationSettings
from mastershot.training.distillation.teachers import Teachers, TeacherTargets
from mastershot.training.engine.augmentations import augment


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
        group, skipped = divmod(self.first_step, self.settings.steps_per_group)
        while True:
            batches = self._batches_of_group(group)
            for _ in range(skipped):
                next(batches)
            yield from batches
            group, skipped = group + 1, 0

    def _batches_of_group(self, group: int) -> Iterator[DistillationBatch]:
        settings = self.settings
        generator = torch.Generator().manual_seed((settings.seed << 32) + group)
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
            views = augment(squares, aspects, settings.views, side_px=side_px, generator=generator)
            images.append(student_images(views, settings.student_px))
            with torch.inference_mode():
                for parts, (teacher, of_teacher) in zip(targets, self.teachers, strict=True):
                    if group % of_teacher.every == 0:
                        parts.append(_pooled(teacher.targets(views), settings.student_px))
        return torch.cat(images), [_joined(parts) if parts else None for parts in targets]


def student_images(images: Tensor, side_px: int) -> Tensor:
    """Return images at the student's size, uint8 (G, 3, S, S)."""
    sized = interpolate(images, (side_px, side_px), mode="bilinear", antialias=True)
    return sized.round_().clamp_(0, 255).to(torch.uint8)


def _pooled(targets: TeacherTargets, student_px: int) -> TeacherTargets:
    """Return targets with maps of the size of the student's own, in half precision."""
    if targets.middle is None or targets.last is None:
        return targets
    middle = adaptive_avg_pool2d(targets.middle, student_px // 8).half()
    last = adaptive_avg_pool2d(targets.last, student_px // 16).half()
    return targets._replace(middle=middle, last=last)


def _joined(parts: list[TeacherTargets]) -> TeacherTargets:
    columns = zip(*parts, strict=True)
    return TeacherTargets._make(None if one[0] is None else torch.cat(one) for one in columns)


def _select(tensor: Tensor, rows: Tensor, *, mirrored: bool) -> Tensor:
    """Return rows of a tensor; those of images and maps, which have four dimensions, mirrored."""
    chosen = tensor[rows]
    return chosen.flip(3) if mirrored and chosen.ndim == 4 else chosen
