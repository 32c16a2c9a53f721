"""Shot scale: a classifier learns how close the camera is, from MovieShots (METHODS A6).

What is kept in the folder, so that a run killed anywhere goes on: the recipe, the shots' vectors,
the last checkpoint, a log of figures, at last the classifier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.core.movie import SCALES
from mastershot.datasets.movieshots import (
    SPLITS,
    ScaleShot,
    count_scales,
    read_movieshots,
    shared_trailers,
)
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.frame_classifier import (
    ClassifierSettings,
    class_probabilities,
    write_classifier,
)
from mastershot.evaluation.metrics import classification_figures
from mastershot.models.frame_lstm import FrameLSTM
from mastershot.synthetic.scales import draw_scale_shots
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, find_encoder, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, fit, steps_done
from mastershot.training.shot_scale.features import FEATURES, ShotFeatures, gather_features
from mastershot.training.shot_scale.module import ShotScaleModule, ShuffledShots
from mastershot.training.shot_scale.settings import ShotScaleRecipe, missing_scale_inputs

CLASSIFIER = "classifier"
TASK = "shot_scale"


@dataclass(frozen=True, eq=False)
class _Split:
    """The shots of a split that could be read: their vectors, scales and trailers."""

    shots: Sequence[FloatArray]
    scales: IntArray
    trailers: Sequence[str]


@dataclass(frozen=True, eq=False)
class _Lesson:
    """Everything a run learns from and is told of."""

    splits: Mapping[str, _Split]
    shots: Mapping[str, tuple[ScaleShot, ...]]
    unread: tuple[str, ...]
    encoder: str
    space: EmbeddingSpace


def train_shot_scale(
    recipe: ShotScaleRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a classifier, trained by the recipe; `FrameClassifier` loads it.

    A run that was stopped or killed goes on from its last checkpoint, to the same weights on the
    same CPU. A run that is done changes nothing.

    Args:
        recipe: What to train, from what.
        out: Where everything is kept; it belongs to this recipe from then on.
        on_progress: Told of progress.

    Raises:
        SettingError: The annotations or clips are missing, a split has no shot that can be read,
            or the folder is another recipe's.
        DatasetError: The annotations are not laid out as MovieShots is.
        EncoderError: The encoder is missing, or cannot be loaded.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    missing = [] if (out / CLASSIFIER).is_dir() else missing_scale_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(FEATURES, CHECKPOINT, CLASSIFIER)):
        if not (out / CLASSIFIER).is_dir():
            _train(recipe, out, on_progress)
    return out / CLASSIFIER


def _train(recipe: ShotScaleRecipe, out: Path, on_progress: OnProgress) -> None:
    lesson = _gather(recipe, out, on_progress)
    training, first = recipe.training, steps_done(out)
    learnt = lesson.splits["train"]
    batches = ShuffledShots(learnt.shots, learnt.scales.tolist(), training, first_step=first)
    per_epoch = batches.steps_per_epoch
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = FrameLSTM(
            lesson.space.width, len(SCALES), hidden=training.hidden, layers=training.layers
        )
    module = ShotScaleModule(network, training, steps_per_epoch=per_epoch)
    metrics, steps = MetricsLog(out), training.epochs * per_epoch

    def on_step(step: int, figures: dict[str, float]) -> None:
        on_progress("training", step, steps, figures)
        if step % per_epoch == 0:
            accuracy = _accuracy(module.network, lesson.splits["val"])
            module.take_note(accuracy)
            metrics.note(step, {**figures, "epoch": step // per_epoch, "val_accuracy": accuracy})

    fit(
        module,
        DataLoader(batches, batch_size=None),
        folder=out,
        steps=steps,
        save_every=per_epoch,
        on_step=on_step,
        is_finished=module.is_finished,
    )
    _export(recipe, out, lesson, module)


def _gather(recipe: ShotScaleRecipe, out: Path, on_progress: OnProgress) -> _Lesson:
    if recipe.drawn_trailers and not recipe.annotations_path.exists():
        draw_scale_shots(recipe.annotations_path.parent, num_trailers=recipe.drawn_trailers)
    shots = read_movieshots(recipe.annotations_path)
    name = find_encoder(recipe.encoder, recipe.data)
    # The precision is part of the space; in float32 it is the same on every machine.
    encoder = load_frame_encoder(name, precision="float32")
    clips = [shot.path(recipe.clips_path) for split in SPLITS for shot in shots[split]]
    features = gather_features(
        clips,
        encoder,
        out,
        rate_hz=recipe.training.rate_hz,
        max_steps=recipe.training.max_steps,
        on_progress=on_progress,
    )
    splits = _splits(shots, features)
    for split, held in splits.items():
        if not held.shots:
            why = f"; the first problem: {features.unread[0]}" if features.unread else ""
            raise SettingError(f"no shot of split {split} in {recipe.clips_path} can be read{why}")
    return _Lesson(splits, shots, features.unread, name, encoder.space)


def _splits(
    shots: Mapping[str, tuple[ScaleShot, ...]], features: ShotFeatures
) -> dict[str, _Split]:
    splits, first = {}, 0
    for split, members in shots.items():
        readable = [
            (features.of(first + place), shot)
            for place, shot in enumerate(members)
            if len(features.of(first + place))
        ]
        splits[split] = _Split(
            [vectors for vectors, _ in readable],
            np.array([shot.scale for _, shot in readable], np.int64),
            [shot.trailer for _, shot in readable],
        )
        first += len(members)
    return splits


def _accuracy(network: FrameLSTM, split: _Split) -> float:
    said = class_probabilities(network, split.shots).argmax(axis=1)
    return float((said == split.scales).mean())


def _export(recipe: ShotScaleRecipe, out: Path, lesson: _Lesson, module: ShotScaleModule) -> None:
    """Write the classifier's folder, which is there whole or not at all."""
    training, network = recipe.training, module.best.cpu()
    settings = ClassifierSettings(
        name=recipe.name,
        task=TASK,
        classes=SCALES,
        encoder=lesson.encoder,
        encoder_hash=lesson.space.weights_hash,
        width=lesson.space.width,
        hidden=training.hidden,
        layers=training.layers,
        rate_hz=training.rate_hz,
        max_steps=training.max_steps,
    )
    figures = _figures(lesson, network) | {"steps": steps_done(out), "training": asdict(training)}
    partial = out / f"{CLASSIFIER}.part"
    rmtree(partial, ignore_errors=True)
    write_classifier(partial, settings, network, figures=figures)
    partial.rename(out / CLASSIFIER)


def _figures(lesson: _Lesson, network: FrameLSTM) -> dict[str, Any]:
    """Return what else is said of the classifier: what it learnt from, and how well it does."""
    test = lesson.splits["test"]
    said = class_probabilities(network, test.shots).argmax(axis=1)
    held_out = classification_figures(test.scales, said, test.trailers, len(SCALES))
    return {
        "trained_on": {split: count_scales(shots) for split, shots in lesson.shots.items()},
        "shared_trailers": len(shared_trailers(lesson.shots)),
        "unread": len(lesson.unread),
        "unread_first": lesson.unread[:1],
        "held_out": {
            "accuracy": asdict(held_out.accuracy),
            "macro_f1": asdict(held_out.macro_f1),
            "num_classes": held_out.num_classes,
            "confusion": held_out.confusion.tolist(),
        },
    }
