"""Features of films' shots joined with where their scenes begin; films that are drawn."""
# S shots, D width of all spaces together

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import DatasetError
from mastershot.core.files import make_folder, written_whole
from mastershot.datasets.files import Row, by_key, read_table
from mastershot.datasets.tables.feature_table import (
    FeatureTable,
    read_features,
    writing_features,
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

SPLITS = ("train", "val", "test")
_COLUMNS = ("film", "split", "first_shots")
_WHAT = "scenes"
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
        films: Films of each of `SPLITS`; those of test may be none.
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
    table = read_features(recipe.features_path)
    spaces = _spaces_of(table)
    rows = by_key(read_table(recipe.scenes_path, _COLUMNS, what=_WHAT), lambda row: row["film"])
    places = table.places(list(rows), what="films")
    films: dict[str, list[LabelledFilm]] = {split: [] for split in SPLITS}
    for (name, row), place in zip(rows.items(), places.tolist(), strict=True):
        if row["split"] not in films:
            raise row.error(f"split is {row['split']!r}, which should be {', '.join(SPLITS)}")
        features = unit_features(table.rows(place), [space.width for space in spaces])
        starts = _starts_of(row, len(features))
        film = LabelledFilm(name, features, boundaries_of(starts, len(features)))
        films[row["split"]].append(film)
    for split in ("train", "val"):
        if not any(film.boundaries.any() for film in films[split]):
            raise DatasetError(
                f"{_WHAT} {recipe.scenes_path}: split {split} has {len(films[split])} films and "
                "no boundary between two scenes; it needs one"
            )
    whole = {split: tuple(found) for split, found in films.items()}
    return BoundaryData(spaces, whole, table.made_by)


def write_boundary_data(
    folder: Path,
    films: Iterable[tuple[str, str, FloatArray, Sequence[int]]],
    spaces: Sequence[EmbeddingSpace],
    **made_by: Any,
) -> None:
    """Write films as a recipe reads them: ``features`` and ``scenes.csv``.

    Args:
        folder: The recipe's ``data``; it must not hold features yet.
        films: Of each its name, split, shots' features (S, D) and the first shot of each scene.
        spaces: The spaces of the features, which lie side by side.
        made_by: What else made them, ready for JSON.

    Raises:
        OutputError: The folder cannot be written, or holds features.
        DatasetError: Features are of another width, or not finite.
    """
    make_folder(folder)
    about = {**made_by, "spaces": [asdict(space) for space in spaces]}
    width, rows = sum(space.width for space in spaces), []
    with writing_features(
        folder / "features", width=width, dtype="float32", made_by=about
    ) as add:
        for name, split, features, starts in films:
            add(name, features)
            rows.append((name, split, " ".join(map(str, starts))))
    with written_whole(folder / "scenes.csv", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *rows])


def _spaces_of(table: FeatureTable) -> tuple[EmbeddingSpace, ...]:
    """Return the spaces that a table names; one of its own where it names none."""
    named = table.made_by.get("spaces")
    where = f"features {table.folder}: made_by.spaces"
    if not isinstance(named, list) or not named:
        raise DatasetError(f"{where} should list model, weights_hash and width of each space")
    spaces = []
    for one in named:
        try:
            space = EmbeddingSpace(one["model"], one["weights_hash"], one["width"])
        except (KeyError, TypeError) as error:
            raise DatasetError(
                f"{where} holds {one!r}, which should name model, weights_hash and width"
            ) from error
        spaces.append(space)
    widths = [space.width for space in spaces]
    sound = all(type(width) is int and width > 0 for width in widths)
    if not sound or sum(widths) != table.width:
        raise DatasetError(
            f"{where} are {' + '.join(map(str, widths))} wide, the vectors {table.width}"
        )
    return tuple(spaces)


def _starts_of(row: Row, num_shots: int) -> list[int]:
    def convert(text: str) -> list[int]:
        starts = [int(one) for one in text.split()]
        if starts[:1] != [0] or sorted(set(starts)) != starts or starts[-1] >= num_shots:
            raise ValueError(text)
        return starts

    expected = f"the first shot of each scene, ascending from 0, of {num_shots} shots"
    return row.read("first_shots", convert, expected)


def _draw(recipe: SceneBoundaryRecipe, on_progress: OnProgress) -> None:
    encoder = load_frame_encoder("starter", precision="float32")
    films = []
    for seed in range(recipe.drawn_films):
        plan = plan_film(_DRAWN_SCENES, 2 + seed % 5, picture=_DRAWN_PICTURE, seed=seed)
        split = {3: "val", 4: "test"}.get(seed % 5, "train")
        features = _features_of(plan, encoder.encode_images)
        films.append((f"drawn-{seed:04}", split, features, plan.scene_starts))
        on_progress("drawing films", seed + 1, recipe.drawn_films, {})
    folder = Path(recipe.data).expanduser()
    write_boundary_data(folder, films, [encoder.space], drawn=recipe.drawn_films)


def _features_of(plan: FilmPlan, encode: Any) -> FloatArray:
    """Return the mean vector of three frames of each shot, as an analysis samples them, (S, D)."""
    images = list(draw_frames(plan))
    means = []
    for first, end in zip(plan.starts, plan.starts[1:], strict=False):
        sampled = clip_frames(first, end, _FRAMES_A_SHOT)
        means.append(encode([images[frame] for frame in sampled]).mean(axis=0))
    return np.stack(means)
