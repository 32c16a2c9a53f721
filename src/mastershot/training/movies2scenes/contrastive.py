"""One contrastive run from its folder to its figures; what is learnt from is the caller's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from mastershot.core.errors import MastershotError
from mastershot.exports.drawings import draw_curves
from mastershot.models.contrastive import QueueLength, queue_length
from mastershot.store.files import write_whole
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.engine.distributed import is_rank_zero
from mastershot.training.engine.metrics_log import MetricsLog, read_log
from mastershot.training.engine.settings import OnProgress, under
from mastershot.training.engine.trainer import fit
from mastershot.training.movies2scenes.batches import ContrastBatch
from mastershot.training.movies2scenes.knn_probe import encode_rows, knn_accuracy, read_labels
from mastershot.training.movies2scenes.moco import (
    BatchContrast,
    ContrastiveModule,
    MomentumContrast,
)
from mastershot.training.movies2scenes.settings.encoders import ContrastiveSettings, LogSettings

CURVES = "curves.svg"
Figures = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class Length:
    """How long a run is.

    Attributes:
        steps: Optimiser steps in all.
        warmup_steps: Those in which the learning rate rises.
        queue: Length of the queue, and why.
    """

    steps: int
    warmup_steps: int
    queue: QueueLength


def length_of(training: ContrastiveSettings, *, num_items: int, num_keys: int) -> Length:
    """Return how long a run over so many positive pairs with so many distinct keys is.

    Raises:
        SettingError: There are too few keys for a queue.
    """
    steps = ceil(num_items * training.epochs / training.batch_size)
    warmup_steps = ceil(num_items * training.warmup_epochs / training.batch_size)
    if training.max_steps:
        # A shorter run warms up for the same share of itself.
        warmup_steps = ceil(warmup_steps * min(1.0, training.max_steps / steps))
        steps = min(steps, training.max_steps)
    return Length(steps, warmup_steps, queue_length(num_keys, training.queue))


def learn(
    encoder: nn.Module,
    batches: IterableDataset[ContrastBatch],
    training: ContrastiveSettings,
    length: Length,
    *,
    out: Path,
    log: LogSettings,
    probe: Figures,
    on_progress: OnProgress,
) -> None:
    """Teach an encoder of looks to projections, going on from the folder's checkpoint if any.

    Figures go to the folder's log, and are drawn beside it at the end.

    Raises:
        OutputError: The checkpoint cannot be read.
        MastershotError: The loss is not finite any more.
        KeyboardInterrupt: Someone stopped it; the last checkpoint stays.
    """
    module = _contrast(encoder, training, length)
    metrics = MetricsLog(out)

    def on_step(step: int, figures: dict[str, float]) -> None:
        require_finite(step, figures)
        on_progress("training", step, length.steps, figures)
        if step % log.report_every == 0 or step == length.steps:
            metrics.note(step, {**figures, **probe()})

    fit(
        module,
        DataLoader(batches, batch_size=None),
        folder=out,
        steps=length.steps,
        save_every=log.save_every,
        on_step=on_step,
    )
    if is_rank_zero():
        write_whole(out / CURVES, draw_curves(read_log(out), out.name).encode())


def _contrast(
    encoder: nn.Module, training: ContrastiveSettings, length: Length
) -> ContrastiveModule:
    schedule = {"steps": length.steps, "warmup_steps": length.warmup_steps}
    if training.negatives == "batch":
        return BatchContrast(encoder, training, **schedule)
    return MomentumContrast(encoder, training, queue=length.queue.length, **schedule)


def require_finite(step: int, figures: Mapping[str, float]) -> None:
    """Raise `MastershotError` unless a step's loss is a number: nothing is learnt after that.

    The checkpoint of the steps before stays.
    """
    loss = figures["loss"]
    if not isfinite(loss):
        raise MastershotError(
            f"the loss of step {step} is {loss}: the shots hold features that are not finite "
            "numbers, or the learning rate is too high"
        )


def beginning(length: Length, first: int, **counts: int) -> dict[str, object]:
    """Return what the log says of a run before its first step, or when it goes on."""
    said: dict[str, object] = {"resumed": True, "from_step": first} if first else {}
    return said | counts | {"steps": length.steps, "queue": length.queue.reason}


def knn_probe(
    network: nn.Module, arrays: ShotArrays, window: int, log: LogSettings, data: str
) -> Figures:
    """Return what measures, when called, how well the nearest labelled scenes agree.

    Raises:
        DatasetError: The labels cannot be read, or none lies in the films.
    """
    if not log.labels:
        return dict
    labelled = read_labels(under(data, log.labels), arrays, window)

    def measure() -> Mapping[str, float]:
        was_training = network.training
        network.eval()
        with torch.no_grad():
            vectors = encode_rows(network, arrays, labelled.rows, window)
        network.train(was_training)
        return {"knn_accuracy": knn_accuracy(vectors, labelled, log.neighbours)}

    return measure
