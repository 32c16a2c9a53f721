"""The LVU benchmark's splits and labels: nine tasks over clips of films.

Wu and Krähenbühl, "Towards Long-Form Video Understanding", CVPR 2021. The files are separated by
spaces; their first row names the columns.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.files import Row, read_table

SPLITS = ("train", "val", "test")

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

_COLUMNS = {"view_count": ("view_count",), "like_ratio": ("like_count", "dislike_count")}
REGRESSION = tuple(_COLUMNS)
"""The tasks that ask for a value."""

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
        target: ln(views) or 10 × share of likes, less the mean of train (METHODS D), else None.
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
    columns = (*_COLUMNS.get(name, ("class_id", "class_name")), "youtube_id", "imdb_id")
    splits = {}
    for split in SPLITS:
        path = Path(folder) / name / f"{split}.csv"
        rows = read_table(path, columns, what="LVU split", delimiter="")
        splits[split] = tuple(_clip(row, classes) for row in rows)
    return LvuTask(name, tuple(classes), splits)


def movies_of(tasks: Mapping[str, LvuTask]) -> frozenset[str]:
    """Return the IMDb ids of the films that clips of val and test are of, in any task."""
    splits = (task.splits[name] for task in tasks.values() for name in ("val", "test"))
    return frozenset(clip.imdb_id for clips in splits for clip in clips)


def _clip(row: Row, classes: list[str]) -> LvuClip:
    """Return a row as a clip, and put the name of its class where its number says."""
    ids = row["youtube_id"], row["imdb_id"]
    if not classes:
        counts = [row.whole(name) for names in _COLUMNS.values() for name in names if name in row]
        if not any(counts):
            raise row.error("the counts should not all be 0")
        if "view_count" in row:
            target = math.log(counts[0]) - _MEAN_LOG_VIEWS
        else:
            target = 10 * counts[0] / sum(counts) - _MEAN_LIKES
        return LvuClip(*ids, None, target, False)
    number, name = row.whole("class_id"), row["class_name"]
    if number >= len(classes):
        raise row.error(f"class_id is {number}, which should be below {len(classes)}")
    if classes[number] not in ("", name):
        raise row.error(f"class {number} is {name!r}, and {classes[number]!r} before")
    classes[number] = name
    return LvuClip(*ids, number, None, name == _MISSING)
