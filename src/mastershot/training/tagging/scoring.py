"""What a recogniser says of whole splits, during training and for good."""
# N shots, B batch, C classes

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import clip_of_video
from mastershot.datasets.tables.tag_scores import TagScores
from mastershot.evaluation.precision import average_precisions
from mastershot.models.recognisers.build import RecogniserRow, normalise_clips
from mastershot.training.engine import distributed
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.tagging.batches import ShotInputs, read_inputs, truth_of
from mastershot.training.tagging.clips import ReadClips
from mastershot.training.tagging.module import TaggingModule
from mastershot.training.tagging.shots import TaggedShot
from mastershot.training.tagging.vectors import ReadVectors


@dataclass(frozen=True, eq=False)
class Split:
    """The shots of a split; it reads them from a source of all splits' shots.

    Attributes:
        shots: The shots.
        source: Reads the shots of all splits, one split after the other.
        first: Place of this split's first shot in the source.
    """

    shots: Sequence[TaggedShot]
    source: ShotInputs
    first: int = 0

    def read(self, rows: Sequence[int]) -> ReadClips | ReadVectors:
        """Return what can be read of the shots at these places of the split."""
        read = self.source.read([row + self.first for row in rows])
        return replace(read, problems={row - self.first: why for row, why in read.problems.items()})


@dataclass(frozen=True)
class Scoring:
    """How splits are scored.

    Attributes:
        row: The network's row of the table.
        num_classes: C.
        batch_size: Shots of a pass.
        workers: Processes that read shots; 0 reads in this one.
    """

    row: RecogniserRow
    num_classes: int
    batch_size: int
    workers: int = 0


@dataclass(frozen=True, eq=False)
class SplitScores:
    """What a network says of the shots of a split that could be read.

    Attributes:
        scores: Probability of each label, (N, C).
        truth: Which labels the shots have, (N, C).
        shots: Those shots.
        problems: Why the others could not be read, by place in the split.
    """

    scores: FloatArray
    truth: FloatArray
    shots: Sequence[TaggedShot]
    problems: Mapping[int, str]

    @property
    def mean_precision(self) -> float:
        """Mean average precision over the labels that a shot has (METHODS D); 0 if there is none.

        What a network that yields no numbers says counts as 0 too.
        """
        if not self.truth.any() or not np.isfinite(self.scores).all():
            return 0.0
        return float(np.nanmean(average_precisions(self.scores, self.truth > 0)))


@torch.no_grad()
def score_split(network: nn.Module, split: Split, scoring: Scoring) -> SplitScores:
    """Return a network's scores of a split, on the network's own device, as in inference.

    Several devices share the shots. The network comes back as it was, in training or not.
    """
    device, was_training = next(network.parameters()).device, network.training
    own = distributed.own_rows(len(split.shots))
    # Row by row: its scores, and 1 where the shot could be read.
    rows = torch.zeros(own.stop - own.start, scoring.num_classes + 1)
    problems: dict[int, str] = {}
    network.eval()
    for inputs, places, unread in _passes(split, range(own.start, own.stop), scoring):
        problems |= unread
        if len(places):
            logits = network(*_network_inputs(inputs, scoring.row, device))
            rows[places - own.start, :-1] = logits.float().sigmoid().cpu()
            rows[places - own.start, -1] = 1
    network.train(was_training)
    everywhere = distributed.gather_rows(rows, len(split.shots)).numpy()
    for found in distributed.gather_objects(problems):
        problems |= found
    was_read = np.flatnonzero(everywhere[:, -1] > 0)
    shots = [split.shots[place] for place in was_read.tolist()]
    truth = truth_of(shots, scoring.num_classes).numpy()
    return SplitScores(everywhere[was_read, :-1], truth, shots, problems)


def require_usable(scored: SplitScores, name: str) -> None:
    """Raise `DatasetError` unless a validation split can tell one epoch from another."""
    if not scored.shots:
        first = next(iter(scored.problems.values()), "it is empty")
        raise DatasetError(f"no shot of split {name!r} can be read, the first because {first}")
    if not scored.truth.any():
        raise DatasetError(f"no shot of split {name!r} has a label, so no epoch is the best one")


def tag_scores(scored: SplitScores, classes: Taxonomy, made_by: Mapping[str, object]) -> TagScores:
    """Return scores as they are written to a file; a clip counts as a film of its own."""
    videos = tuple(shot.video for shot in scored.shots)
    return TagScores(
        scores=scored.scores,
        truth=scored.truth > 0,
        videos=videos,
        files=tuple(shot.file for shot in scored.shots),
        films=tuple(map(clip_of_video, videos)),
        classes=classes.labels,
        made_by=made_by,
    )


class EachEpoch(Callback):
    """Scores the validation shots after every epoch, keeps the best weights, and ends early.

    It also ends a run in which too many shots cannot be read.
    """

    def __init__(
        self, split: Split, name: str, scoring: Scoring, log: MetricsLog, *, every: int
    ) -> None:
        """Take the validation split and its name, and the steps of an epoch."""
        self._split, self._name, self._scoring, self._log = split, name, scoring, log
        self._every = every
        self._step = -1
        self._losses: list[float] = []

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        """Note where a run resumes: its last epoch was scored before it was saved."""
        self._step = trainer.global_step

    def on_train_batch_end(self, trainer: Trainer, module: TaggingModule, *_: object) -> None:  # type: ignore[override]
        """Score the validation shots if the step was an epoch's last."""
        step = trainer.global_step
        if "loss" in trainer.callback_metrics:
            self._losses.append(float(trainer.callback_metrics["loss"]))
        if step == self._step or step % self._every:
            return
        self._step = step
        distributed.average_buffers(module.network)
        scored = score_split(module.network, self._split, self._scoring)
        require_usable(scored, self._name)
        figure = scored.mean_precision
        module.update_best(figure)
        trainer.should_stop = trainer.should_stop or module.is_finished()
        loss, self._losses = float(np.mean(self._losses)), []
        rate = module.learning_rate(step - 1)
        epoch = {"epoch": step // self._every, "learning_rate": rate, "val_map": figure}
        self._log.note(step, {"loss": loss, **epoch})
        for logger in trainer.loggers:
            logger.log_metrics({"val_map": figure}, step)


class StopIfUnreadable(Callback):
    """Ends training with an error when too many training shots could not be read."""

    def __init__(self, num_shots: int, most: float, *, every: int) -> None:
        """Take the number of shots, the share that may fail, and the steps of an epoch."""
        self._num_shots, self._most, self._every = num_shots, most, every

    def on_train_batch_end(self, trainer: Trainer, module: TaggingModule, *_: object) -> None:  # type: ignore[override]
        """Count what this device could not read, and once an epoch what none could."""
        if trainer.global_step % self._every == 0:
            for found in distributed.gather_objects(module.problems):
                module.problems |= found
        count = len(module.problems)
        if count > self._most * self._num_shots:
            raise DatasetError(
                f"{count} of {self._num_shots} training shots could not be read, more than "
                f"training.max_failed allows ({self._most:.0%}); the first problem: "
                f"{next(iter(module.problems.values()))}"
            )


@dataclass(eq=False)
class _Passes(IterableDataset[tuple[tuple[Tensor, ...], Tensor, Mapping[int, str]]]):
    """What is read of a split pass by pass: inputs, places in the split (B,), and problems."""

    split: Split
    rows: range
    batch_size: int

    def __iter__(self) -> Iterator[tuple[tuple[Tensor, ...], Tensor, Mapping[int, str]]]:
        worker = get_worker_info()
        begin, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        starts = range(self.rows.start, self.rows.stop, self.batch_size)
        for first in starts[begin::step]:
            rows = list(range(first, min(first + self.batch_size, self.rows.stop)))
            inputs, found, problems = read_inputs(self.split, rows)
            yield inputs, torch.tensor([rows[place] for place in found], dtype=torch.long), problems


def _passes(split: Split, rows: range, scoring: Scoring) -> DataLoader[Any]:
    return loader_of(_Passes(split, rows, scoring.batch_size), scoring.workers)


def loader_of(batches: IterableDataset[Any], workers: int) -> DataLoader[Any]:
    """Return a loader of whole batches, which so many processes make; 0 is this one."""
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        multiprocessing_context="forkserver" if workers else None,
    )


def _network_inputs(
    inputs: tuple[Tensor, ...], row: RecogniserRow, device: torch.device
) -> tuple[Tensor, ...]:
    moved = tuple(tensor.to(device) for tensor in inputs)
    return moved if row.reads == "vectors" else (normalise_clips(moved[0], row),)
