"""The stream of lessons: views of frames, and what the teachers say of them.

Teachers answer for a group of views at once, and the student meets the group more than once: seeing
costs the teachers more than the student.
"""
# B batch, G group, S side of a square in pixels

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate
from torch.utils.data import IterableDataset

from mastershot.training.distillation.frames import FramePool
from mastershot.training.distillation.settings import DistillationSettings, TeacherSettings
from mastershot.training.distillation.teachers import Lesson, Teacher
from mastershot.training.engine.augmentations import augment
from mastershot.training.engine.settings import AugmentationSettings


class TaughtBatch(NamedTuple):
    """What one optimiser step learns from.

    Attributes:
        images: RGB values 0…255, (B, 3, S, S).
        lessons: One a teacher; None where it did not look.
    """

    images: Tensor
    lessons: tuple[Lesson | None, ...]


class TaughtViews(IterableDataset[TaughtBatch]):
    """Batches of views with their teachers' lessons, the same for the same seed and step."""

    def __init__(
        self,
        pool: FramePool,
        teachers: Sequence[tuple[Teacher, TeacherSettings]],
        settings: DistillationSettings,
        *,
        chances: Tensor,
        first_step: int = 0,
    ) -> None:
        """Prepare to teach; ``chances`` (F,) says how often each frame is drawn, 0 is never."""
        self._pool = pool
        self._teachers = teachers
        self._settings = settings
        self._chances = chances
        self._first_step = first_step

    def __iter__(self) -> Iterator[TaughtBatch]:
        group, skipped = divmod(self._first_step, self._settings.steps_per_group)
        while True:
            batches = self._batches_of_group(group)
            for _ in range(skipped):
                next(batches)
            yield from batches
            group, skipped = group + 1, 0

    def _batches_of_group(self, group: int) -> Iterator[TaughtBatch]:
        settings = self._settings
        generator = torch.Generator().manual_seed((settings.seed << 32) + group)
        rows = torch.multinomial(
            self._chances, settings.group_size, replacement=True, generator=generator
        )
        images, lessons = self._teach(rows, group, generator)
        for turn in range(settings.passes_per_view):
            order = torch.randperm(len(rows), generator=generator)
            for part in torch.split(order, settings.batch_size):
                taught = tuple(lesson and _select(lesson, part) for lesson in lessons)
                batch = TaughtBatch(images[part].float(), taught)
                yield _mirrored(batch) if turn % 2 else batch

    def _teach(
        self, rows: Tensor, group: int, generator: torch.Generator
    ) -> tuple[Tensor, list[Lesson | None]]:
        settings = self._settings
        images, lessons = [], []
        for part in torch.split(rows, settings.batch_size):
            views = draw_views(
                self._pool,
                part,
                settings.augmentation,
                side_px=settings.teacher_px,
                generator=generator,
            )
            images.append(student_images(views, settings.student_px))
            with torch.inference_mode():
                lessons.append(
                    [
                        _for_student(teacher.teach(views), settings.student_px)
                        if group % told.every == 0
                        else None
                        for teacher, told in self._teachers
                    ]
                )
        return torch.cat(images), [_joined(column) for column in zip(*lessons, strict=True)]


def draw_views(
    pool: FramePool,
    rows: Tensor,
    settings: AugmentationSettings,
    *,
    side_px: int,
    generator: torch.Generator,
) -> Tensor:
    """Return one view of each of these frames, RGB values 0…255, float32 (G, 3, S, S)."""
    order = rows.numpy()
    squares = torch.from_numpy(pool.squares[order]).permute(0, 3, 1, 2).float()
    aspects = torch.from_numpy(pool.aspects[order])
    return augment(squares, aspects, settings, side_px=side_px, generator=generator)


def student_images(images: Tensor, side_px: int) -> Tensor:
    """Return images at the student's size, uint8 (G, 3, S, S)."""
    sized = interpolate(images, (side_px, side_px), mode="bilinear", antialias=True)
    return sized.round_().clamp_(0, 255).to(torch.uint8)


def _for_student(lesson: Lesson, student_px: int) -> Lesson:
    """Return the lesson with maps of the size of the student's own, in half precision."""
    middle, last = lesson.middle, lesson.last
    return Lesson(
        lesson.logits,
        lesson.vectors,
        None if middle is None else adaptive_avg_pool2d(middle, student_px // 8).half(),
        None if last is None else adaptive_avg_pool2d(last, student_px // 16).half(),
    )


def _joined(lessons: Sequence[Lesson | None]) -> Lesson | None:
    told = [lesson for lesson in lessons if lesson is not None]
    if not told:
        return None
    columns = zip(*told, strict=True)
    return Lesson._make(None if parts[0] is None else torch.cat(parts) for parts in columns)


def _select(lesson: Lesson, rows: Tensor) -> Lesson:
    return Lesson._make(None if part is None else part[rows] for part in lesson)


def _mirrored(batch: TaughtBatch) -> TaughtBatch:
    lessons = tuple(
        lesson
        and Lesson(
            lesson.logits,
            lesson.vectors,
            None if lesson.middle is None else lesson.middle.flip(3),
            None if lesson.last is None else lesson.last.flip(3),
        )
        for lesson in batch.lessons
    )
    return TaughtBatch(batch.images.flip(3), lessons)
