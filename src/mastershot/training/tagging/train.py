"""The run: its folder keeps what a killed run needs to resume, and at the end the recogniser."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import nn
from torch.utils.data import DataLoader

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.files import written_whole
from mastershot.datasets.tables.tag_scores import write_tag_scores
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.recogniser import RecogniserCard, start_from, write_recogniser
from mastershot.evaluation.precision import best_f1_thresholds
from mastershot.models.checkpointing import checkpoint_blocks
from mastershot.models.recognisers.build import build_recogniser, recogniser_row
from mastershot.training.engine.distributed import is_rank_zero, rank_zero_first
from mastershot.training.engine.metrics_log import MetricsLog, read_log
from mastershot.training.engine.run_directory import open_run_directory, whole_folder
from mastershot.training.engine.settings import OnProgress, find_encoder, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, fit, require_finite, steps_done
from mastershot.training.tagging.batches import ShotInputs, TaggingBatches, truth_of
from mastershot.training.tagging.clips import ClipSize, FilmClips, keep_clips, name_of
from mastershot.training.tagging.module import TaggingModule, weights_of_positives
from mastershot.training.tagging.scoring import EachEpoch, Split, score_split, tag_scores
from mastershot.training.tagging.settings import TaggingRecipe, missing_tagging_inputs
from mastershot.training.tagging.shots import TaggedShot, TaggingData, read_tagging_data
from mastershot.training.tagging.vectors import ShotVectors, encode_shots, read_vectors

RECOGNISER, SCORES, UNREAD, METRICS = "recogniser", "scores", "unread.csv", "metrics.csv"
_VECTORS = "vectors"


def train_recogniser(
    recipe: TaggingRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a recogniser, trained by the recipe; `TrainedRecogniser` loads it.

    Beside it are its scores of the splits (``scores/<split>.npz``), the metrics by epoch and a list
    of shots that could not be read. A run that was stopped or killed resumes from its last
    checkpoint, to the same weights on the same CPU. A finished run is left as it is.

    Raises:
        SettingError: Inputs are missing, or the folder is another recipe's.
        DatasetError: Split files, data set or vectors cannot be read, or too many shots cannot.
        EncoderError: An encoder or a checkpoint to start from is missing or does not fit.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    made = out / RECOGNISER
    missing = [] if made.is_dir() else missing_tagging_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(CHECKPOINT, RECOGNISER, SCORES)):
        if not rank_zero_first(made.is_dir):
            _Run(recipe, out, on_progress).train()
    return made


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What reads each split, and the vectors' space if it is vectors that are read."""

    splits: Mapping[str, Split]
    width: int
    space: EmbeddingSpace | None
    encoder: str


class _Run:
    """One run of a recipe, in its folder."""

    def __init__(self, recipe: TaggingRecipe, out: Path, on_progress: OnProgress) -> None:
        self._recipe, self._out, self._on_progress = recipe, out, on_progress
        self._row = recogniser_row(recipe.network.name)
        self._size = ClipSize(
            recipe.network.frames or self._row.frames, recipe.network.size_px or self._row.size_px
        )

    def train(self) -> None:
        """Train to the end, and write what was made."""
        recipe, training = self._recipe, self._recipe.training
        data = read_tagging_data(recipe, needs_films=not recipe.vectors.table or self._reads_clips)
        inputs = rank_zero_first(lambda: self._inputs(data))
        train, num_classes = inputs.splits[recipe.train], len(data.classes)
        batches = TaggingBatches(
            train.shots, train.source, num_classes, training, steps_done(self._out)
        )
        per_epoch = batches.steps_per_epoch
        steps = training.epochs * per_epoch
        counts = truth_of(train.shots, num_classes).sum(0)
        module = TaggingModule(
            self._network(num_classes, inputs.width),
            self._row,
            training,
            recipe.clips,
            positive_weights=weights_of_positives(
                counts, len(train.shots), training.max_positive_weight
            ),
            steps_per_epoch=per_epoch,
        )
        each_epoch = EachEpoch(
            inputs.splits[recipe.validation],
            self._row,
            MetricsLog(self._out),
            every=per_epoch,
            batch_size=training.batch_size // training.accumulate,
            num_classes=num_classes,
        )

        def on_step(step: int, figures: dict[str, float]) -> None:
            require_finite(step, figures)
            self._on_progress("training", step, steps, figures)

        watch = _StopIfUnreadable(len(train.shots), training.max_failed)
        fit(
            module,
            self._loader(batches),
            folder=self._out,
            steps=steps,
            save_every=training.save_every or per_epoch,
            on_step=on_step,
            callbacks=[watch, each_epoch],
            precision=training.precision,
            accumulate_grad_batches=training.accumulate,
            **self._loggers(),
        )
        self._write(data, inputs, module)

    @property
    def _reads_clips(self) -> bool:
        return self._row.reads != "vectors"

    def _inputs(self, data: TaggingData) -> _Inputs:
        """Return what reads the shots; films are decoded here where clips or vectors are kept."""
        recipe = self._recipe
        shots = [shot for part in data.splits.values() for shot in part]
        source: ShotInputs
        if self._reads_clips:
            source = FilmClips(shots, self._size)
            if recipe.clips.cache:
                folder = recipe.path(recipe.clips.cache)
                source = keep_clips(shots, self._size, folder, self._on_progress)
            return _Inputs(_split(data, source), 0, None, "")
        vectors, encoder = self._vectors(shots)
        return _Inputs(_split(data, vectors), vectors.table.width, vectors.space, encoder)

    def _vectors(self, shots: list[TaggedShot]) -> tuple[ShotVectors, str]:
        recipe, settings = self._recipe, self._recipe.vectors
        if settings.table:
            return read_vectors(recipe.path(settings.table), shots, settings.max_steps), ""
        name = find_encoder(settings.encoder, recipe.data)
        # The precision is part of the space; in float32 it is the same on every machine.
        encoder = load_frame_encoder(name, precision="float32")
        folder = recipe.path(settings.cache) if settings.cache else self._out / _VECTORS
        return encode_shots(shots, encoder, settings, folder, self._on_progress), name

    def _network(self, num_classes: int, width: int) -> nn.Module:
        recipe, settings = self._recipe, self._recipe.network
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._recipe.training.seed)
            network = build_recogniser(
                settings.name,
                num_classes=num_classes,
                width=settings.width,
                depth=settings.depth,
                frames=self._size.frames,
                size_px=self._size.size_px or None,
                input_width=width or 1,
            )
        if settings.start and not steps_done(self._out):
            start_from(network, settings.name, self._recipe.path(settings.start))
        if settings.recompute and not checkpoint_blocks(network):
            raise SettingError(
                f"network.recompute is true, but {settings.name} has no blocks to recompute"
            )
        if recipe.training.precision != "32-true" and not torch.cuda.is_available():
            _require_no_conv3d(network)
        return network

    def _loader(self, batches: TaggingBatches) -> DataLoader[Any]:
        workers = self._recipe.clips.workers if self._reads_clips else 0
        return DataLoader(
            batches,
            batch_size=None,
            num_workers=workers,
            persistent_workers=workers > 0,
            multiprocessing_context="forkserver" if workers else None,
        )

    def _loggers(self) -> dict[str, Any]:
        if not self._recipe.training.tensorboard:
            return {}
        from lightning.pytorch.loggers import TensorBoardLogger

        try:
            logger = TensorBoardLogger(self._out, name="tensorboard", version="")
        except ModuleNotFoundError as error:
            raise SettingError(
                "training.tensorboard is true, but the package tensorboard is not installed; "
                "install it, or leave the setting out"
            ) from error
        return {"logger": logger, "log_every_n_steps": 10}

    def _write(self, data: TaggingData, inputs: _Inputs, module: TaggingModule) -> None:
        """Write scores, lists and the recogniser, which is last: with it the run is finished."""
        recipe, network = self._recipe, module.best
        names = dict.fromkeys((recipe.validation, *recipe.scored))
        scored = {
            name: score_split(
                network,
                self._row,
                inputs.splits[name],
                batch_size=recipe.training.batch_size // recipe.training.accumulate,
                num_classes=len(data.classes),
            )
            for name in names
            if name in inputs.splits
        }
        if not is_rank_zero():
            return
        made_by = {"recogniser": recipe.name, "network": recipe.network.name}
        for name in recipe.scored:
            if name in scored:
                path = self._out / SCORES / f"{name}.npz"
                path.parent.mkdir(exist_ok=True)
                write_tag_scores(path, tag_scores(scored[name], data.classes, made_by))
        problems = {recipe.train: module.problems}
        problems |= {name: dict(one.problems) for name, one in scored.items()}
        unread = {
            name_of(data.splits[name][row]): why
            for name, found in problems.items()
            for row, why in found.items()
        }
        _write_csv(self._out / UNREAD, ("shot", "reason"), unread.items())
        _write_metrics(self._out)
        val = scored[recipe.validation]
        thresholds = best_f1_thresholds(val.scores, val.truth > 0).tolist()
        figures = {
            "mean_precision": {name: one.mean_precision for name, one in scored.items()},
            "thresholds": dict(zip(data.classes.labels, thresholds, strict=True)),
            "trained_on": {name: len(shots) for name, shots in data.splits.items()},
            "unread": len(unread),
            "unread_first": list(unread.values())[:1],
            "steps": steps_done(self._out),
            "settings": asdict(recipe),
        }
        with whole_folder(self._out / RECOGNISER) as partial:
            write_recogniser(partial, self._card(data, inputs), network.cpu(), figures=figures)

    def _card(self, data: TaggingData, inputs: _Inputs) -> RecogniserCard:
        recipe, clips = self._recipe, self._reads_clips
        return RecogniserCard(
            name=recipe.name,
            network=recipe.network.name,
            classes=data.classes.labels,
            width=recipe.network.width,
            depth=recipe.network.depth,
            frames=self._size.frames if clips else 0,
            size_px=self._size.size_px if clips else 0,
            encoder=inputs.encoder,
            encoder_hash="" if inputs.space is None else inputs.space.weights_hash,
            input_width=inputs.width,
            rate_hz=0.0 if clips else recipe.vectors.rate_hz,
            max_steps=0 if clips else recipe.vectors.max_steps,
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


class _StopIfUnreadable(Callback):
    """Ends training with an error when too many shots could not be read."""

    def __init__(self, num_shots: int, most: float) -> None:
        self._num_shots, self._most = num_shots, most

    def on_train_batch_end(self, _: Trainer, module: TaggingModule, *__: object) -> None:  # type: ignore[override]
        count = len(module.problems)
        if count > self._most * self._num_shots:
            raise DatasetError(
                f"{count} of {self._num_shots} training shots could not be read, more than "
                f"training.max_failed allows ({self._most:.0%}); the first problem: "
                f"{next(iter(module.problems.values()))}"
            )


def _split(data: TaggingData, source: ShotInputs) -> dict[str, Split]:
    """Return the splits; the source numbers their shots one after the other."""
    splits, first = {}, 0
    for name, shots in data.splits.items():
        splits[name] = Split(shots, _From(source, first))
        first += len(shots)
    return splits


@dataclass(frozen=True, eq=False)
class _From:
    """A source whose shots are counted from a later one."""

    source: ShotInputs
    first: int

    def read(self, rows: Iterable[int]) -> Any:
        """Return what can be read of the shots at these places."""
        read = self.source.read([row + self.first for row in rows])
        problems = {row - self.first: why for row, why in read.problems.items()}
        return replace(read, problems=problems)


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with written_whole(path) as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _write_metrics(out: Path) -> None:
    """Write the metrics of every epoch as CSV."""
    columns = ("epoch", "step", "seconds", "loss", "learning_rate", "val_map")
    rows = (tuple(entry.get(name, "") for name in columns) for entry in read_log(out))
    _write_csv(out / METRICS, columns, rows)
