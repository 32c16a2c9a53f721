"""What an encoder is shown of shots: as they are or, for controls, distorted anew each time."""
# N scenes, n shots a scene, k keyframes a shot, D width

import torch
from torch import Tensor

from mastershot.training.scene_settings import ContrastSettings
from mastershot.training.views import distort


def plain_look(scenes: Tensor) -> Tensor:
    """Return scenes as networks take them.

    Keyframes, uint8 (N, n, k, H, W, 3), become frames (N, n·k, 3, H, W); features (N, n, D) become
    float32.
    """
    if scenes.dtype != torch.uint8:
        return scenes.float()
    return scenes.movedim(-1, -3).flatten(1, 2)


def distorted_look(
    scenes: Tensor, settings: ContrastSettings, generator: torch.Generator
) -> Tensor:
    """Return a look at scenes like `plain_look`, each shot disturbed on its own."""
    if scenes.dtype != torch.uint8:
        return _disturbed(scenes.float(), settings, generator)
    frames = plain_look(scenes)
    squares = frames.flatten(0, 1).float()
    views = distort(
        squares,
        torch.ones(len(squares)),
        settings.distortion,
        side_px=squares.shape[-1],
        generator=generator,
    )
    return views.reshape(frames.shape)


def _disturbed(features: Tensor, settings: ContrastSettings, generator: torch.Generator) -> Tensor:
    deviation = features.std(dim=-1, keepdim=True)
    noise = torch.randn(features.shape, generator=generator) * settings.noise
    kept = torch.rand(features.shape, generator=generator) >= settings.dropout
    return (features + noise * deviation) * kept / (1 - settings.dropout)
