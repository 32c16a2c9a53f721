"""Names, shapes and random weights of published MViTv2-S checkpoints."""

import torch
from torch import Tensor

# Heads and widths of each block of torchvision's mvit_v2_s, and strides of its queries and keys.
HEADS = [1, 2, 2, *[4] * 11, 8, 8]
INPUTS = [96, 96, 192, 192, *[384] * 11, 768]
OUTPUTS = [96, 192, 192, *[384] * 11, 768, 768]
QUERY_STRIDES = [1, 2, 1, 2, *[1] * 10, 2, 1]
KEY_STRIDES = [8, 4, 4, *[2] * 11, 1, 1]


def torchvision_shapes(num_classes: int = 400) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of torchvision's mvit_v2_s, from its published table."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv_proj.weight": (96, 3, 3, 7, 7), "conv_proj.bias": (96,),
        "pos_encoding.class_token": (96,), "norm.weight": (768,), "norm.bias": (768,),
        "head.1.weight": (num_classes, 768), "head.1.bias": (num_classes,),
    }  # fmt: skip

    def pair(name: str, outputs: int, inputs: int | None = None) -> None:
        shapes[f"{name}.weight"] = (outputs,) if inputs is None else (outputs, inputs)
        shapes[f"{name}.bias"] = (outputs,)

    side = 56
    for index, (inputs, outputs) in enumerate(zip(INPUTS, OUTPUTS, strict=True)):
        name, head = f"blocks.{index}", outputs // HEADS[index]
        pair(f"{name}.norm1", inputs)
        pair(f"{name}.norm2", outputs)
        pair(f"{name}.attn.qkv", 3 * outputs, inputs)
        pair(f"{name}.attn.project.0", outputs, outputs)
        pair(f"{name}.mlp.0", 4 * outputs, outputs)
        pair(f"{name}.mlp.3", outputs, 4 * outputs)
        if inputs != outputs:
            pair(f"{name}.project", outputs, inputs)
        for part in "qkv":
            shapes[f"{name}.attn.pool_{part}.pool.weight"] = (head, 1, 3, 3, 3)
            pair(f"{name}.attn.pool_{part}.norm_act.0", head)
        across = max(side // QUERY_STRIDES[index], side // KEY_STRIDES[index])
        shapes[f"{name}.attn.rel_pos_h"] = shapes[f"{name}.attn.rel_pos_w"] = (2 * across - 1, head)
        shapes[f"{name}.attn.rel_pos_t"] = (15, head)
        side //= QUERY_STRIDES[index]
    return shapes


def drawn(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
