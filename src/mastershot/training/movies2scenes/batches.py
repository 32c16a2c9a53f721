"""Batches of scenes or shots with their positives: a pure function of the seed and the step."""
# B batch, K positives a query, n shots a scene, k keyframes a shot, D width

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import count
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from mastershot.core.embeddings import IntArray
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.engine.samplers import batch_places, shuffled

Batch = TypeVar("Batch")


class ContrastBatch(NamedTuple):
    """What one optimiser step is taken on.

    Attributes:
        queries: Features (B, n, D) or keyframes (B, n, k, H, W, 3).
        keys: Their positives, (B, K, …) likewise.
        valid: Which positives exist, (B, K); at least one.
        query_ids: Names each query's scene: the running number of its first shot, (B,).
        key_ids: Those of the positives, (B, K).
        candidates: Of the positives that exist, the one nearest to the query, under the encoder as
            it is in this step, is the only one (ShotCoL).
    """

    queries: Tensor
    keys: Tensor
    valid: Tensor
    query_ids: Tensor
    key_ids: Tensor
    candidates: bool = False


class StepBatches(IterableDataset[Batch]):
    """A stream of batches, each a pure function of its step, so that a run can be resumed."""

    first_step = 0

    def __iter__(self) -> Iterator[Batch]:
        return map(self.batch, count(self.first_step))

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        raise NotImplementedError


@dataclass(eq=False)
class SceneBatches(StepBatches[ContrastBatch]):
    """Scenes and their partners, by the running numbers of their first shots (P,), both in `rows`.

    Either of a pair may be the query.
    """

    arrays: ShotArrays
    rows: tuple[IntArray, IntArray]
    _: KW_ONLY
    window: int
    batch_size: int
    seed: int
    first_step: int = 0

    def batch(self, step: int) -> ContrastBatch:
        """Return the batch of a step."""
        items, _ = batch_places(
            step, batch_size=self.batch_size, num_items=len(self.rows[0]), seed=self.seed
        )
        swapped = np.random.default_rng([self.seed, step]).random(len(items)) < 0.5
        first, second = self.rows[0][items], self.rows[1][items]
        queries, keys = np.where(swapped, second, first), np.where(swapped, first, second)
        return ContrastBatch(
            torch.from_numpy(self.arrays.scenes(queries, self.window)),
            torch.from_numpy(self.arrays.scenes(keys, self.window))[:, None],
            torch.ones(len(items), 1, dtype=torch.bool),
            torch.from_numpy(queries),
            torch.from_numpy(keys)[:, None],
        )


@dataclass(eq=False)
class NeighbourBatches(StepBatches[ContrastBatch]):
    """Scenes and all that begin up to `reach` shots before or after in the same film (ShotCoL).

    `rows` are the running numbers of the first shots of the queries, (P,). Which of the neighbours
    is the positive is left to the encoder, in the step. The only scene of a film is its own.
    """

    arrays: ShotArrays
    rows: IntArray
    _: KW_ONLY
    window: int
    reach: int
    batch_size: int
    seed: int
    first_step: int = 0

    def batch(self, step: int) -> ContrastBatch:
        """Return the batch of a step."""
        items, _ = batch_places(
            step, batch_size=self.batch_size, num_items=len(self.rows), seed=self.seed
        )
        queries = self.rows[items]
        movies = self.arrays.movie_of(queries)
        low, high = self.arrays.offsets[movies], self.arrays.offsets[movies + 1] - self.window
        away = np.delete(np.arange(-self.reach, self.reach + 1), self.reach)
        beside = queries[:, None] + away
        valid = (beside >= low[:, None]) & (beside <= high[:, None])
        beside = np.where(valid, beside, queries[:, None])
        valid[~valid.any(axis=1), 0] = True
        scenes = self.arrays.scenes(beside.reshape(-1), self.window)
        return ContrastBatch(
            torch.from_numpy(self.arrays.scenes(queries, self.window)),
            torch.from_numpy(scenes.reshape(*beside.shape, *scenes.shape[1:])),
            torch.from_numpy(valid),
            torch.from_numpy(queries),
            torch.from_numpy(beside),
            candidates=True,
        )


@dataclass(eq=False)
class ShotBatches(StepBatches[ContrastBatch]):
    """Shots and their neighbours `reach` shots before and after in the same film (B1, Eq. 1).

    A share of all shots are queries, picked by a shuffle that is never listed.
    """

    arrays: ShotArrays
    _: KW_ONLY
    reach: int
    query_share: float
    batch_size: int
    seed: int
    first_step: int = 0
    window: ClassVar = 1

    @property
    def num_queries(self) -> int:
        """How many shots are queries."""
        return max(1, round(self.query_share * self.arrays.num_shots))

    def batch(self, step: int) -> ContrastBatch:
        """Return the batch of a step."""
        items, _ = batch_places(
            step, batch_size=self.batch_size, num_items=self.num_queries, seed=self.seed
        )
        rows = shuffled(items, self.arrays.num_shots, self.seed, 1 << 40)
        movies = self.arrays.movie_of(rows)
        low, high = self.arrays.offsets[movies], self.arrays.offsets[movies + 1]
        beside = np.stack([rows - self.reach, rows + self.reach], axis=1)
        valid = (beside >= low[:, None]) & (beside < high[:, None])
        # A film so short that it has neither: the shot beside it, else the shot itself.
        isolated = ~valid.any(axis=1)
        near = np.where(rows + 1 < high, rows + 1, np.maximum(rows - 1, low))
        beside = np.where(valid, beside, near[:, None])
        valid[isolated, 0] = True
        keys = self.arrays.shots(beside.reshape(-1)).reshape(*beside.shape, *self.arrays.row_shape)
        return ContrastBatch(
            torch.from_numpy(self.arrays.shots(rows))[:, None],
            torch.from_numpy(keys)[:, :, None],
            torch.from_numpy(valid),
            torch.from_numpy(rows),
            torch.from_numpy(beside),
        )
