"""Weights of published vision transformers, for a `VisionTransformer` to start from.

Names are those in the safetensors that transformers writes: of ViT (ImageNet), alone or under a
classifier, and of CLIP's image tower, alone or beside its text tower.
"""
# N patches, D width

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import torch
from torch import Tensor

from mastershot.core.errors import EncoderError
from mastershot.models.loading import require_fit, translate_weights
from mastershot.models.vit import Triple, VisionTransformer, ViTSettings, resized_positions

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
    "transformer.blocks.{}.queries_keys_values.*": (
        "encoder.layer.{}.attention.attention.query.*",
        "encoder.layer.{}.attention.attention.key.*",
        "encoder.layer.{}.attention.attention.value.*",
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
    "transformer.blocks.{}.queries_keys_values.*": (
        "encoder.layers.{}.self_attn.q_proj.*",
        "encoder.layers.{}.self_attn.k_proj.*",
        "encoder.layers.{}.self_attn.v_proj.*",
    ),
    "transformer.blocks.{}.attended.*": "encoder.layers.{}.self_attn.out_proj.*",
    "transformer.blocks.{}.mlp_norm.*": "encoder.layers.{}.layer_norm2.*",
    "transformer.blocks.{}.widen.*": "encoder.layers.{}.mlp.fc1.*",
    "transformer.blocks.{}.narrow.*": "encoder.layers.{}.mlp.fc2.*",
}


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
        require_fit(VisionTransformer(settings), weights, "the checkpoint")
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
