"""The vectors of items: from a file, a library, or what an encoder of scenes makes of these."""
# N items, R rows (shots) of an item, D width of a row, n shots a scene, W width of a scene's vector

import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError, EmbeddingSpaceError
from mastershot.core.files import reporting_errors
from mastershot.core.text import utf8_text
from mastershot.datasets.tables.feature_table import read_features
from mastershot.pipeline.search.vectors import SceneSource, SceneView
from mastershot.store.library import Library, LibraryMovie

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
    """Return the rows of a feature table's folder or of an ``.npz`` file.

    The file has one array an item, (D,) or (R, D), by its name; or ``items``, their names, and
    ``vectors``, (N, D). ``made_by`` may be JSON text.

    Raises:
        DatasetError: It is neither, or its arrays are not finite numbers or differ in width.
    """
    if path.suffix != ".npz":
        table = read_features(path)
        readers = {item: partial(table.rows, place) for place, item in enumerate(table.items)}
        return ItemRows(path.name, table.width, readers, table.made_by)
    arrays = _arrays_of(path)
    made_by = _made_by(arrays.pop(MADE_BY, None), path)
    if set(arrays) == {ITEMS, VECTORS}:
        names, vectors = arrays[ITEMS], arrays[VECTORS]
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


def _arrays_of(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with (
            reporting_errors(DatasetError, f"features {path} cannot be read"),
            path.open("rb") as file,
        ):
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise DatasetError(f"features {path} should be a .npz file")
            return {name: loaded[name] for name in loaded.files}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DatasetError(f"features {path} cannot be read: {error}") from error


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
