"""What data sets are made of: a shot with its best labels, alone or as columns of many."""
# N shots, K best labels of each, L labels of the taxonomy

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.labels import LabelScore, Taxonomy

ScoreArray: TypeAlias = npt.NDArray[np.floating[Any]]
PlaceArray: TypeAlias = npt.NDArray[np.int16]

NUM_BEST = 5
"""How many labels of a shot the MovieCLIP release keeps (METHODS A4)."""


@dataclass(frozen=True, slots=True)
class ScoredShot:
    """A shot of a clip and its best labels.

    Attributes:
        video: The clip, such as a YouTube id or the stem of a file.
        file: Name of the shot's own file, ``<video>-Scene-<NNN>.mp4`` in the release.
        start_frame: First frame, from 0.
        end_frame: One past the last frame.
        start_s: Start in seconds.
        end_s: End in seconds.
        labels: The best labels, best first.
    """

    video: str
    file: str
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    labels: tuple[LabelScore, ...]


@dataclass(frozen=True, slots=True)
class LabelledShot:
    """A shot of a training or evaluation subset.

    Attributes:
        video: The clip.
        file: Name of the shot's own file.
        classes: Places of its labels in the subset's index, at least one.
    """

    video: str
    file: str
    classes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ScoredShots:
    """Many shots and their best labels, as columns: entry i of each is shot i.

    Attributes:
        videos: The clip of each shot.
        files: Name of each shot's own file.
        frames: First frame and one past the last, shape (N, 2).
        times_s: Start and end in seconds, shape (N, 2).
        labels: Places of the best labels in the taxonomy, best first, shape (N, K), padded by -1.
        scores: Their scores, shape (N, K), in the type they were computed in, padded by 0.
        scales: Such as ``CS``, empty where not known; None if no shot's was determined.
    """

    videos: Sequence[str]
    files: Sequence[str]
    frames: IntArray
    times_s: npt.NDArray[np.float64]
    labels: PlaceArray
    scores: ScoreArray
    scales: Sequence[str] | None = None

    def __post_init__(self) -> None:
        num_shots = len(self.videos)
        assert len(self.files) == len(self.labels) == num_shots, (len(self.files), num_shots)
        assert self.scales is None or len(self.scales) == num_shots, num_shots
        assert self.frames.shape == self.times_s.shape == (num_shots, 2), self.frames.shape
        assert self.labels.shape == self.scores.shape, (self.labels.shape, self.scores.shape)
        assert self.labels.ndim == 2, self.labels.shape

    def __len__(self) -> int:
        return len(self.videos)

    def best(self, num_best: int = NUM_BEST) -> "ScoredShots":
        """Return the shots with only their best labels, at most so many."""
        labels, scores = self.labels[:, :num_best], self.scores[:, :num_best]
        return replace(self, labels=labels, scores=scores)


def best_columns(scores: ScoreArray, num_best: int = NUM_BEST) -> tuple[PlaceArray, ScoreArray]:
    """Return places and scores of the best labels of each shot, shapes (N, K), best first.

    Equal scores keep the taxonomy's order.

    Args:
        scores: One score a label of the taxonomy, shape (N, L), L at most 32,767.
        num_best: K; where the taxonomy is shorter, all its labels.
    """
    assert scores.shape[1] <= np.iinfo(np.int16).max, scores.shape
    places = np.argsort(-scores, axis=1, kind="stable")[:, :num_best]
    return places.astype(np.int16), np.take_along_axis(scores, places, axis=1)


def columns_of(
    shots: Iterable[ScoredShot],
    taxonomy: Taxonomy,
    *,
    num_best: int = NUM_BEST,
    dtype: npt.DTypeLike = np.float32,
) -> ScoredShots:
    """Return shots as columns; of each shot the first ``num_best`` labels.

    Raises:
        DatasetError: A label is not in the taxonomy.
    """
    shots, place_of = list(shots), {label: place for place, label in enumerate(taxonomy.labels)}
    labels = np.full((len(shots), num_best), -1, np.int16)
    scores = np.zeros((len(shots), num_best), dtype)
    for row, shot in enumerate(shots):
        for rank, label in enumerate(shot.labels[:num_best]):
            place = place_of.get(label.name)
            if place is None:
                raise DatasetError(
                    f"shot {shot.file} carries {label.name!r}, which taxonomy {taxonomy.name!r} "
                    "does not name; give the taxonomy the shots were labelled with"
                )
            labels[row, rank], scores[row, rank] = place, label.score
    return ScoredShots(
        videos=[shot.video for shot in shots],
        files=[shot.file for shot in shots],
        frames=np.array([(s.start_frame, s.end_frame) for s in shots], np.int64).reshape(-1, 2),
        times_s=np.array([(s.start_s, s.end_s) for s in shots], np.float64).reshape(-1, 2),
        labels=labels,
        scores=scores,
    )


def shots_of(columns: ScoredShots, taxonomy: Taxonomy) -> Iterator[ScoredShot]:
    """Yield the shots that columns hold, one by one.

    A score becomes the shortest decimal that its own type reads back as the same value: 0.4 in
    float32 becomes 0.4, not 0.4000000059604645. A threshold then keeps the same labels, whether
    it is compared in the score's type or with these numbers.
    """
    names = taxonomy.labels
    for row, (video, file) in enumerate(zip(columns.videos, columns.files, strict=True)):
        best = zip(columns.labels[row].tolist(), columns.scores[row], strict=True)
        labels = tuple(
            LabelScore(names[place], float(str(score))) for place, score in best if place >= 0
        )
        first, end = columns.frames[row].tolist()
        start_s, end_s = columns.times_s[row].tolist()
        yield ScoredShot(video, file, first, end, start_s, end_s, labels)
