"""Training of a probe: loss, schedule, batches, and the best epoch so far."""
# B batch, C classes, D width of a vector

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import IterableDataset

from mastershot.encoders.probe import ProbeCard, probe_inputs
from mastershot.training.engine.best_epoch import BestEpochModule
from mastershot.training.engine.samplers import shuffled_batches
from mastershot.training.engine.trainer import adamw_with_halving
from mastershot.training.probes.data import ProbeSplit
from mastershot.training.probes.settings import ProbeTrainingSettings

Batch = tuple[tuple[Tensor, ...], Tensor]
"""What the network takes of each video, truth (B, C)."""


class ProbeModule(BestEpochModule[nn.Module]):
    """A probe trained by binary cross-entropy; the best epoch is by mAP."""

    def __init__(
        self, network: nn.Module, settings: ProbeTrainingSettings, *, steps_per_epoch: int
    ) -> None:
        super().__init__(network, patience=settings.patience)
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

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return AdamW, its learning rate halved every so many epochs."""
        return adamw_with_halving(
            self.network.parameters(),
            learning_rate=self._settings.learning_rate,
            weight_decay=self._settings.weight_decay,
            every=self._settings.halve_every * self._steps_per_epoch,
        )


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
        for drawn in shuffled_batches(
            len(self.split.vectors),
            batch_size=self.settings.batch_size,
            seed=self.settings.seed,
            first_step=self.first_step,
        ):
            videos = [self.split.vectors[int(video)] for video in drawn]
            truth_BC = torch.from_numpy(self.split.labels.truth[drawn]).float()
            yield probe_inputs(self.card, videos), truth_BC
