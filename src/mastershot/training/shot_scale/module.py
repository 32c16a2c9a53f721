"""Training of a classifier of shots: loss, schedule, batches, and the best epoch so far."""
# B batch, T steps, D width of a frame's vector

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import IterableDataset

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.models.recognisers.frame_lstm import FrameLSTM, pad_frames
from mastershot.training.engine.best_epoch import BestEpochModule
from mastershot.training.engine.samplers import shuffled_batches
from mastershot.training.engine.trainer import adamw_with_halving
from mastershot.training.shot_scale.settings import ScaleTrainingSettings

Batch = tuple[Tensor, Tensor, Tensor]
"""Padded vectors (B, T, D), lengths (B,), classes (B,)."""


class ShotScaleModule(BestEpochModule[FrameLSTM]):
    """A classifier trained by cross-entropy; the best epoch is by accuracy."""

    def __init__(
        self, network: FrameLSTM, settings: ScaleTrainingSettings, *, steps_per_epoch: int
    ) -> None:
        super().__init__(network, patience=settings.patience)
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return the loss of a batch."""
        frames, lengths, classes = batch
        loss = cross_entropy(self.network(frames, lengths), classes)
        self.log("loss", loss)
        return loss

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take over the best accuracy by the name that it had in version 0.1.0."""
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
        for drawn in shuffled_batches(
            len(self.shots),
            batch_size=self.settings.batch_size,
            seed=self.settings.seed,
            first_step=self.first_step,
        ):
            frames, lengths = pad_frames([self.shots[shot] for shot in drawn])
            yield frames, lengths, torch.from_numpy(self.classes[drawn])
