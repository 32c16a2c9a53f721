"""What is kept of every shot of many films: one ``.npy`` file a film, one row a shot.

A row is a shot's feature (D,) or its keyframes (k, H, W, 3). Files are mapped, not read, and a shot
is found by arithmetic, so that 33 million keyframes take no memory but their films' row counts.
"""
# M movies, S shots in all

import tokenize
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.files import replacing

_MAX_MAPPED = 256


class ShotArrays:
    """The rows of a folder's films, addressed by film and shot or by one running number."""

    def __init__(self, folder: str | Path, movies: Sequence[str] | None = None) -> None:
        """Open a folder of ``<movie>.npy``; of the films named, or of all, by name.

        Raises:
            DatasetError: The folder holds no film, or a file is no array of shots, is cut short, or
                differs in kind from the others.
        """
        self.folder = Path(folder)
        if movies is None:
            movies = sorted(path.stem for path in self.folder.glob("*.npy"))
        if not movies:
            raise DatasetError(f"{self.folder} holds no film; it should hold one .npy file a film")
        self.movies = tuple(movies)
        counts, self._data_at = np.zeros((2, len(movies)), np.int64)
        for index in range(len(movies)):
            shape, dtype, self._data_at[index] = _read_header(self._path(index))
            counts[index] = shape[0]
            if index == 0:
                self.row_shape, self.dtype = shape[1:], dtype
            if (shape[1:], dtype) != (self.row_shape, self.dtype):
                raise DatasetError(
                    f"{self._path(index)} holds rows of {shape[1:]} {dtype}, and "
                    f"{self._path(0)} of {self.row_shape} {self.dtype}; all films must be alike"
                )
        self.offsets: IntArray = np.concatenate([[0], np.cumsum(counts)])
        self._mapped: OrderedDict[int, npt.NDArray[Any]] = OrderedDict()

    @property
    def num_shots(self) -> int:
        """Number of shots in all, S."""
        return int(self.offsets[-1])

    def num_shots_of(self, movie: int) -> int:
        """Number of shots of the film at an index."""
        return int(self.offsets[movie + 1] - self.offsets[movie])

    def movie_of(self, rows: IntArray) -> IntArray:
        """Return the index of the film each running number belongs to."""
        return np.searchsorted(self.offsets, rows, side="right") - 1

    def movie(self, index: int) -> npt.NDArray[Any]:
        """Return all rows of a film, mapped from its file."""
        if index not in self._mapped:
            shape, at = (self.num_shots_of(index), *self.row_shape), int(self._data_at[index])
            self._mapped[index] = np.memmap(self._path(index), self.dtype, "r", at, shape)
            if len(self._mapped) > _MAX_MAPPED:
                self._mapped.popitem(last=False)
        self._mapped.move_to_end(index)
        return self._mapped[index]

    def scenes(self, first_rows: IntArray, num_shots: int) -> npt.NDArray[Any]:
        """Return runs of consecutive shots, shape (N, num_shots, …), by their first numbers."""
        movies = self.movie_of(first_rows)
        starts = first_rows - self.offsets[movies]
        out = np.empty((len(first_rows), num_shots, *self.row_shape), self.dtype)
        for place, (movie, start) in enumerate(zip(movies.tolist(), starts.tolist(), strict=True)):
            out[place] = self.movie(movie)[start : start + num_shots]
        return out

    def shots(self, rows: IntArray) -> npt.NDArray[Any]:
        """Return the rows of these running numbers, shape (N, …)."""
        taken: npt.NDArray[Any] = self.scenes(rows, 1)[:, 0]
        return taken

    def _path(self, index: int) -> Path:
        return self.folder / f"{self.movies[index]}.npy"


def are_shots(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Return whether rows are feature vectors, or keyframes as they are shown to a network."""
    if 0 in shape or not dtype.isnative:
        return False
    if dtype == np.uint8:
        return len(shape) == 5 and shape[2] == shape[3] and shape[4] == 3
    return len(shape) == 2 and dtype in (np.float16, np.float32)


def write_movie(folder: Path, movie: str, rows: npt.NDArray[Any]) -> None:
    """Write a film's rows, whole or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    with replacing(folder / f"{movie}.npy") as partial, partial.open("wb") as file:
        np.save(file, np.ascontiguousarray(rows), allow_pickle=False)


def _read_header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Return the shape and type of a film's rows, and the byte that they start at."""
    try:
        with path.open("rb") as file:
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
            shape, by_column, dtype = read[npy.read_magic(file)](file)
            at, size_bytes = file.tell(), path.stat().st_size
    except (OSError, ValueError, KeyError, EOFError, SyntaxError, tokenize.TokenError) as error:
        raise DatasetError(f"{path} is not a .npy file of one film's shots ({error})") from error
    if not are_shots(shape, dtype) or by_column:
        raise DatasetError(
            f"{path} holds {dtype.str} {shape}; it must hold one row a shot, in C order and this "
            "machine's byte order: a vector of float16 or float32, or square keyframes "
            "(k, H, W, 3) of uint8"
        )
    if size_bytes < at + int(np.prod(shape)) * dtype.itemsize:
        raise DatasetError(f"{path} is cut short: {size_bytes} bytes do not hold {shape} {dtype}")
    return shape, dtype, at
