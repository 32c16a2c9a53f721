"""Training of a classifier of shots: loss, schedule, batches, and the best epoch so far."""
# B batch, T steps, D width of a frame's vector

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import IterableDataset

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.models.recognisers.frame_lstm import FrameLSTM, pad_frames
from mastershot.training.shot_scale.settings import ScaleTrainingSettings

Batch = tuple[Tensor, Tensor, Tensor]
"""Padded vectors (B, T, D), lengths (B,), classes (B,)."""


class ShotScaleModule(LightningModule):
    """A classifier trained by cross-entropy, with the weights of its best epoch.

    These and the count of epochs since are in its state, for a resumed run to end where it would.
    """

    best_accuracy: Tensor
    epochs_since_best: Tensor

    def __init__(
        self, network: FrameLSTM, settings: ScaleTrainingSettings, *, steps_per_epoch: int
    ) -> None:
        super().__init__()
        self.network = network
        self.best = deepcopy(network).requires_grad_(False)
        self.register_buffer("best_accuracy", torch.tensor(-1.0, dtype=torch.float64))
        self.register_buffer("epochs_since_best", torch.tensor(0))
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return the loss of a batch."""
        frames, lengths, classes = batch
        loss = cross_entropy(self.network(frames, lengths), classes)
        self.log("loss", loss)
        return loss

    def on_train_start(self) -> None:
        """End a resumed run at once if it had ended."""
        self.trainer.should_stop = self.is_finished()

    def update_best(self, accuracy: float) -> None:
        """Keep the weights if an epoch's accuracy on the validation shots is the best so far."""
        if accuracy > float(self.best_accuracy):
            self.best_accuracy.fill_(accuracy)
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
class ShuffledShots(IterableDataset[Batch]):
    """Batches without end, each epoch in its own order, a function of seed and epoch.

    Attributes:
        shots: Vectors of each shot's frames, (T, D).
        classes: Class of each shot.
        settings: Batch size and seed.
        first_step: Step of the first batch.
    """

    shots: Sequence[FloatArray]
    classes: IntArray
    settings: ScaleTrainingSettings
    first_step: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """Batches that hold every shot once."""
        return ceil(len(self.shots) / self.settings.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        epoch, batch = divmod(self.first_step, self.steps_per_epoch)
        size = self.settings.batch_size
        while True:
            random = np.random.default_rng([self.settings.seed, epoch])
            order = random.permutation(len(self.shots))
            for drawn in np.split(order, range(size, len(order), size))[batch:]:
                frames, lengths = pad_frames([self.shots[shot] for shot in drawn])
                yield frames, lengths, torch.from_numpy(self.classes[drawn])
            epoch, batch = epoch + 1, 0
