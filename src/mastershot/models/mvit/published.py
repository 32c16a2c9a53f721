"""Published checkpoints of MViTv2-S for video, by name mapping."""

from collections.abc import Mapping

from torch import Tensor

from mastershot.models.loading import fit_weights, renamed_weights
from mastershot.models.mvit.network import PATCH_STRIDE, MViT, MViTSettings

_TORCHVISION = (
    (r"^conv_proj\.", "patches."),
    (r"^pos_encoding\.", ""),
    (r"\.norm1\.", ".attention_norm."),
    (r"\.attn\.pool_([qkv])\.pool\.", r".attention.pool_\1.convolution."),
    (r"\.attn\.pool_([qkv])\.norm_act\.0\.", r".attention.pool_\1.norm."),
    (r"\.attn\.qkv\.", ".attention.queries_keys_values."),
    (r"\.attn\.project\.0\.", ".attention.attended."),
    (r"\.attn\.rel_pos_([hwt])$", r".attention.offsets_\1"),
    (r"\.norm2\.", ".mlp_norm."),
    (r"\.mlp\.0\.", ".widen."),
    (r"\.mlp\.3\.", ".narrow."),
    (r"\.project\.", ".wider."),
)
_SLOWFAST = (
    (r"^patch_embed\.proj\.", "patches."),
    (r"^cls_token$", "class_token"),
    (r"\.norm1\.", ".attention_norm."),
    (r"\.attn\.pool_([qkv])\.", r".attention.pool_\1.convolution."),
    (r"\.attn\.norm_([qkv])\.", r".attention.pool_\1.norm."),
    (r"\.attn\.qkv\.", ".attention.queries_keys_values."),
    (r"\.attn\.proj\.", ".attention.attended."),
    (r"\.attn\.rel_pos_([hwt])$", r".attention.offsets_\1"),
    (r"\.norm2\.", ".mlp_norm."),
    (r"\.mlp\.fc1\.", ".widen."),
    (r"\.mlp\.fc2\.", ".narrow."),
    (r"\.proj\.", ".wider."),
)
_FORMATS = {"conv_proj.weight": _TORCHVISION, "patch_embed.proj.weight": _SLOWFAST}
_HEADS = ("head.1.", "head.projection.")  # classifiers, which are left out


def published_mvit(weights: Mapping[str, Tensor], source: str) -> MViT:
    """Return an MViTv2 of the shape of a published checkpoint, with its weights, less the head.

    Names are those of torchvision's ``mvit_v2_s`` or of SlowFast's MViTv2.

    Raises:
        EncoderError: The names are of neither, or weights are missing, unexpected, or of another
            shape.
    """
    network = MViT(published_shape(weights))
    kept = {name: x for name, x in weights.items() if not name.startswith(_HEADS)}
    renamed = renamed_weights(kept, _FORMATS, network, source)
    if "class_token" in renamed:
        renamed["class_token"] = renamed["class_token"].flatten()
    fit_weights(network, renamed, source)
    return network


def published_shape(weights: Mapping[str, Tensor]) -> MViTSettings:
    """Return the sizes that a published checkpoint's tables tell; MViTv2-S's where it has none."""
    rows, frames = (weights.get(f"blocks.0.attn.rel_pos_{axis}") for axis in "ht")
    if rows is None or frames is None or rows.ndim != 2 or len(rows) < 15:
        return MViTSettings()
    across, long = (len(rows) + 1) // 2, (len(frames) + 1) // 2
    px, of_frame = PATCH_STRIDE[1], PATCH_STRIDE[0]
    return MViTSettings(num_frames=long * of_frame, image_px=max(32, across * px // 32 * 32))
