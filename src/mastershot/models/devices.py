"""What a processor computes fastest in, and on how many threads beside the decoder's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from threadpoolctl import ThreadpoolController

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


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Run a network on the thread that asks, alone.

    Others that PyTorch would wake take longer to wait for their part of a small one than to do it,
    and a film is decoded on their cores. OpenMP counts threads by the thread that asks, so no other
    is changed. Libraries are looked for each time, because PyTorch may have been loaded meanwhile.
    """
    with ThreadpoolController().limit(limits=1, user_api="openmp"):
        yield
