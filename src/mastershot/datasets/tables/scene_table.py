"""Films whose shots have features and whose scenes are known: what scene heads are trained on.

A folder with ``features``, a feature table of an item a film and a row a shot, whose ``made_by``
names the ``spaces`` that lie side by side, and ``scenes.csv`` with a row a film: ``film``,
``split`` (train, val or test), ``first_shots``, the first shot of each scene, from 0 on, and, where
it is known, ``shot_edges_s``, when each shot starts and when the last one ends.
"""
# S shots, D width of all spaces together

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
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

SPLITS = ("train", "val", "test")
FEATURES, SCENES = "features", "scenes.csv"
_COLUMNS = ("film", "split", "first_shots")
_EDGES, _WHAT = "shot_edges_s", "scenes"


@dataclass(frozen=True, eq=False)
class SceneFilm:
    """A film of the table.

    Attributes:
        name: The film.
        split: One of `SPLITS`.
        features: A row a shot, shape (S, D).
        first_shots: The first shot of each scene, ascending from 0.
        shot_edges_s: When each shot starts, and when the last one ends, in seconds, S + 1 numbers;
            empty where that is not known.
    """

    name: str
    split: str
    features: FloatArray
    first_shots: tuple[int, ...]
    shot_edges_s: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class SceneTable:
    """Films, and the spaces of their features.

    Attributes:
        films: In the order of the list.
        spaces: In the order of the features.
        made_by: What made the features.
        scenes: The list of scenes that they are from.
    """

    films: tuple[SceneFilm, ...]
    spaces: tuple[EmbeddingSpace, ...]
    made_by: Mapping[str, Any]
    scenes: Path


def is_scene_table(folder: Path) -> bool:
    """Return whether a folder is laid out as `write_scene_table` does."""
    return (folder / FEATURES).is_dir() and (folder / SCENES).is_file()


def read_scene_table(features: Path, scenes: Path) -> SceneTable:
    """Return the films of a list of scenes with their features.

    Raises:
        DatasetError: A file is unreadable or not laid out as it should be, or a film of the list
            has no features.
    """
    table = read_features(features)
    rows = by_key(read_table(scenes, _COLUMNS, what=_WHAT), lambda row: row["film"])
    places = table.places(list(rows), what="films")
    films = []
    for (name, row), place in zip(rows.items(), places.tolist(), strict=True):
        if row["split"] not in SPLITS:
            raise row.error(f"split is {row['split']!r}, which should be {', '.join(SPLITS)}")
        vectors = table.rows(place)
        starts, edges_s = _starts_of(row, len(vectors)), _edges_of(row, len(vectors))
        films.append(SceneFilm(name, row["split"], vectors, starts, edges_s))
    return SceneTable(tuple(films), _spaces_of(table), table.made_by, scenes)


def write_scene_table(
    folder: Path, films: Iterable[SceneFilm], spaces: Sequence[EmbeddingSpace], **made_by: Any
) -> None:
    """Write `FEATURES` and, last, `SCENES` into a folder, which is made.

    Args:
        folder: It must not hold features yet.
        films: At least one.
        spaces: The spaces of their features, which lie side by side.
        made_by: What else made them, ready for JSON.

    Raises:
        OutputError: The folder cannot be written, or holds features.
        DatasetError: Features are of another width, or not finite.
    """
    make_folder(folder)
    about = {**made_by, "spaces": [asdict(space) for space in spaces]}
    width, rows = sum(space.width for space in spaces), []
    with writing_features(folder / FEATURES, width=width, dtype="float32", made_by=about) as add:
        for film in films:
            add(film.name, film.features)
            texts = (" ".join(map(str, film.first_shots)), " ".join(map(str, film.shot_edges_s)))
            rows.append((film.name, film.split, *texts))
    with written_whole(folder / SCENES, newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([(*_COLUMNS, _EDGES), *rows])


def _spaces_of(table: FeatureTable) -> tuple[EmbeddingSpace, ...]:
    where = f"features {table.folder}: made_by.spaces"
    named = table.made_by.get("spaces")
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
    if any(type(width) is not int or width < 1 for width in widths) or sum(widths) != table.width:
        raise DatasetError(
            f"{where} are {' + '.join(map(str, widths))} wide, and the vectors {table.width}"
        )
    return tuple(spaces)


def _starts_of(row: Row, num_shots: int) -> tuple[int, ...]:
    def convert(text: str) -> tuple[int, ...]:
        starts = tuple(map(int, text.split()))
        if starts[:1] != (0,) or tuple(sorted(set(starts))) != starts or starts[-1] >= num_shots:
            raise ValueError(text)
        return starts

    expected = f"the first shot of each scene, ascending from 0, of {num_shots} shots"
    return row.read("first_shots", convert, expected)


def _edges_of(row: Row, num_shots: int) -> tuple[float, ...]:
    def convert(text: str) -> tuple[float, ...]:
        edges_s = tuple(map(float, text.split()))
        rises = np.diff(edges_s) > 0
        if len(edges_s) != num_shots + 1 or not (np.isfinite(edges_s).all() and rises.all()):
            raise ValueError(text)
        return edges_s

    if not row.get(_EDGES, "").strip():
        return ()
    expected = f"{num_shots + 1} ascending times in seconds, of {num_shots} shots, or empty"
    return row.read(_EDGES, convert, expected)
