"""One contrastive run, from its length to its figures; the caller gives encoder and batches."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader

from mastershot.exports.drawings import draw_curves
from mastershot.models.contrastive import QueueLength, queue_length
from mastershot.store.files import write_whole
from mastershot.training.engine.distributed import is_rank_zero
from mastershot.training.engine.metrics_log import MetricsLog, read_log
from mastershot.training.engine.settings import OnProgress
from mastershot.training.engine.trainer import fit, require_finite
from mastershot.training.movies2scenes.batches import NeighbourBatches, SceneBatches, ShotBatches
from mastershot.training.movies2scenes.knn_probe import encode_rows, knn_accuracy, read_labels
from mastershot.training.movies2scenes.moco import (
    BatchContrast,
    ContrastiveModule,
    MomentumContrast,
)
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
    SceneContrastRecipe,
    ShotContrastRecipe,
)

CURVES = "curves.svg"
Batches = SceneBatches | NeighbourBatches | ShotBatches


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


def train_contrastive(
    encoder: nn.Sequential,
    batches: Batches,
    recipe: SceneContrastRecipe | ShotContrastRecipe,
    length: Length,
    *,
    out: Path,
    counts: Mapping[str, int],
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Train an encoder, from the folder's checkpoint on if there is one; return its metadata.

    Figures go to the folder's log, and are drawn beside it at the end.

    Args:
        encoder: From views to projections: the network that is kept, and its head.
        batches: What it is trained on, from the step of the checkpoint on.
        recipe: How it is trained.
        length: How long.
        out: Folder of the run.
        counts: What the first entry of the log counts.
        on_progress: Called after each step.

    Raises:
        DatasetError: The labels of the k-NN probe cannot be read, or none lies in the films.
        OutputError: The checkpoint cannot be read.
        MastershotError: The loss is not finite any more.
        KeyboardInterrupt: The run was stopped; the last checkpoint stays.
    """
    log, first = recipe.log, batches.first_step
    resumed = {"resumed": True, "from_step": first} if first else {}
    metrics, queue = MetricsLog(out), length.queue
    metrics.write({**resumed, **counts, "steps": length.steps, "queue": queue.reason})
    probe = _knn_probe(encoder[0], batches, recipe)
    module = _contrast(encoder, recipe.training, length)

    def on_step(step: int, figures: dict[str, float]) -> None:
        require_finite(step, figures)
        on_progress("training", step, length.steps, figures)
        if step % log.report_every == 0 or step == length.steps:
            metrics.note(step, {**figures, **probe()})

    loader = DataLoader(batches, batch_size=None)
    fit(module, loader, folder=out, steps=length.steps, save_every=log.save_every, on_step=on_step)
    if is_rank_zero():
        write_whole(out / CURVES, draw_curves(read_log(out), out.name).encode())
    about = {"name": recipe.name, "recipe": asdict(recipe)}
    return {**about, "steps": length.steps, "queue": queue.length}


def _contrast(
    encoder: nn.Module, training: ContrastiveSettings, length: Length
) -> ContrastiveModule:
    schedule = {"steps": length.steps, "warmup_steps": length.warmup_steps}
    if training.negatives == "batch":
        return BatchContrast(encoder, training, **schedule)
    return MomentumContrast(encoder, training, queue=length.queue.length, **schedule)


def _knn_probe(
    network: nn.Module,
    batches: Batches,
    recipe: SceneContrastRecipe | ShotContrastRecipe,
) -> Callable[[], Mapping[str, float]]:
    """Return what measures, when called, how well the nearest labelled scenes agree."""
    arrays, window, log = batches.arrays, batches.window, recipe.log
    if not log.labels:
        return dict
    labelled = read_labels(recipe.path(log.labels), arrays, window)

    def measure() -> Mapping[str, float]:
        was_training = network.training
        network.eval()
        vectors = encode_rows(network, arrays, labelled.rows, window)
        network.train(was_training)
        return {"knn_accuracy": knn_accuracy(vectors, labelled, log.neighbours)}

    return measure
