"""Contrastive training steps (METHODS B1, B5).

Momentum contrast is He et al. 2020, "Momentum Contrast for Unsupervised Visual
Representation Learning"; the control without a queue is SimCLR (Chen et al. 2020).
"""
# B batch, K positives a query, P width of the projection

from typing import Any, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from mastershot.core.errors import SettingError
from mastershot.models.contrastive import (
    KeyQueue,
    alignment,
    follow,
    follower,
    info_nce,
    nearer,
    nt_xent,
    similarities,
    uniformity,
)
from mastershot.training.engine import distributed
from mastershot.training.engine.samplers import step_seed
from mastershot.training.engine.trainer import adamw_with_cosine
from mastershot.training.movies2scenes.batches import ContrastBatch
from mastershot.training.movies2scenes.networks import augmented_views, plain_views
from mastershot.training.movies2scenes.settings.encoders import ContrastiveSettings


class ContrastiveModule(LightningModule):
    """What both kinds of contrast share: views, the optimiser and its schedule."""

    def __init__(
        self, encoder: nn.Module, settings: ContrastiveSettings, *, steps: int, warmup_steps: int
    ) -> None:
        """Take an encoder from views (B, …) to unit projections (B, P), and how to train it.

        Raises:
            SettingError: There are more processes than rows in a batch.
        """
        super().__init__()
        processes = distributed.world_size()
        if processes > settings.batch_size:
            raise SettingError(
                f"{processes} processes share a batch_size of {settings.batch_size}, "
                "and each needs a row; start fewer"
            )
        self.automatic_optimization = False
        self.encoder, self.settings = encoder, settings
        self._steps, self._warmup_steps = steps, warmup_steps

    def training_step(self, batch: ContrastBatch, _: int) -> None:
        """Take one optimiser step, in micro-batches if set, or on several devices.

        What is drawn in a step depends only on the seed and the step, so a run resumes without
        saved random state, and all processes draw the same.
        """
        seed = step_seed(self.settings.seed, self.global_step)
        if batch.candidates:
            batch = pick_positives(self.encoder, batch, self.settings.micro_batch)
        optimizer = cast(torch.optim.Optimizer, self.optimizers())
        optimizer.zero_grad()
        figures = self._accumulate_gradients(batch, torch.Generator().manual_seed(seed))
        distributed.sum_gradients(self)
        optimizer.step()
        cast(Any, self.lr_schedulers()).step()
        self.log_dict(figures)

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Return AdamW, warmed up and then cooled along a cosine."""
        return adamw_with_cosine(
            [parameter for parameter in self.parameters() if parameter.requires_grad],
            learning_rate=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            steps=self._steps,
            warmup_steps=self._warmup_steps,
        )

    def _accumulate_gradients(
        self, batch: ContrastBatch, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Accumulate gradients for this process's share of a batch; return the batch's figures."""
        raise NotImplementedError

    def _view(self, scenes: Tensor, generator: torch.Generator) -> Tensor:
        if self.settings.views == "plain":
            return plain_views(scenes)
        return augmented_views(scenes, self.settings, generator)


class MomentumContrast(ContrastiveModule):
    """Queries against a queue of keys from an encoder that follows slowly."""

    def __init__(
        self, encoder: nn.Module, settings: ContrastiveSettings, *, queue: int, **schedule: int
    ) -> None:
        """Take an encoder, which a copy of it follows, the length of the queue and the schedule."""
        super().__init__(encoder, settings, **schedule)
        self.key_encoder = follower(encoder)
        self.queue = KeyQueue(queue, settings.projection)

    def _accumulate_gradients(
        self, batch: ContrastBatch, generator: torch.Generator
    ) -> dict[str, Tensor]:
        follow(self.key_encoder, self.encoder, self.settings.momentum)
        queries = self._view(batch.queries, generator)
        keys = self._view(batch.keys.flatten(0, 1), generator)
        keys = keys.reshape(*batch.valid.shape, *keys.shape[1:])
        penalties = self.queue.penalties(torch.cat([batch.query_ids, batch.key_ids.flatten()]))
        size, done = self.settings.micro_batch or len(queries), []
        own = torch.arange(len(queries), device=queries.device)[distributed.own_rows(len(queries))]
        for rows in torch.split(own, size):
            query_BP, key_BKP = self.encoder(queries[rows]), self._keys(keys[rows])
            positives = nearest_positive(query_BP, key_BKP, batch.valid[rows])
            loss = info_nce(
                query_BP, positives, self.queue, penalties, self.settings.temperature
            ) * (len(rows) / len(queries))
            self.manual_backward(loss)
            done.append((loss.detach(), query_BP.detach(), key_BKP))
        all_queries = distributed.gather_rows(
            torch.cat([query for _, query, _ in done]), len(queries)
        )
        all_keys = distributed.gather_rows(torch.cat([key for *_, key in done]), len(queries))
        queue_age = self._queue_age(int(batch.valid.sum()))
        self.queue.put(all_keys[batch.valid], batch.key_ids[batch.valid])
        loss = distributed.all_reduce_sum(torch.stack([part for part, *_ in done]).sum())
        return {"loss": loss, "queue_age": queue_age, **spread(all_queries, all_keys[:, 0])}

    @torch.no_grad()
    def _keys(self, keys: Tensor) -> Tensor:
        """Return the projections of all positives by the key encoder, (B, K, P)."""
        projections: Tensor = self.key_encoder(keys.flatten(0, 1))
        return projections.reshape(*keys.shape[:2], -1)

    def _queue_age(self, keys_a_step: int) -> Tensor:
        """Return how many steps ago the queue's keys were made, a mean; 0 while it is empty."""
        filled = (self.queue.ids >= 0).sum()
        return torch.where(filled > 0, (filled / keys_a_step + 1) / 2, 0.0)


class BatchContrast(ContrastiveModule):
    """Queries against all other pairs of the batch, by one encoder."""

    def _accumulate_gradients(
        self, batch: ContrastBatch, generator: torch.Generator
    ) -> dict[str, Tensor]:
        views = [self._view(scenes, generator) for scenes in (batch.queries, batch.keys[:, 0])]
        own, size = distributed.own_rows(len(batch.queries)), len(batch.queries)
        vectors = self.encoder(torch.cat([view[own] for view in views])).chunk(2)
        queries, keys = (distributed.gather_rows(part, size) for part in vectors)
        loss = nt_xent(queries, keys, self.settings.temperature)
        self.manual_backward(loss)
        return {"loss": loss.detach(), **spread(queries.detach(), keys.detach())}


def nearest_positive(query_BP: Tensor, key_BKP: Tensor, valid_BK: Tensor) -> Tensor:
    """Return each query's similarity to its key; of two neighbours, to the nearer (B1, Eq. 1)."""
    each = [similarities(query_BP, keys_BP) for keys_BP in key_BKP.unbind(1)]
    return each[0] if len(each) == 1 else nearer(each[0], each[1], valid_BK)


@torch.no_grad()
def pick_positives(encoder: nn.Module, batch: ContrastBatch, micro_batch: int = 0) -> ContrastBatch:
    """Return a batch with one positive a query: the candidate that the encoder finds most alike.

    The selection of ShotCoL (Chen et al. 2021), by the cosine of the query encoder's projections of
    plain views, anew in each step, as in BaSSL's implementation of it (Mun et al. 2022). Of equals,
    the first. Each process picks for its own rows, and all learn all places.
    """
    size, own = len(batch.queries), distributed.own_rows(len(batch.queries))
    picked = []
    for rows in torch.split(
        torch.arange(size, device=batch.queries.device)[own], micro_batch or size
    ):
        query_BP = encoder(plain_views(batch.queries[rows]))
        alike = [
            similarities(query_BP, encoder(plain_views(scenes)))
            for scenes in batch.keys[rows].unbind(1)
        ]
        alike_BK = torch.stack(alike, 1).masked_fill(~batch.valid[rows], -torch.inf)
        picked.append(alike_BK.argmax(1))
    place_B = distributed.gather_rows(torch.cat(picked), size)
    each_B = torch.arange(size, device=place_B.device)
    return batch._replace(
        keys=batch.keys[each_B, place_B][:, None],
        valid=batch.valid.new_ones(size, 1),
        key_ids=batch.key_ids[each_B, place_B][:, None],
        candidates=False,
    )


@torch.no_grad()
def spread(queries: Tensor, keys: Tensor) -> dict[str, Tensor]:
    """Return how close pairs are and how evenly queries lie; lower is better, both."""
    return {"alignment": alignment(queries, keys), "uniformity": uniformity(queries)}
