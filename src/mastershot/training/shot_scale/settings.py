"""Settings of training a classifier of shot scales. Light to import: no tensor is here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from mastershot.core.settings import Range, Settings, Text
from mastershot.training.engine.settings import EpochSettings, Size, require_drawn, under

LEAST_DRAWN = 6


@dataclass(frozen=True)
class ScaleTrainingSettings(EpochSettings):
    """How the classifier is trained.

    MovieCLIP publishes its network and the 4 frames a second, not how it was trained. The defaults
    are borrowed from its scene recogniser LSTM-ViT, the same network on the same features (METHODS
    A7); that the best epoch on the validation shots is kept, by accuracy, is ours.

    Attributes:
        hidden: Width of the LSTM.
        layers: Layers of the LSTM.
        rate_hz: Frames a second.
        max_steps: Frames of a shot that are used, from the first on.
    """

    hidden: Size = 512
    layers: Annotated[int, Range(1, 16)] = 2
    rate_hz: Annotated[float, Range(0, 1000, "()")] = 4.0
    max_steps: Size = 20


@dataclass(frozen=True)
class ShotScaleRecipe(Settings):
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
    annotations: Text = "v1_split_trailer.json"
    clips: Text = "trailer"
    encoder: Text = "vit-b16"
    name: Text = "shot-scale"
    drawn_trailers: Annotated[int, Range(0, 1000)] = 0
    training: ScaleTrainingSettings = field(default_factory=ScaleTrainingSettings)

    def _check(self) -> None:
        require_drawn("drawn_trailers", self.drawn_trailers, LEAST_DRAWN)

    @property
    def annotations_path(self) -> Path:
        """Where the annotations are."""
        return under(self.data, self.annotations)

    @property
    def clips_path(self) -> Path:
        """Where the shots' films are."""
        return under(self.data, self.clips)

    @property
    def is_to_be_drawn(self) -> bool:
        """Whether trailers are drawn: the annotations of an earlier run mean that they are."""
        return self.drawn_trailers > 0 and not self.annotations_path.exists()


def missing_scale_inputs(recipe: ShotScaleRecipe) -> list[str]:
    """Return a sentence for each file and folder of a recipe that do not exist."""
    if recipe.is_to_be_drawn:
        return []
    problems = []
    if not recipe.annotations_path.is_file():
        problems.append(
            f"annotations {recipe.annotations_path} do not exist; MovieShots is distributed by its "
            "authors, see docs/scale.md"
        )
    if not recipe.clips_path.is_dir():
        problems.append(
            f"clips {recipe.clips_path} is no folder; it holds a folder a trailer, with "
            "shot_0000.mp4 and so on"
        )
    return problems
