"""The run: its folder keeps what a killed run needs to resume, and at the end the head."""
# G gaps between shots, N shots of a window, D width of a shot's features

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim.lr_scheduler import StepLR

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.encoders.scene_head import (
    CLASSES,
    SceneHeadCard,
    boundary_scores,
    build_scene_head,
    windows_of_gaps,
    write_scene_head,
)
from mastershot.evaluation.bootstrap import BoolArray
from mastershot.evaluation.metrics import score_boundaries
from mastershot.evaluation.scene_boundaries import best_threshold, first_shots, gap_precision
from mastershot.models.video_probe import BoundaryProbe
from mastershot.training.engine.epochs import Batch, EpochBatches, EpochModule, fit_epochs
from mastershot.training.engine.run_directory import open_run_directory, whole_folder
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.scene_boundaries.data import (
    BoundaryData,
    LabelledFilm,
    read_boundary_data,
)
from mastershot.training.scene_boundaries.settings import (
    BoundaryTrainingSettings,
    SceneBoundaryRecipe,
    missing_boundary_inputs,
)

HEAD = "head"
_LEAST_DEVIATION = 1e-6


def train_scene_head(
    recipe: SceneBoundaryRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a scene head, trained by the recipe; `SceneHead` loads it.

    A run that was stopped or killed resumes from its last checkpoint, to the same weights on the
    same CPU. A finished run is left as it is.

    Raises:
        SettingError: Features or scenes are missing, or the folder is another recipe's.
        DatasetError: Features or scenes are not laid out as they should be.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    missing = [] if (out / HEAD).is_dir() else missing_boundary_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(CHECKPOINT, HEAD)):
        if not (out / HEAD).is_dir():
            data = read_boundary_data(recipe, on_progress)
            card = head_card(recipe.name, data, recipe.training)
            network = fit_head(card, data, recipe.training, out, on_progress)
            _export(recipe, out, data, card, network)
    return out / HEAD


def head_card(name: str, data: BoundaryData, training: BoundaryTrainingSettings) -> SceneHeadCard:
    """Return the card of a head that is not trained yet; its threshold is 0.5."""
    return SceneHeadCard(
        name=name,
        classes=CLASSES,
        encoders=tuple(space.model for space in data.spaces),
        space_hashes=tuple(space.weights_hash for space in data.spaces),
        widths=tuple(space.width for space in data.spaces),
        hidden=training.hidden,
        dropout=training.dropout,
        threshold=0.5,
    )


def fit_head(
    card: SceneHeadCard,
    data: BoundaryData,
    training: BoundaryTrainingSettings,
    out: Path,
    on_progress: OnProgress = no_progress,
    **options: Any,
) -> BoundaryProbe:
    """Return the network that has the best AP on the films of val, trained on those of train.

    ``out`` keeps the checkpoint that training goes on from, and the metrics log; ``options`` are
    of Lightning's Trainer, such as precision.

    Raises:
        MastershotError: The loss is not finite any more.
        OutputError: The checkpoint cannot be read.
    """
    train = data.films["train"]
    shots = np.concatenate([film.features for film in train])
    windows, truth = _windows_of(train)
    shots_SD, windows_GN = torch.from_numpy(shots), torch.from_numpy(windows)
    truth_G = torch.from_numpy(truth).float()

    def batch_of(drawn: IntArray) -> Batch:
        gaps = torch.from_numpy(drawn)
        return (shots_SD[windows_GN[gaps]],), truth_G[gaps]

    batches = EpochBatches(len(truth), batch_of, training, steps_done(out))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = build_scene_head(card)
    network.mean.copy_(torch.from_numpy(shots.mean(axis=0, dtype=np.float64)))
    network.scale.copy_(torch.from_numpy(_scale_of(shots, card.widths)))
    module = _SGDModule(
        network,
        binary_cross_entropy_with_logits,
        training,
        steps_per_epoch=batches.steps_per_epoch,
    )
    measure = partial(_pooled_precision, network, data.films["val"])
    fit_epochs(module, batches, out, ("val_ap", measure), on_progress, **options)
    network.load_state_dict(module.best.state_dict())
    return network.cpu()


def scores_of(network: BoundaryProbe, films: Sequence[LabelledFilm]) -> FloatArray:
    """Return the scores of all gaps of films, film after film, shape (G,)."""
    none = np.zeros(0, np.float32)
    return np.concatenate([none, *(boundary_scores(network, film.features) for film in films)])


def truth_of(films: Sequence[LabelledFilm]) -> BoolArray:
    """Return whether each gap of films is a boundary, film after film, shape (G,)."""
    return np.concatenate([np.zeros(0, np.bool_), *(film.boundaries for film in films)])


class _SGDModule(EpochModule):
    """Plain SGD in place of AdamW."""

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        settings = self._settings
        assert isinstance(settings, BoundaryTrainingSettings)
        optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        every = settings.halve_every * self._steps_per_epoch
        scheduler = {"scheduler": StepLR(optimizer, every, 0.5), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def _windows_of(films: Sequence[LabelledFilm]) -> tuple[IntArray, BoolArray]:
    """Return the shots of each gap's window among all films' shots, (G, N), and the truth (G,)."""
    windows, first = [], 0
    for film in films:
        windows.append(windows_of_gaps(len(film.features)) + first)
        first += len(film.features)
    return np.concatenate(windows), truth_of(films)


def _scale_of(shots: FloatArray, widths: Sequence[int]) -> FloatArray:
    """Return what centred features are multiplied by, (D,): each space to a mean variance of 1."""
    variances = np.split(shots.var(axis=0, dtype=np.float64), np.cumsum(widths)[:-1])
    deviations = [max(float(np.sqrt(part.mean())), _LEAST_DEVIATION) for part in variances]
    return np.repeat(1 / np.array(deviations), widths).astype(np.float32)


def _pooled_precision(network: BoundaryProbe, films: Sequence[LabelledFilm]) -> float:
    return gap_precision(scores_of(network, films), truth_of(films))


def _export(
    recipe: SceneBoundaryRecipe,
    out: Path,
    data: BoundaryData,
    card: SceneHeadCard,
    network: BoundaryProbe,
) -> None:
    """Write the head's folder, with its threshold, what it was trained on and its figures."""
    val = data.films["val"]
    threshold = best_threshold(scores_of(network, val), truth_of(val))
    figures: dict[str, Any] = {
        "steps": steps_done(out),
        "training": asdict(recipe.training),
        "features": dict(data.made_by),
        "num_films": {split: len(films) for split, films in data.films.items()},
        "num_shots": {
            split: sum(len(film.features) for film in films) for split, films in data.films.items()
        },
        "figures": {
            split: _figures(network, films, threshold)
            for split, films in data.films.items()
            if split != "train" and films
        },
    }
    with whole_folder(out / HEAD) as partial_folder:
        write_scene_head(
            partial_folder, replace(card, threshold=threshold), network, figures=figures
        )


def _figures(
    network: BoundaryProbe, films: Sequence[LabelledFilm], threshold: float
) -> dict[str, float | None]:
    """Return AP of all gaps together and the mean F1 of films, ready for JSON."""
    precision = _pooled_precision(network, films)
    f1 = []
    for film in films:
        found = boundary_scores(network, film.features) >= np.float32(threshold)
        f1.append(score_boundaries(first_shots(found), first_shots(film.boundaries)).f1)
    return {"ap": None if np.isnan(precision) else precision, "f1": float(np.mean(f1))}
