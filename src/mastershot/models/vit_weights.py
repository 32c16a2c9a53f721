"""Weights of published vision transformers, for a `VisionTransformer` to start from.

Names are those in the safetensors that transformers writes: of ViT (ImageNet), alone or under a
classifier, and of CLIP's image tower, alone or beside its text tower.
"""
# N patches, D width

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mastershot.core.errors import EncoderError
from mastershot.models.vit import Triple, VisionTransformer, ViTSettings, resized_positions

_CLIP_MEAN: Triple = (0.48145466 * 255, 0.4578275 * 255, 0.40821073 * 255)
_CLIP_STD: Triple = (0.26862954 * 255, 0.26130258 * 255, 0.27577711 * 255)


@dataclass(frozen=True)
class _Layout:
    """Where a checkpoint keeps what; each name stands for a weight and, mostly, a bias.

    Attributes:
        class_token: Its embedding.
        positions: Of the class token and the patches.
        plain: Our names to theirs.
        block: What a block's names begin with, before its number.
        attention: Its queries, keys and values.
        in_block: Our names to theirs, within a block.
    """

    class_token: str
    positions: str
    plain: Mapping[str, str]
    block: str
    attention: tuple[str, str, str]
    in_block: Mapping[str, str]


_VIT = _Layout(
    class_token="embeddings.cls_token",
    positions="embeddings.position_embeddings",
    plain={"patches": "embeddings.patch_embeddings.projection", "transformer.norm": "layernorm"},
    block="encoder.layer",
    attention=("attention.attention.query", "attention.attention.key", "attention.attention.value"),
    in_block={
        "attention_norm": "layernorm_before",
        "attended": "attention.output.dense",
        "mlp_norm": "layernorm_after",
        "widen": "intermediate.dense",
        "narrow": "output.dense",
    },
)
_CLIP = _Layout(
    class_token="embeddings.class_embedding",
    positions="embeddings.position_embedding.weight",
    plain={
        "patches": "embeddings.patch_embedding",
        "norm_before": "pre_layrnorm",
        "transformer.norm": "post_layernorm",
    },
    block="encoder.layers",
    attention=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    in_block={
        "attention_norm": "layer_norm1",
        "attended": "self_attn.out_proj",
        "mlp_norm": "layer_norm2",
        "widen": "mlp.fc1",
        "narrow": "mlp.fc2",
    },
)


def published_settings(config: Mapping[str, Any], image_px: int = 128) -> ViTSettings:
    """Return the shape of the network in a checkpoint's config.json, for frames of another size.

    Raises:
        EncoderError: It is neither a ViT nor a CLIP, or does not say its shape.
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
        raise EncoderError(f"the checkpoint's config says no shape ({error})") from error


def published_weights(checkpoint: Mapping[str, Tensor], settings: ViTSettings) -> dict[str, Tensor]:
    """Return a checkpoint's weights as a `VisionTransformer` of these settings names them.

    Positional embeddings of another grid are interpolated to the settings' own.

    Raises:
        EncoderError: A weight is missing, or of another shape than the settings say.
    """
    for prefix in ("", "vit.", "vision_model."):
        for layout in (_VIT, _CLIP):
            if prefix + layout.class_token in checkpoint:
                weights = _translated(checkpoint, layout, prefix, settings)
                _check_shapes(weights, settings)
                return weights
    raise EncoderError("the weights hold no class token of a ViT or of a CLIP image tower")


def _translated(
    checkpoint: Mapping[str, Tensor], layout: _Layout, prefix: str, settings: ViTSettings
) -> dict[str, Tensor]:
    def take(name: str) -> Tensor:
        if prefix + name not in checkpoint:
            raise EncoderError(f"the weights lack {prefix}{name}")
        return checkpoint[prefix + name].float()

    weights: dict[str, Tensor] = {}
    plain = dict(layout.plain)
    for index in range(settings.depth):
        theirs, ours = f"{layout.block}.{index}.", f"transformer.blocks.{index}."
        plain |= {ours + name: theirs + other for name, other in layout.in_block.items()}
        for part in ("weight", "bias"):
            three = [take(f"{theirs}{name}.{part}") for name in layout.attention]
            weights[f"{ours}queries_keys_values.{part}"] = torch.cat(three)
    for ours, theirs in plain.items():
        weights[f"{ours}.weight"] = take(f"{theirs}.weight")
        biasless = ours == "patches" and layout is _CLIP
        zeros = torch.zeros(settings.width)
        weights[f"{ours}.bias"] = zeros if biasless else take(f"{theirs}.bias")
    positions = take(layout.positions).flatten(0, -2)
    side = math.isqrt(len(positions) - 1)
    if side < 1 or side**2 != len(positions) - 1:
        raise EncoderError(
            f"{len(positions)} positional embeddings are not those of a class token and a square "
            "of patches"
        )
    weights["class_token"] = take(layout.class_token).flatten()
    weights["class_position"] = positions[0]
    weights["positions"] = resized_positions(positions[1:], (side, side), settings.grid)
    return weights


def _check_shapes(weights: Mapping[str, Tensor], settings: ViTSettings) -> None:
    with torch.device("meta"):
        network = VisionTransformer(settings)
    for name, tensor in network.state_dict().items():
        if weights[name].shape != tensor.shape:
            raise EncoderError(
                f"the weights' {name} has shape {tuple(weights[name].shape)}; the settings ask for "
                f"{tuple(tensor.shape)}"
            )
