"""Settings of recipes that export features. Light to import: no tensor is here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mastershot.core.settings import Settings, Text


@dataclass(frozen=True)
class FeaturesRecipe(Settings):
    """A recogniser's features of every shot of a library's films.

    Attributes:
        data: Folder that the paths start from.
        recogniser: Folder of the recogniser, or the run directory of the recipe that trained it; or
            the file of a published checkpoint of a network of clips.
        library: The library, whose films' shots were found before.
        names: What films are called in the table: by their file's stem, or by id.
    """

    data: str = "."
    recogniser: Text = "mastershot-runs/movieclip-video-swin"
    library: Text = "films.mastershot"
    names: Literal["stem", "id"] = "stem"

    def path(self, path: str) -> Path:
        """Return where one of its paths is."""
        return Path(self.data).expanduser() / Path(path).expanduser()


@dataclass(frozen=True)
class SceneFeaturesRecipe(Settings):
    """The features of a library's shots, with the scenes that people marked in its films.

    Attributes:
        data: Folder that the paths start from.
        library: The library, whose films were added with the encoder that a head shall read.
        scenes: CSV with a row a scene: ``film`` (a name that the library knows), ``split`` (train,
            val or test) and ``start_s``.
    """

    data: str = "."
    library: Text = "films.mastershot"
    scenes: Text = "scenes.csv"

    def path(self, path: str) -> Path:
        """Return where one of its paths is."""
        return Path(self.data).expanduser() / Path(path).expanduser()


def missing_scene_feature_inputs(recipe: SceneFeaturesRecipe) -> list[str]:
    """Return a sentence for each file and folder of a recipe that do not exist."""
    library, scenes = recipe.path(recipe.library), recipe.path(recipe.scenes)
    problems = []
    if not library.is_dir():
        problems.append(f"library {library} is no folder; `mastershot library add` makes one")
    if not scenes.is_file():
        problems.append(
            f"scenes {scenes} do not exist; it is a CSV with the columns film, split and start_s"
        )
    return problems


def missing_feature_inputs(recipe: FeaturesRecipe) -> list[str]:
    """Return a sentence for each file and folder of a recipe that do not exist."""
    recogniser, library = recipe.path(recipe.recogniser), recipe.path(recipe.library)
    problems = []
    if not recogniser.exists():
        problems.append(
            f"recogniser {recogniser} does not exist; it is a folder that a recipe of movieclip "
            "makes, or the file of a published checkpoint"
        )
    if not library.is_dir():
        problems.append(f"library {library} is no folder; `mastershot library add` makes one")
    return problems
