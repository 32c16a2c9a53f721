"""True labels from another file, in place of those that scores came with."""
# N samples, C classes

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.datasets.files import by_key, read_table
from mastershot.datasets.movieclip import read_split_file
from mastershot.datasets.tables.tag_scores import TagScores

Truth = Mapping[tuple[str, str], tuple[str, ...]]
"""The classes of each sample by its video and file."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Scores with other true labels.

    Attributes:
        scores: The samples that have both a score and a label, in the order of the scores.
        num_without_truth: Samples left out because they have no label.
        num_without_scores: Labelled samples that have no score.
    """

    scores: TagScores
    num_without_truth: int
    num_without_scores: int


def read_truth(path: str | Path) -> Truth:
    """Return the true labels of a split file with its index beside it, or of a CSV.

    The CSV has columns ``video``, ``file`` and ``labels``; ``;`` is between two labels, and a
    sample that has none of the classes has an empty cell.

    Raises:
        DatasetError: The file is unreadable, names a sample twice, or is of neither kind.
    """
    path = Path(path)
    if path.suffix == ".txt":
        index, shots = read_split_file(path)
        return {
            (shot.video, shot.file): tuple(index.labels[place] for place in shot.classes)
            for shot in shots
        }
    if path.suffix != ".csv":
        raise DatasetError(f"true labels are a split file (.txt) or a .csv file, not {path}")
    rows = read_table(path, ("video", "file", "labels"), what="true labels")
    named = by_key(rows, lambda row: (row["video"], row["file"]))
    return {
        sample: tuple(filter(None, (label.strip() for label in row["labels"].split(";"))))
        for sample, row in named.items()
    }


def with_truth(scores: TagScores, truth: Truth) -> Judged:
    """Return the scores of the samples that have other true labels, with those.

    Raises:
        DatasetError: No sample has one, or a label is not one of the classes.
    """
    rows = [row for row, sample in enumerate(scores.samples) if sample in truth]
    if not rows:
        video, file = next(iter(truth), ("none", ""))
        raise DatasetError(
            f"none of the {len(scores):,} scored samples has a true label; scores name samples "
            f"like {scores.videos[0]}/{scores.files[0]}, the labels {video}/{file}"
        )
    place_of = {name: place for place, name in enumerate(scores.classes)}
    labels = np.zeros((len(rows), len(place_of)), np.bool_)
    for place, row in enumerate(rows):
        for label in truth[scores.samples[row]]:
            if label not in place_of:
                raise DatasetError(
                    f"true label {label!r} is not one of the {len(place_of)} classes that have "
                    "scores"
                )
            labels[place, place_of[label]] = True
    judged = replace(
        scores,
        scores=scores.scores[rows],
        truth=labels,
        videos=tuple(scores.videos[row] for row in rows),
        files=tuple(scores.files[row] for row in rows),
        films=tuple(scores.films[row] for row in rows),
    )
    return Judged(judged, len(scores) - len(rows), len(truth) - len(rows))
