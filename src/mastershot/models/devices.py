"""What a processor computes fastest in."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def fastest_float(device: "torch.device") -> str:
    """Return ``bfloat16`` where the processor computes in it, else ``float32``.

    Never int8, faster as it is: how labels fare in it was not measured on trained CLIP weights.
    """
    import torch

    if device.type == "cuda":
        computes_in_it = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()
        computes_in_it = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return "bfloat16" if computes_in_it else "float32"
