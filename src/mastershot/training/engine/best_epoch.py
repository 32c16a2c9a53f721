"""A network in training that keeps the weights of its best epoch, and ends when none is better."""

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class BestEpochModule(LightningModule, Generic[Network]):
    """Base of training by epochs.

    The best weights and the count of epochs since are in its state, for a resumed run to end where
    it would.

    Attributes:
        network: The network.
        best: A copy with the weights of the best epoch so far.
    """

    best_figure: Tensor
    epochs_since_best: Tensor

    def __init__(self, network: Network, *, patience: int) -> None:
        """Take a network, and how many epochs without a better one end training; 0 is never."""
        super().__init__()
        self.network = network
        self.best = deepcopy(network).requires_grad_(False)
        self.register_buffer("best_figure", torch.tensor(-1.0, dtype=torch.float64))
        self.register_buffer("epochs_since_best", torch.tensor(0))
        self._patience = patience

    def on_train_start(self) -> None:
        """End a resumed run at once if it had ended."""
        self.trainer.should_stop = self.is_finished()

    def update_best(self, figure: float) -> None:
        """Keep the weights if an epoch's figure on the validation items is the best so far."""
        if figure > float(self.best_figure):
            self.best_figure.fill_(figure)
            self.epochs_since_best.zero_()
            self.best.load_state_dict(self.network.state_dict())
        else:
            self.epochs_since_best += 1

    def is_finished(self) -> bool:
        """Return True after as many epochs without a better one as are allowed."""
        return bool(self._patience) and int(self.epochs_since_best) >= self._patience
