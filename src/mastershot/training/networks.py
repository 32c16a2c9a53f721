"""The networks that recipes name, with fresh weights that follow from a seed."""
# B batch, n shots a scene, k keyframes a shot, D width of a feature, W width of a representation

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mastershot.models.scene_encoder import (
    FeatureSceneEncoder,
    FeatureSceneSettings,
    PixelSceneEncoder,
    ProjectionHead,
)
from mastershot.models.vit import VisionTransformer, ViTSettings
from mastershot.training.scene_settings import NetworkSettings


@dataclass(frozen=True)
class SceneShape:
    """What a scene is made of.

    Attributes:
        num_shots: Shots a scene, n.
        row_shape: What there is of a shot: a feature (D,), or keyframes (k, H, W, 3).
    """

    num_shots: int
    row_shape: tuple[int, ...]


class ShotEncoder(nn.Module):
    """Keyframes to shot features: a ViT's class token, and a layer to the feature's width."""

    def __init__(self, settings: ViTSettings, num_outputs: int) -> None:
        super().__init__()
        self.vit = VisionTransformer(settings)
        self.feature = nn.Linear(settings.width, num_outputs)

    def forward(self, frames_B13HW: Tensor) -> Tensor:
        """Return one feature a shot, of its one keyframe, (B, outputs)."""
        feature: Tensor = self.feature(self.vit(frames_B13HW[:, 0]))
        return feature


def scene_network(settings: NetworkSettings, shape: SceneShape) -> nn.Module:
    """Return a network from looks at scenes to their class tokens, (B, W)."""
    if settings.network == "vit":
        return PixelSceneEncoder(vit_settings(settings, shape.row_shape[1]))
    return FeatureSceneEncoder(
        FeatureSceneSettings(
            width=settings.width, depth=settings.depth, heads=settings.heads,
            num_inputs=shape.row_shape[0], num_positions=shape.num_shots,
        )
    )  # fmt: skip


def vit_settings(settings: NetworkSettings, image_px: int) -> ViTSettings:
    """Return the shape of a recipe's ViT for keyframes of this size."""
    return ViTSettings(
        width=settings.width, depth=settings.depth, heads=settings.heads,
        image_px=image_px, patch_px=settings.patch_px,
    )  # fmt: skip


def projected(network: nn.Module, width: int, projection: int) -> nn.Module:
    """Return a network and, after it, the head to the space that is compared in, (B, P)."""
    return nn.Sequential(network, ProjectionHead(width, projection))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw weights that follow from a seed while the block runs, and leave other chance alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
