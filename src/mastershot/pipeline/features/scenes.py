"""Features of a library's shots with the scenes that people marked: what scene heads train on."""
# S shots, D width of all spaces together

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.timeline import Timeline
from mastershot.datasets.files import read_table
from mastershot.datasets.tables.scene_table import SPLITS, SceneFilm, write_scene_table
from mastershot.pipeline.analysis.stored import mean_of_shots
from mastershot.pipeline.features.settings import SceneFeaturesRecipe
from mastershot.store.library import Library

TABLE = "scenes"
"""The part of a run directory that holds the table."""
_COLUMNS = ("film", "split", "start_s")


@dataclass(frozen=True)
class MarkedScenes:
    """What people marked in one film.

    Attributes:
        split: One of `SPLITS`.
        starts_s: When its scenes start, in seconds on the film's clock.
    """

    split: str
    starts_s: tuple[float, ...]


def export_scene_features(recipe: SceneFeaturesRecipe, out: Path) -> tuple[Path, int, int]:
    """Return the folder of a table of marked films, how many films and how many scenes it has.

    A scene that starts within a shot begins with the shot whose start is nearest.

    Raises:
        DatasetError: The list is unreadable or not laid out as it should be.
        LibraryError: The library cannot be read, or lacks a film of the list.
        SettingError: A film was added without scenes, or by another encoder than the first.
        OutputError: The table cannot be written, or is there already.
    """
    library = Library(recipe.path(recipe.library))
    marked = read_marked_scenes(recipe.path(recipe.scenes))
    films: list[SceneFilm] = []
    spaces: tuple[EmbeddingSpace, ...] = ()
    for name, scenes in marked.items():
        movie = library.movie(name)
        timeline = library.timeline(movie.id)
        found = spaces_of_scenes(timeline)
        spaces = spaces or found
        if not found:
            raise SettingError(f"{name} was added without the step scenes; add it again with it")
        if found != spaces:
            here, first = (" and ".join(one.model for one in each) for each in (found, spaces))
            raise SettingError(
                f"the scenes of {name} rest on vectors of {here}, those of {next(iter(marked))} on "
                f"{first}; add all films with one encoder and the same steps"
            )
        store = library.features(movie.id)
        means = [
            mean_of_shots(timeline.shots, space, store, lambda part: part.mean(axis=0))
            for space in spaces
        ]
        starts = nearest_shots(timeline, scenes.starts_s)
        films.append(SceneFilm(name, scenes.split, np.hstack(means), starts))
    write_scene_table(out / TABLE, films, spaces, library=recipe.library)
    return out / TABLE, len(films), sum(len(film.first_shots) for film in films)


def read_marked_scenes(path: Path) -> Mapping[str, MarkedScenes]:
    """Return the scenes of a CSV with a row a scene: ``film``, ``split`` and ``start_s``.

    Raises:
        DatasetError: It is unreadable, lists nothing, or has a film in two splits.
    """
    starts: dict[str, list[float]] = {}
    splits: dict[str, str] = {}
    for row in read_table(path, _COLUMNS, what="scenes"):
        name, split = row["film"], row["split"]
        if split not in SPLITS or splits.setdefault(name, split) != split:
            raise row.error(f"split of {name} is {split!r}; it is one of {', '.join(SPLITS)}, once")
        start_s = row.read("start_s", float, "seconds")
        if not np.isfinite(start_s):
            raise row.error(f"start_s is {start_s}, which should be seconds")
        starts.setdefault(name, []).append(start_s)
    if not starts:
        raise DatasetError(f"scenes {path} list no film")
    return {name: MarkedScenes(splits[name], tuple(times)) for name, times in starts.items()}


def spaces_of_scenes(timeline: Timeline) -> tuple[EmbeddingSpace, ...]:
    """Return the spaces whose vectors told a film's scenes; none where the step did not run."""
    steps = timeline.made_by.steps
    names = steps.get("scenes", {}).get("features", ())
    kept = {
        one["model"]: EmbeddingSpace(**one) for one in steps.get("frames", {}).get("spaces", ())
    }
    return tuple(kept[name] for name in names)


def nearest_shots(timeline: Timeline, starts_s: Iterable[float]) -> tuple[int, ...]:
    """Return the shots whose starts are nearest to times, ascending, each once, with the first."""
    shots_s = np.array([shot.span.start_s for shot in timeline.shots])
    nearest = {int(np.abs(shots_s - start_s).argmin()) for start_s in starts_s}
    return tuple(sorted({0} | nearest))
