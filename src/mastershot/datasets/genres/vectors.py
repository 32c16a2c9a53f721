"""Vectors of trailers that were computed elsewhere: a folder an expert, in it a file a trailer.

The layout is ours: ``experts/<expert>/<id>.npy``, or ``.pt`` with one plain tensor, or ``.p``,
``.pkl`` or ``.pickle`` with plain lists of numbers. A file holds one row a clip, (N, D); in pieces
(N, P, D); or (D,), which is a trailer of one clip. NaN says that there is nothing of a clip.
"""
# N clips, P pieces of a clip, D width

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.core.files import failure_reason
from mastershot.datasets.genres.table import EXPERTS, Expert
from mastershot.datasets.pickles import plain_pickle

ReadTensor: TypeAlias = Callable[[Path], "np.ndarray[Any, Any]"]
"""Reads the one plain tensor of a file that torch saved."""
SUFFIXES = (".npy", ".pt", ".pth", ".p", ".pkl", ".pickle")


@dataclass(frozen=True)
class VectorFolder:
    """Where the vectors of trailers are.

    Attributes:
        files: The file of each trailer, by expert and by id.
        experts: The experts, with the width that all of an expert's files have.
        num_clips: Clips of each trailer, by id, which all of its files have.
        read_tensor: Reads a file of torch.
    """

    files: Mapping[str, Mapping[str, Path]]
    experts: tuple[Expert, ...]
    num_clips: Mapping[str, int]
    read_tensor: ReadTensor = field(repr=False)

    def vectors(self, trailer: str) -> dict[str, FloatArray]:
        """Return the vectors of a trailer by expert, (N, D) or (N, P, D), filled up with NaN.

        Raises:
            DatasetError: A file cannot be read.
        """
        found = {}
        for one in self.experts:
            path = self.files[one.name].get(trailer)
            if path is None:
                continue
            rows = read_vectors(path, self.read_tensor)
            if one.pieces:
                filled = np.full((len(rows), *one.shape), np.nan, np.float32)
                filled[:, : rows.shape[1]] = rows
                rows = filled
            found[one.name] = rows
        return found


def find_vectors(folder: Path, ids: Iterable[str], read_tensor: ReadTensor) -> VectorFolder | None:
    """Return the vectors of these trailers below a folder; None if there are none of anything.

    Each file is read once, so that what contradicts itself is found at once.

    Raises:
        DatasetError: A file cannot be read, has another width or form than others of its expert, or
            another number of clips than others of its trailer.
    """
    place, wanted = folder / EXPERTS, list(ids)
    names = sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []
    files, experts, first_of = {}, [], dict[str, tuple[Path, int]]()
    for name in names:
        paths = {one: path for one in wanted if (path := _file(place / name, one)) is not None}
        first: tuple[Path, tuple[int, ...]] | None = None
        pieces = 0
        for trailer, path in paths.items():
            shape = read_vectors(path, read_tensor).shape
            first = first or (path, shape)
            if (len(shape), shape[-1]) != (len(first[1]), first[1][-1]):
                raise DatasetError(
                    f"expert {name}: {path} holds vectors {_form(shape)}, and {first[0]} "
                    f"{_form(first[1])}; all of an expert have one width"
                )
            pieces = max(pieces, shape[1] if len(shape) == 3 else 0)
            other, count = first_of.setdefault(trailer, (path, shape[0]))
            if count != shape[0]:
                raise DatasetError(
                    f"trailer {trailer}: {path} has {shape[0]} clips, and {other} {count}; all "
                    "experts see the same clips"
                )
        if first is not None:
            files[name] = paths
            made = {"from": "vectors computed elsewhere"}
            experts.append(Expert(name, first[1][-1], pieces, made))
    if not experts:
        return None
    counts = {trailer: count for trailer, (_, count) in first_of.items()}
    return VectorFolder(files, tuple(experts), counts, read_tensor)


def read_vectors(path: Path, read_tensor: ReadTensor) -> FloatArray:
    """Return the vectors in a file, float32 (N, D), or (N, P, D) in pieces.

    Raises:
        DatasetError: The file cannot be read, or holds no such numbers.
    """
    if path.suffix == ".npy":
        array = _numpy(path)
    elif path.suffix in (".pt", ".pth"):
        array = read_tensor(path)
    else:
        array = _array_of(plain_pickle(path, what="vectors"), path)
    if array.dtype.kind not in "fiu" or not 1 <= array.ndim <= 3 or 0 in array.shape:
        raise DatasetError(
            f"{path} holds {array.dtype} of shape {array.shape}; vectors of a trailer are numbers "
            "of shape (clips, width), or (clips, pieces, width)"
        )
    with np.errstate(over="ignore"):  # What is too large is found below.
        rows = np.atleast_2d(array).astype(np.float32)
    if np.isinf(rows).any():
        raise DatasetError(f"{path} holds numbers that are infinite; damaged, or too large")
    return rows


def _numpy(path: Path) -> "np.ndarray[Any, Any]":
    try:
        with path.open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except (OSError, ValueError, EOFError, MemoryError, OverflowError) as error:
        raise DatasetError(f"{path} cannot be read: {failure_reason(error)}") from error


def _array_of(value: Any, path: Path) -> "np.ndarray[Any, Any]":
    try:
        with np.errstate(over="ignore"):
            return np.array(value, np.float32)
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{path} holds no lists of numbers that are equally long") from error


def _file(folder: Path, trailer: str) -> Path | None:
    # By names that are there: an id may hold what leads out of the folder.
    if Path(trailer).name != trailer:
        return None
    found = (folder / f"{trailer}{suffix}" for suffix in SUFFIXES)
    return next((path for path in found if path.is_file()), None)


def _form(shape: tuple[int, ...]) -> str:
    return f"of width {shape[-1]}{' in pieces' * (len(shape) == 3)}"
