"""Which film a name means: one rule for commands, viewing logs and metadata."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from unicodedata import normalize

from mastershot.core.text import printable

SHORT_ID_DIGITS = 8
"""In a log or a table, so many digits are the start of an id; fewer may be any number."""


@dataclass(frozen=True)
class NamedFilm:
    """What a film is called.

    Attributes:
        id: Its id.
        paths: Its file, as the user named it and as an absolute path; none where it has no file.
    """

    id: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Meant:
    """What the names in a log or a table mean.

    Attributes:
        film: Each name that means one film, and the film's place.
        by_start: Those among them that are the mere start of a name of their film.
        ambiguous: Names that may mean several films, or one film that another name may mean too.
    """

    film: dict[str, int]
    by_start: tuple[str, ...]
    ambiguous: tuple[str, ...]


class FilmNames:
    """Finds films by what people call them.

    A name means the film whose id it is; else whose path; else whose file name; else whose stem
    (the file name without its suffix); else those of whose id, path or file name it is the start.
    The first of these that fits any film decides.

    Case counts. Accents may be composed or not (NFC, NFD), and what cannot be seen may be written
    out as `printable` shows it; if only then several films fit, one that is spelled exactly so is
    meant. Signs such as ``*`` stand for themselves. A name of blanks alone is the start of nothing.
    """

    def __init__(self, films: Iterable[NamedFilm]) -> None:
        self._films = tuple(films)
        paths = [[Path(path) for path in film.paths] for film in self._films]
        self._ids = _index([film.id] for film in self._films)
        self._paths = _index(film.paths for film in self._films)
        self._files = _index([path.name for path in own] for own in paths)
        self._stems = _index([path.stem for path in own] for own in paths)

    def places(self, name: str, *, absolute: str = "") -> list[int]:
        """Return the places of the films that a name means: none, one, or several.

        Args:
            name: The name.
            absolute: The absolute path that it is if it is that of a file.
        """
        return self.exact(name, absolute) or self._started(name)

    def meant(self, names: Iterable[str]) -> Meant:
        """Return what the names in a log or a table mean, where no user can be asked.

        The start of a name then counts only for a film that none of the names means in full, and
        only if no other name is one; the start of an id has at least `SHORT_ID_DIGITS` digits.
        """
        film: dict[str, int] = {}
        ambiguous: list[str] = []
        started: dict[int, list[str]] = {}
        for name in dict.fromkeys(names):
            exact = self.exact(name)
            found = exact or self._started(name, with_ids=len(name) >= SHORT_ID_DIGITS)
            if len(found) > 1:
                ambiguous.append(name)
            elif exact:
                film[name] = exact[0]
            elif found:
                started.setdefault(found[0], []).append(name)
        for place in set(film.values()):
            started.pop(place, None)
        alone = {alike[0]: place for place, alike in started.items() if len(alike) == 1}
        ambiguous += [name for alike in started.values() if len(alike) > 1 for name in alike]
        return Meant(film | alone, tuple(alone), tuple(ambiguous))

    def close_to(self, name: str) -> list[str]:
        """Return up to three names that it may have been meant for, the closest first."""
        shown = (*self._files, *self._stems, *self._ids)
        folded = {text.casefold(): text for text in reversed(shown)}
        return [folded[text] for text in get_close_matches(_key(name).casefold(), folded, n=3)]

    def exact(self, name: str, absolute: str = "") -> list[int]:
        """Return the places of the films that have this name in full; see `places`."""
        key = _key(name)
        paths = [*self._paths.get(key, ()), *self._paths.get(_key(absolute), ())]
        for found in (self._ids.get(key), paths, self._files.get(key), self._stems.get(key)):
            if found:
                return self._as_spelled(sorted(set(found)), {name, absolute})
        return []

    def _as_spelled(self, places: list[int], names: set[str]) -> list[int]:
        """Return of several films the one that is spelled exactly so, else all of them."""
        if len(places) == 1:
            return places
        same = [place for place in places if names & set(_spellings(self._films[place]))]
        return same if len(same) == 1 else places

    def _started(self, name: str, *, with_ids: bool = True) -> list[int]:
        """Return the films that have a name which starts so."""
        key = _key(name)
        if not key.strip():
            return []
        lists = self._sorted[: 1 + with_ids]
        return sorted({place for keys in lists for place in _with_start(keys, key)})

    @cached_property
    def _sorted(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        """Each path and file name, and each id, with each of its films."""
        return _pairs(self._paths, self._files), _pairs(self._ids)


def _key(text: str) -> str:
    """Return what two spellings of one name have in common."""
    return text if text.isascii() and text.isprintable() else normalize("NFC", printable(text))


def _index(names: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    """Return the places of the films that have each name, from the names of each film."""
    places: dict[str, list[int]] = {}
    for place, texts in enumerate(names):
        for key in {_key(text) for text in texts if text}:
            places.setdefault(key, []).append(place)
    return places


def _spellings(film: NamedFilm) -> Iterator[str]:
    yield film.id
    for path in film.paths:
        yield from (path, Path(path).name, Path(path).stem)


def _pairs(*names: dict[str, list[int]]) -> list[tuple[str, int]]:
    """Return each name with each of its films, sorted."""
    return sorted((key, at) for one in names for key, places in one.items() for at in places)


def _with_start(pairs: list[tuple[str, int]], start: str) -> Iterator[int]:
    """Yield the films of the names that start so."""
    for number in range(bisect_left(pairs, (start,)), len(pairs)):
        if not pairs[number][0].startswith(start):
            return
        yield pairs[number][1]
