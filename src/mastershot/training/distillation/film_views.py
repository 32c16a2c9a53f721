"""Views as films show a place: barred, graded, grainy, blurred, with somebody in front of it.

Photographs show places empty and sharp. Teachers that are networks are shown the changed view, as
the student is; only the label of its frame is as before.
"""
# G views in a group, S side of a square in pixels

import torch
from torch import Tensor
from torch.nn.functional import interpolate

_BARS = (0.04, 0.16)  # Height of each bar, of the view's.
_GRAIN = 16.0  # Largest standard deviation of grain, in levels of 255.
_SMALLEST = 3  # A blurred view was so many times smaller, at most.


def film_views(views: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return views (G, 3, S, S) of RGB values 0…255, of which a share is changed in each way.

    Half the share is blurred, and half of it barred.
    """
    views = _with_people(views, share, generator)
    views = _graded(views, share, generator)
    views = _blurred(views, share / 2, generator)
    views = _grainy(views, share, generator)
    return _barred(views, share / 2, generator)


def _chosen(count: int, share: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) < share).view(-1, 1, 1, 1)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)


def _with_people(views: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Stand a head and shoulders, filled with another view in other colours, before the place."""
    count, _, side, _ = views.shape
    y, x = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    middle = _uniform(count, 0.1, 0.9, generator)
    head = _uniform(count, 0.06, 0.2, generator)  # Half its height.
    top = _uniform(count, 0.05, 0.6, generator)
    across, down = (x - middle) / (0.75 * head), (y - top - head) / head
    face = across.square() + down.square() < 1
    width = head * _uniform(count, 1.6, 2.4, generator)
    shoulders = ((x - middle) / width).square() + ((y - top - 3.6 * head) / (1.8 * head)).square()
    body = (shoulders < 1) | ((y > top + 3.6 * head) & ((x - middle).abs() < width))
    others = views[torch.randperm(count, generator=generator)].flip(3)
    tint = 0.3 + 0.9 * torch.rand(count, 3, 1, 1, generator=generator)
    skin = torch.tensor([200.0, 150.0, 120.0]).view(1, 3, 1, 1) * _uniform(
        count, 0.3, 1.1, generator
    )
    cloth = 0.5 * others * tint + 0.5 * others.mean((2, 3), keepdim=True) * tint
    figures = torch.where(body, cloth, views)
    figures = torch.where(face, 0.8 * skin + 0.2 * others, figures).clamp_(0, 255)
    return torch.where(_chosen(count, share, generator), figures, views)


def _graded(views: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Change gamma and saturation, and tint shadows and lights apart (split toning)."""
    count = len(views)
    light = (views / 255).clamp(1e-3, 1)
    graded = light ** torch.exp(_uniform(count, -0.7, 0.9, generator))
    grey = graded.mean(1, keepdim=True)
    graded = grey + (graded - grey) * _uniform(count, 0.2, 1.4, generator)
    shadows = 0.12 * (torch.rand(count, 3, 1, 1, generator=generator) - 0.5)
    lights = 0.24 * (torch.rand(count, 3, 1, 1, generator=generator) - 0.5)
    graded = 255 * (graded + shadows * (1 - grey) + lights * grey).clamp_(0, 1)
    return torch.where(_chosen(count, share, generator), graded, views)


def _blurred(views: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Show views that were smaller: out of focus, or of low resolution."""
    side = views.shape[-1]
    times = 1 + (_SMALLEST - 1) * float(torch.rand((), generator=generator))
    small = interpolate(views, scale_factor=1 / times, mode="bilinear", antialias=True)
    blurred = interpolate(small, (side, side), mode="bilinear")
    return torch.where(_chosen(len(views), share, generator), blurred, views)


def _grainy(views: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Add grain, one value for all colours of a pixel."""
    count, _, side, _ = views.shape
    amount = _GRAIN * torch.rand(count, 1, 1, 1, generator=generator)
    grain = amount * torch.randn(count, 1, side, side, generator=generator)
    return torch.where(_chosen(count, share, generator), (views + grain).clamp_(0, 255), views)


def _barred(views: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Blacken the top and the bottom, or both sides, as letterbox and pillarbox do."""
    count, _, side, _ = views.shape
    along = torch.linspace(0, 1, side)
    depth = _uniform(count, *_BARS, generator)
    lying, upright = along.view(1, 1, side, 1), along.view(1, 1, 1, side)
    wide = torch.rand(count, 1, 1, 1, generator=generator) < 0.75
    place = torch.where(wide, lying.expand(-1, -1, side, side), upright.expand(-1, -1, side, side))
    outside = (place < depth) | (place > 1 - depth)
    return views.masked_fill(outside & _chosen(count, share, generator), 0.0)
