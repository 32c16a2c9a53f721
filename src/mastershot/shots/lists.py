"""Lists of shots made elsewhere: CSV, TransNetV2 and MovieNet, read as cuts of our film."""

import csv
import hashlib
import io
import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import ShotListError
from mastershot.core.movie import Transition
from mastershot.media.probe import FilmFile

# Column names by which other tools call a shot's start, the best first: its unit, and what to
# subtract to count from 0. PySceneDetect counts frames from 1 and, under a variable frame rate,
# computes them from the mean rate, so its seconds are taken before its frames.
_START_COLUMNS = {
    "first_frame": ("frame", 0),
    "start_frame": ("frame", 0),
    "start_s": ("second", 0),
    "start_time_s": ("second", 0),
    "start_seconds": ("second", 0),
    "start time (seconds)": ("second", 0),
    "start frame": ("frame", 1),
}
_MAX_LIST_BYTES = 64 << 20


@dataclass(frozen=True)
class ShotList:
    """Where shots start, according to a list made elsewhere.

    Attributes:
        path: The list.
        unit: ``frame`` for ordinals from 0, ``second`` for seconds.
        starts: Start of each shot, ascending, the film's first shot included or not.
        last_frame: The last frame the list names, if it names ends in frames.
    """

    path: Path
    unit: str
    starts: tuple[Fraction, ...]
    last_frame: int | None = None

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change when a start changes."""
        text = " ".join([self.unit, *map(str, self.starts)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class ListedShots:
    """A shot detector that reports the cuts of a list."""

    max_lag_frames = 0
    changed = False

    def __init__(self, shots: ShotList, file: FilmFile) -> None:
        self._shots = shots
        self._time_base = file.time_base
        self._half_frame_s = Fraction(1, 2) / (file.mean_rate or 25)
        self._pending = list(reversed(shots.starts))
        self._origin_s = Fraction(0)
        self._num_frames = 0
        self._cuts: list[int] = []

    def process(self, *, frame: int, pts: int, image: ImageArray) -> list[int]:
        """Take the next frame; return its ordinal if a listed shot starts with it."""
        if frame == 0:
            self._origin_s = self._start_of_clock(pts)
        self._num_frames = frame + 1
        now = Fraction(frame)
        if self._shots.unit == "second":
            now = pts * self._time_base - self._origin_s + self._half_frame_s
        num_pending = len(self._pending)
        while self._pending and self._pending[-1] <= now:
            self._pending.pop()
        if not frame or len(self._pending) == num_pending:
            return []
        self._cuts.append(frame)
        return [frame]

    def _start_of_clock(self, first_pts: int) -> Fraction:
        """Return what to subtract: lists count from the first frame, or on the file's own clock."""
        start_s = first_pts * self._time_base
        on_own_clock = self._shots.starts[0] >= start_s - self._half_frame_s
        return Fraction(0) if on_own_clock else start_s

    def finish(self) -> list[int]:
        """Return nothing.

        Raises:
            ShotListError: The list goes on after the film has ended.
        """
        last, problem = self._shots.last_frame, ""
        if self._pending:
            start = f"{self._shots.unit} {float(self._pending[0]):g}"
            problem = f"starts a shot at {start}, but the film has {self._num_frames} frames"
        elif last is not None and last >= self._num_frames:
            problem = f"names frame {last}, but the film's last is {self._num_frames - 1}"
        if problem:
            raise ShotListError(
                f"{self._shots.path} {problem}; it was made for another film or frame rate"
            )
        return []

    def transitions(self) -> list[Transition]:
        """Return how each shot begins; a list says no more than where."""
        return [Transition("cut" if frame else "start", frame, frame) for frame in (0, *self._cuts)]

    def scores(self) -> dict[str, FloatArray]:
        """Return nothing: frames are not scored."""
        return {}


def read_shot_list(path: str | Path) -> ShotList:
    """Return where shots start according to a list.

    Read are: CSV with a header that names a start (``first_frame``, ``start_frame``, ``start_s``;
    PySceneDetect's scene list, whose frames count from 1), TransNetV2's ``.scenes.txt`` (first
    and last frame) and MovieNet's shot lists (first, last and key frames).

    Raises:
        ShotListError: The file is unreadable, in none of these forms, or out of order.
    """
    path = Path(path)
    text = _read_text(path)
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ShotListError(f"shot list {path} is not a table: {error}") from error
    if not rows:
        raise ShotListError(f"shot list {path} is empty; it must name one shot a line")
    words = " ".join(rows[0]).split()
    has_header = len(words) < 2 or not all(map(_is_number, words))
    shots = _from_csv(path, rows) if has_header else _from_numbers(path, text)
    if shots.starts[0] < 0:
        start = float(shots.starts[0])
        raise ShotListError(f"shot list {path} starts before the film, at {start:g}")
    for before, after in pairwise(shots.starts):
        if after <= before:
            raise ShotListError(
                f"shot list {path} is out of order: {float(after):g} follows {float(before):g}"
            )
    return shots


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_LIST_BYTES:
            raise ShotListError(f"shot list {path} is larger than 64 MB; it is no list of shots")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ShotListError(f"shot list {path} cannot be read as text: {error}") from error


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _from_numbers(path: Path, text: str) -> ShotList:
    """Read lines of ``first last [key frames]``, frames from 0, the last one inclusive."""
    starts, last = [], 0
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        try:
            first, last = (int(float(word)) for word in words[:2])
        except (ValueError, OverflowError) as error:
            raise ShotListError(
                f"shot list {path}, line {number}: {line[:60]!r} should be the first and last "
                "frame of a shot"
            ) from error
        starts.append(Fraction(first))
    return ShotList(path, "frame", tuple(starts), last_frame=last)


def _from_csv(path: Path, rows: list[list[str]]) -> ShotList:
    for place, row in enumerate(rows[:3]):  # PySceneDetect may write its cut list first.
        header = [cell.strip().lower() for cell in row]
        for column, (unit, offset) in _START_COLUMNS.items():
            if column in header:
                values = _column(path, rows[place + 1 :], header.index(column))
                return ShotList(path, unit, tuple(value - offset for value in values))
    raise ShotListError(
        f"shot list {path} has no column that says where a shot starts; name one "
        f"{', '.join(_START_COLUMNS)}"
    )


def _column(path: Path, rows: list[list[str]], index: int) -> list[Fraction]:
    values = []
    for row in rows:
        cell = row[index].strip() if index < len(row) else ""
        if not _is_number(cell):
            raise ShotListError(f"shot list {path}: {cell!r} is not a frame or a time")
        values.append(Fraction(cell))
    if not values:
        raise ShotListError(f"shot list {path} has a header but no shot below it")
    return values
