"""Batches of shots: a pure function of the seed and the step, made by any number of workers."""
# B batch, C classes, T frames, D width of a frame's vector

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from mastershot.models.recognisers.frame_lstm import pad_frames
from mastershot.training.engine.distributed import own_rows, own_share
from mastershot.training.engine.samplers import batch_places
from mastershot.training.tagging.clips import ReadClips
from mastershot.training.tagging.settings import TaggingTrainingSettings
from mastershot.training.tagging.shots import TaggedShot
from mastershot.training.tagging.vectors import ReadVectors


class ShotInputs(Protocol):
    """Reads what a network sees of shots."""

    def read(self, rows: Sequence[int]) -> ReadClips | ReadVectors:
        """Return what can be read of the shots at these places."""
        ...


class TaggingBatch(NamedTuple):
    """What one forward pass is taken on.

    Attributes:
        inputs: Clips, uint8 (B, T, H, W, 3), or vectors (B, T, D) and how many are valid, (B,).
        places: Their places in the batch as it was drawn for all devices, (B,).
        truth: Which labels each shot has, 0 or 1, (B, C).
        size: Shots that were drawn for it on all devices; B is fewer where some were not read.
        number: Running number of the batch, which settles its augmentation.
        problems: Why shots could not be read, by shot.
    """

    inputs: tuple[Tensor, ...]
    places: Tensor
    truth: Tensor
    size: int
    number: int
    problems: Mapping[int, str]


@dataclass(eq=False)
class TaggingBatches(IterableDataset[TaggingBatch]):
    """Batches without end; each epoch has its own order, a function of seed and epoch.

    Attributes:
        shots: The shots to train on.
        source: Reads them.
        num_classes: C.
        settings: Batch size, accumulation and seed.
        first_step: Optimiser step of the first batch.
        share: This process's rank and how many there are; taken where the loader is made, since
            its workers know of no other process.
    """

    shots: Sequence[TaggedShot]
    source: ShotInputs
    num_classes: int
    settings: TaggingTrainingSettings
    first_step: int = 0
    share: tuple[int, int] = field(default_factory=own_share)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in which every shot is drawn once, the last rounded up."""
        return -(-len(self.shots) // self.settings.batch_size)

    def __iter__(self) -> Iterator[TaggingBatch]:
        worker = get_worker_info()
        begin, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return map(self.batch, count(self.first_step * self.settings.accumulate + begin, step))

    def batch(self, number: int) -> TaggingBatch:
        """Return a batch by its running number; several devices each read their own rows."""
        settings = self.settings
        step, part = divmod(number, settings.accumulate)
        items, _ = batch_places(
            step, batch_size=settings.batch_size, num_items=len(self.shots), seed=settings.seed
        )
        drawn = items.reshape(settings.accumulate, -1)[part]
        own = own_rows(len(drawn), self.share)
        rows = drawn[own].tolist()
        inputs, found, problems = read_inputs(self.source, rows)
        truth = truth_of([self.shots[rows[place]] for place in found], self.num_classes)
        places = torch.tensor(found, dtype=torch.long) + own.start
        return TaggingBatch(inputs, places, truth, len(drawn), number, problems)


def read_inputs(
    source: ShotInputs, rows: Sequence[int]
) -> tuple[tuple[Tensor, ...], list[int], Mapping[int, str]]:
    """Return tensors of the shots that can be read, their places among the rows, and problems."""
    read = source.read(rows)
    if isinstance(read, ReadClips):
        inputs: tuple[Tensor, ...] = (torch.from_numpy(np.ascontiguousarray(read.clips)),)
    elif read.sequences:
        inputs = pad_frames(read.sequences)
    else:
        inputs = (torch.zeros(0, 1, 1), torch.zeros(0, dtype=torch.long))
    return inputs, read.found.tolist(), read.problems


def truth_of(shots: Sequence[TaggedShot], num_classes: int) -> Tensor:
    """Return which labels shots have, 0 or 1, shape (B, C)."""
    truth = torch.zeros(len(shots), num_classes)
    for row, shot in enumerate(shots):
        truth[row, list(shot.classes)] = 1
    return truth
