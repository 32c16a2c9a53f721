"""What is kept of every frame of a film beside its timeline: its time, and detectors' scores."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import TimelineError
from mastershot.core.files import failure_reason
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.store.files import write_whole

FRAMES_FILE = "frames.npz"
_TIMES = "pts"


@dataclass(frozen=True, eq=False)
class FrameTable:
    """What is kept of every frame.

    Attributes:
        pts: Timestamp of every frame and of the film's end, shape (T + 1,).
        scores: Arrays of T rows, by name, such as those a shot detector decides by.
    """

    pts: IntArray
    scores: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)


def write_frames(table: FrameTable, path: Path) -> None:
    """Write the table as one compressed file that NumPy reads.

    Raises:
        OSError: The file cannot be written; what was there before stays.
    """
    buffer = io.BytesIO()
    # Differences of even times are all alike and take no room.
    steps = np.diff(table.pts, prepend=np.int64(0))
    scores = {f"scores.{name}": rows for name, rows in table.scores.items()}
    np.savez_compressed(buffer, allow_pickle=False, **{_TIMES: steps}, **scores)
    write_whole(path, buffer.getvalue())


def read_frames(path: Path) -> FrameTable:
    """Return the table in a file.

    Raises:
        TimelineError: The file cannot be read, or is no such table.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            pts = np.cumsum(arrays[_TIMES], dtype=np.int64)
            scores = {
                name.removeprefix("scores."): arrays[name]
                for name in arrays.files
                if name != _TIMES
            }
    except OSError as error:
        raise TimelineError(f"{path} cannot be read: {failure_reason(error)}") from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise TimelineError(
            f"{path} does not hold the times of frames that `mastershot analyze` writes: it is of "
            "another kind, or damaged"
        ) from error
    if pts.ndim != 1 or len(pts) < 2 or any(len(rows) != len(pts) - 1 for rows in scores.values()):
        raise TimelineError(f"{path} holds times and scores that are not of the same frames")
    return FrameTable(pts, scores)


def frame_times_of(timeline: Timeline, folder: Path | None = None) -> FrameTimes:
    """Return when each frame of a film is shown.

    That is from ``frames.npz`` in the timeline's folder where it is there and is of this film;
    else computed from where its shots start, which is exact under a constant frame rate.

    Raises:
        TimelineError: The file is there and damaged.
    """
    movie, known = timeline.movie, _known_times(timeline)
    path = None if folder is None else folder / FRAMES_FILE
    if path is not None and path.is_file():
        pts = read_frames(path).pts
        if len(pts) == movie.num_frames + 1 and all(pts[frame] == at for frame, at in known):
            return FrameTimes(pts, movie.time_base)
    frames = np.array([frame for frame, _ in known])
    times = np.array([at for _, at in known])
    wanted = np.arange(movie.num_frames + 1)
    even = times[0] + _even_steps(wanted, 1 / movie.frame_rate / movie.time_base)
    if not movie.variable_frame_rate and np.all(np.abs(even[frames[:-1]] - times[:-1]) <= 1):
        even[frames] = times
        return FrameTimes(even, movie.time_base)
    between = np.rint(np.interp(wanted, frames, times)).astype(np.int64)
    return FrameTimes(between, movie.time_base, are_exact=False)


def _known_times(timeline: Timeline) -> list[tuple[int, int]]:
    spans = [shot.span for shot in timeline.shots]
    starts = [(span.first_frame, span.start_pts) for span in spans]
    return [*starts, (spans[-1].end_frame, spans[-1].end_pts)]


def _even_steps(frames: IntArray, step: Fraction) -> IntArray:
    """Return how many units after the first frame each is shown, to the nearest, halves up."""
    doubled = 2 * step.denominator
    return (2 * frames * step.numerator + step.denominator) // doubled
