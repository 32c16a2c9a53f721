"""The LVU benchmark's splits and labels: nine tasks over clips of films.

Wu and Krähenbühl, "Towards Long-Form Video Understanding", CVPR 2021. The files are separated by
spaces; their first row names the columns.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.records import read_text

SPLITS = ("train", "val", "test")
HELD_OUT = ("val", "test")

CLASSIFICATION = {
    "relationship": 4,
    "way_speaking": 5,
    "scene": 6,
    "director": 10,
    "writer": 10,
    "year": 9,
    "genre": 4,
}
"""The tasks that ask for a class, and how many there are (METHODS B6)."""

REGRESSION = ("view_count", "like_ratio")

_MISSING = r"\N"
_MEAN_LOG_VIEWS = 11.76425435683139
_MEAN_LIKES = 9.138220535629456


@dataclass(frozen=True, slots=True)
class LvuClip:
    """A clip of a task.

    Attributes:
        clip: Its YouTube id.
        imdb_id: The film it is of.
        label: Number of its class; None for a task that asks for a value.
        target: What is to be predicted, as released and centred (METHODS D); None for a class.
        is_missing: Whether the release has no label here (``\\N``), though a class stands for it.
    """

    clip: str
    imdb_id: str
    label: int | None
    target: float | None
    is_missing: bool


@dataclass(frozen=True)
class LvuTask:
    """One of the nine tasks.

    Attributes:
        name: Its folder, such as ``scene``.
        classes: Name of each class, ``""`` where no clip has it; empty for a task of values.
        splits: The clips of train, val and test, in file order.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[LvuClip, ...]]

    @property
    def num_missing(self) -> dict[str, int]:
        """How many clips of each split have no label in the release."""
        return {name: sum(clip.is_missing for clip in clips) for name, clips in self.splits.items()}


def read_lvu(folder: str | Path) -> dict[str, LvuTask]:
    """Return the tasks of a folder with the released files ``<task>/<split>.csv``, by name.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    return {name: read_lvu_task(folder, name) for name in (*CLASSIFICATION, *REGRESSION)}


def read_lvu_task(folder: str | Path, name: str) -> LvuTask:
    """Return one task.

    Raises:
        DatasetError: The task is unknown, or a file of it is missing or damaged.
    """
    if name not in CLASSIFICATION and name not in REGRESSION:
        known = ", ".join((*CLASSIFICATION, *REGRESSION))
        raise DatasetError(f"LVU has no task {name!r}; its tasks are {known}")
    classes = [""] * CLASSIFICATION.get(name, 0)
    splits = {}
    for split in SPLITS:
        path = Path(folder) / name / f"{split}.csv"
        splits[split] = tuple(_clip(row, classes, path) for row in _rows(path, name))
    return LvuTask(name, tuple(classes), splits)


def movies_of(tasks: Mapping[str, LvuTask], splits: Collection[str] = HELD_OUT) -> frozenset[str]:
    """Return the IMDb ids of the films that clips of these splits are of, in any task."""
    return frozenset(
        clip.imdb_id for task in tasks.values() for split in splits for clip in task.splits[split]
    )


def _rows(path: Path, task: str) -> list[dict[str, str]]:
    columns = {
        "view_count": ("view_count", "youtube_id", "imdb_id"),
        "like_ratio": ("like_count", "dislike_count", "youtube_id", "imdb_id"),
    }.get(task, ("class_id", "class_name", "youtube_id", "imdb_id"))
    lines = [line.split() for line in read_text(path, what="LVU split").splitlines()]
    if not lines or tuple(lines[0]) != columns:
        raise DatasetError(f"LVU split {path} should start with the row {' '.join(columns)!r}")
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(columns):
            raise DatasetError(
                f"LVU split {path}, line {number}: {len(cells)} cells instead of {len(columns)}"
            )
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def _clip(row: Mapping[str, str], classes: list[str], path: Path) -> LvuClip:
    """Return a row as a clip, and put the name of its class where its number says."""
    ids = row["youtube_id"], row["imdb_id"]
    if "class_id" not in row:
        return LvuClip(*ids, None, _target(row, path), False)
    text, name = row["class_id"], row["class_name"]
    if not text.isdecimal() or int(text) >= len(classes):
        raise DatasetError(
            f"LVU split {path}: clip {ids[0]} is of class {text!r}; there are {len(classes)}"
        )
    if classes[int(text)] not in ("", name):
        raise DatasetError(
            f"LVU split {path}: class {text} is {name!r} here and {classes[int(text)]!r} before"
        )
    classes[int(text)] = name
    return LvuClip(*ids, int(text), None, name == _MISSING)


def _target(row: Mapping[str, str], path: Path) -> float:
    """Return ln(views) or ten times the share of likes, less its mean in train (METHODS D)."""
    counts = [row[name] for name in ("view_count", "like_count", "dislike_count") if name in row]
    if not all(text.isdecimal() for text in counts) or not sum(map(int, counts)):
        raise DatasetError(
            f"LVU split {path}: clip {row['youtube_id']} has the counts {' '.join(counts)}; they "
            "should be whole numbers, not all 0"
        )
    if "view_count" in row:
        return math.log(int(counts[0])) - _MEAN_LOG_VIEWS
    return 10 * int(counts[0]) / sum(map(int, counts)) - _MEAN_LIKES
