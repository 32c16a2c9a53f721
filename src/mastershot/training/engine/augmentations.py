"""Augmented views of frames: crops, flips, colours and mixtures, drawn anew for every group.

Teacher and student see the very same view, so a view may be distorted at will ("function
matching", Beyer et al. 2022, arXiv:2106.05237).
"""
# G views in a group, S side of a square in pixels

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from mastershot.core.embeddings import ImageArray
from mastershot.training.engine.settings import AugmentationSettings


def square(picture: ImageArray, side_px: int) -> ImageArray:
    """Return a picture resized into a square, RGB (S, S, 3)."""
    tensor = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    if picture.shape[:2] != (side_px, side_px):
        tensor = interpolate(tensor, (side_px, side_px), mode="bilinear", antialias=True)
    squeezed: ImageArray = tensor[0].permute(1, 2, 0).contiguous().numpy()
    return squeezed


def augment(
    squares: Tensor,
    aspects: Tensor,
    settings: AugmentationSettings,
    *,
    side_px: int,
    generator: torch.Generator,
) -> Tensor:
    """Return one view of each of these squares (G, 3, S, S), of frames of these aspects (G,).

    A view is a random rectangle of a frame, squeezed into a square by no more than ``max_stretch``;
    one in four is the whole frame, as the encoder sees it; half are mirrored. Then colours change,
    and some views are mixed with others.
    """
    count = len(squares)
    area = _uniform(count, settings.min_area, 1.0, generator)
    stretch = settings.max_stretch ** _uniform(count, -1.0, 1.0, generator)
    width = (area * stretch / aspects).sqrt().clamp(max=1.0)
    height = (area * aspects / stretch).sqrt().clamp(max=1.0)
    whole = torch.rand(count, generator=generator) < 0.25
    width, height = torch.where(whole, 1.0, width), torch.where(whole, 1.0, height)
    mirrored = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = mirrored * width, height
    theta[:, 0, 2] = (1 - width) * _uniform(count, -1.0, 1.0, generator)
    theta[:, 1, 2] = (1 - height) * _uniform(count, -1.0, 1.0, generator)
    grid = affine_grid(theta, [count, 3, side_px, side_px], align_corners=False)
    views = grid_sample(squares, grid, padding_mode="border", align_corners=False)
    return _mix(_recolour(views, settings, generator), settings, generator)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _recolour(views: Tensor, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    count, amount = len(views), settings.colour
    grey = (torch.rand(count, generator=generator) < settings.grey_share).view(-1, 1, 1, 1)
    views = torch.where(grey, views.mean(1, keepdim=True), views)
    gains = 1 + amount * (torch.rand(count, 3, 1, 1, generator=generator) - 0.5)
    contrast = 1 + 2 * amount * (torch.rand(count, 1, 1, 1, generator=generator) - 0.5)
    light = 100 * amount * (torch.rand(count, 1, 1, 1, generator=generator) - 0.5)
    mean = views.mean((1, 2, 3), keepdim=True)
    return ((views - mean) * contrast * gains + mean * gains + light).clamp_(0, 255)


def _mix(views: Tensor, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    count = len(views)
    others = views[torch.randperm(count, generator=generator)]
    amount = torch.rand(count, generator=generator) * 0.5
    mixed = torch.rand(count, generator=generator) < settings.mixed_share
    amount = torch.where(mixed, amount, 0.0).view(-1, 1, 1, 1)
    return views + amount * (others - views)
