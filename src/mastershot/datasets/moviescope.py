"""Moviescope: trailers of 13 genres (Cascante-Bonilla et al., arXiv 1908.03180).

The layout is what public code that reads the release agrees on; the release itself was not at hand.
``raw_data_train.p``, ``raw_data_val.p`` and ``raw_data_test.p`` are Python 2 pickles of a list with
one mapping a film: ``movie_id`` (the row of ``movie_metadata.csv``, from 0, which also names the
trailer's file), ``plot``, and ``newGenreLabels``, 13 digits 0 or 1 in the order of `GENRES`.
"""

import pickle
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
        try:
            item, digits = str(film["movie_id"]), [int(one) for one in film["newGenreLabels"]]
        except (TypeError, KeyError, ValueError) as error:
            raise DatasetError(
                f"{where}: it should have a movie_id, and newGenreLabels of digits"
            ) from error
        if len(digits) != len(GENRES) or not {0, 1}.issuperset(digits):
            raise DatasetError(f"{where}: newGenreLabels should be {len(GENRES)} digits 0 or 1")
        if item in genres:
            raise DatasetError(f"{where}: movie {item} stands there twice")
        genres[item] = digits
    return VideoLabels(tuple(genres), tuple(genres), np.array([*genres.values()], bool), GENRES)


def _plain_pickle(path: Path) -> Any:
    """Return the value of a pickle of lists, mappings, text and numbers; no code of it is run."""
    with reporting_errors(DatasetError, f"{_WHAT} {path} cannot be read"), path.open("rb") as file:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{_WHAT} {path} has more than {_MAX_BYTES:,} bytes")
        try:
            return _PlainUnpickler(file, encoding="latin1").load()
        except (pickle.UnpicklingError, EOFError, LookupError, TypeError, AttributeError) as error:
            raise DatasetError(f"{_WHAT} {path} is no pickle of plain values: {error}") from error


class _PlainUnpickler(pickle.Unpickler):
    """Refuses every class and function, and with them any code."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}")
