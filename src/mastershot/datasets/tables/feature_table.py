"""Features of items (films, trailers, shots) as a folder: one or several vectors an item.

``features.json`` describes it, ``items.csv`` has the column ``item`` and in ``rows`` how many
vectors each has, and ``vectors.npy`` holds them one after the other, float16 or float32. Opening
such a folder reads no vector, so that a large one costs no memory.
"""
# N items, R vectors, D width of a vector

import csv
import functools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import reporting_errors
from mastershot.datasets.files import by_key, read_table, read_text

SCHEMA = "mastershot/features/1"
_ABOUT, _ITEMS, _VECTORS = "features.json", "items.csv", "vectors.npy"
_TYPES: Mapping[str, np.dtype[Any]] = {
    "float16": np.dtype(np.float16),
    "float32": np.dtype(np.float32),
}


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Vectors of items, in the file until they are asked for.

    Attributes:
        folder: Where it is, for messages.
        items: Name of each item, shape (N,).
        starts: Row where each item begins, and the end of the last one, shape (N + 1,).
        vectors: All vectors, shape (R, D), float16 or float32, mapped from the file.
        made_by: What made it.
    """

    folder: Path
    items: tuple[str, ...]
    starts: IntArray
    vectors: npt.NDArray[np.floating[Any]]
    made_by: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def width(self) -> int:
        """D, the width of a vector."""
        return int(self.vectors.shape[1])

    def rows(self, place: int, most: int | None = None) -> FloatArray:
        """Return the vectors of an item in order, all or at most so many, shape (rows, D).

        Raises:
            DatasetError: One is not of finite numbers.
        """
        first, end = self.starts[place : place + 2]
        found = np.array(self.vectors[first:end][:most], np.float32)
        if not np.isfinite(found).all():
            raise DatasetError(
                f"features {self.folder}: vectors of item {self.items[place]!r} are not finite "
                "numbers"
            )
        return found

    def means(self, places: IntArray | None = None) -> FloatArray:
        """Return the mean vector of each item, or of those at places, shape (items, D).

        Raises:
            DatasetError: A vector of one is not of finite numbers.
        """
        wanted = range(len(self)) if places is None else places.tolist()
        means = np.empty((len(wanted), self.width), np.float32)
        for row, place in enumerate(wanted):
            means[row] = self.rows(place).mean(axis=0, dtype=np.float64)
        return means

    def find(self, items: Iterable[str]) -> IntArray:
        """Return where these items are, shape (M,); -1 for those that are not there."""
        return np.array([self._place_of.get(item, -1) for item in items], np.int64)

    def places(self, items: Sequence[str], *, what: str) -> IntArray:
        """Return where these items are, shape (M,).

        Args:
            items: Names.
            what: What they are, for the message.

        Raises:
            DatasetError: Some are missing.
        """
        places = self.find(items)
        missing = np.flatnonzero(places < 0)
        if len(missing):
            raise DatasetError(
                f"features {self.folder} lack {len(missing)} of {len(items)} {what}, the first "
                f"{items[int(missing[0])]!r}"
            )
        return places

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.items)}


AddItem = Callable[[str, npt.NDArray[Any]], None]
"""Adds an item: its name and its vectors, shape (rows, D)."""


@contextmanager
def writing_features(
    folder: str | Path, *, width: int, dtype: str = "float16", made_by: Mapping[str, Any]
) -> Iterator[AddItem]:
    """Yield what adds an item to a new table of features, which takes its name when all is written.

    Args:
        folder: Where it goes.
        width: D.
        dtype: ``float16`` or ``float32``, of the file.
        made_by: What makes it, ready for JSON.

    Raises:
        OutputError: Something has this name already, the folder cannot be written, or no item was
            added.
        DatasetError: An item is named twice or not at all, or its vectors are none, of another
            width, or not finite in this precision.
    """
    folder = Path(folder)
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    if folder.exists():
        raise OutputError(f"{folder} exists already; name another folder for the features")
    reporting = functools.partial(
        reporting_errors, OutputError, f"features {folder} cannot be written"
    )
    with ExitStack() as leftovers:
        leftovers.callback(rmtree, partial, ignore_errors=True)
        with reporting():
            rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            file = leftovers.enter_context(_closed_quietly((partial / _VECTORS).open("wb")))
            writer = _Writer(file, width, _TYPES[dtype])
            writer.put_header()

        def add(item: str, vectors: npt.NDArray[Any]) -> None:
            rows = writer.checked(item, vectors)
            with reporting():
                writer.put(item, rows)

        yield add
        if not writer.num_rows:
            raise OutputError(f"features {folder} would be empty; add an item")
        with reporting():
            writer.put_header()
            file.close()
            _write_items(partial / _ITEMS, writer.num_rows)
            _write_about(partial / _ABOUT, made_by)
            partial.rename(folder)


def read_features(folder: str | Path) -> FeatureTable:
    """Return a table of features; its vectors stay in the file.

    Raises:
        DatasetError: The folder does not hold a whole table of features.
    """
    folder = Path(folder)
    what = "features"
    if not (folder / _ABOUT).is_file():
        raise DatasetError(f"features {folder} have no {_ABOUT}; it is no folder of features")
    try:
        about = json.loads(read_text(folder / _ABOUT, what=what))
        schema, made_by = about["schema"], dict(about["made_by"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(f"{folder / _ABOUT} does not describe features") from error
    if schema != SCHEMA:
        raise DatasetError(f"{folder / _ABOUT} is of schema {schema!r}, not {SCHEMA}")
    rows = by_key(
        read_table(folder / _ITEMS, ("item", "rows"), what="items"), lambda row: row["item"]
    )
    lengths = [row.whole("rows", least=1) for row in rows.values()]
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    vectors = _open_vectors(folder / _VECTORS)
    if len(vectors) != starts[-1] or not len(vectors):
        raise DatasetError(
            f"features {folder} are damaged: {_ITEMS} counts {starts[-1]} vectors, {_VECTORS} "
            f"holds {len(vectors)}"
        )
    return FeatureTable(folder, tuple(rows), starts, vectors, made_by)


def _open_vectors(path: Path) -> npt.NDArray[np.floating[Any]]:
    with reporting_errors(DatasetError, f"features {path} cannot be read"):
        size = path.stat().st_size
        if not size:
            raise DatasetError(f"features {path} are empty")
        vectors: npt.NDArray[np.floating[Any]] = np.load(path, mmap_mode="r", allow_pickle=False)
    if vectors.ndim != 2 or vectors.dtype not in _TYPES.values() or not vectors.shape[1]:
        raise DatasetError(
            f"features {path} are of shape {vectors.shape} and type {vectors.dtype}; they should "
            "be rows of float16 or float32"
        )
    assert isinstance(vectors, np.memmap)
    if size != vectors.offset + vectors.nbytes:
        raise DatasetError(f"features {path} have {size} bytes, not what their header says")
    return vectors


@contextmanager
def _closed_quietly(file: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a file that is closed when another error is on its way: one at closing is left out."""
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


def _write_about(path: Path, made_by: Mapping[str, Any]) -> None:
    about = {"schema": SCHEMA, "made_by": dict(made_by)}
    path.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _write_items(path: Path, num_rows: Mapping[str, int]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["item", "rows"])
        rows.writerows(num_rows.items())


class _Writer:
    """Puts vectors into a file, whose header is written again once their number is known."""

    def __init__(self, file: BinaryIO, width: int, dtype: np.dtype[Any]) -> None:
        self.file, self._width, self._dtype = file, width, dtype
        self.num_rows: dict[str, int] = {}

    def put_header(self) -> None:
        """Write the header for the vectors so far at the start of the file.

        NumPy leaves room in it for the first axis to grow, so its length stays the same.
        """
        self.file.seek(0)
        shape = (sum(self.num_rows.values()), self._width)
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.file, header)

    def checked(self, item: str, vectors: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the vectors of an item as they are written; see `writing_features`."""
        rows = np.asarray(vectors)
        where = f"vectors of item {item!r}"
        if not item or item in self.num_rows:
            raise DatasetError(f"{where}: an item must have a name of its own")
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != self._width:
            raise DatasetError(
                f"{where} are of shape {rows.shape}; they should be one or more of {self._width}"
            )
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(rows, self._dtype)
        if not np.isfinite(rows).all():
            raise DatasetError(f"{where} are not finite numbers as {self._dtype}")
        return rows

    def put(self, item: str, rows: npt.NDArray[Any]) -> None:
        """Write the vectors of an item."""
        self.num_rows[item] = len(rows)
        self.file.write(rows.tobytes())
