"""Weights into networks, strictly: each has its place and its shape, or one sentence says why not.

Files are read by `mastershot.encoders.checkpoint.read_weights`.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from mastershot.core.errors import EncoderError


def fit_weights(network: nn.Module, weights: Mapping[str, Tensor], source: Path | str) -> None:
    """Load weights into a network, all of them and no others.

    A network on the meta device takes the tensors themselves, another one copies their values.

    Args:
        network: The network, as `state_dict` names its weights.
        weights: Tensors by these names.
        source: Where the weights are from; the error begins with it.

    Raises:
        EncoderError: Weights are missing, unexpected, or of another shape.
    """
    require_fit(network, weights, source)
    is_empty = any(tensor.is_meta for tensor in network.parameters())
    network.load_state_dict(weights, assign=is_empty)


def require_fit(network: nn.Module, weights: Mapping[str, Tensor], source: Path | str) -> None:
    """Check weights as `fit_weights` does, without loading them.

    Raises:
        EncoderError: Weights are missing, unexpected, or of another shape.
    """
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    theirs = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    problems = {
        "missing": [name for name in ours if name not in theirs],
        "unexpected": [name for name in theirs if name not in ours],
        "of another shape": [
            f"{name} has {theirs[name]}, needed is {shape}"
            for name, shape in ours.items()
            if theirs.get(name, shape) != shape
        ],
    }
    found = [f"{len(all_)} {kind} ({all_[0]})" for kind, all_ in problems.items() if all_]
    if found:
        kind = type(network).__name__
        raise EncoderError(f"{source} cannot be loaded into a {kind}; weights {', '.join(found)}")


def translate_weights(
    weights: Mapping[str, Tensor], names: Mapping[str, str | tuple[str, ...]], source: Path | str
) -> dict[str, Tensor]:
    """Return a published checkpoint's weights by a network's own names, in float32.

    Args:
        weights: Tensors by the names they were published under; those not asked for are left out.
        names: Our name to theirs. Several of theirs are joined along the first dimension.
        source: Where the weights are from; the error begins with it.

    Raises:
        EncoderError: Weights are missing.
    """
    wanted = {ours: (them,) if isinstance(them, str) else them for ours, them in names.items()}
    missing = [name for them in wanted.values() for name in them if name not in weights]
    if missing:
        raise EncoderError(f"{source} cannot be loaded; {len(missing)} missing ({missing[0]})")
    parts = {ours: [weights[name].float() for name in them] for ours, them in wanted.items()}
    return {ours: torch.cat(them) if len(them) > 1 else them[0] for ours, them in parts.items()}
