"""The run: its folder keeps what a killed run needs to resume, and at the end the classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.core.movie import SCALES
from mastershot.datasets.movieshots import (
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
from mastershot.exports.evaluation import figure_facts
from mastershot.models.recognisers.frame_lstm import FrameLSTM, pad_frames
from mastershot.synthetic.scales import draw_scale_shots
from mastershot.training.engine.epochs import Batch, EpochBatches, EpochModule, fit_epochs
from mastershot.training.engine.run_directory import open_run_directory, whole_folder
from mastershot.training.engine.settings import OnProgress, find_encoder, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.shot_scale.features import FEATURES, gather_features
from mastershot.training.shot_scale.settings import ShotScaleRecipe, missing_scale_inputs

CLASSIFIER = "classifier"


@dataclass(frozen=True, eq=False)
class _Split:
    """The shots of a split that could be read: their vectors, scales and trailers."""

    shots: Sequence[FloatArray]
    scales: IntArray
    trailers: Sequence[str]

    def batch(self, drawn: IntArray) -> Batch:
        """Return the vectors of shots, padded, with their numbers of frames, and their scales."""
        return pad_frames([self.shots[shot] for shot in drawn]), torch.from_numpy(
            self.scales[drawn]
        )

    def predicted(self, network: FrameLSTM) -> IntArray:
        """Return the most likely scale of each shot, (N,)."""
        best: IntArray = class_probabilities(network, self.shots).argmax(axis=1)
        return best


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What a run trains with: shots as annotated and as read, and the encoder of their frames."""

    annotated: Mapping[str, tuple[ScaleShot, ...]]
    splits: Mapping[str, _Split]
    unread: Sequence[str]
    encoder: str
    space: EmbeddingSpace


def train_shot_scale(
    recipe: ShotScaleRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a classifier, trained by the recipe; `FrameClassifier` loads it.

    A run that was stopped or killed resumes from its last checkpoint, to the same weights on the
    same CPU. A finished run is left as it is.

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
    inputs = _gather(recipe, out, on_progress)
    training, width = recipe.training, inputs.space.width
    train, val = inputs.splits["train"], inputs.splits["val"]
    batches = EpochBatches(len(train.shots), train.batch, training, steps_done(out))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = FrameLSTM(width, len(SCALES), hidden=training.hidden, layers=training.layers)
    module = EpochModule(network, cross_entropy, training, steps_per_epoch=batches.steps_per_epoch)

    def accuracy() -> float:
        return float((val.predicted(network) == val.scales).mean())

    fit_epochs(module, batches, out, ("val_accuracy", accuracy), on_progress)
    network.load_state_dict(module.best.state_dict())
    _export(recipe, out, inputs, network.cpu())


def _gather(recipe: ShotScaleRecipe, out: Path, on_progress: OnProgress) -> _Inputs:
    if recipe.is_to_be_drawn:
        draw_scale_shots(recipe.annotations_path.parent, num_trailers=recipe.drawn_trailers)
    annotated = read_movieshots(recipe.annotations_path)
    name = find_encoder(recipe.encoder, recipe.data)
    # The precision is part of the space; in float32 it is the same on every machine.
    encoder = load_frame_encoder(name, precision="float32")
    features = gather_features(
        [shot.path(recipe.clips_path) for shots in annotated.values() for shot in shots],
        encoder,
        out,
        rate_hz=recipe.training.rate_hz,
        max_steps=recipe.training.max_steps,
        on_progress=on_progress,
    )
    splits, vectors = {}, iter(features.shots)
    for split, shots in annotated.items():
        of_split = zip(shots, islice(vectors, len(shots)), strict=True)
        readable = [(shot, frames) for shot, frames in of_split if len(frames)]
        if not readable:
            why = f"; the first problem: {features.unread[0]}" if features.unread else ""
            raise SettingError(f"no shot of split {split} in {recipe.clips_path} can be read{why}")
        splits[split] = _Split(
            [frames for _, frames in readable],
            np.array([shot.scale for shot, _ in readable], np.int64),
            [shot.trailer for shot, _ in readable],
        )
    return _Inputs(annotated, splits, features.unread, name, encoder.space)


def _export(recipe: ShotScaleRecipe, out: Path, inputs: _Inputs, network: FrameLSTM) -> None:
    """Write the classifier's folder, with what it was trained on and how well it does."""
    training, test = recipe.training, inputs.splits["test"]
    settings = ClassifierSettings(
        name=recipe.name,
        task="shot_scale",
        classes=SCALES,
        encoder=inputs.encoder,
        encoder_hash=inputs.space.weights_hash,
        width=inputs.space.width,
        hidden=training.hidden,
        layers=training.layers,
        rate_hz=training.rate_hz,
        max_steps=training.max_steps,
    )
    predicted = test.predicted(network)
    held_out = classification_figures(test.scales, predicted, test.trailers, len(SCALES))
    figures = {
        "trained_on": {split: count_scales(shots) for split, shots in inputs.annotated.items()},
        "shared_trailers": len(shared_trailers(inputs.annotated)),
        "unread": len(inputs.unread),
        "unread_first": inputs.unread[:1],
        "held_out": {
            "accuracy": figure_facts(held_out.accuracy),
            "macro_f1": figure_facts(held_out.macro_f1),
            "num_classes": held_out.num_classes,
            "confusion": held_out.confusion.tolist(),
        },
        "steps": steps_done(out),
        "training": asdict(training),
    }
    with whole_folder(out / CLASSIFIER) as partial:
        write_classifier(partial, settings, network, figures=figures)
