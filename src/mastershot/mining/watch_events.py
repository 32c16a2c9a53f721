"""A viewing log of any order as runs of one viewer's views in time, sorted on disk."""

# E views of a bucket

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.watch_log import Watches, WatchLog

_NUM_BUCKETS = 64
"""Views are spread over this many files by viewer; one file is in memory at a time."""

_VIEW = np.dtype([("viewer", "<i4"), ("movie", "<i4"), ("time_s", "<f8")])
_NUM_LISTED = 20

Views = tuple[IntArray, IntArray, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class EventReport:
    """What became of the views of a log; all but the first and the last were left out.

    Attributes:
        num_events: Rows of the log.
        num_incomplete: Rows without a viewer or a movie.
        num_impossible: Views without a time, before 1970 or in the future.
        num_unknown: Views of movies that the library does not hold.
        num_repeated: Later views of a movie by the same viewer, and doubled rows.
        num_out_of_order: Views that the log names after a later one of the same viewer; they
            were put in their place.
        num_kept: Views that count.
        num_viewers: Their viewers.
        unknown_movies: The movies most often watched that the library does not hold, and how
            often; at most 20.
        num_unknown_movies: How many such movies there are.
        unseen_movies: Movies of the library that nobody watched; at most 20.
        num_unseen_movies: How many such movies there are.
    """

    num_events: int
    num_incomplete: int
    num_impossible: int
    num_unknown: int
    num_repeated: int
    num_out_of_order: int
    num_kept: int
    num_viewers: int
    unknown_movies: tuple[tuple[str, int], ...]
    num_unknown_movies: int
    unseen_movies: tuple[str, ...]
    num_unseen_movies: int


@dataclass
class _Tally:
    events: int = 0
    incomplete: int = 0
    impossible: int = 0
    repeated: int = 0
    out_of_order: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    viewers: dict[str, int] = field(default_factory=dict)


def sorted_events(
    log: WatchLog, place_of: Mapping[str, int], folder: Path
) -> tuple[list[Path], EventReport]:
    """Return files of views, each viewer in one of them and in time, and what was left out.

    A file holds three arrays of one length: viewer, movie by its place in the library, and time
    in seconds. Views of one viewer at one time are in the order of the library.

    Raises:
        DatasetError: The log is unreadable, or none of its views counts.
    """
    tally, latest_s = _Tally(), time.time()
    paths = [folder / f"views-{bucket:02}.npy" for bucket in range(_NUM_BUCKETS)]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for piece in log.pieces():
            views = _possible(piece, place_of, latest_s, tally)
            buckets = views["viewer"] % _NUM_BUCKETS
            order = np.argsort(buckets, kind="stable")
            bounds = np.searchsorted(buckets[order], np.arange(_NUM_BUCKETS + 1))
            for file, first, end in zip(files, bounds, bounds[1:], strict=False):
                file.write(views[order[first:end]].tobytes())
    seen, num_viewers = np.zeros(len(place_of), np.int64), 0
    for path in paths:
        views = _in_time(np.fromfile(path, _VIEW), tally)
        seen += np.bincount(views["movie"], minlength=len(seen))
        num_viewers += len(np.unique(views["viewer"]))
        np.save(path, views)
    if not seen.any():
        raise DatasetError(_why_none(log, tally))
    return paths, _report(tally, list(place_of), seen, num_viewers)


def views_of(path: Path) -> Views:
    """Return viewer, movie and time of the views of a file, each of shape (E,)."""
    views = np.load(path, allow_pickle=False)
    viewer, movie = (views[name].astype(np.int64) for name in ("viewer", "movie"))
    return viewer, movie, np.ascontiguousarray(views["time_s"])


def _possible(
    piece: Watches, place_of: Mapping[str, int], latest_s: float, tally: _Tally
) -> npt.NDArray[np.void]:
    """Return the views of a piece that have a viewer, a movie of the library and a time."""
    codes = tally.viewers
    viewer = np.array([codes.setdefault(name, len(codes)) for name in piece.viewers] + [-1])
    movie = np.array([place_of.get(name, -1) for name in piece.movies] + [-1])
    complete = (piece.viewer >= 0) & (piece.movie >= 0)
    possible = (piece.times_s >= 0) & (piece.times_s <= latest_s)
    known = movie[piece.movie] >= 0
    tally.events += len(piece)
    tally.incomplete += int((~complete).sum())
    tally.impossible += int((complete & ~possible).sum())
    unknown = np.bincount(piece.movie[complete & possible & ~known], minlength=len(piece.movies))
    for place in np.flatnonzero(unknown):
        tally.unknown[piece.movies[place]] += int(unknown[place])
    kept = complete & possible & known
    views = np.empty(int(kept.sum()), _VIEW)
    views["viewer"] = viewer[piece.viewer[kept]]
    views["movie"] = movie[piece.movie[kept]]
    views["time_s"] = piece.times_s[kept]
    return views


def _in_time(views: npt.NDArray[np.void], tally: _Tally) -> npt.NDArray[np.void]:
    """Return a viewer's first views of each movie, viewer by viewer, in time."""
    listed = views[np.argsort(views["viewer"], kind="stable")]
    same = listed["viewer"][1:] == listed["viewer"][:-1]
    tally.out_of_order += int((same & (np.diff(listed["time_s"]) < 0)).sum())
    by_movie = views[np.lexsort((views["time_s"], views["movie"], views["viewer"]))]
    repeats = np.zeros(len(views), np.bool_)
    repeats[1:] = (np.diff(by_movie["viewer"]) == 0) & (np.diff(by_movie["movie"]) == 0)
    first = by_movie[~repeats]
    tally.repeated += len(views) - len(first)
    return first[np.lexsort((first["movie"], first["time_s"], first["viewer"]))]


def _why_none(log: WatchLog, tally: _Tally) -> str:
    if not tally.events:
        return f"viewing log {log.path} is empty; it should hold one view a row"
    return (
        f"none of the {tally.events} views of {log.path} counts: {tally.incomplete} lack a viewer "
        f"or a movie, {tally.impossible} have an impossible time (due: seconds since 1970, or "
        f"2024-05-01 20:15:00), {sum(tally.unknown.values())} are of movies not in the library"
    )


def _report(tally: _Tally, movies: list[str], seen: IntArray, num_viewers: int) -> EventReport:
    unseen = [movies[place] for place in np.flatnonzero(seen == 0)]
    return EventReport(
        num_events=tally.events,
        num_incomplete=tally.incomplete,
        num_impossible=tally.impossible,
        num_unknown=sum(tally.unknown.values()),
        num_repeated=tally.repeated,
        num_out_of_order=tally.out_of_order,
        num_kept=int(seen.sum()),
        num_viewers=num_viewers,
        unknown_movies=tuple(tally.unknown.most_common(_NUM_LISTED)),
        num_unknown_movies=len(tally.unknown),
        unseen_movies=tuple(unseen[:_NUM_LISTED]),
        num_unseen_movies=len(unseen),
    )
