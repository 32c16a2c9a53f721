"""The networks that recipes name, with fresh weights that follow from a seed."""
# B batch, F = n·k frames, n shots a scene, k keyframes a shot, D width of a feature
# W width of a representation

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mastershot.core.errors import EncoderError
from mastershot.core.settings import Count, Settings
from mastershot.encoders.checkpoint import one_line, read_json, read_weights
from mastershot.models.mvit.network import MViT, MViTSettings
from mastershot.models.mvit.published import published_mvit
from mastershot.models.scene_encoder import (
    FeatureSceneEncoder,
    FeatureSceneSettings,
    PaddedSceneEncoder,
    PixelSceneEncoder,
    ProjectionHead,
)
from mastershot.models.vit import (
    VisionTransformer,
    ViTSettings,
    published_settings,
    published_weights,
)
from mastershot.training.engine.augmentations import augment
from mastershot.training.engine.settings import under
from mastershot.training.movies2scenes.settings.encoders import ContrastiveSettings, NetworkSettings


@dataclass(frozen=True)
class SceneShape(Settings):
    """What a scene is made of.

    Attributes:
        num_shots: Shots a scene, n.
        row_shape: What a shot is: a feature (D,), or keyframes (k, H, W, 3).
    """

    num_shots: Count
    row_shape: tuple[Count, ...]


class ShotEncoder(nn.Module):
    """Keyframes to shot features: a ViT's class token, and a layer to the feature's width."""

    def __init__(self, settings: ViTSettings, num_outputs: int) -> None:
        super().__init__()
        self.vit = VisionTransformer(settings)
        self.feature = nn.Linear(settings.width, num_outputs)

    def forward(self, frames_BF3HW: Tensor) -> Tensor:
        """Return one feature a shot, of its middle keyframe, (B, outputs)."""
        middle = frames_BF3HW.shape[1] // 2
        feature: Tensor = self.feature(self.vit(frames_BF3HW[:, middle]))
        return feature


def scene_network(settings: NetworkSettings, shape: SceneShape) -> nn.Module:
    """Return a network from views of scenes to their class tokens, (B, W)."""
    if settings.backbone == "mvit_v2_s":
        return mvit_network(settings, shape)
    if settings.network == "vit":
        network = PixelSceneEncoder(vit_settings(settings, shape.row_shape[1]))
        start_from(settings.init, network.vit)
        return network
    kind = PaddedSceneEncoder if settings.padded else FeatureSceneEncoder
    return kind(
        FeatureSceneSettings(
            width=settings.width, depth=settings.depth, heads=settings.heads,
            num_inputs=shape.row_shape[0], num_positions=shape.num_shots,
        )
    )  # fmt: skip


def mvit_network(settings: NetworkSettings, shape: SceneShape) -> MViT:
    """Return an MViTv2-S for scenes of a shape, or the one of the checkpoint that is named.

    Raises:
        EncoderError: The checkpoint cannot be read, or is of another network.
        SettingError: The keyframes are no multiple of 32 pixels.
    """
    if settings.init:
        return published_mvit(read_weights(Path(settings.init)), settings.init)
    num_frames = shape.num_shots * shape.row_shape[0]
    image_px = shape.row_shape[1]
    return MViT(MViTSettings(settings.width // 8, num_frames=num_frames, image_px=image_px))


def started_from(settings: NetworkSettings, data: str, shape: SceneShape) -> NetworkSettings:
    """Return settings of the shape of the checkpoint that they name, its path as it is from here.

    Raises:
        EncoderError: The checkpoint cannot be read, or is not of a ViT.
        SettingError: Its patches do not tile such keyframes.
    """
    if not settings.init:
        return settings
    found = replace(settings, init=str(under(data, settings.init)))
    if found.backbone == "mvit_v2_s":
        return replace(found, width=MViTSettings().num_outputs)
    vit = vit_settings(found, shape.row_shape[1])
    return replace(found, width=vit.width, depth=vit.depth, heads=vit.heads, patch_px=vit.patch_px)


def vit_settings(settings: NetworkSettings, image_px: int) -> ViTSettings:
    """Return the shape of a recipe's ViT, or of the checkpoint it starts from, for such keyframes.

    Raises:
        EncoderError: The checkpoint cannot be read, or is not of a ViT.
    """
    if settings.init:
        return published_settings(read_json(Path(settings.init) / "config.json"), image_px)
    return ViTSettings(
        width=settings.width, depth=settings.depth, heads=settings.heads,
        image_px=image_px, patch_px=settings.patch_px,
    )  # fmt: skip


def start_from(init: str, vit: VisionTransformer) -> None:
    """Give a ViT the weights of a checkpoint's folder, if one is named.

    Raises:
        EncoderError: The weights cannot be read, or do not fit.
    """
    if not init:
        return
    path = Path(init) / "model.safetensors"
    try:
        vit.load_state_dict(published_weights(load_file(path), vit.settings))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise EncoderError(f"{path} cannot be loaded ({one_line(error)})") from error


def projected(network: nn.Module, width: int, projection: int) -> nn.Sequential:
    """Return a network followed by the head to the space that is compared in, (B, P)."""
    return nn.Sequential(network, ProjectionHead(width, projection))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw weights that follow from a seed while the block runs; other random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def plain_views(scenes: Tensor) -> Tensor:
    """Return scenes as networks take them.

    Keyframes, uint8 (N, n, k, H, W, 3), become frames (N, n·k, 3, H, W); features (N, n, D) become
    float32.
    """
    if scenes.dtype != torch.uint8:
        return scenes.float()
    return scenes.movedim(-1, -3).flatten(1, 2)


def augmented_views(
    scenes: Tensor, settings: ContrastiveSettings, generator: torch.Generator
) -> Tensor:
    """Return views of scenes like `plain_views`, each shot augmented on its own."""
    if scenes.dtype != torch.uint8:
        features = scenes.float()
        deviation = features.std(dim=-1, keepdim=True)
        noise = torch.randn(features.shape, generator=generator) * settings.noise
        kept = torch.rand(features.shape, generator=generator) >= settings.dropout
        return (features + noise * deviation) * kept / (1 - settings.dropout)
    frames = plain_views(scenes)
    squares = frames.flatten(0, 1).float()
    aspects, side_px = torch.ones(len(squares)), squares.shape[-1]
    views = augment(squares, aspects, settings.augmentation, side_px=side_px, generator=generator)
    return views.reshape(frames.shape)
