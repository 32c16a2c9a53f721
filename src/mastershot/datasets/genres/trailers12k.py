"""Trailers12k: trailers of 10 genres, with three splits (Montalvo-Lezama et al. 2023).

The release was not at hand. The table's columns are taken as: an id, ``mid`` or another of `_IDS`;
``title``; ``year``; genres, either one column each, 0 or 1, named as in `GENRES`, or a list in
``genres`` or ``genre``; splits, ``split0``, ``split1`` and ``split2``, or one ``split``.
"""

import ast
from collections.abc import Sequence
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.files import Row, by_key, read_table
from mastershot.datasets.genres.listing import (
    ListedTrailer,
    genre_names,
    require_id,
    with_equal_spelling,
)

GENRES = (
    "action", "adventure", "comedy", "crime", "drama", "fantasy", "horror", "romance", "sci-fi",
    "thriller",
)  # fmt: skip
_WHAT = "Trailers12k table"
_IDS = ("mid", "imdb_id", "imdb", "imdbid", "id")
_LISTS = ("genres", "genre")
_SPLITS = {
    "train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "0": "train", "1": "val", "2": "test", "": "",
}  # fmt: skip


def read_trailers12k(source: Path, *, fold: int = 0) -> tuple[ListedTrailer, ...]:
    """Return the trailers of a table, in file order.

    Args:
        source: The CSV, or a folder that holds one.
        fold: Which of the splits is taken, where there are several.

    Raises:
        DatasetError: The table is missing, lacks a column, or holds another value than it should.
    """
    path = _table(source)
    rows = read_table(path, (), what=_WHAT)
    if not rows:
        raise DatasetError(f"{_WHAT} {path} has no row")
    columns = {name.strip().casefold().replace("_", "-"): name for name in rows[0]}
    known = next((columns[one] for one in map(_plain, _IDS) if one in columns), None)
    if known is None:
        raise DatasetError(f"{_WHAT} {path} has no column of ids; it is one of {', '.join(_IDS)}")
    listed = next((columns[one] for one in _LISTS if one in columns), None)
    one_hot = [(name, columns[name]) for name in GENRES if name in columns]
    if listed is None and not one_hot:
        raise DatasetError(
            f"{_WHAT} {path} has neither a column genres nor one of a genre, such as {GENRES[0]}"
        )
    split = columns.get(f"split{fold}", columns.get("split"))
    if split is None and any(name.startswith("split") for name in columns):
        raise DatasetError(f"{_WHAT} {path} has no column split{fold}")
    trailers = []
    for key, row in by_key(rows, lambda row: row[known].strip()).items():
        require_id(key, row)
        genres = _list(row, listed) if listed is not None else _one_hot(row, one_hot)
        year = columns.get("year")
        trailers.append(
            ListedTrailer(
                key,
                "",
                genres,
                " ".join(row.get(columns.get("title", ""), "").split()),
                row.whole(year) if year is not None and row[year].strip() else None,
                "" if split is None else row.read(split, _split, "train, val or test"),
            )
        )
    return with_equal_spelling(path, trailers)


def _plain(name: str) -> str:
    return name.replace("_", "-")


def _table(source: Path) -> Path:
    if not source.is_dir():
        return source
    found = sorted(source.glob("*.csv"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise DatasetError(f"{source} should hold one CSV, the {_WHAT}; it holds {names}")
    return found[0]


def _split(text: str) -> str:
    return _SPLITS[text.strip().casefold()]


def _one_hot(row: Row, columns: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    def convert(text: str) -> bool:
        return {"0": False, "1": True, "0.0": False, "1.0": True}[text.strip()]

    return tuple(name for name, column in columns if row.read(column, convert, "0 or 1"))


def _list(row: Row, column: str) -> tuple[str, ...]:
    def convert(text: str) -> tuple[str, ...]:
        if not text.strip().startswith("["):
            return genre_names(text.replace(",", "|"))
        names = ast.literal_eval(text)
        if not all(isinstance(name, str) for name in names):
            raise TypeError(text)
        return genre_names("|".join(names))

    return row.read(column, convert, "a list of genres")
