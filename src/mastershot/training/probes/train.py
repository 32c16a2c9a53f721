"""The run: its folder keeps what a killed run needs to resume; at the end the probe and scores."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import SettingError
from mastershot.core.files import make_folder
from mastershot.datasets.tables.tag_scores import TagScores, write_tag_scores
from mastershot.encoders.probe import (
    ProbeCard,
    build_probe,
    probe_inputs,
    probe_scores,
    write_probe,
)
from mastershot.evaluation.precision import average_precisions
from mastershot.training.engine.epochs import Batch, EpochBatches, EpochModule, fit_epochs
from mastershot.training.engine.run_directory import open_run_directory, whole_folder
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.probes.data import ProbeSplit, read_inputs
from mastershot.training.probes.settings import ProbeRecipe, missing_probe_inputs

PROBE, SCORES = "probe", "scores"
_SCORED = ("val", "test")


def train_probe(recipe: ProbeRecipe, out: Path, on_progress: OnProgress = no_progress) -> Path:
    """Return the folder of a probe, trained by the recipe; `TrainedProbe` loads it.

    Beside it are the scores of the validation and test videos. A run that was stopped or killed
    resumes from its last checkpoint, to the same weights on the same CPU. A finished run is left as
    it is.

    Raises:
        SettingError: Annotations or features are missing, a split has no video with features, or
            the folder is another recipe's.
        DatasetError: Annotations or features are not laid out as they should be.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    missing = [] if (out / PROBE).is_dir() else missing_probe_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(CHECKPOINT, SCORES, PROBE)):
        if not (out / PROBE).is_dir():
            _train(recipe, out, on_progress)
    return out / PROBE


def mean_precision(network: nn.Module, card: ProbeCard, split: ProbeSplit) -> float:
    """Return the mAP of a network on a split, in [0, 1], over the classes that have a positive."""
    scores = probe_scores(network, card, split.vectors)
    return float(np.nanmean(average_precisions(scores, split.labels.truth)))


def _train(recipe: ProbeRecipe, out: Path, on_progress: OnProgress) -> None:
    splits, training = read_inputs(recipe), recipe.training
    card, train = _card(recipe, splits["train"]), splits["train"]

    def batch_of(drawn: IntArray) -> Batch:
        videos = [train.vectors[video] for video in drawn.tolist()]
        return probe_inputs(card, videos), torch.from_numpy(train.labels.truth[drawn]).float()

    batches = EpochBatches(len(train.vectors), batch_of, training, steps_done(out))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = build_probe(card)
    loss = binary_cross_entropy_with_logits
    module = EpochModule(network, loss, training, steps_per_epoch=batches.steps_per_epoch)
    measure = partial(mean_precision, network, card, splits["val"])
    fit_epochs(module, batches, out, ("val_map", measure), on_progress)
    _export(recipe, out, splits, module.best.cpu())


def _card(recipe: ProbeRecipe, train: ProbeSplit) -> ProbeCard:
    network = recipe.network
    return ProbeCard(
        name=recipe.name,
        network=network.kind,
        classes=train.labels.classes,
        width=train.vectors.table.width,
        hidden=network.hidden,
        layers=network.layers,
        dropout=network.dropout,
        max_steps=network.max_steps,
    )


def _export(
    recipe: ProbeRecipe, out: Path, splits: Mapping[str, ProbeSplit], network: nn.Module
) -> None:
    """Write scores, and last the probe's folder, with what it was trained on and its mAP."""
    card = _card(recipe, splits["train"])
    made_by = {
        "probe": recipe.name,
        "dataset": recipe.dataset,
        "features": dict(splits["train"].vectors.table.made_by),
        "steps": steps_done(out),
    }
    figures: dict[str, Any] = {
        **made_by,
        "videos": {split: len(part.labels) for split, part in splits.items()},
        "without_features": {split: part.num_missing for split, part in splits.items()},
        "training": asdict(recipe.training),
        "mean_precision": {},
        "num_classes": {},
    }
    make_folder(out / SCORES)
    for split in _SCORED:
        labels = splits[split].labels
        scores = probe_scores(network, card, splits[split].vectors)
        precisions = average_precisions(scores, labels.truth)
        figures["mean_precision"][split] = float(np.nanmean(precisions))
        figures["num_classes"][split] = int(np.isfinite(precisions).sum())
        write_tag_scores(
            out / SCORES / f"{split}.npz",
            TagScores(
                scores, labels.truth, labels.videos, labels.items, labels.videos, labels.classes,
                made_by | {"split": split},
            ),
        )  # fmt: skip
    with whole_folder(out / PROBE) as partial:
        write_probe(partial, card, network, figures=figures)
