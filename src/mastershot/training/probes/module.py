"""Training of a probe: loss, schedule, batches, and the best epoch so far."""
# B batch, C classes, D width of a vector

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import IterableDataset

from mastershot.encoders.probe import ProbeCard, probe_inputs
from mastershot.training.probes.data import ProbeSplit
from mastershot.training.probes.settings import ProbeTrainingSettings

Batch = tuple[tuple[Tensor, ...], Tensor]
"""What the network takes of each video, truth (B, C)."""


class ProbeModule(LightningModule):
    """A probe trained by binary cross-entropy, with the weights of its best epoch.

    These and the count of epochs since are in its state, for a resumed run to end where it would.
    """

    best_precision: Tensor
    epochs_since_best: Tensor

    def __init__(
        self, network: nn.Module, settings: ProbeTrainingSettings, *, steps_per_epoch: int
    ) -> None:
        super().__init__()
        self.network = network
        self.best = deepcopy(network).requires_grad_(False)
        self.register_buffer("best_precision", torch.tensor(-1.0, dtype=torch.float64))
        self.register_buffer("epochs_since_best", torch.tensor(0))
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return the loss of a batch; dropout depends only on the seed and the step."""
        inputs, truth_BC = batch
        with torch.random.fork_rng():
            torch.manual_seed((self._settings.seed << 32) + self.global_step)
            logits_BC = self.network(*inputs)
        loss = binary_cross_entropy_with_logits(logits_BC, truth_BC)
        self.log("loss", loss)
        return loss

    def on_train_start(self) -> None:
        """End a resumed run at once if it had ended."""
        self.trainer.should_stop = self.is_finished()

    def update_best(self, precision: float) -> None:
        """Keep the weights if an epoch's mAP on the validation videos is the best so far."""
        if precision > float(self.best_precision):
            self.best_precision.fill_(precision)
            self.epochs_since_best.zero_()
            self.best.load_state_dict(self.network.state_dict())
        else:
            self.epochs_since_best += 1

    def is_finished(self) -> bool:
        """Return True after as many epochs without a better one as the settings allow."""
        return int(self.epochs_since_best) >= self._settings.patience

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return AdamW, its learning rate halved every so many epochs."""
        settings, every = self._settings, self._settings.halve_every * self._steps_per_epoch
        parameters, rate = self.network.parameters(), settings.learning_rate
        optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=settings.weight_decay)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, every, 0.5)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


@dataclass(frozen=True, eq=False)
class ShuffledVideos(IterableDataset[Batch]):
    """Batches without end, each epoch in its own order, a function of seed and epoch.

    Attributes:
        split: The videos.
        card: What the network takes of them.
        settings: Batch size and seed.
        first_step: Step of the first batch.
    """

    split: ProbeSplit
    card: ProbeCard
    settings: ProbeTrainingSettings
    first_step: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """Batches that hold every video once."""
        return ceil(len(self.split.vectors) / self.settings.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        epoch, batch = divmod(self.first_step, self.steps_per_epoch)
        size = self.settings.batch_size
        while True:
            random = np.random.default_rng([self.settings.seed, epoch])
            order = random.permutation(len(self.split.vectors))
            for drawn in np.split(order, range(size, len(order), size))[batch:]:
                videos = [self.split.vectors[int(video)] for video in drawn]
                truth_BC = torch.from_numpy(self.split.labels.truth[drawn]).float()
                yield probe_inputs(self.card, videos), truth_BC
            epoch, batch = epoch + 1, 0
