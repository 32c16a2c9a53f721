"""Weights into networks: each has its place and its shape, or one sentence says why not."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mastershot.core.errors import EncoderError

Renames = Sequence[tuple[str, str]]  # regular expressions, and what replaces them


def fit_weights(network: nn.Module, weights: Mapping[str, Tensor], source: Path | str) -> None:
    """Load weights into a network, all of them and no others.

    A network on the meta device takes the tensors themselves, another one copies their values.
    ``source`` is where the weights are from; errors begin with it.

    Raises:
        EncoderError: Weights are missing, unexpected, or of another shape.
    """
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    theirs = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    problems = {
        "missing weights": [name for name in ours if name not in theirs],
        "unexpected weights": [name for name in theirs if name not in ours],
        "weights of another shape": [
            f"{name} of {theirs[name]} instead of {shape}"
            for name, shape in ours.items()
            if theirs.get(name, shape) != shape
        ],
    }
    found = [f"{kind}: {len(n)}, such as {n[0]}" for kind, n in problems.items() if n]
    if found:
        network_name = type(network).__name__
        raise EncoderError(f"{source} cannot be loaded into {network_name} ({'; '.join(found)})")
    is_empty = any(tensor.is_meta for tensor in network.parameters())
    network.load_state_dict(weights, assign=is_empty)


def translate_weights(
    weights: Mapping[str, Tensor], names: Mapping[str, tuple[str, ...]], source: Path | str
) -> dict[str, Tensor]:
    """Return a published checkpoint's weights by a network's own names, in float32.

    ``names`` maps ours to theirs; of several, the tensors are joined along the first dimension.

    Raises:
        EncoderError: Weights are missing.
    """
    missing = [name for theirs in names.values() for name in theirs if name not in weights]
    if missing:
        found = f"{len(missing)}, such as {missing[0]}"
        raise EncoderError(f"{source} cannot be loaded (missing weights: {found})")
    parts = {ours: [weights[name].float() for name in theirs] for ours, theirs in names.items()}
    return {ours: torch.cat(some) if len(some) > 1 else some[0] for ours, some in parts.items()}


def renamed_weights(
    weights: Mapping[str, Tensor],
    formats: Mapping[str, Renames],
    network: nn.Module,
    source: Path | str,
) -> dict[str, Tensor]:
    """Return a published checkpoint's weights by a network's own names, in float32.

    ``formats`` holds what is replaced (regular expressions, one after the other) by a name that
    only checkpoints of that format hold. A name that no expression fits stays as it is, for
    `fit_weights` to report. Counts of batches, which older checkpoints lack, are the network's own.

    Raises:
        EncoderError: The checkpoint is of none of the formats.
    """
    known = [renames for mark, renames in formats.items() if mark in weights]
    if not known:
        raise EncoderError(
            f"{source} is no checkpoint that {type(network).__name__} can be loaded from: "
            f"it holds no {' and no '.join(formats)}"
        )
    own = network.state_dict()
    renamed = {name: own[name] for name in own if name.endswith(".num_batches_tracked")}
    for name, tensor in weights.items():
        for theirs, ours in known[0]:
            name = re.sub(theirs, ours, name)
        renamed[name] = tensor.float() if tensor.is_floating_point() else tensor
    return renamed
