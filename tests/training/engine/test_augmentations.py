from pathlib import Path

import pytest
import torch
from tests.factories.distillation import write_pictures
from torch.nn.functional import interpolate

from mastershot.training.distillation.frames import FramePool, gather_frames
from mastershot.training.distillation.settings import FrameSource
from mastershot.training.engine.augmentations import augment
from mastershot.training.engine.settings import AugmentationSettings

PLAIN = AugmentationSettings(
    min_area=1.0, max_stretch=1.0, colour=0.0, grey_share=0.0, mixed_share=0.0
)


@pytest.fixture
def pool(tmp_path: Path) -> FramePool:
    return gather_frames((FrameSource(str(write_pictures(tmp_path / "pictures"))),), tmp_path)


def draw(
    pool: FramePool, settings: AugmentationSettings, *, seed: int = 0, side_px: int = 40
) -> torch.Tensor:
    squares, aspects = pool.images(torch.arange(len(pool))), torch.from_numpy(pool.aspects)
    generator = torch.Generator().manual_seed(seed)
    return augment(squares, aspects, settings, side_px=side_px, generator=generator)


def test_the_same_seed_draws_the_same_views_and_another_draws_others(pool: FramePool) -> None:
    assert torch.equal(draw(pool, AugmentationSettings()), draw(pool, AugmentationSettings()))
    assert not torch.equal(
        draw(pool, AugmentationSettings()), draw(pool, AugmentationSettings(), seed=1)
    )


def test_views_are_pixels(pool: FramePool) -> None:
    views = draw(pool, AugmentationSettings(colour=1.0))
    assert views.shape == (12, 3, 40, 40)
    assert 0 <= views.min() < views.max() <= 255


def test_without_distortion_a_square_frame_is_seen_whole_perhaps_mirrored(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures")
    pool = gather_frames((FrameSource(str(folder)),), tmp_path)
    pool = FramePool(pool.squares, torch.ones(len(pool)).numpy(), pool.names, pool.sources)
    views = draw(pool, PLAIN, side_px=176)
    frames = torch.from_numpy(pool.squares.copy()).permute(0, 3, 1, 2).float()
    straight = (views - frames).abs().amax((1, 2, 3)) < 0.01
    mirrored = (views - frames.flip(3)).abs().amax((1, 2, 3)) < 0.01
    assert (straight | mirrored).all()
    assert straight.any()
    assert mirrored.any()


def test_grey_views_have_one_channel_thrice(pool: FramePool) -> None:
    views = draw(pool, AugmentationSettings(colour=0.0, grey_share=1.0))
    assert torch.equal(views[:, 0], views[:, 1])
    assert not torch.equal(
        *draw(pool, AugmentationSettings(colour=0.0, grey_share=0.0))[:, :2].unbind(1)
    )


def test_mixed_views_show_two_frames_through_each_other(pool: FramePool) -> None:
    alone = draw(pool, AugmentationSettings(mixed_share=0.0))
    mixed = draw(pool, AugmentationSettings(mixed_share=1.0))
    changed = (alone - mixed).abs().amax((1, 2, 3)) > 1
    assert changed.sum() > 6
    # What was mixed in is the rest of another view of the same group: a convex combination.
    assert mixed.min() >= alone.min()
    assert mixed.max() <= alone.max()
    assert interpolate(mixed, (1, 1)).std() > 0
