"""The files that a film lies in, as edit lists refer to them: by name, and by their time codes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from mastershot.core.errors import EditsError
from mastershot.core.movie import Movie
from mastershot.exports.formats.timecode import Counting, EditClock, is_drop

Number: TypeAlias = int | Fraction
"""A film's time in frames of the edit rate; whole, unless a file says otherwise."""

_RESERVED = ("AX", "BL", "BLACK", "BARS")
_MAX_REEL = 8


@dataclass(frozen=True)
class Source:
    """A file with frames of a film; its numbers are frames of the edit rate.

    Attributes:
        path: The file, as the user named it.
        name: What it is called in a list: its file name, unless another of the film has that too.
        reel: Its name of at most eight capitals and digits, as CMX 3600 has it.
        first: Where its first frame lies, counted from the film's first; below 0 where the film
            starts within the file.
        end: Where in the film its last frame ends.
        start: Number of its first frame by its own time code.
    """

    path: str
    name: str
    reel: str
    first: int
    end: int
    start: int

    @property
    def begin(self) -> int:
        """Where in the film it begins to be shown."""
        return max(self.first, 0)

    def own(self, number: int) -> int:
        """Return the number by the file's time code of one counted from the film's first frame."""
        return self.start + number - self.first

    def holds(self, first: Number, end: Number) -> bool:
        """Return whether frames of the film lie in it; one past its end is let pass."""
        return self.begin <= first and end <= self.end + 1


def sources_of(clock: EditClock, movie: Movie) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """Return the files of a film in their order, and what the user should know of their codes."""
    if movie.reels:
        return _reels(clock, movie)
    number, notes = own_number(clock.counting, movie.timecode)
    before = 0
    if movie.part is not None:
        elapsed_s = (movie.start_pts - movie.part.file_start_pts) * movie.time_base
        before = round(elapsed_s * clock.counting.rate)
    start = 0 if number is None else (number - before) % clock.counting.frames_per_day
    name, reel = Path(movie.path).name, reel_name(movie.path, movie.id)
    return (Source(movie.path, name, reel, -before, clock.end, start),), notes


def _reels(clock: EditClock, movie: Movie) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    paths = [reel.path for reel in movie.reels]
    reels, files = _reel_names(paths, movie.id), [Path(path).name for path in paths]
    sources, notes = [], []
    for reel, called, file in zip(movie.reels, reels, files, strict=True):
        number, problems = own_number(clock.counting, reel.timecode)
        notes += [f"{file}: {problem}" for problem in problems]
        name = file if files.count(file) == 1 else called
        bounds = clock.number(reel.first_frame), clock.number(reel.end_frame)
        sources.append(Source(reel.path, name, called, *bounds, number or 0))
    return tuple(sources), tuple(notes)


def own_number(counting: Counting, timecode: str) -> tuple[int | None, tuple[str, ...]]:
    """Return the number of a file's time code; None without one that exists."""
    if not timecode:
        return None, ()
    own = counting
    if is_drop(timecode) != own.drop:
        own = Counting(own.rate, drop=False)
    try:
        if is_drop(timecode) and not own.drop:
            own = Counting(own.rate, drop=True)
        number = own.number(timecode)
    except EditsError as error:
        return None, (f"the film's own time code is passed over: {error}",)
    if own.drop == counting.drop:
        return number, ()
    note = (
        f"the film's own time code, {timecode}, is counted {_mode(own)}, and the list is "
        f"{_mode(counting)}: sources start at {counting.code(number)}, the same frame number"
    )
    return number, (note,)


def _mode(counting: Counting) -> str:
    return "drop-frame" if counting.drop else "non-drop"


def pieces_of(first: int, end: int, sources: Sequence[Source]) -> Iterator[tuple[Source, int, int]]:
    """Yield what of a run of frames lies in each file, in order."""
    for source in sources:
        begins, ends = max(first, source.begin), min(end, source.end)
        if begins < ends:
            yield source, begins, ends


def reel_name(path: str, movie_id: str) -> str:
    """Return a name for a file of at most eight capitals and digits, as CMX 3600 has it."""
    letters = re.sub(r"[^A-Z0-9]", "", Path(path).stem.upper())[:_MAX_REEL]
    letters = letters or movie_id[:_MAX_REEL].upper()
    return f"{letters}FILM"[:_MAX_REEL] if letters in _RESERVED else letters


def _reel_names(paths: Sequence[str], movie_id: str) -> list[str]:
    """Return a name for each file, numbered where two would have the same."""
    names = [reel_name(path, movie_id) for path in paths]
    if len(set(names)) == len(names):
        return names
    width = len(str(len(names)))
    return [f"{name[: _MAX_REEL - width]}{at:0{width}}" for at, name in enumerate(names, start=1)]
