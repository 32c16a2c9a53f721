"""A timeline beside the truth of its film, both in the frames that the truth counts."""
# T frames of the film

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import ShotListError
from mastershot.core.movie import Transition
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.datasets.boundaries.boundary import Boundary, BoundaryList
from mastershot.datasets.boundaries.flashes import read_flashes
from mastershot.datasets.boundaries.read import read_boundaries
from mastershot.datasets.boundaries.timelines import (
    between_shots,
    boundaries_of,
    truth_lane,
)
from mastershot.evaluation.shots import FilmBoundaries
from mastershot.store.frames import frame_times_of

_TIMELINE = "timeline.json"
_MUCH_SHORTER = 0.98
"""A list that ends before this share of the film gets a note."""


@dataclass(frozen=True)
class TruthSettings:
    """How true boundaries are read.

    Attributes:
        path: A list, or a folder of lists; None takes each timeline's own lane of role ``truth``.
        rate: Frames a second that lists count in; None where they count the film's own frames.
        shift: Frames to add to those of lists.
        piece_at: Where the film starts that is only a piece of what is listed, in the list's
            frames; None for whole films.
        flashes: A list of flashes, or a folder of lists; None for none.
    """

    path: Path | None = None
    rate: Fraction | None = None
    shift: int = 0
    piece_at: int | None = None
    flashes: Path | None = None


@dataclass(frozen=True, eq=False)
class Compared:
    """A timeline, and what is true of its film.

    Attributes:
        name: What the film is called.
        timeline: The timeline.
        folder: Where it lies.
        times: When each of the film's frames is shown.
        listed_frames: For each frame of the film, and for its end, which frame of the true list it
            is, shape (T + 1,).
        true: The true boundaries.
        flashes: Frames of flashes, as the true list counts; None where none were listed.
    """

    name: str
    timeline: Timeline
    folder: Path
    times: FrameTimes
    listed_frames: IntArray
    true: BoundaryList
    flashes: tuple[int, ...] | None

    def with_found(self, found: Iterable[Transition] | None = None) -> FilmBoundaries:
        """Return the film with boundaries found in it; None takes the timeline's own."""
        if found is None:
            boundaries = boundaries_of(self.timeline).boundaries
        else:
            boundaries = between_shots(found)
        at = self.listed_frames
        return FilmBoundaries(
            film=self.name,
            found=tuple(
                Boundary(one.kind, int(at[one.start]), int(at[one.end])) for one in boundaries
            ),
            true=self.true.boundaries,
            num_frames=int(at[-1]),
            flashes=self.flashes,
        )


def read_compared(paths: Sequence[Path], settings: TruthSettings) -> list[Compared]:
    """Return timelines with what is true of their films.

    Raises:
        TimelineError: A timeline cannot be read.
        ShotListError: A film has no true list, or one that does not fit it.
    """
    truth = settings.path
    if len(paths) > 1 and truth is not None and truth.is_file() and truth.suffix != ".json":
        raise ShotListError(
            f"{truth} lists the shots of one film, and {len(paths)} timelines are given; name a "
            "folder that holds a list for each film"
        )
    names = _names_of(paths)
    return [_compared(path, name, settings) for path, name in zip(paths, names, strict=True)]


def frames_in_list(times: FrameTimes, rate: Fraction) -> IntArray:
    """Return which frame of a list at that rate each frame and the end are, shape (T + 1,).

    That is its time from the film's first frame times the rate, to the nearest, halves up.
    """
    step = times.time_base * rate
    elapsed = times.pts - times.pts[0]
    frames: IntArray = (2 * elapsed * step.numerator + step.denominator) // (2 * step.denominator)
    return frames


def _names_of(paths: Sequence[Path]) -> list[str]:
    """Return what each film is called: the folder of its timeline, or its path if they repeat."""
    folders = [path if path.is_dir() else path.parent for path in paths]
    short = [folder.resolve().name for folder in folders]
    names = short if len(set(short)) == len(short) else [str(path) for path in paths]
    for name in names:
        if names.count(name) > 1:
            raise ShotListError(f"timeline {name} is given twice")
    return names


def _compared(path: Path, name: str, settings: TruthSettings) -> Compared:
    file = path / _TIMELINE if path.is_dir() else path
    timeline, folder = Timeline.load(file), file.parent
    film = Path(timeline.movie.path).name
    path_of_truth = settings.path
    true = truth_lane(timeline) if path_of_truth is None else read_boundaries(path_of_truth, film)
    if settings.rate is not None:
        true = replace(true, rate=settings.rate)
    times = frame_times_of(timeline, folder)
    at = _listed_frames(timeline, times, true.rate)
    flashes = None if settings.flashes is None else read_flashes(settings.flashes, film)
    true = true.shifted(settings.shift)
    if settings.piece_at is not None:
        true = true.piece(settings.piece_at, int(at[-1]))
    if flashes is not None:
        offset = settings.shift - (settings.piece_at or 0)
        moved = (flash + offset for flash in flashes)
        flashes = tuple(flash for flash in moved if 0 <= flash < at[-1])
    compared = Compared(name, timeline, folder, times, at, true, flashes)
    return replace(compared, true=_fitting(compared, film))


def _listed_frames(timeline: Timeline, times: FrameTimes, rate: Fraction | None) -> IntArray:
    movie = timeline.movie
    if rate is None or (rate == movie.frame_rate and not movie.variable_frame_rate):
        return np.arange(times.num_frames + 1)
    return frames_in_list(times, rate)


def _fitting(compared: Compared, film: str) -> BoundaryList:
    """Return the true list, with a note where it ends long before the film.

    Raises:
        ShotListError: The list goes on after the film's end.
    """
    true, end = compared.true, int(compared.listed_frames[-1])
    # One frame of the film may stand for several of the list.
    slack = math.ceil(end / compared.times.num_frames)
    last = max([true.end_frame or 0, *(one.end for one in true.boundaries)])
    if last > end + slack - 1:
        raise ShotListError(
            f"{true.name} goes on to frame {last - 1}, but {film} ends at frame {end - 1}: it was "
            "made for another film or frame rate; --truth-rate says in which rate it counts, "
            "--piece-at where in it the film starts"
        )
    if true.end_frame is None or true.end_frame >= _MUCH_SHORTER * end:
        return true
    note = (
        f"{true.name} ends at frame {true.end_frame - 1} of {end}: what was found later counts as "
        "false"
    )
    return replace(true, notes=(*true.notes, note))
