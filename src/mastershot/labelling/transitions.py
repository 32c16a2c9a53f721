"""Which place follows which from shot to shot: counted over clips, and the table that ships."""
# N shots, K labels of each, P pairs of shots, L labels

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby, pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mastershot.core.files import written_whole
from mastershot.datasets.movieclip import number_of_shot
from mastershot.datasets.tables.records import LabelledShot

RealArray: TypeAlias = npt.NDArray[np.float64]
PlacesArray: TypeAlias = npt.NDArray[np.integer]

SHIPPED_TABLE = "place_transitions.csv"
"""Counts over the MovieCLIP release, beside this file; ``bench/place_transitions.py`` writes it."""

_COLUMNS = ["from", "to", "count"]


@dataclass(frozen=True, eq=False)
class TransitionCounts:
    """How often each label follows each label.

    Two shots are a pair where one's number in its clip is the other's plus 1: a release of chosen
    shots has gaps, and what lies in a gap is not known. A pair counts 1 in all, shared evenly by
    the pairs of a label of the first and a label of the second.

    Attributes:
        labels: The labels.
        counts: Row: label of the first shot; column: of the second; shape (L, L).
    """

    labels: tuple[str, ...]
    counts: RealArray

    def __post_init__(self) -> None:
        assert self.counts.shape == (len(self.labels), len(self.labels)), self.counts.shape

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change when a count or a label does."""
        text = "\n".join(f"{a},{b},{count:.10g}" for a, b, count in self.entries())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def entries(self) -> Iterable[tuple[str, str, float]]:
        """Yield first label, second label and count of all that occur, row by row."""
        for row, column in np.argwhere(self.counts > 0).tolist():
            yield self.labels[row], self.labels[column], float(self.counts[row, column])

    def for_labels(self, labels: Sequence[str]) -> RealArray:
        """Return the counts of other labels, shape (L, L); those of labels it lacks are 0."""
        place_of = {label: place for place, label in enumerate(self.labels)}
        known = [place for place, label in enumerate(labels) if label in place_of]
        mine = [place_of[labels[place]] for place in known]
        counts = np.zeros((len(labels), len(labels)))
        counts[np.ix_(known, known)] = self.counts[np.ix_(mine, mine)]
        return counts


class TransitionCounter:
    """Counts transitions, clip by clip, in memory of one clip.

    The shots of a clip come in one run, in any order.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._counts: RealArray = np.zeros((len(labels), len(labels)))
        self._video: str | None = None
        self._shots: list[tuple[int, list[int]]] = []

    def add(self, videos: Sequence[str], files: Sequence[str], places: PlacesArray) -> None:
        """Add shots: the clip and the file of each, and its labels, shape (N, K), padded by -1.

        A shot without a label, or whose file names no number, breaks the run.
        """
        for video, rows in groupby(range(len(videos)), key=videos.__getitem__):
            if video != self._video:
                self._count_clip()
                self._video = video
            for row in rows:
                number, labels = number_of_shot(files[row]), places[row].tolist()
                if number is not None and max(labels, default=-1) >= 0:
                    self._shots.append((number, labels))

    def result(self) -> TransitionCounts:
        """Return the counts of all shots added so far."""
        self._count_clip()
        return TransitionCounts(self._labels, self._counts.copy())

    def _count_clip(self) -> None:
        shots = sorted(self._shots)
        self._shots = []
        pairs = [(a, b) for (i, a), (j, b) in pairwise(shots) if j == i + 1]
        if pairs:
            width = max(len(labels) for pair in pairs for labels in pair)
            padded = [[one + [-1] * (width - len(one)) for one in pair] for pair in pairs]
            _add_pairs(self._counts, np.array(padded))


def _add_pairs(counts: RealArray, places: PlacesArray) -> None:
    """Add pairs of shots, shape (P, 2, K), to counts of shape (L, L), in place."""
    first, second = places[:, 0, :, None], places[:, 1, None, :]
    is_pair = (first >= 0) & (second >= 0)
    weights = np.broadcast_to(1 / is_pair.sum(axis=(1, 2), keepdims=True), is_pair.shape)[is_pair]
    first, second = np.broadcast_arrays(first, second)
    np.add.at(counts, (first[is_pair], second[is_pair]), weights)


def count_transitions(shots: Iterable[LabelledShot], labels: Sequence[str]) -> TransitionCounts:
    """Return the counts over labelled shots, which may come in any order.

    Args:
        shots: The shots; a class is a place in ``labels``.
        labels: The labels.
    """
    by_clip = sorted(shots, key=lambda shot: shot.video)
    width = max((len(shot.classes) for shot in by_clip), default=0)
    places = [[*shot.classes, *[-1] * (width - len(shot.classes))] for shot in by_clip]
    counter = TransitionCounter(labels)
    counter.add(
        [shot.video for shot in by_clip],
        [shot.file for shot in by_clip],
        np.array(places, np.int64).reshape(len(by_clip), width),
    )
    return counter.result()


def write_transitions(path: Path, counts: TransitionCounts) -> None:
    """Write the counts that are not 0 as a CSV table, one a line.

    Raises:
        OutputError: The table cannot be written; what was there before stays.
    """
    with written_whole(path) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows((a, b, f"{count:.6g}") for a, b, count in counts.entries())


@cache
def shipped_transitions() -> TransitionCounts:
    """Return the counts over the 107,420 labelled shots of the MovieCLIP release.

    They are of 30,997 pairs of shots; its labels are those that a pair has, in alphabetical order.
    """
    text = (resources.files("mastershot.labelling") / SHIPPED_TABLE).read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    labels = sorted({row[end] for row in rows for end in ("from", "to")})
    place_of = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)))
    for row in rows:
        counts[place_of[row["from"]], place_of[row["to"]]] = float(row["count"])
    return TransitionCounts(tuple(labels), counts)


@dataclass(frozen=True)
class LabelTransitions:
    """What follows a label.

    Attributes:
        label: The label.
        num_pairs: Pairs of shots whose first carries it; a fraction where that carries several.
        self_share: Share of them in which it follows itself.
        others: The other labels that follow it, with their share, the most frequent first.
    """

    label: str
    num_pairs: float
    self_share: float
    others: tuple[tuple[str, float], ...]


def transition_rows(counts: TransitionCounts) -> tuple[LabelTransitions, ...]:
    """Return what follows each label that anything follows, the most frequent label first."""
    totals = counts.counts.sum(axis=1)
    rows = []
    for place in np.argsort(-totals, kind="stable").tolist():
        if totals[place] <= 0:
            break
        shares = counts.counts[place] / totals[place]
        order = np.argsort(-shares, kind="stable").tolist()
        others = tuple(
            (counts.labels[other], float(shares[other]))
            for other in order
            if other != place and shares[other] > 0
        )
        rows.append(
            LabelTransitions(
                counts.labels[place], float(totals[place]), float(shares[place]), others
            )
        )
    return tuple(rows)
