"""The plain vision transformer: a frame to one vector (Dosovitskiy et al. 2021; METHODS B1, B5).

It can start from published weights, in the safetensors that transformers writes: of ViT (ImageNet),
alone or under a classifier, and of CLIP's image tower, alone or beside its text tower.
"""
# B batch, H × W size of a frame, R × C grid of patches, N = R·C patches, D width, O outputs

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mastershot.core.errors import EncoderError, SettingError
from mastershot.models.fire_net import FireMaps
from mastershot.models.loading import fit_weights, translate_weights
from mastershot.models.transformer import Transformer, TransformerSettings, initialise, learned

Triple = tuple[float, float, float]
_CLIP_MEAN: Triple = (0.48145466 * 255, 0.4578275 * 255, 0.40821073 * 255)
_CLIP_STD: Triple = (0.26862954 * 255, 0.26130258 * 255, 0.27577711 * 255)

# Our names to theirs; {} is the number of a block, and * stands for weight and bias.
_Names = dict[str, str | tuple[str, ...]]
_VIT: _Names = {
    "class_token": "embeddings.cls_token",
    "positions": "embeddings.position_embeddings",
    "patches.*": "embeddings.patch_embeddings.projection.*",
    "transformer.norm.*": "layernorm.*",
    "transformer.blocks.{}.attention_norm.*": "encoder.layer.{}.layernorm_before.*",
    "transformer.blocks.{}.queries_keys_values.*": tuple(
        "encoder.layer.{}.attention.attention." + part for part in ("query.*", "key.*", "value.*")
    ),
    "transformer.blocks.{}.attended.*": "encoder.layer.{}.attention.output.dense.*",
    "transformer.blocks.{}.mlp_norm.*": "encoder.layer.{}.layernorm_after.*",
    "transformer.blocks.{}.widen.*": "encoder.layer.{}.intermediate.dense.*",
    "transformer.blocks.{}.narrow.*": "encoder.layer.{}.output.dense.*",
}
_CLIP: _Names = {
    "class_token": "embeddings.class_embedding",
    "positions": "embeddings.position_embedding.weight",
    "patches.weight": "embeddings.patch_embedding.weight",
    "norm_before.*": "pre_layrnorm.*",
    "transformer.norm.*": "post_layernorm.*",
    "transformer.blocks.{}.attention_norm.*": "encoder.layers.{}.layer_norm1.*",
    "transformer.blocks.{}.queries_keys_values.*": tuple(
        "encoder.layers.{}.self_attn." + part for part in ("q_proj.*", "k_proj.*", "v_proj.*")
    ),
    "transformer.blocks.{}.attended.*": "encoder.layers.{}.self_attn.out_proj.*",
    "transformer.blocks.{}.mlp_norm.*": "encoder.layers.{}.layer_norm2.*",
    "transformer.blocks.{}.widen.*": "encoder.layers.{}.mlp.fc1.*",
    "transformer.blocks.{}.narrow.*": "encoder.layers.{}.mlp.fc2.*",
}


@dataclass(frozen=True)
class ViTSettings(TransformerSettings):
    """The shape of a vision transformer; the defaults are Movies2Scenes': ViT-B/16 at 128².

    Attributes:
        image_px: Edge of the square frame.
        patch_px: Edge of a patch; it divides the frame's.
        pixel_mean: Subtracted from the RGB values 0…255.
        pixel_std: What they are divided by after that; with these defaults they lie in -1…1.
        norm_before: Normalise the tokens before the first block too, as CLIP does.
    """

    image_px: int = 128
    patch_px: int = 16
    pixel_mean: Triple = (127.5, 127.5, 127.5)
    pixel_std: Triple = (127.5, 127.5, 127.5)
    norm_before: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_px % self.patch_px:
            raise SettingError(
                f"patches of {self.patch_px} pixels do not tile a frame of {self.image_px}; "
                "the patch's edge must divide the frame's"
            )

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches in a frame."""
        return (self.image_px // self.patch_px,) * 2


class VisionTransformer(nn.Module):
    """Frames to their class tokens."""

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, settings: ViTSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.patches = nn.Conv2d(3, width, settings.patch_px, settings.patch_px)
        self.class_token = learned(width)
        self.class_position = learned(width)
        self.positions = learned(math.prod(settings.grid), width)
        norm = nn.LayerNorm(width, settings.norm_eps)
        self.norm_before = norm if settings.norm_before else nn.Identity()
        self.transformer = Transformer(settings)
        for name in ("pixel_mean", "pixel_std"):
            values = torch.tensor(getattr(settings, name)).view(3, 1, 1)
            self.register_buffer(name, values, persistent=False)
        initialise(self)

    def forward(self, frames_B3HW: Tensor) -> Tensor:
        """Return the class token of each frame, RGB values 0…255, before any head, shape (B, D).

        Raises:
            SettingError: The frames have another size than the network's.
        """
        return self.read(self.patch_tokens(frames_B3HW), self.positions)

    def patch_tokens(self, frames_B3HW: Tensor) -> Tensor:
        """Return frames as tokens without positions, row by row of patches, shape (B, N, D).

        Raises:
            SettingError: The frames have another size than the network's.
        """
        side_px = self.settings.image_px
        if frames_B3HW.ndim != 4 or frames_B3HW.shape[1:] != (3, side_px, side_px):
            raise SettingError(
                f"frames of shape {tuple(frames_B3HW.shape)} do not fit a network for "
                f"(batch, 3, {side_px}, {side_px})"
            )
        pixels = (frames_B3HW - self.pixel_mean).div_(self.pixel_std)
        return self.patches(pixels).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]

    def read(self, tokens_BND: Tensor, positions_ND: Tensor) -> Tensor:
        """Return the class token after attention to any number of patches, shape (B, D)."""
        class_token = (self.class_token + self.class_position).expand(len(tokens_BND), 1, -1)
        tokens = torch.cat([class_token, tokens_BND + positions_ND], 1)
        return self.transformer(self.norm_before(tokens))  # type: ignore[no-any-return]


class ViTStudent(nn.Module):
    """A small ViT to O numbers, as `FireNet`, for training with a GPU on many frames."""

    map_channels = None  # It has no maps for a teacher's hints.

    def __init__(self, num_outputs: int, image_px: int) -> None:
        """Build the network with random weights.

        Raises:
            SettingError: Its patches of 16 pixels do not tile the square.
        """
        super().__init__()
        # The shape of ViT-Ti (Touvron et al. 2021, arXiv:2012.12877, table 1) at half its depth.
        settings = ViTSettings(width=192, depth=6, heads=3, patch_px=16, image_px=image_px)
        self.frames = VisionTransformer(settings)
        self.head = nn.Linear(settings.width, num_outputs)
        initialise(self.head)

    def maps(self, images_B3HW: Tensor) -> FireMaps:
        """Return the outputs from RGB values 0…255."""
        return FireMaps(self(images_B3HW))

    def forward(self, images_B3HW: Tensor) -> Tensor:
        """Return the outputs (B, O)."""
        return self.head(self.frames(images_B3HW))  # type: ignore[no-any-return]

    def shipped_weights(self) -> dict[str, Tensor]:
        """Return the weights unchanged."""
        return {name: tensor.detach() for name, tensor in self.state_dict().items()}


def resized_positions(positions_ND: Tensor, grid: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Return positional embeddings of another grid (R, C), interpolated bicubically: (R·C, D)."""
    if new == grid:
        return positions_ND
    image_1DRC = positions_ND.T.reshape(1, -1, *grid)
    return interpolate(image_1DRC, new, mode="bicubic", align_corners=False)[0].flatten(1).T


def published_settings(config: Mapping[str, Any], image_px: int = 128) -> ViTSettings:
    """Return the shape of the network in a checkpoint's config.json, for frames of another size.

    Raises:
        EncoderError: It is neither a ViT nor a CLIP, or does not state its shape.
        SettingError: Its patches do not tile the frame.
    """
    kind = config.get("model_type")
    if kind not in ("vit", "clip", "clip_vision_model"):
        raise EncoderError(
            f"a checkpoint of type {kind!r} is no vision transformer this package knows; "
            "vit, clip and clip_vision_model are"
        )
    is_clip = kind != "vit"
    try:
        shape = config.get("vision_config", config)
        return ViTSettings(
            width=shape["hidden_size"],
            depth=shape["num_hidden_layers"],
            heads=shape["num_attention_heads"],
            mlp_ratio=shape["intermediate_size"] // shape["hidden_size"],
            norm_eps=shape.get("layer_norm_eps", 1e-5 if is_clip else 1e-12),
            activation=shape.get("hidden_act", "quick_gelu" if is_clip else "gelu"),
            image_px=image_px,
            patch_px=shape["patch_size"],
            norm_before=is_clip,
            **({"pixel_mean": _CLIP_MEAN, "pixel_std": _CLIP_STD} if is_clip else {}),
        )
    except KeyError as missing:
        raise EncoderError(f"the checkpoint's config lacks {missing}") from missing
    except (TypeError, ZeroDivisionError) as error:
        raise EncoderError(f"the checkpoint's config states no shape ({error})") from error


def published_weights(checkpoint: Mapping[str, Tensor], settings: ViTSettings) -> dict[str, Tensor]:
    """Return a checkpoint's weights as a `VisionTransformer` of these settings names them.

    Positional embeddings of another grid are interpolated to the settings' own.

    Raises:
        EncoderError: A weight is missing, or of another shape than the settings require.
    """
    for prefix, names in product(("", "vit.", "vision_model."), (_VIT, _CLIP)):
        if f"{prefix}{names['class_token']}" in checkpoint:
            break
    else:
        raise EncoderError("the weights hold no class token of a ViT or of a CLIP image tower")
    ours_to_theirs = _expanded(names, prefix, settings.depth)
    weights = translate_weights(checkpoint, ours_to_theirs, "the checkpoint")
    weights.setdefault("patches.bias", torch.zeros(settings.width))  # CLIP's patches have none.
    positions = weights["positions"].flatten(0, -2)
    side = math.isqrt(len(positions) - 1)
    if side < 1 or side**2 != len(positions) - 1:
        raise EncoderError(
            f"{len(positions)} positional embeddings are not those of a class token and a square "
            "of patches"
        )
    weights["class_token"] = weights["class_token"].flatten()
    weights["class_position"] = positions[0]
    weights["positions"] = resized_positions(positions[1:], (side, side), settings.grid)
    with torch.device("meta"):
        fit_weights(VisionTransformer(settings), weights, "the checkpoint")
    return weights


def _expanded(names: _Names, prefix: str, depth: int) -> dict[str, tuple[str, ...]]:
    """Return names with each block's number, and weight and bias, written out."""
    expanded = {}
    for (ours, theirs), block, part in product(names.items(), range(depth), ("weight", "bias")):
        several = (theirs,) if isinstance(theirs, str) else theirs
        expanded[ours.replace("{}", str(block)).replace("*", part)] = tuple(
            prefix + them.replace("{}", str(block)).replace("*", part) for them in several
        )
    return expanded
