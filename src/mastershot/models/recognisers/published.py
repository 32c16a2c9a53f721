"""Checkpoints of recognisers that were published elsewhere, by name mapping (METHODS A7)."""

from collections.abc import Mapping
from importlib import import_module

from torch import Tensor, nn

from mastershot.models.loading import fit_weights
from mastershot.models.recognisers.build import recogniser_row


def load_published(
    network: nn.Module, name: str, checkpoint: Mapping[str, Tensor], source: str
) -> bool:
    """Load a published checkpoint into a recogniser; return True if its head was kept.

    The network's file translates the names (``published_weights``), after ``module.``, which
    training on several GPUs puts before every name, is dropped. A head of another number of
    classes is left out, and the network's own, drawn at random, stays: it is to be trained.

    Args:
        network: The recogniser, of the published size.
        name: Its row of `RECOGNISERS`.
        checkpoint: Tensors by their published names.
        source: Where they are from; errors begin with it.

    Raises:
        EncoderError: The names are of no known format, or weights are missing, unexpected, or of
            another shape.
    """
    own = network.state_dict()
    weights = {name.removeprefix("module."): tensor for name, tensor in checkpoint.items()}
    if set(weights) != set(own):  # Else it was trained here.
        module = import_module(f"mastershot.models.recognisers.{recogniser_row(name).module}")
        weights = module.published_weights(weights, network, source)
    head = [key for key in own if key.startswith("head.")]
    fits = all(key in weights and weights[key].shape == own[key].shape for key in head)
    if not fits:
        weights = {k: v for k, v in weights.items() if k not in head} | {k: own[k] for k in head}
    fit_weights(network, weights, source)
    return fits
