"""Training by epochs: the best one is kept, and training ends when none is better."""
# B batch

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from mastershot.core.embeddings import IntArray
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.samplers import shuffled_batches, step_seed
from mastershot.training.engine.settings import EpochSettings, OnProgress
from mastershot.training.engine.trainer import (
    adamw_with_halving,
    fit,
    require_finite,
    seed_dropout,
)

Batch = tuple[tuple[Any, ...], Tensor]
"""What the network takes of each item, tensors or mappings of them, and what is true, (B, …)."""

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


class EpochModule(BestEpochModule[nn.Module]):
    """A network trained by a loss, with AdamW whose learning rate is halved every so often."""

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[Any, Tensor], Tensor],
        settings: EpochSettings,
        *,
        steps_per_epoch: int,
    ) -> None:
        super().__init__(network, patience=settings.patience)
        self._loss, self._settings, self._steps_per_epoch = loss, settings, steps_per_epoch

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return the loss of a batch; dropout depends only on the seed and the step."""
        inputs, truth = batch
        seed_dropout(step_seed(self._settings.seed, self.global_step))
        loss = self._loss(self.network(*inputs), truth)
        self.log("loss", loss)
        return loss

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take over the best figure by the name that it had in version 0.1.0."""
        state = checkpoint["state_dict"]
        if "best_accuracy" in state:
            state["best_figure"] = state.pop("best_accuracy")

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return AdamW, its learning rate halved every so many epochs."""
        return adamw_with_halving(
            self.network.parameters(),
            learning_rate=self._settings.learning_rate,
            weight_decay=self._settings.weight_decay,
            every=self._settings.halve_every * self._steps_per_epoch,
        )


@dataclass(frozen=True, eq=False)
class EpochBatches(IterableDataset[Batch]):
    """Batches without end, each epoch in its own order, a function of seed and epoch.

    Attributes:
        num_items: How many items there are.
        batch_of: Returns the batch of these items.
        settings: Batch size and seed.
        first_step: Step of the first batch.
    """

    num_items: int
    batch_of: Callable[[IntArray], Batch]
    settings: EpochSettings
    first_step: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """Batches that hold every item once, the last maybe smaller."""
        return -(-self.num_items // self.settings.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        settings, first = self.settings, self.first_step
        return map(
            self.batch_of,
            shuffled_batches(
                self.num_items, batch_size=settings.batch_size, seed=settings.seed, first_step=first
            ),
        )


def fit_epochs(
    module: EpochModule,
    batches: EpochBatches,
    out: Path,
    validation: tuple[str, Callable[[], float]],
    on_progress: OnProgress,
    **options: Any,
) -> None:
    """Train from the checkpoint in the folder on, and note every epoch in the metrics log.

    Args:
        module: The network and how it is trained.
        batches: They begin where the checkpoint is.
        out: The run directory.
        validation: What the figure that decides which epoch is the best is called, and what
            measures it.
        on_progress: Called after every step.
        options: Of Lightning's Trainer, such as precision.

    Raises:
        MastershotError: The loss is not finite any more.
    """
    every, metrics = batches.steps_per_epoch, MetricsLog(out)
    steps = batches.settings.epochs * every
    name, measure = validation

    def on_step(step: int, figures: dict[str, float]) -> None:
        require_finite(step, figures)
        on_progress("training", step, steps, figures)
        if step % every == 0:
            figure = measure()
            module.update_best(figure)
            module.trainer.should_stop = module.is_finished()
            metrics.note(step, {**figures, "epoch": step // every, name: figure})

    loader = DataLoader(batches, batch_size=None)
    fit(module, loader, folder=out, steps=steps, save_every=every, on_step=on_step, **options)
