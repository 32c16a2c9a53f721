"""Embeddings of trailers that a training of genres leaves beside its model."""
# T trailers, D width, E experts

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.files import read_arrays

EMBEDDINGS = "embeddings.npz"

_ARRAYS = ("coarse", "fine", "opened", "trailers")
_STATED = ("experts", "titles", "files")


@dataclass(frozen=True, eq=False)
class RunEmbeddings:
    """What a training run has made of trailers.

    Attributes:
        path: The file.
        coarse: The bottleneck before the fine-grained stage, (T, D).
        fine: The bottleneck after it, (T, D).
        opened: How far each expert's gate was open, (T, E).
        trailers: The trailers' ids, T.
        experts: The experts' names, where the file states them.
        titles: The trailers' titles, T, empty where one has none, where the file states them.
        files: Digests of the trailers' files likewise; equal files are one film.
    """

    path: Path
    coarse: FloatArray
    fine: FloatArray
    opened: FloatArray
    trailers: tuple[str, ...]
    experts: tuple[str, ...] | None = None
    titles: tuple[str, ...] | None = None
    files: tuple[str, ...] | None = None


def read_embeddings(run: Path) -> RunEmbeddings:
    """Return the embeddings of a run's folder.

    Raises:
        DatasetError: They are missing, damaged, or of shapes that contradict each other.
    """
    path = run / EMBEDDINGS
    what = f"embeddings of trailers {path}"
    arrays = read_arrays(path, what="embeddings of trailers", names=(*_ARRAYS, *_STATED))
    if missing := [name for name in _ARRAYS if name not in arrays]:
        raise DatasetError(
            f"{what} have no array {missing[0]!r}; they should have {', '.join(_ARRAYS)}"
        )
    ids = arrays["trailers"]
    if ids.ndim != 1 or ids.dtype.kind != "U":
        raise DatasetError(f"{what}: trailers should be a row of texts, not {_shape(ids)}")
    for name in ("coarse", "fine", "opened"):
        one = arrays[name]
        if one.ndim != 2 or len(one) != len(ids) or one.dtype.kind != "f" or not one.shape[1]:
            raise DatasetError(
                f"{what}: {name} is {_shape(one)}; for {len(ids):,} trailers it should be numbers "
                f"of shape ({len(ids)}, …)"
            )
    for name in ("titles", "files"):
        if name in arrays and (arrays[name].shape != ids.shape or arrays[name].dtype.kind != "U"):
            raise DatasetError(
                f"{what}: {name} should be {len(ids):,} texts, not {_shape(arrays[name])}"
            )
    stated = {name: tuple(map(str, arrays[name].ravel())) for name in _STATED if name in arrays}
    coarse, fine, opened = (arrays[name].astype(np.float32) for name in _ARRAYS[:3])
    return RunEmbeddings(path, coarse, fine, opened, tuple(map(str, ids)), **stated)


def _shape(array: npt.NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"
