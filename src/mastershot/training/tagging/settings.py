"""Settings of training a scene recogniser. Light to import: no tensor is here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from mastershot.core.settings import (
    Count,
    CountOrNone,
    NotNegative,
    Positive,
    Range,
    Seed,
    Settings,
    Share,
    Text,
    require,
)
from mastershot.training.engine.settings import under

_Part = Annotated[float, Range(0, 4, "(]")]


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """Which recogniser, and of which size.

    Attributes:
        name: A row of `mastershot.models.recognisers.build.RECOGNISERS`.
        width: Share of the published network's channels.
        depth: Share of the published network's blocks in each stage.
        frames: Frames of a clip; 0 takes the paper's.
        size_px: Edge of its square frames; 0 takes the paper's.
        start: A published checkpoint to start from, from the recipe's data folder; empty starts
            from random weights.
        recompute: Compute activations of transformer blocks anew in the backward pass (gradient
            checkpointing): less memory, a third more work.
    """

    name: Text = "lstm"
    width: _Part = 1.0
    depth: _Part = 1.0
    frames: CountOrNone = 0
    size_px: CountOrNone = 0
    start: str = ""
    recompute: bool = False


@dataclass(frozen=True)
class VectorSettings(Settings):
    """The vectors of frames, for networks that read them.

    Attributes:
        encoder: Encoder of the frames: a name of `mastershot models ls`, or a folder.
        rate_hz: Frames a second.
        max_steps: Frames of a shot that are used, from the first on.
        table: A feature table to read instead of encoding frames; its items are named
            ``<video>/<file>``. Empty encodes the frames of the films.
        cache: Folder where vectors are kept, from the recipe's data folder, so that other runs use
            them too; empty keeps them in the run directory.
    """

    encoder: Text = "vit-b16"
    rate_hz: Annotated[float, Range(0, 1000, "()")] = 4.0
    max_steps: Annotated[int, Range(1, 1 << 14)] = 20
    table: str = ""
    cache: str = ""


@dataclass(frozen=True)
class ClipSettings(Settings):
    """The clips of frames, for networks that read them.

    Attributes:
        cache: Folder where decoded clips are kept, from the recipe's data folder, so that later
            epochs and runs do not decode; T·S²·3 bytes a shot. Empty decodes every clip when a step
            needs it.
        min_area: Smallest part of a frame's area that a training clip shows.
        mirror: Mirror half of the training clips.
        workers: Processes that decode; 0 decodes in the process that trains.
    """

    cache: str = ""
    min_area: Annotated[float, Range(0, 1, "(]")] = 0.5
    mirror: bool = True
    workers: Annotated[int, Range(0, 1024)] = 0


@dataclass(frozen=True)
class TaggingTrainingSettings(Settings):
    """How a recogniser is trained; the defaults are those of MovieCLIP's LSTM-ViT (METHODS A7).

    Attributes:
        loss: Binary cross-entropy of each label, or its focal form (Lin et al. 2017), with which
            easy labels weigh less.
        focal_gamma: How much less; the paper's best is 2.
        max_positive_weight: Labels are weighted by their negatives over their positives, up to
            this; 1 weights none.
        optimizer: SGD has a momentum of 0.9.
        learning_rate: Its first, after warm-up.
        weight_decay: Of the optimiser.
        schedule: ``step`` multiplies the rate by ``factor`` every so many epochs, ``cosine`` takes
            it to 0 at the end, ``constant`` leaves it.
        step_epochs: Epochs between two steps.
        factor: See ``schedule``.
        warmup_epochs: The rate rises linearly over so many.
        epochs: Passes over the training shots, at most.
        batch_size: Shots of an optimiser step on all devices.
        accumulate: Batches whose gradients are added to one step; a part of ``batch_size`` each.
        precision: ``32-true``, or mixed precision.
        patience: Epochs without a better validation mAP after which training ends; 0 never.
        max_failed: Largest share of training shots that may fail to be read.
        save_every: Steps between checkpoints; 0 is once an epoch.
        tensorboard: Write event files too; needs the package tensorboard.
        seed: Seed of weights, batches and augmentation.
    """

    loss: Literal["bce", "focal"] = "bce"
    focal_gamma: NotNegative = 2.0
    max_positive_weight: Annotated[float, Range(1)] = 1.0
    optimizer: Literal["sgd", "adam", "adamw"] = "adamw"
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 1e-3
    schedule: Literal["step", "cosine", "constant"] = "step"
    step_epochs: Count = 15
    factor: Annotated[float, Range(0, 1, "(]")] = 0.5
    warmup_epochs: NotNegative = 0.0
    epochs: Count = 50
    batch_size: Count = 32
    accumulate: Count = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    patience: CountOrNone = 5
    max_failed: Share = 0.05
    save_every: CountOrNone = 0
    tensorboard: bool = False
    seed: Seed = 0

    def _check(self) -> None:
        require(
            self.batch_size % self.accumulate == 0,
            f"accumulate is {self.accumulate}; it must divide the batch_size, {self.batch_size}",
        )


@dataclass(frozen=True)
class TaggingRecipe(Settings):
    """A scene recogniser, trained on split files such as `label select` writes.

    Attributes:
        data: Folder that the paths start from.
        splits: Folder of split files with their index: of `label select`, or as released.
        shots: Where each shot's film and span are: a data set of `label build`, or a CSV of
            ``video, file, path, start_s, end_s``. Empty takes the data set that the splits
            were selected from.
        films: Folder of the films, named by clip; or of a folder a clip with a file a shot, as the
            release has them. Empty takes the paths of ``shots``, or the data set's library.
        train: The split to train on.
        validation: The split that decides which epoch is the best.
        scored: The splits whose scores are written at the end, those of them that there are.
        name: What the recogniser is called.
        network: The network.
        vectors: What it reads, if that is vectors of frames.
        clips: What it reads, if that is frames.
        training: How it is trained.
    """

    data: str = "."
    splits: Text = "splits"
    shots: str = ""
    films: str = ""
    train: Text = "train"
    validation: Text = "val"
    scored: tuple[str, ...] = ("val", "test", "human-verified")
    name: Text = "recogniser"
    network: NetworkSettings = field(default_factory=NetworkSettings)
    vectors: VectorSettings = field(default_factory=VectorSettings)
    clips: ClipSettings = field(default_factory=ClipSettings)
    training: TaggingTrainingSettings = field(default_factory=TaggingTrainingSettings)

    def path(self, path: str) -> Path:
        """Return where one of its paths is."""
        return under(self.data, path)

    @property
    def wanted_splits(self) -> tuple[str, ...]:
        """The splits that a run reads, each once, the training split first."""
        return tuple(dict.fromkeys((self.train, self.validation, *self.scored)))


def missing_tagging_inputs(recipe: TaggingRecipe) -> list[str]:
    """Return a sentence for each file and folder of a recipe that do not exist."""
    problems = []
    splits = recipe.path(recipe.splits)
    if not splits.is_dir():
        problems.append(
            f"splits {splits} are no folder; `mastershot label select DATASET --out {splits}` "
            "writes them"
        )
    named = {
        "shots": recipe.shots,
        "films": recipe.films,
        "vectors.table": recipe.vectors.table,
        "network.start": recipe.network.start,
    }
    problems += [
        f"{name} {recipe.path(value)} does not exist"
        for name, value in named.items()
        if value and not recipe.path(value).exists()
    ]
    return problems
