"""Activation checkpointing: less memory in training for about a third more computation.

Of a block only its inputs are kept for the backward pass, which computes the rest again (Chen et
al. 2016, arXiv:1604.06174). A network takes part by deriving its repeated blocks from
`CheckpointedBlock`: those of a transformer, or the residual blocks in a convolutional network's
sequential stages. Names of weights stay as they are.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


class CheckpointedBlock(nn.Module):
    """A block whose activations can be computed again in the backward pass.

    Attributes:
        checkpointed: Whether they are, in training; see `checkpoint_blocks`.
    """

    checkpointed = False

    def __call__(self, *inputs: Any) -> Any:
        """Return what ``forward`` returns; gradients and random numbers are the same either way."""
        if not (self.checkpointed and self.training and torch.is_grad_enabled()):
            return super().__call__(*inputs)
        return checkpoint(super().__call__, *inputs, use_reentrant=False, context_fn=self._passes)

    def _passes(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _kept_statistics(self)


def checkpoint_blocks(network: nn.Module, on: bool = True) -> int:
    """Switch activation checkpointing of a network's blocks on or off; return how many it has."""
    blocks = [part for part in network.modules() if isinstance(part, CheckpointedBlock)]
    for block in blocks:
        block.checkpointed = on
    return len(blocks)


@contextmanager
def _kept_statistics(block: nn.Module) -> Iterator[None]:
    """Keep batch normalisation from counting a batch into its statistics a second time."""
    parts = [p for p in block.modules() if isinstance(p, _BatchNorm) and p.track_running_stats]
    before = [(p, p.momentum, p.num_batches_tracked.clone()) for p in parts]  # type: ignore[union-attr]
    for part in parts:
        part.momentum = 0.0
    try:
        yield
    finally:
        for part, momentum, num_batches in before:
            part.momentum = momentum
            part.num_batches_tracked.copy_(num_batches)  # type: ignore[union-attr]
