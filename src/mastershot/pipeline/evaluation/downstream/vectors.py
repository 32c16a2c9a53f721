"""The vectors of items: from a file, a library, or what an encoder of scenes makes of these."""
# N items, R rows (shots) of an item, D width of a row, n shots a scene, W width of a scene's vector

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError, EmbeddingSpaceError, SettingError
from mastershot.core.text import utf8_text
from mastershot.datasets.files import read_arrays
from mastershot.datasets.tables.feature_table import read_features
from mastershot.pipeline.search.vectors import SceneSource, SceneView
from mastershot.store.library import Library, LibraryMovie
from mastershot.store.shot_arrays import ShotArrays

MADE_BY, ITEMS, VECTORS = "made_by", "items", "vectors"
"""Members of an ``.npz`` file of features."""


@dataclass(frozen=True, eq=False)
class ItemVectors:
    """One vector an item.

    Attributes:
        name: What the row is called where results are shown.
        vectors: Vector of each item, float32 (W,), by its name.
        made_by: What made them.
    """

    name: str
    vectors: Mapping[str, FloatArray]
    made_by: Mapping[str, Any]

    @property
    def width(self) -> int:
        """W."""
        return len(next(iter(self.vectors.values())))


@dataclass(frozen=True, eq=False)
class ItemRows:
    """The rows (shots, or one vector) of items, read when they are asked for.

    Attributes:
        name: What they are called.
        width: D.
        readers: Reads an item's rows, float32 (R, D), by its name.
        made_by: What made them; ``space`` there describes the space, where it is known.
    """

    name: str
    width: int
    readers: Mapping[str, Callable[[], FloatArray]]
    made_by: Mapping[str, Any]


def read_rows(path: Path) -> ItemRows:
    """Return the rows of a feature table's folder, a folder of ``.npy`` or an ``.npz`` file.

    The folder has one ``.npy`` an item, with a row a shot or scene, as recipes of Movies2Scenes
    write. The file has one array an item, (D,) or (R, D), by its name; or ``items``, their names,
    and ``vectors``, (N, D). ``made_by`` may be JSON text.

    Raises:
        DatasetError: It is none of them, or its arrays are not finite numbers or differ in width.
    """
    if any(path.glob("*.npy")) and not (path / "features.json").is_file():
        return _folder_rows(path)
    if path.suffix != ".npz":
        table = read_features(path)
        readers = {item: partial(table.rows, place) for place, item in enumerate(table.items)}
        return ItemRows(_name_of(path), table.width, readers, table.made_by)
    arrays = read_arrays(path, what="features")
    made_by = _made_by(arrays.pop(MADE_BY, None), path)
    if set(arrays) == {ITEMS, VECTORS}:
        names, vectors = arrays[ITEMS], arrays[VECTORS]
        if vectors.ndim != 2:
            raise DatasetError(
                f"features {path}: {VECTORS} should be of shape (items, numbers), not "
                f"{vectors.shape}"
            )
        if names.ndim != 1 or names.dtype.kind != "U" or len(names) != len(vectors):
            raise DatasetError(
                f"features {path}: {ITEMS} should be {len(vectors)} names, one for each of "
                f"{VECTORS}"
            )
        if len(set(names.tolist())) != len(names):
            raise DatasetError(f"features {path} name an item twice")
        arrays = dict(zip(names.tolist(), vectors, strict=True))
    rows = {name: _checked(array, name, path) for name, array in arrays.items()}
    if not rows:
        raise DatasetError(f"features {path} hold no item")
    width, first = next(iter(rows.values())).shape[1], next(iter(rows))
    for name, array in rows.items():
        if array.shape[1] != width:
            raise DatasetError(
                f"features {path} mix spaces: {first!r} has {width} numbers and {name!r} "
                f"{array.shape[1]}"
            )
    return ItemRows(path.stem, width, {n: partial(_same, a) for n, a in rows.items()}, made_by)


def _folder_rows(path: Path) -> ItemRows:
    arrays = ShotArrays(path)
    if len(arrays.row_shape) != 1:
        raise DatasetError(
            f"features {path} hold rows of shape {arrays.row_shape}; they should be vectors"
        )

    def rows(place: int) -> FloatArray:
        return _checked(arrays.movie(place), arrays.movies[place], path)

    readers = {name: partial(rows, place) for place, name in enumerate(arrays.movies)}
    return ItemRows(_name_of(path), arrays.row_shape[0], readers, {})


def _name_of(path: Path) -> str:
    """Return what a folder is called; ``features`` in a run, as the run."""
    path = path.absolute()
    return path.parent.name if path.name == "features" else path.name


def library_rows(library: Path, encoder: str | None, view: SceneView | None) -> ItemRows:
    """Return the shots of a library's films, and of their scenes, as an encoder's vectors.

    Films are named by their stems, and their scenes, where they were found, ``<stem>/s0003``.

    Raises:
        LibraryError: It cannot be read, or holds no vectors of the encoder, or of several and none
            is named.
        EncoderError: The encoder of scenes was trained on others.
        DatasetError: Two films have one stem.
    """
    view = view or SceneView(encoder or "mean of shots")
    source = SceneSource(Library(library), view, vectors=encoder or "")
    readers: dict[str, Callable[[], FloatArray]] = {}
    for movie in source.store.movies():
        name = utf8_text(Path(movie.path).stem)
        if name in readers:
            raise DatasetError(f"library {library} holds two films called {name}; keep one")
        readers[name] = partial(source.shots, movie)
        if movie.num_scenes is not None:
            for index, (first, end) in enumerate(source.bounds(movie).tolist()):
                readers[scene_item(name, index)] = partial(_part, source, movie, first, end)
    space = asdict(source.space)
    return ItemRows(source.space.model, source.space.width, readers, {"space": space})


def scene_item(film: str, index: int) -> str:
    """Return what a scene of a library's film is called as an item, such as ``film/s0003``."""
    return f"{film}/s{index:04d}"


def mean_vectors(rows: ItemRows, wanted: Iterable[str]) -> ItemVectors:
    """Return the mean row of each of the wanted items that there are.

    Raises:
        MastershotError: Rows cannot be read.
    """
    found = {
        name: read().mean(axis=0, dtype=np.float64).astype(np.float32)
        for name in wanted
        if (read := rows.readers.get(name)) is not None
    }
    return ItemVectors(rows.name, found, rows.made_by)


def encoded_vectors(rows: ItemRows, view: SceneView, wanted: Iterable[str]) -> ItemVectors:
    """Return the mean vector of an encoder's scenes of each wanted item that there is.

    Scenes lie side by side; where shots are left over, one more ends with the last shot. An item of
    fewer shots than a scene is one scene.

    Raises:
        EmbeddingSpaceError: The encoder was trained on vectors of another width or space.
        MastershotError: Rows cannot be read.
    """
    assert view.encode is not None
    _require_space(rows, view)
    found = {}
    for name in wanted:
        if (read := rows.readers.get(name)) is not None:
            scenes = scenes_of(read(), view.num_shots)
            found[name] = view.encode(scenes).mean(axis=0, dtype=np.float64).astype(np.float32)
    made_by = {"encoder": view.name, "features": dict(rows.made_by)}
    return ItemVectors(Path(view.name).name, found, made_by)


def side_by_side(rows: Sequence[ItemVectors], *, common: bool = False) -> ItemVectors:
    """Return the vectors of the same items by several encoders as one vector each, (ΣW,).

    Two representations of one item, such as those of the runs genre and synopsis (Movies2Scenes,
    Table 1, row 13).

    Args:
        rows: At least two.
        common: Leave out items that one of the rows lacks, instead of refusing.

    Raises:
        SettingError: A row lacks an item that another has.
    """
    first, *others = rows
    for row in others:
        if not common and (different := first.vectors.keys() ^ row.vectors.keys()):
            item = min(different)
            has, lacks = (first, row) if item in first.vectors else (row, first)
            raise SettingError(
                f"{first.name} and {row.name} cannot stand side by side: {has.name} has "
                f"{item!r} and {lacks.name} has not, one of {len(different)} such items; give "
                "vectors of the same, or --common"
            )
    shared = [name for name in first.vectors if all(name in row.vectors for row in others)]
    vectors = {name: np.concatenate([row.vectors[name] for row in rows]) for name in shared}
    made_by = {"side_by_side": {row.name: dict(row.made_by) for row in rows}}
    return ItemVectors(" + ".join(row.name for row in rows), vectors, made_by)


def scenes_of(shots: FloatArray, num_shots: int) -> FloatArray:
    """Return the scenes of an item's shots (R, D), shape (scenes, n, D); see `encoded_vectors`."""
    size = min(num_shots, len(shots))
    starts = list(range(0, len(shots) - size + 1, size))
    if starts[-1] + size < len(shots):
        starts.append(len(shots) - size)
    return np.stack([shots[start : start + size] for start in starts])


def _require_space(rows: ItemRows, view: SceneView) -> None:
    if view.width not in (None, rows.width):
        raise EmbeddingSpaceError(
            f"{view.name} was trained on vectors of {view.width} numbers, and those of "
            f"{rows.name} have {rows.width}; they are of another space"
        )
    space = rows.made_by.get("space")
    if view.space is None or not isinstance(space, Mapping):
        return
    known = asdict(view.space)
    other = [key for key, value in space.items() if key in known and known[key] != value]
    if other:
        key = other[0]
        raise EmbeddingSpaceError(
            f"{view.name} was trained on vectors of another space than those of {rows.name}: "
            f"{key} is {known[key]!r} there and {space[key]!r} here"
        )


def _made_by(text: np.ndarray[Any, Any] | None, path: Path) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(str(text))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"features {path}: {MADE_BY} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DatasetError(f"features {path}: {MADE_BY} should be a JSON object")
    return value


def _checked(array: np.ndarray[Any, Any], name: str, path: Path) -> FloatArray:
    rows = array[None] if array.ndim == 1 else array
    if rows.ndim != 2 or 0 in rows.shape or rows.dtype.kind not in "fiu":
        raise DatasetError(
            f"features {path}: {name!r} is of shape {array.shape} and type {array.dtype}; it "
            "should be a vector, or rows of numbers"
        )
    rows = rows.astype(np.float32)
    if not np.isfinite(rows).all():
        raise DatasetError(f"features {path}: {name!r} is not of finite numbers")
    return rows


def _part(source: SceneSource, movie: LibraryMovie, first: int, end: int) -> FloatArray:
    return source.shots(movie)[first:end]


def _same(array: FloatArray) -> FloatArray:
    return array
