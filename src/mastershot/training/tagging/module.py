"""The training step: loss, optimiser, schedule, augmentation, and the best epoch so far."""
# B batch, C classes, T frames, H = W pixels of a side

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, binary_cross_entropy_with_logits, grid_sample
from torch.optim.lr_scheduler import LambdaLR

from mastershot.core.errors import SettingError
from mastershot.models.recognisers.build import RecogniserRow, normalise_clips
from mastershot.training.engine import distributed
from mastershot.training.engine.epochs import BestEpochModule
from mastershot.training.engine.samplers import step_seed
from mastershot.training.engine.trainer import seed_dropout
from mastershot.training.tagging.batches import TaggingBatch
from mastershot.training.tagging.settings import ClipSettings, TaggingTrainingSettings


class TaggingModule(BestEpochModule[nn.Module]):
    """A recogniser in training.

    Attributes:
        problems: Why shots could not be read, by shot.
    """

    positive_weights: Tensor

    def __init__(
        self,
        network: nn.Module,
        row: RecogniserRow,
        settings: TaggingTrainingSettings,
        clips: ClipSettings,
        *,
        positive_weights: Tensor,
        steps_per_epoch: int,
        trained_on: str = "",
    ) -> None:
        """Take a network, its row of the table, and how and on what (a digest) it is trained."""
        super().__init__(network, patience=settings.patience)
        self.register_buffer("positive_weights", positive_weights, persistent=False)
        self.problems: dict[int, str] = {}
        self._row, self._settings, self._clips = row, settings, clips
        self._trained_on = trained_on
        self._steps_per_epoch = steps_per_epoch

    def training_step(self, batch: TaggingBatch, _: int) -> Tensor:
        """Return the loss of a batch, of this device's part of it.

        What is drawn depends only on the seed and the batch's number, so a run resumes without
        saved random state.
        """
        self.problems.update(batch.problems)
        seed = step_seed(self._settings.seed, batch.number)
        seed_dropout(seed)
        logits_BC = self._logits(batch, seed) if len(batch.truth) else None
        if logits_BC is None:  # Nothing of it could be read.
            loss = torch.stack([part.sum() * 0 for part in self.network.parameters()]).sum()
        else:
            loss = self._losses(logits_BC.float(), batch.truth).mean(1).sum() / batch.size
        self.log("loss", distributed.all_reduce_sum(loss))
        return loss

    def on_before_optimizer_step(self, *_: object) -> None:
        """Add up what the devices computed."""
        distributed.sum_gradients(self)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep which shots could not be read, and what was trained on."""
        checkpoint["problems"], checkpoint["trained_on"] = dict(self.problems), self._trained_on

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take over which shots could not be read.

        Raises:
            SettingError: The run began with other shots or labels.
        """
        if checkpoint["trained_on"] != self._trained_on:
            raise SettingError(
                "the split files are not those that this run began with; name another folder for "
                "the run, or restore them"
            )
        self.problems.update(checkpoint["problems"])

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return the optimiser, and the schedule of its learning rate by step."""
        settings = self._settings
        optimizer = optimizer_of(self.network.parameters(), settings)
        scheduler = LambdaLR(
            optimizer, lambda step: rate_share(step, settings, self._steps_per_epoch)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        settings = self._settings
        return settings.learning_rate * rate_share(step, settings, self._steps_per_epoch)

    def _logits(self, batch: TaggingBatch, seed: int) -> Tensor | None:
        """Return the logits of a batch (B, C), or None if too little of it could be read.

        Raises:
            SettingError: Batches are of one shot, and too small for batch normalisation.
        """
        inputs = batch.inputs
        if self._row.reads != "vectors":
            generator = torch.Generator().manual_seed(seed)
            parts = drawn_parts(batch.size, self._clips, generator)[batch.places.cpu()]
            inputs = (normalise_clips(seen_through(inputs[0], parts), self._row),)
        try:
            logits: Tensor = self.network(*inputs)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            if batch.size == 1:
                raise SettingError(
                    "a batch of one shot of this size has no statistics for batch normalisation; "
                    "batch_size over accumulate must be 2 or more"
                ) from error
            return None
        return logits

    def _losses(self, logits_BC: Tensor, truth_BC: Tensor) -> Tensor:
        """Return the loss of every label of every shot, (B, C)."""
        losses_BC = binary_cross_entropy_with_logits(
            logits_BC, truth_BC, pos_weight=self.positive_weights, reduction="none"
        )
        if self._settings.loss == "focal":
            wrong_BC = (torch.sigmoid(logits_BC) - truth_BC).abs()
            losses_BC = losses_BC * wrong_BC**self._settings.focal_gamma
        return losses_BC


def optimizer_of(
    parameters: Iterable[nn.Parameter], settings: TaggingTrainingSettings
) -> torch.optim.Optimizer:
    """Return the optimiser of the settings; SGD has a momentum of 0.9."""
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=0.9)
    kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, lr=rate, weight_decay=decay)


def rate_share(step: int, settings: TaggingTrainingSettings, steps_per_epoch: int) -> float:
    """Return a step's learning rate as a share of the settings'; from the step alone."""
    warmup = settings.warmup_epochs * steps_per_epoch
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if settings.schedule == "cosine":
        done = (step - warmup) / max(1.0, settings.epochs * steps_per_epoch - warmup)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    if settings.schedule == "step":
        return float(settings.factor ** (step // (settings.step_epochs * steps_per_epoch)))
    return 1.0


def weights_of_positives(counts_C: Tensor, num_shots: int, most: float) -> Tensor:
    """Return each label's negatives over its positives, from 1 to ``most``, (C,)."""
    return ((num_shots - counts_C) / counts_C.clamp(min=1)).clamp(1, most)


def drawn_parts(count: int, settings: ClipSettings, generator: torch.Generator) -> Tensor:
    """Return which part of its frames each clip shows in training, as affine maps (B, 2, 3).

    Parts keep the frame's shape, and half are mirrored.
    """
    area = settings.min_area + (1 - settings.min_area) * torch.rand(count, generator=generator)
    scale = area.sqrt()
    mirrored = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    parts = torch.zeros(count, 2, 3)
    parts[:, 0, 0] = scale * (mirrored if settings.mirror else 1.0)
    parts[:, 1, 1] = scale
    parts[:, :, 2] = (1 - scale)[:, None] * (2 * torch.rand(count, 2, generator=generator) - 1)
    return parts


def seen_through(clips_BTHW3: Tensor, parts_B23: Tensor) -> Tensor:
    """Return the parts of clips, resized to the clips' size, float (B, T, H, W, 3)."""
    clips = clips_BTHW3.float()
    batch, frames, side_px = clips.shape[:3]
    parts = parts_B23.to(clips.device)
    grid = affine_grid(parts, [batch, 1, side_px, side_px], align_corners=False)
    # The frames of a clip are channels of one picture, so that one grid serves them all.
    pictures = clips.permute(0, 1, 4, 2, 3).flatten(1, 2)
    seen = grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    clips = seen.reshape(batch, frames, 3, side_px, side_px).permute(0, 1, 3, 4, 2)
    return clips.contiguous()  # Channels last: a third faster through convolutions on a CPU.
