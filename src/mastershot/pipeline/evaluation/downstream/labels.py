"""The labelled items of a downstream task, from the files of its data set."""
# N items, C classes

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.datasets.benchmarks.moderation import read_moderation
from mastershot.datasets.benchmarks.movienet import read_place_tags
from mastershot.datasets.lvu import REGRESSION, SPLITS, LvuTask, read_lvu_task
from mastershot.evaluation.downstream.items import Items
from mastershot.evaluation.downstream.tasks import DownstreamTask

MissingLabels = Literal["keep", "drop"]
r"""What is done with items whose label the release says is missing (``\N``)."""
MODERATION_FILE = "labels.csv"


@dataclass(frozen=True, eq=False)
class TaskLabels:
    """The items of a task.

    Attributes:
        classes: Names of the classes or tags; empty for a task of values.
        splits: The items of train, val and test.
        missing: How many items of each split have the missing label, kept or dropped.
        are_kept: Whether they were kept.
    """

    classes: tuple[str, ...]
    splits: Mapping[str, Items]
    missing: Mapping[str, int]
    are_kept: bool


def read_task_labels(
    task: DownstreamTask, data: Path, missing: MissingLabels = "keep"
) -> TaskLabels:
    """Return a task's labelled items.

    Args:
        task: The task.
        data: Folder of its data set, or the one that holds that folder.
        missing: For tasks of LVU.

    Raises:
        DatasetError: The files are missing or damaged, or an item has several labels where one is
            expected.
    """
    inner = data / task.dataset
    folder = inner if inner.is_dir() else data
    if not folder.exists():
        raise DatasetError(
            f"labels of task {task.name}: folder {folder} does not exist; name the folder of "
            f"{task.dataset}, or the one it is in, with --data"
        )
    if task.dataset == "lvu":
        return _of_lvu(read_lvu_task(folder, task.labels), missing)
    return _of_movienet(folder) if task.dataset == "movienet" else _of_moderation(folder, task)


def _of_lvu(task: LvuTask, missing: MissingLabels) -> TaskLabels:
    counts, splits = {}, {}
    for split in SPLITS:
        clips = task.splits[split]
        counts[split] = sum(clip.is_missing for clip in clips)
        if missing == "drop":
            clips = tuple(clip for clip in clips if not clip.is_missing)
        if not clips:
            raise DatasetError(f"LVU task {task.name}: no clip of {split} has a label")
        names = tuple(clip.clip for clip in clips)
        targets = [clip.target if task.name in REGRESSION else clip.label for clip in clips]
        splits[split] = Items(names, names, np.array(targets))
    _require_single(splits, task.classes, f"LVU task {task.name}")
    return TaskLabels(task.classes, splits, counts, missing == "keep")


def _of_movienet(folder: Path) -> TaskLabels:
    scenes = read_place_tags(folder)
    tags = sorted({tag for part in scenes.values() for scene in part for tag in scene.places})
    place_of = {tag: place for place, tag in enumerate(tags)}
    splits = {}
    for split, part in scenes.items():
        truth = np.zeros((len(part), len(tags)), np.bool_)
        for row, scene in enumerate(part):
            truth[row, [place_of[tag] for tag in scene.places]] = True
        names, films = (tuple(getattr(s, name) for s in part) for name in ("id", "imdb_id"))
        splits[split] = Items(names, films, truth)
    _require_single(splits, (), f"MovieNet {folder}")
    return TaskLabels(tuple(tags), splits, dict.fromkeys(SPLITS, 0), are_kept=True)


def _of_moderation(folder: Path, task: DownstreamTask) -> TaskLabels:
    table = folder / MODERATION_FILE
    found = read_moderation(table if table.is_file() else folder)
    splits = {
        split: Items(
            tuple(clip.clip for clip in clips),
            tuple(clip.film for clip in clips),
            np.array([clip.label for clip in clips]),
        )
        for split, clips in found.items()
    }
    return TaskLabels(task.classes, splits, dict.fromkeys(SPLITS, 0), are_kept=True)


def _require_single(splits: Mapping[str, Items], classes: Sequence[str], what: str) -> None:
    """Raise `DatasetError` where an item stands twice: in two splits, or with two labels."""
    seen: dict[str, str] = {}
    for split, items in splits.items():
        for name, target in zip(items.names, items.targets, strict=True):
            label = f"{classes[int(target)]!r} in {split}" if classes else f"in {split}"
            if name in seen:
                raise DatasetError(
                    f"{what}: {name!r} stands twice, {seen[name]} and {label}; one label an item "
                    "is expected, in one split"
                )
            seen[name] = label
