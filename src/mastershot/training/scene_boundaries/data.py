"""Features of films' shots with where their scenes end; films that are drawn."""
# S shots, D width of all spaces together

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.scene_table import (
    SPLITS,
    SceneFilm,
    read_scene_table,
    write_scene_table,
)
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.scene_head import unit_features
from mastershot.evaluation.bootstrap import BoolArray
from mastershot.evaluation.scene_boundaries import boundaries_of
from mastershot.media.sampling import clip_frames
from mastershot.synthetic.films import draw_frames
from mastershot.synthetic.plan import FilmPlan, Picture, plan_film
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.scene_boundaries.settings import SceneBoundaryRecipe

_DRAWN_SCENES, _FRAMES_A_SHOT = 6, 3
_DRAWN_PICTURE = Picture(160, 90, Fraction(4))


@dataclass(frozen=True, eq=False)
class LabelledFilm:
    """The shots of one film.

    Attributes:
        name: The film.
        features: Of unit length in each space, shape (S, D).
        boundaries: Whether a scene ends after each shot but the last, shape (S - 1,).
    """

    name: str
    features: FloatArray
    boundaries: BoolArray


@dataclass(frozen=True, eq=False)
class BoundaryData:
    """Labelled films of each split, and the spaces of their features.

    Attributes:
        spaces: In the order of the features.
        films: Films of each split; those of test may be none.
        made_by: What made the features.
    """

    spaces: tuple[EmbeddingSpace, ...]
    films: Mapping[str, tuple[LabelledFilm, ...]]
    made_by: Mapping[str, Any]


def read_boundary_data(
    recipe: SceneBoundaryRecipe, on_progress: OnProgress = no_progress
) -> BoundaryData:
    """Return a recipe's films; they are drawn first where it says so.

    Raises:
        DatasetError: Features or scenes are unreadable or not laid out as they should be, a film
            of the list has no features, or train or val has no boundary.
        OutputError: What is drawn cannot be written.
    """
    if recipe.is_to_be_drawn:
        _draw(recipe, on_progress)
    table = read_scene_table(recipe.features_path, recipe.scenes_path)
    widths = [space.width for space in table.spaces]
    films: dict[str, list[LabelledFilm]] = {split: [] for split in SPLITS}
    for film in table.films:
        ends = boundaries_of(film.first_shots, len(film.features))
        labelled = LabelledFilm(film.name, unit_features(film.features, widths), ends)
        films[film.split].append(labelled)
    for split in ("train", "val"):
        if not any(film.boundaries.any() for film in films[split]):
            raise DatasetError(
                f"scenes {recipe.scenes_path}: split {split} has {len(films[split])} films and no "
                "boundary between two scenes; it needs one"
            )
    whole = {split: tuple(found) for split, found in films.items()}
    return BoundaryData(table.spaces, whole, table.made_by)


def _draw(recipe: SceneBoundaryRecipe, on_progress: OnProgress) -> None:
    encoder = load_frame_encoder("starter", precision="float32")
    films = []
    for seed in range(recipe.drawn_films):
        plan = plan_film(_DRAWN_SCENES, 2 + seed // 5 % 5, picture=_DRAWN_PICTURE, seed=seed)
        split = {3: "val", 4: "test"}.get(seed % 5, "train")
        features = _features_of(plan, encoder.encode_images)
        films.append(SceneFilm(f"drawn-{seed:04}", split, features, plan.scene_starts))
        on_progress("drawing films", seed + 1, recipe.drawn_films, {})
    write_scene_table(
        Path(recipe.data).expanduser(), films, [encoder.space], drawn=recipe.drawn_films
    )


def _features_of(plan: FilmPlan, encode: Callable[[list[ImageArray]], FloatArray]) -> FloatArray:
    """Return the mean vector of three frames of each shot, as an analysis samples them, (S, D)."""
    images = list(draw_frames(plan))
    means = []
    for first, end in zip(plan.starts, plan.starts[1:], strict=False):
        sampled = clip_frames(first, end, _FRAMES_A_SHOT)
        means.append(encode([images[frame] for frame in sampled]).mean(axis=0))
    return np.stack(means)
