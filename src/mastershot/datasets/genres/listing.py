"""Lists of trailers: what is known of each before its file is decoded, and whose file it is.

A list is a CSV with the column ``genres``, whose names stand between ``|`` or ``;``, and with
``file`` or ``id``, or both; ``title``, ``year``, ``split``, ``synopsis`` and ``keywords`` may be
there. Without a list, each genre is a folder of trailers.
"""

import csv
import filecmp
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.core.files import written_whole
from mastershot.core.text import utf8_text
from mastershot.datasets.files import Row, read_table, require_columns
from mastershot.datasets.genres.table import SPLITS

_WHAT = "list of trailers"
_COLUMNS = ("id", "file", "title", "year", "split", "genres", "synopsis", "keywords")
_SPLIT_NAMES = {name: name for name in SPLITS} | {"valid": "val", "validation": "val"}


@dataclass(frozen=True)
class ListedTrailer:
    """What is known of a trailer.

    Attributes:
        id: Unique in its list.
        file: Its file, as the list has it; empty where only the id says which it is.
        genres: Its genres; empty where nobody stated them.
        title: Its title; may be empty.
        year: Year of release, where known.
        split: One of `SPLITS`, or empty.
        synopsis: What it is about; may be empty.
        keywords: Words about it; may be empty.
    """

    id: str
    file: str = ""
    genres: tuple[str, ...] = ()
    title: str = ""
    year: int | None = None
    split: str = ""
    synopsis: str = ""
    keywords: str = ""


def read_listing(path: Path) -> tuple[ListedTrailer, ...]:
    """Return the trailers of a CSV, in file order.

    A genre that is spelled with other capitals elsewhere is spelled as where it first stands.

    Raises:
        DatasetError: The file cannot be read, a column or an id is missing, an id stands twice, or
            a year or split is none.
    """
    rows = read_table(path, ("genres",), what=_WHAT)
    if rows:
        require_columns(() if "file" in rows[0] else ("id",), [*rows[0]], f"{_WHAT} {path}")
    found: dict[str, ListedTrailer] = {}
    for row in rows:
        one = _trailer(row)
        if one.id in found:
            raise row.error(f"id {one.id!r} is not the first of its kind; ids are unique")
        found[one.id] = one
    return with_equal_spelling(path, found.values())


def with_equal_spelling(
    source: Path, trailers: Iterable[ListedTrailer]
) -> tuple[ListedTrailer, ...]:
    """Return trailers whose genres are spelled as where each first stands.

    Raises:
        DatasetError: There is no trailer, or none has a genre.
    """
    spelled: dict[str, str] = {}
    result = []
    for one in trailers:
        genres = [spelled.setdefault(name.casefold(), name) for name in one.genres]
        result.append(replace(one, genres=tuple(dict.fromkeys(genres))))
    if not spelled:
        raise DatasetError(f"{_WHAT} {source} states no genre of any trailer")
    return tuple(result)


def _trailer(row: Row) -> ListedTrailer:
    def text(column: str) -> str:
        return " ".join(row.get(column, "").split())

    file = row.get("file", "").strip()
    name = text("id") or Path(file).stem
    require_id(name, row)
    split = text("split").casefold()
    if split and split not in _SPLIT_NAMES:
        raise row.error(f"split {row['split']!r} is none of {', '.join(SPLITS)}")
    year = row.whole("year") if text("year") else None
    return ListedTrailer(
        name, file, genre_names(row["genres"]), text("title"), year, _SPLIT_NAMES.get(split, ""),
        text("synopsis"), text("keywords"),
    )  # fmt: skip


def require_id(name: str, row: Row) -> None:
    """Raise `DatasetError` unless a name can be an id: text on one line."""
    if not name or utf8_text(name) != name or len(name.splitlines()) != 1:
        raise row.error(f"{name!a} is no id of a trailer; it is text on one line")


def genre_names(text: str) -> tuple[str, ...]:
    """Return the genres of a text, which stand between ``|`` or ``;``."""
    names = (" ".join(name.split()) for name in re.split(r"[|;]", text))
    return tuple(dict.fromkeys(filter(None, names)))


def folders_of_genres(folder: Path, films: Sequence[Path]) -> tuple[ListedTrailer, ...]:
    """Return the trailers of a folder that holds one folder a genre.

    A file that lies in several of them, byte by byte, is one trailer of several genres.

    Raises:
        DatasetError: A film lies in no genre's folder, two films of one name are not the same, or a
            name cannot be held in a data set.
    """
    found: dict[str, ListedTrailer] = {}
    for film in films:
        place = film.relative_to(folder)
        if len(place.parts) < 2:
            raise DatasetError(
                f"{film} lies in no genre's folder; name a list of trailers, or put each trailer "
                "into a folder of its genre's name"
            )
        genre, name = place.parts[0], film.stem
        if any(utf8_text(text) != text or len(text.splitlines()) != 1 for text in (genre, name)):
            raise DatasetError(f"{str(film)!a} has a name that no data set can hold; rename it")
        before = found.setdefault(name, ListedTrailer(name, str(place)))
        other = folder / before.file
        if other != film and not filecmp.cmp(other, film, shallow=False):
            raise DatasetError(f"{other} and {film} have one name and are not the same; rename one")
        genres = dict.fromkeys((*before.genres, *genre_names(genre)))
        found[name] = replace(before, genres=tuple(genres))
    return with_equal_spelling(folder, found.values())


def write_listing(path: Path, trailers: Iterable[ListedTrailer]) -> None:
    """Write trailers as a CSV that `read_listing` reads.

    Raises:
        OutputError: It cannot be written.
    """
    with written_whole(path, newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS)
        for one in trailers:
            year = "" if one.year is None else one.year
            table.writerow([one.id, one.file, one.title, year, one.split, "|".join(one.genres),
                            one.synopsis, one.keywords])  # fmt: skip


def write_words(path: Path, words: Mapping[str, str]) -> None:
    """Write the words about each trailer, by id, as a CSV with the columns ``id`` and ``text``.

    Raises:
        OutputError: It cannot be written.
    """
    with written_whole(path, newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("id", "text"))
        table.writerows(words.items())


def read_words(path: Path) -> dict[str, str]:
    """Return the words about each trailer, by id, as `write_words` wrote them.

    Raises:
        DatasetError: The file cannot be read.
    """
    rows = read_table(path, ("id", "text"), what="words about trailers")
    return {row["id"]: row["text"] for row in rows}
