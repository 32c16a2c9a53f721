"""Moviescope: trailers of 13 genres (Cascante-Bonilla et al., arXiv 1908.03180).

The layout is what public code that reads the release agrees on; the release itself was not at hand.
``raw_data_train.p``, ``raw_data_val.p`` and ``raw_data_test.p`` are Python 2 pickles of a list with
one mapping a film: ``movie_id`` (the row of ``movie_metadata.csv``, from 0, which also names the
trailer's file), ``plot``, and ``newGenreLabels``, 13 digits 0 or 1 in the order of `GENRES`.
"""

from pathlib import Path

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.datasets.pickles import plain_pickle
from mastershot.datasets.video_labels import VideoLabels

GENRES = (
    "action", "animation", "biography", "comedy", "crime", "drama", "family", "fantasy", "horror",
    "mystery", "romance", "sci-fi", "thriller",
)  # fmt: skip
SPLITS = ("train", "val", "test")
_WHAT = "Moviescope split"
_DIGITS = (0, 1, "0", "1")


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
    films = plain_pickle(path, what=_WHAT)
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
