"""Which shots of a library a search may find: by setting, time, scale, people and genre."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import LibraryError, SettingError
from mastershot.core.movie import SCALES
from mastershot.store.library import Library as FilmStore
from mastershot.store.library import LibraryMovie
from mastershot.store.reading import StoredTraits, steps_of_runs, stored_genres, stored_traits

_CHOICES = {"setting": ("INT", "EXT"), "time": ("DAY", "NIGHT"), "scale": SCALES}
_STEPS = {
    "setting": ("headings",),
    "time": ("headings",),
    "heading": ("scenes", "headings"),
    "scale": ("scale",),
    "people": ("people",),
    "genre": ("genres",),
}
"""The steps of an analysis that find out what a filter asks for."""


@dataclass(frozen=True)
class ShotFilter:
    """What the shots that a search may find have in common; None asks for nothing.

    Only what is sure counts: a shot whose setting is unsure is neither indoors nor outdoors.

    Attributes:
        setting: ``INT`` or ``EXT``, in capitals or not.
        time: ``DAY`` or ``NIGHT`` likewise.
        heading: Words that the heading of the shot's scene holds, as in ``INT. KITCHEN``.
        scale: The likeliest scale, one of `SCALES`, in capitals or not.
        people: How many are seen in one frame, faces or persons, whichever are more: ``2`` for
            exactly two, ``2+`` for two or more.
        genre: One that the shot's film is given, in capitals or not.

    Raises:
        SettingError: A value is none of these.
    """

    setting: str | None = None
    time: str | None = None
    heading: str | None = None
    scale: str | None = None
    people: str | int | None = None
    genre: str | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, str) or value.upper() not in choices:
                raise SettingError(f"{name} {value!r:.60} is unknown; {_one_of(value, choices)}")
            object.__setattr__(self, name, value.upper())
        if self.heading is not None and not any(letter.isalnum() for letter in self.heading):
            raise SettingError(f"heading {self.heading!r:.60} has no words; give some, as in INT")
        if self.genre is not None and (not isinstance(self.genre, str) or not self.genre.strip()):
            raise SettingError(f"genre {self.genre!r:.60} is no name; give one, as in Horror")
        if self.people is not None:
            number = str(self.people).removesuffix("+")
            if isinstance(self.people, bool) or not (number.isascii() and number.isdigit()):
                raise SettingError(
                    f"people is {self.people!r:.60}; give a number, or 2+ for two or more"
                )

    @property
    def asked(self) -> list[str]:
        """The names of what is asked for."""
        return [one.name for one in fields(self) if getattr(self, one.name) is not None]

    def takes(self, shot: StoredTraits) -> bool:
        """Return True if a shot has all that is asked for, but for the genre of its film."""
        return (
            self.setting in (None, shot.setting)
            and self.time in (None, shot.time_of_day)
            and self.scale in (None, shot.scale)
            and (self.heading is None or _holds(shot.heading, self.heading))
            and (self.people is None or _counts(shot.people, str(self.people)))
        )


@dataclass(frozen=True)
class Chosen:
    """The shots that a filter takes.

    Attributes:
        shots: Their indices in each film, ascending, by the id of the film's run.
        notes: Sentences on films that could not be asked.
    """

    shots: Mapping[str, IntArray]
    notes: tuple[str, ...]


def choose_shots(store: FilmStore, films: Collection[LibraryMovie], wanted: ShotFilter) -> Chosen:
    """Return the shots of these films that a filter takes.

    Raises:
        LibraryError: No film can be asked, or the library cannot be read.
        SettingError: The genre is none of those that the library's films were asked for.
    """
    found: dict[str, list[int]] = {}
    indexed: set[str] = set()
    for shot in stored_traits(store.tables):
        indexed.add(shot.run_id)
        if wanted.takes(shot):
            found.setdefault(shot.run_id, []).append(shot.index)
    notes = _not_asked(store, films, wanted, indexed)
    runs = {film.run_id for film in films}
    if wanted.genre is not None:
        runs &= _runs_of_genre(store, wanted.genre)
    return Chosen(
        {run: np.sort(np.array(shots)) for run, shots in found.items() if run in runs}, notes
    )


def _runs_of_genre(store: FilmStore, genre: str) -> set[str]:
    """Return the runs whose film is given a genre, whatever its capitals."""
    known = stored_genres(store.tables)
    same = [name for name in known if name.casefold() == genre.strip().casefold()]
    if known and not same:
        close = get_close_matches(genre, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise SettingError(
            f"genre {genre!r:.60} is unknown; {hint}films of library {store.path} were asked for "
            f"{', '.join(sorted(known))}"
        )
    return set().union(*(known[name] for name in same))


def _not_asked(
    store: FilmStore, films: Collection[LibraryMovie], wanted: ShotFilter, indexed: Collection[str]
) -> tuple[str, ...]:
    """Return which films cannot be asked, and what makes up for it.

    Raises:
        LibraryError: That is all of them.
    """
    steps = steps_of_runs(store.tables)
    needed = list(dict.fromkeys(step for name in wanted.asked for step in _STEPS[name]))
    older = sum(film.run_id not in indexed for film in films)
    lacking = sum(
        film.run_id in indexed and not set(needed) <= steps.get(film.run_id, set())
        for film in films
    )
    parts = []
    if older:
        parts.append(
            f"{older:,} of {len(films):,} films, added before settings, times of day, scales and "
            f"people were kept for searching; `mastershot library repair --library {store.path}` "
            "makes up for it"
        )
    if lacking:
        model = " --genres RUN" if "genres" in needed else ""
        parts.append(
            f"{lacking:,} of {len(films):,} films, analysed without {' and '.join(needed)}; "
            f"`mastershot library add FILM --library {store.path}{model}` makes up for it"
        )
    if parts and older + lacking == len(films):
        asked = ", ".join(f"--{name}" for name in wanted.asked)
        raise LibraryError(f"no film can be searched by {asked}: {'; '.join(parts)}")
    return tuple(f"not searched: {part}" for part in parts)


def _holds(heading: str | None, words: str) -> bool:
    """Return True if a heading has the words, as whole words in this order."""
    if heading is None:
        return False
    return f" {' '.join(_words(words))} " in f" {' '.join(_words(heading))} "


def _words(text: str) -> list[str]:
    return "".join(one if one.isalnum() else " " for one in text.casefold()).split()


def _counts(people: int | None, wanted: str) -> bool:
    number = int(wanted.removesuffix("+"))
    return people is not None and (people >= number if wanted.endswith("+") else people == number)


def _one_of(value: object, choices: Collection[str]) -> str:
    close = get_close_matches(str(value).upper(), choices, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}use {', '.join(choices)}"
