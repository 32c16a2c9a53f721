"""The run: coarse genres first, then the fine stage from their best network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import SettingError
from mastershot.datasets.genres.embeddings import EMBEDDINGS
from mastershot.encoders.genre_model import build_genre_network
from mastershot.evaluation.precision import average_precisions
from mastershot.models.genres.network import GenreNetwork, TrailerVectors
from mastershot.training.engine.epochs import Batch, EpochBatches, EpochModule, fit_epochs
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.genres.fine import FINE, train_fine
from mastershot.training.genres.inputs import GenreInputs, open_inputs
from mastershot.training.genres.results import (
    MODEL,
    SCORES,
    genre_card,
    run_network,
    write_results,
)
from mastershot.training.genres.settings import GenreRecipe, missing_genre_inputs


def train_genres(recipe: GenreRecipe, out: Path, on_progress: OnProgress = no_progress) -> Path:
    """Return the folder of a model of genres, trained by the recipe.

    Beside it are the scores of validation and test trailers, and the embeddings of all trailers
    before and after the fine stage (``embeddings.npz``). A run that was stopped or killed resumes
    from its last checkpoint. A finished run is left as it is.

    Raises:
        SettingError: The data set is missing, a split or a genre is empty, or the folder is another
            recipe's.
        DatasetError: The data set cannot be read, or its splits share a trailer.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
        MastershotError: The loss is not finite any more.
    """
    made = out / MODEL
    missing = [] if made.is_dir() else missing_genre_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(CHECKPOINT, FINE, SCORES, EMBEDDINGS, MODEL)):
        if not made.is_dir():
            inputs = open_inputs(recipe)
            coarse = _train_coarse(recipe, out, inputs, on_progress)
            fine = train_fine(recipe, out, inputs, coarse, on_progress)
            write_results(recipe, out, inputs, coarse, fine)
    return made


def _train_coarse(
    recipe: GenreRecipe, out: Path, inputs: GenreInputs, on_progress: OnProgress
) -> GenreNetwork:
    """Return the network of the best epoch."""
    training, data = recipe.training, inputs.data
    train, val = data.split("train"), data.split("val")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = build_genre_network(genre_card(recipe, inputs), dropout=recipe.network.dropout)
    if recipe.network.standardise:
        for expert in inputs.experts:
            network.clips.projection.standardise(expert.name, *inputs.statistics(expert, train))
    batches = EpochBatches(len(train), batches_of(inputs, train), training, steps_done(out))
    module = EpochModule(network, genre_loss, training, steps_per_epoch=batches.steps_per_epoch)

    def measure() -> float:
        found = run_network(network, inputs, val).scores
        return weighted_precision(found, data.truth[val])

    name = "val_auprc"
    fit_epochs(module, batches, out, (name, measure), on_progress, precision=training.precision)
    best = module.best
    assert isinstance(best, GenreNetwork)
    return best.cpu()


def batches_of(inputs: GenreInputs, trailers: IntArray) -> Callable[[IntArray], Batch]:
    """Return what makes a batch of some of the trailers, by their places among them."""

    def batch_of(drawn: IntArray) -> Batch:
        chosen = trailers[drawn]
        made: tuple[Any, ...] = inputs.batch(chosen.tolist())
        return made, inputs.truth(chosen)

    return batch_of


def genre_loss(made: TrailerVectors, truth_BG: Tensor) -> Tensor:
    """Return binary cross-entropy of the logits."""
    return binary_cross_entropy_with_logits(made.logits, truth_BG)


def weighted_precision(scores: Any, truth: Any) -> float:
    """Return AU(PRC) over genres, weighted by how many trailers each has."""
    areas, weights = average_precisions(scores, truth), truth.sum(axis=0)
    there = weights > 0
    return float((areas[there] * weights[there]).sum() / np.maximum(weights.sum(), 1))
