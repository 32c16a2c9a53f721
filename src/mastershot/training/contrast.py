"""Momentum contrast: an encoder learns which of two belong together (METHODS B1, B5).

He et al. 2020, "Momentum Contrast for Unsupervised Visual Representation Learning".
"""
# B batch, K positives a query, Q entries of the queue, P width of the projection

import copy
import math
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from mastershot.training.momentum import KeyQueue, info_nce, update_momentum
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
        update_momentum(self.key_encoder, self.encoder, self.settings.momentum)
        queries, keys = self._look(batch.queries, generator), self._look(batch.keys, generator)
        size = self.settings.micro_batch or len(queries)
        losses, queries_BP, keys_BKP = [], [], []
        for rows in torch.arange(len(queries)).split(size):
            positives = self._keys(keys[rows])
            projected = normalize(self.encoder(queries[rows]), dim=1)
            loss = self._loss(projected, positives, ContrastBatch(*(x[rows] for x in batch)))
            share = len(rows) / len(queries)
            self.manual_backward(share * loss)
            losses.append(share * loss.detach())
            queries_BP.append(projected.detach())
            keys_BKP.append(positives)
        projected, positives = torch.cat(queries_BP), torch.cat(keys_BKP)
        age = self.queue.mean_age(self.global_step)
        self.queue.push(positives[batch.present], batch.key_ids[batch.present], self.global_step)
        figures = {"loss": torch.stack(losses).sum(), "queue_age": age}
        return figures | spread(projected, positives[:, 0])

    @torch.no_grad()
    def _keys(self, keys: Tensor) -> Tensor:
        """Return the projections of all positives (B, K, P) by the key encoder."""
        projected = normalize(self.key_encoder(keys.flatten(0, 1)), dim=1)
        return projected.unflatten(0, keys.shape[:2])

    def _loss(self, queries_BP: Tensor, keys_BKP: Tensor, batch: ContrastBatch) -> Tensor:
        """Return InfoNCE; of several positives the most alike counts (Eq. 1)."""
        positives_BK = torch.einsum("bp,bkp->bk", queries_BP, keys_BKP)
        positives_B = positives_BK.masked_fill(~batch.present, -math.inf).amax(1)
        own_ids = torch.cat([batch.query_ids[:, None], batch.key_ids], 1)
        return info_nce(positives_B, queries_BP, self.queue, own_ids, self.settings.temperature)


class BatchContrast(Contrast):
    """Queries against all other pairs of the batch, by one encoder (SimCLR, Chen et al. 2020)."""

    def __init__(
        self, encoder: nn.Module, settings: ContrastSettings, *, steps: int, warmup_steps: int
    ) -> None:
        """Take an encoder of looks (B, …) to projections (B, P)."""
        super().__init__(settings, steps=steps, warmup_steps=warmup_steps)
        self.encoder = encoder

    def _learn(self, batch: ContrastBatch, generator: torch.Generator) -> dict[str, Tensor]:
        looks = [self._look(scenes, generator) for scenes in (batch.queries, batch.keys[:, 0])]
        both = normalize(self.encoder(torch.cat(looks)), dim=1)
        loss = nt_xent(both, batch.query_ids, batch.key_ids[:, 0], self.settings.temperature)
        self.manual_backward(loss)
        queries, keys = both.detach().chunk(2)
        return {"loss": loss.detach(), **spread(queries, keys)}


def nt_xent(both: Tensor, query_ids: Tensor, key_ids: Tensor, temperature: float) -> Tensor:
    """Return the normalised temperature-scaled cross entropy of B pairs, a mean over both sides.

    Args:
        both: Unit projections, first of the queries, then of their keys, (2B, P).
        query_ids: Names each query's scene, (B,).
        key_ids: Names each key's scene, (B,). Another entry of the same scene as a row's own or
            its partner's is no negative of that row.
        temperature: Similarities are divided by it, τ.
    """
    size = len(query_ids)
    own, partner = torch.cat([query_ids, key_ids]), torch.cat([key_ids, query_ids])
    target = torch.arange(2 * size, device=both.device).roll(size)
    same = (own[:, None] == own) | (partner[:, None] == own)
    same[torch.arange(2 * size), target] = False
    return cross_entropy((both @ both.T / temperature).masked_fill(same, -math.inf), target)


@torch.no_grad()
def spread(queries: Tensor, keys: Tensor) -> dict[str, Tensor]:
    """Return alignment and uniformity of unit vectors (Wang and Isola 2020, Eq. 4).

    Alignment is the mean squared distance of a query and its key; uniformity the logarithm of the
    mean of exp(-2 d²) over pairs of queries. Lower is better, both.
    """
    alignment = (queries - keys).square().sum(1).mean()
    if len(queries) < 2:
        return {"alignment": alignment}
    uniformity = torch.pdist(queries).square().mul(-2).exp().mean().log()
    return {"alignment": alignment, "uniformity": uniformity}
