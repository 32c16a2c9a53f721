"""The run: its folder keeps what a killed run needs to resume, and at the end the recogniser."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mastershot.core.errors import SettingError
from mastershot.core.files import written_whole
from mastershot.datasets.tables.tag_scores import write_tag_scores
from mastershot.encoders.recogniser import RecogniserCard, start_from, write_recogniser
from mastershot.evaluation.precision import best_f1_thresholds
from mastershot.models.checkpointing import checkpoint_blocks
from mastershot.models.recognisers.build import build_recogniser, recogniser_row
from mastershot.training.engine.distributed import (
    barrier,
    is_rank_zero,
    rank_zero_first,
    world_size,
)
from mastershot.training.engine.metrics_log import MetricsLog, read_log
from mastershot.training.engine.run_directory import open_run_directory, whole_folder
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, fit, require_finite, steps_done
from mastershot.training.tagging.batches import TaggingBatches
from mastershot.training.tagging.clips import name_of
from mastershot.training.tagging.inputs import TaggingInputs, open_inputs
from mastershot.training.tagging.module import TaggingModule, weights_of_positives
from mastershot.training.tagging.scoring import (
    EachEpoch,
    Scoring,
    SplitScores,
    StopIfUnreadable,
    loader_of,
    require_usable,
    score_split,
    tag_scores,
)
from mastershot.training.tagging.settings import TaggingRecipe, missing_tagging_inputs

RECOGNISER, SCORES, UNREAD, METRICS = "recogniser", "scores", "unread.csv", "metrics.csv"


def train_recogniser(
    recipe: TaggingRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a recogniser, trained by the recipe; `TrainedRecogniser` loads it.

    Beside it are its scores of the splits (``scores/<split>.npz``), the metrics by epoch and a list
    of shots that could not be read. A run that was stopped or killed resumes from its last
    checkpoint, to the same weights on the same CPU. A finished run is left as it is.

    Raises:
        SettingError: Inputs are missing, settings contradict each other, or the folder is another
            recipe's.
        DatasetError: Split files, data set or vectors cannot be read, or too many shots cannot.
        EncoderError: An encoder or a checkpoint to start from is missing or does not fit.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
        MastershotError: The loss is not finite any more.
    """
    made = out / RECOGNISER
    missing = [] if made.is_dir() else missing_tagging_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(CHECKPOINT, RECOGNISER, SCORES)):
        if not rank_zero_first(made.is_dir):
            inputs = rank_zero_first(lambda: open_inputs(recipe, out, on_progress))
            _Run(recipe, out, inputs).train(on_progress)
            barrier()  # Until the first process has written.
    return made


@dataclass(frozen=True, eq=False)
class _Run:
    """One run of a recipe, in its folder."""

    recipe: TaggingRecipe
    out: Path
    inputs: TaggingInputs

    def train(self, on_progress: OnProgress) -> None:
        """Train to the end, and write what was made."""
        recipe, training, done = self.recipe, self.recipe.training, steps_done(self.out)
        self._require_shares()
        train = self.inputs.splits[recipe.train]
        batches = TaggingBatches(train.shots, train, self.scoring.num_classes, training, done)
        every = batches.steps_per_epoch
        steps = training.epochs * every
        module = self._module(every, is_new=not done)

        def on_step(step: int, figures: dict[str, float]) -> None:
            require_finite(step, figures)
            on_progress("training", step, steps, figures)

        name = recipe.validation
        log = MetricsLog(self.out)
        fit(
            module,
            loader_of(batches, self.scoring.workers),
            folder=self.out,
            steps=steps,
            save_every=training.save_every or every,
            on_step=on_step,
            callbacks=[
                StopIfUnreadable(len(train.shots), training.max_failed, every=every),
                EachEpoch(self.inputs.splits[name], name, self.scoring, log, every=every),
            ],
            precision=training.precision,
            accumulate_grad_batches=training.accumulate,
            **self._loggers(),
        )
        self._write(module)

    @cached_property
    def scoring(self) -> Scoring:
        """How splits are scored."""
        training, row = self.recipe.training, recogniser_row(self.recipe.network.name)
        return Scoring(
            row,
            len(self.inputs.data.classes),
            training.batch_size // training.accumulate,
            0 if row.reads == "vectors" else self.recipe.clips.workers,
        )

    def _require_shares(self) -> None:
        """Refuse what several devices cannot share."""
        devices, training = world_size(), self.recipe.training
        if devices > self.scoring.batch_size:
            raise SettingError(
                f"{devices} devices share batches of {self.scoring.batch_size} shots "
                "(batch_size over accumulate), and each needs one; start fewer"
            )
        if devices > 1 and training.precision == "16-mixed":
            raise SettingError(
                "training.precision is 16-mixed, whose steps several devices may skip or take "
                "each for itself; use bf16-mixed or 32-true"
            )

    def _module(self, steps_per_epoch: int, *, is_new: bool) -> TaggingModule:
        recipe, training = self.recipe, self.recipe.training
        shots = self.inputs.splits[recipe.train].shots
        places = [place for shot in shots for place in shot.classes]
        counts = np.bincount(places, minlength=self.scoring.num_classes)
        return TaggingModule(
            self._network(is_new=is_new),
            self.scoring.row,
            training,
            recipe.clips,
            positive_weights=weights_of_positives(
                torch.from_numpy(counts).float(), len(shots), training.max_positive_weight
            ),
            steps_per_epoch=steps_per_epoch,
            trained_on=self.inputs.digest,
        )

    def _network(self, *, is_new: bool) -> nn.Module:
        settings, size = self.recipe.network, self.inputs.size
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.training.seed)
            network = build_recogniser(
                settings.name,
                num_classes=self.scoring.num_classes,
                width=settings.width,
                depth=settings.depth,
                frames=size.frames,
                size_px=size.size_px or None,
                input_width=self.inputs.width or 1,
            )
        if settings.start and is_new:
            start_from(network, settings.name, self.recipe.path(settings.start))
        if settings.recompute and not checkpoint_blocks(network):
            raise SettingError(
                f"network.recompute is true, but {settings.name} has no blocks to recompute"
            )
        if self.recipe.training.precision != "32-true" and not torch.cuda.is_available():
            _require_no_conv3d(network)
        return network

    def _loggers(self) -> dict[str, Any]:
        if not self.recipe.training.tensorboard:
            return {}
        from lightning.pytorch.loggers import TensorBoardLogger

        try:
            logger = TensorBoardLogger(self.out, name="tensorboard", version="")
        except ModuleNotFoundError as error:
            raise SettingError(
                "training.tensorboard is true, but the package tensorboard is not installed; "
                "install it, or leave the setting out"
            ) from error
        return {"logger": logger, "log_every_n_steps": 10}

    def _write(self, module: TaggingModule) -> None:
        """Write scores, lists and the recogniser, which is last: with it the run is finished."""
        recipe = self.recipe
        names = dict.fromkeys((recipe.validation, *recipe.scored))
        scored = {
            name: score_split(module.best, self.inputs.splits[name], self.scoring)
            for name in names
            if name in self.inputs.splits
        }
        require_usable(scored[recipe.validation], recipe.validation)
        if not is_rank_zero():
            return
        made_by = {"recogniser": recipe.name, "network": recipe.network.name}
        for name in recipe.scored:
            if name in scored and scored[name].shots:
                path = self.out / SCORES / f"{name}.npz"
                path.parent.mkdir(exist_ok=True)
                labels = self.inputs.data.classes
                write_tag_scores(path, tag_scores(scored[name], labels, made_by))
        unread = self._unread(module, scored)
        _write_csv(self.out / UNREAD, ("shot", "reason"), unread.items())
        _write_metrics(self.out)
        figures = self._figures(scored, unread)
        with whole_folder(self.out / RECOGNISER) as partial:
            write_recogniser(partial, self._card(), module.best.cpu(), figures=figures)

    def _unread(self, module: TaggingModule, scored: Mapping[str, SplitScores]) -> dict[str, str]:
        """Return the shots that could not be read by name, and why."""
        problems = {self.recipe.train: module.problems}
        problems |= {name: dict(one.problems) for name, one in scored.items()}
        return {
            name_of(self.inputs.data.splits[name][row]): why
            for name, found in problems.items()
            for row, why in found.items()
        }

    def _figures(
        self, scored: Mapping[str, SplitScores], unread: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return what the recogniser's description says of its training."""
        data, val = self.inputs.data, scored[self.recipe.validation]
        thresholds = best_f1_thresholds(val.scores, val.truth > 0).tolist()
        return {
            "mean_precision": {
                name: one.mean_precision for name, one in scored.items() if one.shots
            },
            "thresholds": dict(zip(data.classes.labels, thresholds, strict=True)),
            "shots": {name: len(shots) for name, shots in data.splits.items()},
            "unread": len(unread),
            "unread_first": list(unread.values())[:1],
            "steps": steps_done(self.out),
            "settings": asdict(self.recipe),
        }

    def _card(self) -> RecogniserCard:
        recipe, inputs, size = self.recipe, self.inputs, self.inputs.size
        reads_clips = self.scoring.row.reads != "vectors"
        return RecogniserCard(
            name=recipe.name,
            network=recipe.network.name,
            classes=inputs.data.classes.labels,
            width=recipe.network.width,
            depth=recipe.network.depth,
            frames=size.frames if reads_clips else 0,
            size_px=size.size_px if reads_clips else 0,
            encoder=inputs.encoder,
            encoder_hash="" if inputs.space is None else inputs.space.weights_hash,
            input_width=inputs.width,
            rate_hz=0.0 if reads_clips else recipe.vectors.rate_hz,
            max_steps=0 if reads_clips else recipe.vectors.max_steps,
        )


def _require_no_conv3d(network: nn.Module) -> None:
    """Refuse mixed precision where torch computes wrong gradients: 3-D convolutions on a CPU.

    torch 2.13 gives infinite and NaN gradients of some weights, and crashes on others.
    """
    if any(isinstance(part, nn.Conv3d) for part in network.modules()):
        raise SettingError(
            "training.precision is mixed, but the network has 3-D convolutions, whose gradients "
            "torch computes wrongly in half precision on a CPU; use 32-true, or a GPU"
        )


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with written_whole(path, newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _write_metrics(out: Path) -> None:
    """Write the metrics of every epoch as CSV."""
    columns = ("epoch", "step", "seconds", "loss", "learning_rate", "val_map")
    rows = (tuple(entry.get(name, "") for name in columns) for entry in read_log(out))
    _write_csv(out / METRICS, columns, rows)
