"""Momentum contrast: an encoder learns which of two belong together (METHODS B1, B5).

He et al. 2020, "Momentum Contrast for Unsupervised Visual Representation Learning".
"""
# B batch, K positives a query, Q entries of the queue, P width of the projection

import math
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from mastershot.training.looks import distorted_look, plain_look
from mastershot.training.scene_batches import ContrastBatch
from mastershot.training.scene_settings import ContrastSettings


class Contrast(LightningModule):
    """What both kinds of contrast share: looks, the optimiser and its schedule."""

    def __init__(self, settings: ContrastSettings, *, steps: int, warmup_steps: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.settings = settings
        self._steps, self._warmup_steps = steps, warmup_steps

    def training_step(self, batch: ContrastBatch, _: int) -> None:
        """Take one optimiser step, in parts if the settings say so."""
        generator = torch.Generator().manual_seed(
            (self.settings.seed << 32) + self.global_step
        )
        optimizer = cast(torch.optim.Optimizer, self.optimizers())
        with torch.random.fork_rng():
            # What is drawn in a step, such as dropout, follows from the seed and the step alone.
            torch.manual_seed((self.settings.seed << 32) + self.global_step + 1)
            optimizer.zero_grad()
            figures = self._learn(batch, generator)
            optimizer.step()
        cast(Any, self.lr_schedulers()).step()
        self.log_dict(figures)

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return AdamW, warmed up and then cooled along a cosine."""
        learnt = [parameter for parameter in self.parameters() if parameter.requires_grad]
        settings = self.settings
        optimizer = torch.optim.AdamW(
            learnt, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def _learn(self, batch: ContrastBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Add up gradients for a batch and return its figures."""
        raise NotImplementedError

    def _look(self, scenes: Tensor, generator: torch.Generator) -> Tensor:
        if self.settings.views == "plain":
            return plain_look(scenes)
        return distorted_look(scenes, self.settings, generator)

    def _rate(self, step: int) -> float:
        if step < self._warmup_steps:
            return (step + 1) / self._warmup_steps
        done = (step - self._warmup_steps) / max(1, self._steps - self._warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class MomentumContrast(Contrast):
    """Queries against a queue of keys from an encoder that follows slowly."""

    def __init__(
        self, encoder: nn.Module, settings: ContrastSettings, *, steps: int, warmup_steps: int
    ) -> None:
        """Take an encoder of looks (B, …) to projections (B, P), and copy it."""
        super().__init__(settings, steps=steps, warmup_steps=warmup_steps)
        self.encoder = encoder
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.queue = KeyQueue(settings.queue, settings.projection)

    def _learn(self, batch: ContrastBatch, generator: torch.Generator) -> dict[str, Tensor]:
        momentum_update(self.encoder, self.key_encoder, self.settings.momentum)
        queries, keys = self._look(batch.queries, generator), self._look_at_keys(batch, generator)
        size = self.settings.micro_batch or len(queries)
        sums: dict[str, Tensor] = {}
        all_keys = []
        for part in torch.arange(len(queries), device=queries.device).split(size):
            with torch.no_grad():
                keys_PKP = self._project_keys(keys[part])
            all_keys.append(keys_PKP)
