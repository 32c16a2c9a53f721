"""Movies that may be learnt from: the library's, without those a benchmark is judged on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mastershot.core.similarity import places_of


@dataclass(frozen=True)
class Guarded:
    """A library's movies after the leakage guard (METHODS D).

    Attributes:
        movies: Those that may be learnt from, in the library's order.
        excluded: Those that the benchmark's validation or test set holds.
        num_unguarded: Kept movies whose id is no IMDb id, so that they cannot be compared.
    """

    movies: tuple[str, ...]
    excluded: tuple[str, ...]
    num_unguarded: int


@dataclass(frozen=True)
class Matched:
    """A library's movies and those that metadata knows, compared by id.

    Attributes:
        movies: Those in both, in the library's order.
        without_metadata: Movies of the library that the metadata lacks.
        not_in_library: Movies of the metadata that the library lacks.
    """

    movies: tuple[str, ...]
    without_metadata: tuple[str, ...]
    not_in_library: tuple[str, ...]


def without_held_out(movies: Sequence[str], held_out: Collection[str]) -> Guarded:
    """Return the movies without those whose IMDb id is held out, such as `lvu.movies_of`.

    Raises:
        MiningError: A movie is named twice.
    """
    places_of(movies)
    numbers = {_number(name) for name in held_out} - {None}
    excluded = tuple(m for m in movies if m in held_out or _number(m) in numbers)
    gone = set(excluded)
    kept = tuple(movie for movie in movies if movie not in gone)
    return Guarded(kept, excluded, sum(_number(movie) is None for movie in kept))


def match_movies(library: Sequence[str], metadata: Sequence[str]) -> Matched:
    """Return which movies a library and its metadata share, and which only one of them has.

    Raises:
        MiningError: Either names a movie twice.
    """
    ours, theirs = places_of(library), places_of(metadata)
    return Matched(
        movies=tuple(movie for movie in library if movie in theirs),
        without_metadata=tuple(movie for movie in library if movie not in theirs),
        not_in_library=tuple(movie for movie in metadata if movie not in ours),
    )


def _number(movie: str) -> int | None:
    """Return the number of an IMDb id, so that ``tt0114709`` and ``tt114709`` are one film."""
    digits = movie.strip().lower().removeprefix("tt")
    is_imdb = movie.strip().lower().startswith("tt") and digits.isascii() and digits.isdecimal()
    return int(digits) if is_imdb else None
