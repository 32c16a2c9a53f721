"""Which shots a run has: their labels from split files, their films and spans from a data set."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.datasets.files import by_key, read_table, read_text
from mastershot.datasets.movieclip import read_split_folder
from mastershot.datasets.tables.records import LabelledShot
from mastershot.datasets.tables.scored import open_dataset
from mastershot.media.clips import Clip
from mastershot.media.films import films_by_name
from mastershot.store.library import Library
from mastershot.training.tagging.settings import TaggingRecipe

_SELECTION = "selection.json"
_CLIP_LIBRARY = "clips.mastershot"
_COLUMNS = ("video", "file", "path", "start_s", "end_s")
Name = tuple[str, str]
"""A shot's clip and file name."""


@dataclass(frozen=True, slots=True)
class TaggedShot:
    """A shot with its labels.

    Attributes:
        video: The clip.
        file: Name of the shot's own file.
        classes: Places of its labels in the index.
        place: Its film, and when it begins and ends; None where that is not known.
    """

    video: str
    file: str
    classes: tuple[int, ...]
    place: Clip | None = None


@dataclass(frozen=True)
class TaggingData:
    """What a run trains on.

    Attributes:
        classes: The labels, in index order.
        splits: The shots of each split.
    """

    classes: Taxonomy
    splits: Mapping[str, tuple[TaggedShot, ...]]


def read_tagging_data(recipe: TaggingRecipe, *, needs_films: bool) -> TaggingData:
    """Return the shots of a recipe's splits, with their films if those are needed.

    Raises:
        SettingError: There is no training split, or no way from a shot to its film.
        DatasetError: A file is missing or damaged, or names no film for any shot of a split.
    """
    classes, splits = read_split_folder(recipe.path(recipe.splits))
    for name in (recipe.train, recipe.validation):
        if name not in splits:
            raise SettingError(
                f"{recipe.path(recipe.splits)} has no split {name!r}; it has {', '.join(splits)}"
            )
    wanted = {name: splits[name] for name in recipe.wanted_splits if name in splits}
    if not needs_films:
        return TaggingData(classes, {name: tuple(_tagged(s, {})) for name, s in wanted.items()})
    names = {(shot.video, shot.file) for shots in wanted.values() for shot in shots}
    places = _places(recipe, names)
    placed = {name: tuple(_tagged(shots, places)) for name, shots in wanted.items()}
    for name, shots in placed.items():
        if not any(shot.place for shot in shots):
            raise DatasetError(
                f"no film is known of any shot of split {name!r}, such as {shots[0].video}/"
                f"{shots[0].file}; name their folder with films=, or their data set with shots="
            )
    return TaggingData(classes, placed)


def _tagged(shots: Iterable[LabelledShot], places: Mapping[Name, Clip]) -> Iterator[TaggedShot]:
    for shot in shots:
        place = places.get((shot.video, shot.file))
        yield TaggedShot(shot.video, shot.file, shot.classes, place)


def _places(recipe: TaggingRecipe, names: set[Name]) -> dict[Name, Clip]:
    """Return where the shots of these names are, those of them that are found."""
    films = recipe.path(recipe.films) if recipe.films else None
    source = recipe.path(recipe.shots) if recipe.shots else _selected_from(recipe)
    if source is None:
        if films is None:
            raise SettingError(
                f"{recipe.path(recipe.splits)} does not say what its shots were selected from; "
                "name the data set with shots=, or the folder of shot files with films="
            )
        found = {name: films / name[0] / name[1] for name in names}
        return {name: Clip(path) for name, path in found.items() if path.is_file()}
    if source.suffix == ".csv":
        return _listed(source, films, names)
    path_of = _film_paths(source, films)
    places: dict[Name, Clip] = {}
    for batch in open_dataset(source, load_taxonomy("movieclip")).batches():
        shots = zip(batch.videos, batch.files, batch.times_s.tolist(), strict=True)
        for video, file, (start_s, end_s) in shots:
            if (video, file) in names and (path := path_of.get(video)) is not None:
                places[video, file] = Clip(path, start_s, end_s)
    return places


def _selected_from(recipe: TaggingRecipe) -> Path | None:
    """Return the data set that `label select` noted beside the splits.

    Raises:
        SettingError: It is not there any more.
    """
    path = recipe.path(recipe.splits) / _SELECTION
    if not path.is_file():
        return None
    try:
        dataset = json.loads(read_text(path, what="selection")).get("dataset")
    except (ValueError, AttributeError, RecursionError) as error:
        raise DatasetError(f"{path} is not what `label select` writes: {error}") from error
    if not isinstance(dataset, str):
        return None
    if not Path(dataset).exists():
        raise SettingError(
            f"the data set {dataset}, which the shots of {path.parent} were selected from, is "
            "gone; name it with shots=, or its films and their shots in a table"
        )
    return Path(dataset)


def _listed(source: Path, films: Path | None, names: set[Name]) -> dict[Name, Clip]:
    """Return the places in a CSV; its paths start from its own folder, or from that of films.

    A time that is left out stands for the film's start or end.
    """
    places: dict[Name, Clip] = {}
    base = source.parent if films is None else films
    rows = read_table(source, _COLUMNS, what="table of shots")
    for name, row in by_key(rows, lambda row: (row["video"], row["file"])).items():
        if name in names:
            start_s, end_s = (
                row.read(column, _seconds, "seconds, or nothing") for column in _COLUMNS[3:]
            )
            if not 0 <= (start_s or 0) < (math.inf if end_s is None else end_s):
                raise row.error(f"a shot from {start_s} s to {end_s} s means nothing")
            places[name] = Clip(base / row["path"], start_s, end_s)
    return places


def _seconds(text: str) -> float | None:
    if not text:
        return None
    seconds = float(text)
    if not math.isfinite(seconds):
        raise ValueError(text)
    return seconds


def _film_paths(dataset: Path, films: Path | None) -> dict[str, Path]:
    """Return the film of each clip: a file of the folder, or what the data set's library names."""
    if films is not None:
        return films_by_name(films)
    folder = dataset if dataset.is_dir() else dataset.parent
    if not (folder / _CLIP_LIBRARY).is_dir():
        raise SettingError(
            f"{folder} keeps no library of its clips; name the folder of the films with films="
        )
    movies = Library(folder / _CLIP_LIBRARY).movies()
    return {Path(movie.path).stem: Path(movie.file) for movie in movies}
