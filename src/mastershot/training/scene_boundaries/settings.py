"""Settings of training a scene head. Light to import: no tensor is here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from mastershot.core.settings import Range, Settings, Text
from mastershot.training.engine.settings import EpochSettings, Size, require_drawn, under

LEAST_DRAWN = 5


@dataclass(frozen=True)
class BoundaryTrainingSettings(EpochSettings):
    """How a scene head is trained; the defaults are Movies2Scenes' (METHODS B6).

    The paper names SGD and no momentum, weight decay or schedule: here there is none of them.
    That the epoch with the best AP on the validation films is kept is ours.

    Attributes:
        epochs: Passes over the gaps, at most.
        batch_size: Gaps a step.
        learning_rate: Of SGD.
        weight_decay: Of SGD.
        halve_every: Epochs after which the learning rate is halved.
        patience: Epochs without a better one after which training ends; 0 is never.
        hidden: Width of both hidden layers.
        dropout: Share of the hidden layers that is left out.
    """

    epochs: Size = 800
    batch_size: Size = 4096
    learning_rate: Annotated[float, Range(0, 1000, "()")] = 0.03
    weight_decay: Annotated[float, Range(0)] = 0.0
    halve_every: Size = 1 << 14
    patience: Annotated[int, Range(0, 1 << 14)] = 0
    hidden: Size = 512
    dropout: Annotated[float, Range(0, 1, "[)")] = 0.8


@dataclass(frozen=True)
class SceneBoundaryRecipe(Settings):
    """A scene head, trained on features of films' shots and their true scenes.

    Attributes:
        data: Folder that the paths start from.
        features: Table of features: an item a film, a row a shot.
        scenes: CSV with a row a film: ``film``, ``split`` (train, val or test) and ``first_shots``.
        name: What the head is called.
        drawn_films: Films to draw into ``data`` where it has none; 0 draws none.
        training: How it is trained.
    """

    data: str = "data/scenes"
    features: Text = "features"
    scenes: Text = "scenes.csv"
    name: Text = "scene-boundaries"
    drawn_films: Annotated[int, Range(0, 1000)] = 0
    training: BoundaryTrainingSettings = field(default_factory=BoundaryTrainingSettings)

    def _check(self) -> None:
        require_drawn("drawn_films", self.drawn_films, LEAST_DRAWN)

    @property
    def features_path(self) -> Path:
        """Where the table of features is."""
        return under(self.data, self.features)

    @property
    def scenes_path(self) -> Path:
        """Where the list of scenes is."""
        return under(self.data, self.scenes)

    @property
    def is_to_be_drawn(self) -> bool:
        """Whether films are drawn; the list of scenes is written last, so it means that all is."""
        return self.drawn_films > 0 and not self.scenes_path.exists()


def missing_boundary_inputs(recipe: SceneBoundaryRecipe) -> list[str]:
    """Return a sentence for each file and folder of a recipe that do not exist."""
    if recipe.is_to_be_drawn:
        return []
    problems = []
    if not recipe.scenes_path.is_file():
        problems.append(
            f"scenes {recipe.scenes_path} do not exist; it is a CSV with the columns film, split "
            "and first_shots, see docs/scenes.md"
        )
    if not recipe.features_path.is_dir():
        problems.append(
            f"features {recipe.features_path} are no folder; it is a feature table with a row a "
            "shot, see docs/scenes.md"
        )
    return problems
