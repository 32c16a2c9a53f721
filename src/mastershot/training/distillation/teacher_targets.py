"""The stream of batches: augmented views of frames, with the teachers' targets.

Teachers run on a group of views at once, and the student sees the group more than once: a pass
costs the teachers more than the student.
"""
# B batch, G group, S side of a square in pixels

from collections.abc import Callable, Iterator
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
from mastershot.training.engine.settings import AugmentationSettings


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
                of_part = tuple(one and _select(one, part) for one in targets)
                batch = DistillationBatch(images[part].float(), of_part)
                yield _mirrored(batch) if turn % 2 else batch

    def _run_teachers(
        self, rows: Tensor, group: int, generator: torch.Generator
    ) -> tuple[Tensor, list[TeacherTargets | None]]:
        settings = self.settings
        running = [group % teacher_settings.every == 0 for _, teacher_settings in self.teachers]
        images: list[Tensor] = []
        targets: list[list[TeacherTargets]] = [[] for _ in self.teachers]
        for part in torch.split(rows, settings.batch_size):
            views = draw_views(
                self.pool,
                part,
                settings.augmentation,
                side_px=settings.teacher_px,
                generator=generator,
            )
            images.append(student_images(views, settings.student_px))
            with torch.inference_mode():
                for index, (teacher, _) in enumerate(self.teachers):
                    if running[index]:
                        made = teacher.targets(views)
                        targets[index].append(_pooled(made, settings.student_px))
        return torch.cat(images), [_joined(parts) if parts else None for parts in targets]


def draw_views(
    pool: FramePool,
    rows: Tensor,
    settings: AugmentationSettings,
    *,
    side_px: int,
    generator: torch.Generator,
) -> Tensor:
    """Return one view of each of these frames, RGB values 0…255, float32 (G, 3, S, S)."""
    squares, aspects = pool.images(rows), torch.from_numpy(pool.aspects[rows.numpy()])
    return augment(squares, aspects, settings, side_px=side_px, generator=generator)


def student_images(images: Tensor, side_px: int) -> Tensor:
    """Return images at the student's size, uint8 (G, 3, S, S)."""
    sized = interpolate(images, (side_px, side_px), mode="bilinear", antialias=True)
    return sized.round_().clamp_(0, 255).to(torch.uint8)


def _pooled(targets: TeacherTargets, student_px: int) -> TeacherTargets:
    """Return targets with maps of the size of the student's own, in half precision."""

    def pool(stride: int, hint: Tensor) -> Tensor:
        return adaptive_avg_pool2d(hint, student_px // stride).half()

    return _with_maps(targets, partial(pool, 8), partial(pool, 16))


def _mirrored(batch: DistillationBatch) -> DistillationBatch:
    flip = partial(torch.flip, dims=(3,))
    targets = tuple(one and _with_maps(one, flip, flip) for one in batch.targets)
    return DistillationBatch(flip(batch.images), targets)


def _with_maps(
    targets: TeacherTargets, middle: Callable[[Tensor], Tensor], last: Callable[[Tensor], Tensor]
) -> TeacherTargets:
    """Return targets with both maps changed, if there are any."""
    if targets.middle is None or targets.last is None:
        return targets
    return targets._replace(middle=middle(targets.middle), last=last(targets.last))


def _joined(parts: list[TeacherTargets]) -> TeacherTargets:
    columns = zip(*parts, strict=True)
    return TeacherTargets._make(
        None if column[0] is None else torch.cat(column) for column in columns
    )


def _select(targets: TeacherTargets, rows: Tensor) -> TeacherTargets:
    return TeacherTargets._make(None if part is None else part[rows] for part in targets)
