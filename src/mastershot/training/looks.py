"""What an encoder is shown of shots: values in range and, for controls, distorted looks at them."""
# N scenes, n shots a scene, k keyframes a shot, D width

import torch
from torch import Tensor

from mastershot.training.scene_settings import ContrastSettings
from mastershot.training.views import distort

# Mean and deviation of photographs' channels (ImageNet), the usual scale of a ViT's input.
_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def plain_look(scenes: Tensor) -> Tensor:
    """Return scenes as networks take them.

    Keyframes, uint8 (N, n, k, H, W, 3), become scaled (N, n, k, 3, H, W); features (N, n, D) become
    float32.
    """
    if scenes.dtype != torch.uint8:
        return scenes.float()
    mean = torch.tensor(_MEAN, device=scenes.device).view(3, 1, 1)
    deviation = torch.tensor(_DEVIATION, device=scenes.device).view(3, 1, 1)
    return (scenes.movedim(-1, -3).float() - mean) / deviation


def distorted_look(scenes: Tensor, settings: ContrastSettings, generator: torch.Generator) -> Tensor:
    """Return a look at scenes like `plain_look`, each shot disturbed on its own, drawn anew."""
    if scenes.dtype != torch.uint8:
        return _disturbed(scenes.float(), settings, generator)
    squares = scenes.reshape(-1, *scenes.shape[-3:]).movedim(-1, -3).float()
    aspects = torch.ones(len(squares))
    views = distort(
        squares, aspects, settings.distortion, side_px=squares.shape[-1], generator=generator
    )
    views = views.clamp(0, 255).to(torch.uint8).movedim(-3, -1)
    return plain_look(views.reshape(scenes.shape))


def _disturbed(features: Tensor, settings: ContrastSettings, generator: torch.Generator) -> Tensor:
    deviation = features.std(dim=-1, keepdim=True)
    noise = torch.randn(features.shape, generator=generator) * settings.noise
    kept = torch.rand(features.shape, generator=generator) >= settings.dropout
    return (features + noise * deviation) * kept / (1 - settings.dropout)
