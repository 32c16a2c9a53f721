"""Where networks are run, in which numbers, and on how many items at once."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.models.devices import fastest_float

if TYPE_CHECKING:
    import torch

# Frames or texts at once. A CPU gains nothing past 8 (bench/encoders.py); a GPU's 64 is a guess.
BATCH_SIZES = {"cpu": 8, "cuda": 64}
PRECISIONS = ("float32", "bfloat16", "int8")
"""What frames may be encoded in; words are always encoded in float32."""


def encode_batches(
    items: Sequence[Any] | ImageArray,
    encode: Callable[[Any], FloatArray],
    *,
    batch_size: int,
    width: int,
) -> FloatArray:
    """Return what ``encode`` makes of items, a batch at a time, one row an item, (N, width)."""
    import torch

    parts = [np.zeros((0, width), np.float32)]
    with torch.inference_mode():
        for first in range(0, len(items), batch_size):
            parts.append(encode(items[first : first + batch_size]))
    return np.concatenate(parts)


def find_device(name: str | None) -> "torch.device":
    """Return the device of this name; a GPU if there is one and no name is given.

    Raises:
        EncoderError: There is no such device here.
    """
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        raise EncoderError(f"there is no device {name!r} here; cpu is always there") from error
    if device.type not in BATCH_SIZES:
        raise EncoderError(f"encoders run on cpu and cuda, not on {name!r}")
    return device


def find_precision(name: str | None, device: "torch.device") -> str:
    """Return the precision of this name; the faster float of the device if no name is given.

    Raises:
        EncoderError: Encoders, or this device, do not compute in it.
    """
    if name is None:
        return fastest_float(device)
    if name not in PRECISIONS:
        raise EncoderError(f"encoders compute in {', '.join(PRECISIONS)}, not in {name!r}")
    if name == "int8" and not computes_in_int8(device):
        raise EncoderError(
            "int8 needs a CPU with VNNI instructions, which this device is not; "
            f"{fastest_float(device)} is the fastest here"
        )
    return name


def computes_in_int8(device: "torch.device") -> bool:
    """Return True if it is a CPU that sums products of int8 exactly and faster than float32."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(
        capabilities.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8")
    )


def pixel_dtype(precision: str) -> "torch.dtype":
    """Return what pixels come in to a network of this precision."""
    import torch

    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def round_weights(network: "torch.nn.Module", precision: str) -> None:
    """Put a network's weights into the precision it is to compute in, on the spot."""
    from transformers.activations import QuickGELUActivation

    from mastershot.models.int8_linear import QuickGelu, quantise

    if precision != "int8":
        network.to(pixel_dtype(precision))
        return
    quantise(network)
    for module in network.modules():
        if isinstance(getattr(module, "activation_fn", None), QuickGELUActivation):
            module.activation_fn = QuickGelu()  # Of a fresh tensor, which it may write over.
