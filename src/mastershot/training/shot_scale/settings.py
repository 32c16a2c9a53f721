"""Settings of a classifier of shot scales. Light to import: no tensor is here."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from mastershot.training.engine.settings import require, under


@dataclass(frozen=True)
class ScaleTrainingSettings:
    """How the classifier is trained.

    MovieCLIP publishes its network and the 4 frames a second, not how it was trained. The defaults
    are borrowed from its scene recogniser LSTM-ViT, the same network on the same features (METHODS
    A7); that the best epoch on the validation shots is kept, by accuracy, is ours.

    Attributes:
        hidden: Width of the LSTM.
        layers: Layers of the LSTM.
        rate_hz: Frames a second.
        max_steps: Frames of a shot that are used, from the first on.
        epochs: Passes over the shots, at most.
        batch_size: Shots a step.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        halve_every: Epochs after which the learning rate is halved.
        patience: Epochs without a better accuracy after which training ends.
        seed: Seed of weights and batches.
    """

    hidden: int = 512
    layers: int = 2
    rate_hz: float = 4.0
    max_steps: int = 20
    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    halve_every: int = 15
    patience: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("hidden", "layers", "max_steps", "epochs", "batch_size", "halve_every",
                     "patience"):  # fmt: skip
            value, largest = getattr(self, name), 16 if name == "layers" else 1 << 14
            require(1 <= value <= largest, f"{name} is {value}; it is from 1 to {largest}")
        for name in ("rate_hz", "learning_rate"):
            value = getattr(self, name)
            require(0 < value < 1000, f"{name} is {value:g}; it is above 0 and below 1000")
        decay = self.weight_decay
        require(0 <= decay < math.inf, f"weight_decay is {decay:g}; it is not below 0")
        require(0 <= self.seed < 2**31, f"seed is {self.seed}; it is in [0, 2^31)")


@dataclass(frozen=True)
class ShotScaleRecipe:
    """A classifier of how close the camera is, trained on shots laid out as MovieShots is.

    Attributes:
        data: Folder that the paths start from.
        annotations: ``v1_split_trailer.json``, or a file laid out like it.
        clips: Folder of the shots' films, ``<trailer>/shot_<shot>.mp4``.
        encoder: Encoder of the frames: ``vit-b16``, a name of `mastershot models ls`, or a folder.
        name: What the classifier is called.
        drawn_trailers: Trailers to draw into ``data`` where it has no annotations; 0 draws none.
        training: How it is trained.
    """

    data: str = "data/movieshots"
    annotations: str = "v1_split_trailer.json"
    clips: str = "trailer"
    encoder: str = "vit-b16"
    name: str = "shot-scale"
    drawn_trailers: int = 0
    training: ScaleTrainingSettings = field(default_factory=ScaleTrainingSettings)

    def __post_init__(self) -> None:
        for name in ("annotations", "clips", "encoder", "name"):
            require(bool(getattr(self, name)), f"{name} is empty")
        drawn = self.drawn_trailers
        require(
            drawn == 0 or 6 <= drawn <= 1000,
            f"drawn_trailers is {drawn}; 0 draws none, and each split has one from 6 to 1000 on",
        )

    @property
    def annotations_path(self) -> Path:
        """Where the annotations are."""
        return under(self.data, self.annotations)

    @property
    def clips_path(self) -> Path:
        """Where the shots' films are."""
        return under(self.data, self.clips)


def missing_scale_inputs(recipe: ShotScaleRecipe) -> list[str]:
    """Return a sentence for the file and the folder of a recipe that are not there."""
    if recipe.drawn_trailers and not recipe.annotations_path.exists():
        return []
    problems = []
    if not recipe.annotations_path.is_file():
        problems.append(
            f"annotations {recipe.annotations_path} do not exist; MovieShots is handed out by its "
            "authors, see docs/scale.md"
        )
    if not recipe.clips_path.is_dir():
        problems.append(
            f"clips {recipe.clips_path} is no folder; it holds a folder a trailer, with "
            "shot_0000.mp4 and so on"
        )
    return problems
