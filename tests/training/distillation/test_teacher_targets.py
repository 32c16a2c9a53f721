from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
import torch
from tests.factories.distillation import tiny_training, write_pictures

from mastershot.training.distillation.frames import FramePool, gather_frames
from mastershot.training.distillation.settings import FrameSource, TeacherSettings
from mastershot.training.distillation.teacher_targets import (
    DistillationBatch,
    DistillationBatches,
    student_images,
)
from mastershot.training.distillation.teachers import TeacherTargets

SETTINGS = TeacherSettings("tflite", "w", "c")


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
    teachers = teachers or [(MeanTeacher(), SETTINGS)]
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
    batches = some_batches(pool, 4, teachers=[(teacher, SETTINGS)])
    straight = torch.cat([batch.images for batch in batches[:2]])
    mirrored = torch.cat([batch.images for batch in batches[2:]]).flip(3)
    assert teacher.shown == 4 == len(straight)
    for view in straight:
        assert (mirrored == view).all((1, 2, 3)).any()


def test_a_teacher_that_runs_seldom_has_no_targets_in_between(pool: FramePool) -> None:
    often, seldom = MeanTeacher(), MeanTeacher()
    rarely = TeacherSettings("tflite", "w", "c", every=2)
    batches = some_batches(pool, 12, teachers=[(often, SETTINGS), (seldom, rarely)])
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
