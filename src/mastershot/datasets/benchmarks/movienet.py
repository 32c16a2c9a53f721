"""MovieNet's annotations of scenes, places and shot scales (Huang et al., ECCV 2020).

The layout is that of the release's ``annotation.v1.zip`` and of the example in the documentation of
movienet-tools (docs/wiki/annotation.md): ``annotation/<IMDb id>.json`` has ``scene``, a list of
``{"id", "shot": [first, end], "frame", "place_tag", "action_tag"}`` or null, and
``cinematic_style``, whose ``movie`` lists ``{"shot", "scale", "movement"}`` or is null.
``movie1K.split.v1.json`` names the films of ``train``, ``val`` and ``test`` (and ``full``);
``split318.json`` those 318 whose scenes are annotated. The files themselves were not at hand when
this was written.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from mastershot.core.errors import DatasetError
from mastershot.datasets.files import read_text

SPLITS = ("train", "val", "test")
SPLIT_FILES = ("movie1K.split.v1.json", "split318.json", "meta/split318.json")
ANNOTATIONS = "annotation"
_SCALES = {"extremecloseup": "ECS", "closeup": "CS", "medium": "MS", "full": "FS", "long": "LS"}
_WHAT = "MovieNet annotation"


@dataclass(frozen=True, slots=True)
class MovieNetScene:
    """A scene.

    Attributes:
        id: Its id, such as ``tt1210166_0000``.
        first_shot: Its first shot.
        end_shot: One past its last shot.
        places: Its place tags, each once; empty where it has none.
    """

    id: str
    first_shot: int
    end_shot: int
    places: tuple[str, ...]


@dataclass(frozen=True)
class MovieNetMovie:
    """What is annotated of a film.

    Attributes:
        imdb_id: The film.
        scenes: Its scenes in order, without gaps; empty where they are not annotated.
        scales: Scale of each annotated shot, one of ``core.movie.SCALES``, by its number.
    """

    imdb_id: str
    scenes: tuple[MovieNetScene, ...]
    scales: Mapping[int, str]

    @property
    def boundaries(self) -> tuple[bool, ...]:
        """Whether a scene ends after each shot but the film's last; empty without scenes."""
        if not self.scenes:
            return ()
        starts = {scene.first_shot for scene in self.scenes[1:]}
        first, end = self.scenes[0].first_shot, self.scenes[-1].end_shot
        return tuple(shot + 1 in starts for shot in range(first, end - 1))


@dataclass(frozen=True, slots=True)
class PlacedScene:
    """A scene with its places, for the task of place tags."""

    id: str
    imdb_id: str
    places: tuple[str, ...]


def read_movienet_split(folder: str | Path) -> dict[str, tuple[str, ...]]:
    """Return the IMDb ids of train, val and test, from the first of `SPLIT_FILES` that is there.

    Raises:
        DatasetError: There is none, it is damaged, or a film is in two splits.
    """
    paths = [Path(folder) / name for name in SPLIT_FILES]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise DatasetError(f"MovieNet folder {folder} has none of {', '.join(SPLIT_FILES)}")
    named = _object(path, "MovieNet split")
    splits: dict[str, tuple[str, ...]] = {}
    seen: dict[str, str] = {}
    for split in SPLITS:
        films = named.get(split)
        if not isinstance(films, list) or not all(isinstance(film, str) for film in films):
            raise DatasetError(f"MovieNet split {path}: {split!r} should be a list of IMDb ids")
        for film in films:
            if seen.setdefault(film, split) != split:
                raise DatasetError(f"MovieNet split {path}: {film} is in {seen[film]} and {split}")
        splits[split] = tuple(dict.fromkeys(films))
    return splits


def read_movienet_movie(path: str | Path) -> MovieNetMovie:
    """Return what a film's file says.

    Raises:
        DatasetError: The file is unreadable or of another layout, or its scenes leave shots out.
    """
    path = Path(path)
    content = _object(path, _WHAT)
    imdb_id = content.get("imdb_id", path.stem)
    if not isinstance(imdb_id, str):
        raise DatasetError(f"{_WHAT} {path}: imdb_id is {imdb_id!r}, which should be text")
    scenes = tuple(_scenes(content.get("scene"), path))
    return MovieNetMovie(imdb_id, scenes, dict(_scales(content.get("cinematic_style"), path)))


def read_place_tags(folder: str | Path) -> dict[str, tuple[PlacedScene, ...]]:
    """Return the scenes of each split that have a place tag, films and scenes in order.

    Films of the split without a file, or without scenes, have none.

    Raises:
        DatasetError: A file is damaged, or no film of a split has a scene with a place.
    """
    found = {}
    for split, films in read_movienet_split(folder).items():
        scenes = []
        for film in films:
            path = Path(folder) / ANNOTATIONS / f"{film}.json"
            if path.is_file():
                movie = read_movienet_movie(path)
                scenes += [PlacedScene(s.id, film, s.places) for s in movie.scenes if s.places]
        if not scenes:
            raise DatasetError(
                f"MovieNet folder {folder}: no film of {split} has a scene with a place tag in "
                f"{ANNOTATIONS}/<IMDb id>.json"
            )
        found[split] = tuple(scenes)
    return found


def _scenes(value: Any, path: Path) -> Iterator[MovieNetScene]:
    """Yield scenes; their last number is past the last shot, or the last shot itself.

    Which of the two is told by where the next scene starts.
    """
    if value is None:
        return
    rows = [_scene(one, number, path) for number, one in enumerate(_listed(value, "scene", path))]
    steps = {after[1] - before[2] for before, after in pairwise(rows)}
    if len(steps) > 1 or steps - {0, 1}:
        raise DatasetError(f"{_WHAT} {path}: its scenes leave shots out or overlap")
    added = steps.pop() if steps else 0
    for name, first, end, places in rows:
        if not first < end + added:
            raise DatasetError(f"{_WHAT} {path}: scene {name} has no shot ({first} to {end})")
        yield MovieNetScene(name, first, end + added, places)


def _scene(value: Any, number: int, path: Path) -> tuple[str, int, int, tuple[str, ...]]:
    where = f"{_WHAT} {path}, scene {number}"
    shots = value.get("shot") if isinstance(value, dict) else None
    if not isinstance(shots, list) or len(shots) != 2 or any(type(s) is not int for s in shots):
        raise DatasetError(f"{where}: shot is {shots!r}, which should be two numbers of shots")
    name, tags = value.get("id"), value.get("place_tag") or []
    if not isinstance(name, str) or not name:
        raise DatasetError(f"{where}: id is {name!r}, which should be text")
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise DatasetError(f"{where}: place_tag is {tags!r}, which should be a list of tags")
    return name, shots[0], shots[1], tuple(dict.fromkeys(tags))


def _scales(value: Any, path: Path) -> Iterator[tuple[int, str]]:
    if value is None:
        return
    rows = value.get("movie") if isinstance(value, dict) else value
    for number, row in enumerate(_listed(rows or [], "cinematic_style.movie", path)):
        shot, name = (row.get("shot"), row.get("scale")) if isinstance(row, dict) else (None, None)
        if name is None and type(shot) is int:
            continue
        plain = "".join(filter(str.isalpha, str(name).lower())).removesuffix("shot")
        if type(shot) is not int or plain not in _SCALES:
            raise DatasetError(
                f"{_WHAT} {path}, cinematic_style {number}: shot {shot!r} has scale {name!r}, "
                "which should be a number and long, full, medium, closeup or extreme closeup"
            )
        yield shot, _SCALES[plain]


def _listed(value: Any, name: str, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise DatasetError(f"{_WHAT} {path}: {name} should be a list or null")
    return value


def _object(path: Path, what: str) -> dict[str, Any]:
    try:
        value = json.loads(read_text(path, what=what))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{what} {path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DatasetError(f"{what} {path} should be one JSON object")
    return value
