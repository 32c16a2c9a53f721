"""The shots to train on, gathered once: features or keyframes, one file a film, resumable."""
# S shots, k keyframes a shot, D width

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import DatasetError, MastershotError, SettingError
from mastershot.core.movie import require_one_file
from mastershot.core.names import NamedFilm
from mastershot.core.text import printable, utf8_text
from mastershot.media.films import VIDEO_SUFFIXES
from mastershot.media.sampling import uniform_frames
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.store.files import write_whole
from mastershot.store.folder import is_library
from mastershot.store.library import Library, LibraryMovie
from mastershot.store.reading import feature_space, shot_vectors
from mastershot.store.shot_arrays import ShotArrays, are_shots, write_movie
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.movies2scenes.keyframes import film_keyframes, keyframes_at
from mastershot.training.movies2scenes.settings.encoders import ShotSource

INDEX = "shots.json"
_MAX_NAME_BYTES = 240  # with a suffix, the 255 that file systems take


@dataclass(frozen=True)
class GatheredShots:
    """Shots, what of the source could not be read, a sentence each, and a library's space."""

    arrays: ShotArrays
    unread: tuple[str, ...] = ()
    space: EmbeddingSpace | None = None


def gather_shots(
    source: ShotSource, folder: Path, on_progress: OnProgress = no_progress
) -> GatheredShots:
    """Return the source's shots; what is no folder of ``.npy`` is written into one under `folder`.

    Films written before are kept, so a run that was killed goes on; films that cannot be read are
    listed with the reason.

    Raises:
        SettingError: The source does not exist.
        DatasetError: A file of the source is not what it should be, no film of it can be read, or
            it holds features where keyframes are asked for, or the reverse.
        LibraryError: The library cannot be read, or holds no such vectors.
    """
    if _is_folder_of_arrays(source):
        folder = Path(source.path)
        return GatheredShots(_arrays(folder, source), space=_space_of(folder))
    key = hashlib.sha256(json.dumps(asdict(source)).encode()).hexdigest()[:12]
    target = folder / f"{source.content}-{key}"
    if not (target / INDEX).is_file():
        target.mkdir(parents=True, exist_ok=True)
        index = _write_movies(source, target, on_progress)
        write_whole(target / INDEX, utf8_text(json.dumps(index, ensure_ascii=False)).encode())
    index = json.loads((target / INDEX).read_text("utf-8"))
    arrays = _arrays(target, source, index["movies"])
    return GatheredShots(arrays, tuple(index["unread"]), _space_of(target))


def named_films(source: ShotSource) -> dict[str, NamedFilm]:
    """Return a source's films by what they are called in a run, without reading their shots.

    Raises:
        SettingError: The source does not exist.
        DatasetError: Two films have one name, a name cannot name a file, or the index of what
            was gathered before is damaged.
    """
    if _is_folder_of_arrays(source):
        return films_of(ShotArrays(Path(source.path)))
    return {name: movie.names for name, movie in _movies_of(source).items()}


def films_of(arrays: ShotArrays) -> dict[str, NamedFilm]:
    """Return the films of arrays, in their order; of gathered ones also what else they are called.

    Raises:
        DatasetError: The index of what was gathered is damaged.
    """
    known = _index_of(arrays.folder).get("names", {})
    try:
        named = {name: NamedFilm(id, tuple(paths)) for name, (id, paths) in known.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise _damaged_index(arrays.folder) from error
    return {name: named.get(name, NamedFilm(name)) for name in arrays.movies}


def _is_folder_of_arrays(source: ShotSource) -> bool:
    path = Path(source.path)
    if not path.exists():
        raise SettingError(f"shots {path} do not exist; name a library, a folder of .npy or films")
    return path.is_dir() and not is_library(path) and any(path.glob("*.npy"))


def _arrays(folder: Path, source: ShotSource, movies: Sequence[str] | None = None) -> ShotArrays:
    """Return a folder's shots, which are of the content that the source says."""
    arrays = ShotArrays(folder, movies)
    found = "features" if len(arrays.row_shape) == 1 else "keyframes"
    if found != source.content:
        raise DatasetError(
            f"{source.path} holds {found}, and {source.content} are asked for; "
            f"set shots.content to {found}, or name other shots"
        )
    return arrays


def _space_of(folder: Path) -> EmbeddingSpace | None:
    """Return the space of the library that a folder was gathered from; None if it is of none."""
    space = _index_of(folder).get("space")
    try:
        return EmbeddingSpace(**space) if space else None
    except TypeError as error:
        raise _damaged_index(folder) from error


def _index_of(folder: Path) -> dict[str, Any]:
    """Return the index of a folder that was gathered; empty if it was not."""
    path = folder / INDEX
    if not path.is_file():
        return {}
    try:
        index = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise _damaged_index(folder) from error
    if not isinstance(index, dict):
        raise _damaged_index(folder)
    return index


def _damaged_index(folder: Path) -> DatasetError:
    return DatasetError(f"{folder / INDEX} does not say what was gathered; remove the folder")


def _write_movies(source: ShotSource, target: Path, on_progress: OnProgress) -> dict[str, Any]:
    movies = _movies_of(source)
    names: list[str] = []
    unread: list[str] = []
    for done, (name, movie) in enumerate(movies.items()):
        on_progress("shots", done, len(movies), {})
        try:
            if not (target / f"{name}.npy").is_file():
                write_movie(target, name, movie.rows())
            names.append(name)
        except MastershotError as error:
            unread.append(str(error))
    if not names:
        reason = f"; the first problem: {unread[0]}" if unread else ""
        raise DatasetError(f"no film that can be read is in {source.path}{reason}")
    _require_alike(source, target, names)
    spaces = {movie.space for movie in movies.values() if movie.space}
    return {
        "movies": names,
        "names": {name: [movies[name].names.id, movies[name].names.paths] for name in names},
        "unread": unread,
        "space": asdict(spaces.pop()) if spaces else None,
    }


def _require_alike(source: ShotSource, target: Path, names: Sequence[str]) -> None:
    """Raise `DatasetError` if films differ in kind, and remove what was gathered."""
    try:
        ShotArrays(target, names)
    except DatasetError:
        shutil.rmtree(target)
        raise DatasetError(
            f"the films of {source.path} differ in the width of their features, the size of their "
            "keyframes or the type of their numbers; all films must be alike"
        ) from None


@dataclass(frozen=True)
class _Film:
    """A film of a source: what it is called, what reads its shots, and the space they lie in."""

    names: NamedFilm
    rows: Callable[[], npt.NDArray[Any]]
    space: EmbeddingSpace | None = None


def _movies_of(source: ShotSource) -> dict[str, _Film]:
    path = Path(source.path)
    from_library = is_library(path)
    if from_library:
        named = _library_films(source, Library(path))
    elif path.suffix == ".npz":
        with _opened(path) as file:
            names = list(file.files)
        named = ((name, _Film(NamedFilm(name), partial(_member, path, name))) for name in names)
    elif source.content == "keyframes":
        named = _film_files(source, path)
    else:
        raise SettingError(f"{path} holds no features; name a library, a folder of .npy or an .npz")
    movies: dict[str, _Film] = {}
    for name, movie in named:
        if name in movies:
            ids = "; shots.names=id calls them by their ids" if from_library else ""
            raise DatasetError(f"{path} holds two films called {name!r}; names must differ{ids}")
        if not name or set(name) & {"/", "\0"} or len(os.fsencode(name)) > _MAX_NAME_BYTES:
            raise DatasetError(f"{path} holds a film called {name!r}, which cannot name a file")
        movies[name] = movie
    return movies


def _library_films(source: ShotSource, library: Library) -> Iterator[tuple[str, _Film]]:
    space = None
    if source.content == "features":
        space = feature_space(library, source.encoder, last=(COLOR_SPACE,))
    for movie in library.movies():
        name = movie.id if source.names == "id" else printable(Path(movie.path).stem)
        yield name, _Film(movie.names, partial(_kept, library, movie, source, space), space)


def _kept(
    library: Library, movie: LibraryMovie, source: ShotSource, space: EmbeddingSpace | None
) -> npt.NDArray[Any]:
    """Return the shots of a film of a library: vectors in a space, or keyframes without one."""
    timeline = library.timeline(movie.id)
    spans = [shot.span for shot in timeline.shots]
    if space is not None:
        starts = np.array([span.first_frame for span in spans], np.int64)
        return shot_vectors(library, movie, starts, space, pooling=source.pooling)
    require_one_file(timeline.movie, "keyframes")
    count = source.frames_per_shot
    wanted = [uniform_frames(span.first_frame, span.end_frame, count) for span in spans]
    return keyframes_at(Path(movie.file), wanted, count, source.image_px)


def _film_files(source: ShotSource, path: Path) -> Iterator[tuple[str, _Film]]:
    """Yield the films of a folder, or one film, whose shots are found when they are read."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix.lower() in VIDEO_SUFFIXES:
            rows = partial(film_keyframes, file, source.frames_per_shot, source.image_px)
            yield printable(file.stem), _Film(NamedFilm(file.stem, (str(file),)), rows)


def _member(path: Path, name: str) -> npt.NDArray[Any]:
    """Return the shots of a film of an .npz."""
    with _opened(path, f"film {name} of ") as file:
        rows: npt.NDArray[Any] = np.asarray(file[name])
    if rows.dtype.kind == "f":
        rows = rows.astype(np.float16 if rows.dtype == np.float16 else np.float32)
    if not are_shots(rows.shape, rows.dtype):
        raise DatasetError(
            f"{path} holds for {name} {rows.dtype} {rows.shape}; it must hold one row a shot: a "
            "vector (S, D) of floats, or square keyframes (S, k, H, W, 3) uint8"
        )
    return rows


@contextmanager
def _opened(path: Path, what: str = "") -> Iterator[Any]:
    try:
        if not zipfile.is_zipfile(path):
            raise DatasetError(f"{path} is not an .npz of one array a film, or is cut short")
        with np.load(path, allow_pickle=False) as file:
            yield file
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"{what}{path} is not an array of shots ({error})") from error
