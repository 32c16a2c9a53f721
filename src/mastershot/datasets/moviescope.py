"""Moviescope: trailers of 13 genres (Cascante-Bonilla et al., arXiv 1908.03180).

The layout is what public code that reads the release agrees on; the release itself was not at hand.
``raw_data_train.p``, ``raw_data_val.p`` and ``raw_data_test.p`` are Python 2 pickles of a list with
one mapping a film: ``movie_id`` (the row of ``movie_metadata.csv``, from 0, which also names the
trailer's file), ``plot``, and ``newGenreLabels``, 13 digits 0 or 1 in the order of `GENRES`.
"""

import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.core.files import reporting_errors
from mastershot.datasets.video_labels import VideoLabels

GENRES = (
    "action", "animation", "biography", "comedy", "crime", "drama", "family", "fantasy", "horror",
    "mystery", "romance", "sci-fi", "thriller",
)  # fmt: skip
SPLITS = ("train", "val", "test")
_WHAT = "Moviescope split"
_MAX_BYTES = 1 << 28
_DIGITS = (0, 1, "0", "1")
# Of lists, mappings, text, numbers and None in pickles of every protocol, and c and \x93, which
# name the class that is refused.
_OPERATIONS = "(.0]l}dasueNIJKMLFGSTUVX\x80\x88\x89\x8a\x8c\x94\x95pqrghjc\x93"
_DAMAGED = (
    pickle.UnpicklingError, EOFError, LookupError, TypeError, AttributeError, ValueError,
    OverflowError, MemoryError,
)  # fmt: skip


def split_file(split: str) -> str:
    """Return the name of a split's file."""
    return f"raw_data_{split}.p"


def read_moviescope(folder: str | Path) -> dict[str, VideoLabels]:
    """Return the trailers of each of `SPLITS`, in file order; an item is named by its movie id.

    Raises:
        DatasetError: A file is missing, unreadable or of another layout, or a movie is in two.
    """
    splits = {split: _read_split(Path(folder) / split_file(split)) for split in SPLITS}
    split_of: dict[str, str] = {}
    for split, labels in splits.items():
        for item in labels.items:
            if (other := split_of.setdefault(item, split)) != split:
                raise DatasetError(f"{_WHAT}s in {folder}: movie {item} is in {other} and {split}")
    return splits


def _read_split(path: Path) -> VideoLabels:
    films = _plain_pickle(path)
    if not isinstance(films, list) or not films:
        raise DatasetError(f"{_WHAT} {path} should be a list of one film or more")
    genres: dict[str, list[int]] = {}
    for number, film in enumerate(films, 1):
        where = f"{_WHAT} {path}, film {number}"
        if not isinstance(film, dict) or not isinstance(film.get("movie_id"), int | str):
            raise DatasetError(f"{where}: it should have a movie_id, a number or text")
        item, digits = str(film["movie_id"]), film.get("newGenreLabels")
        # One by one: a digit may be a number or text, and text of two digits is none.
        if (
            not isinstance(digits, list | str)
            or len(digits) != len(GENRES)
            or not all(one in _DIGITS for one in digits)
        ):
            raise DatasetError(f"{where}: newGenreLabels should be {len(GENRES)} digits 0 or 1")
        if item in genres:
            raise DatasetError(f"{where}: movie {item} stands there twice")
        genres[item] = [int(one) for one in digits]
    return VideoLabels(tuple(genres), tuple(genres), np.array([*genres.values()], bool), GENRES)


def _plain_pickle(path: Path) -> Any:
    """Return the value of a pickle of lists, mappings, text and numbers; no code of it is run."""
    with reporting_errors(DatasetError, f"{_WHAT} {path} cannot be read"), path.open("rb") as file:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{_WHAT} {path} has more than {_MAX_BYTES:,} bytes")
        data = file.read()
    try:
        return _PlainUnpickler(BytesIO(data), encoding="latin1").load()
    except _DAMAGED as error:
        reason = str(error) or "it ends too early"
        raise DatasetError(f"{_WHAT} {path} is no pickle of plain values: {reason}") from error


class _Operations(dict[int, Callable[[pickle.Unpickler], None]]):
    def __missing__(self, operation: int) -> NoReturn:
        raise pickle.UnpicklingError(f"it has the operation {chr(operation)!a}")


class _PlainUnpickler(pickle._Unpickler):
    """Refuses every class and function, and with them any code.

    Python's own unpickler, not the one in C: a length or a number that a file claims takes no
    memory there. Tuples are refused, since hashing nested ones ends the interpreter.
    """

    dispatch = _Operations({ord(one): pickle._Unpickler.dispatch[ord(one)] for one in _OPERATIONS})

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}")
