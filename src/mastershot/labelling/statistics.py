"""A labelled data set in numbers, from one pass over its scores."""
# N shots, L labels of the taxonomy

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import clip_of_video
from mastershot.datasets.tables.records import ScoredShots
from mastershot.labelling.selection import all_classes, select_classes
from mastershot.labelling.transitions import TransitionCounter
from mastershot.labelling.weak_labels import MOVIECLIP_RULE

NUM_BINS = 20


@dataclass(frozen=True)
class CorpusStatistics:
    """The row of MovieCLIP's Table 2.

    Attributes:
        num_movies: Films; None where it is not known which film a clip is of.
        years: First and last year of release; None where not known.
        num_clips: Clips that have a shot.
        num_shots: Shots.
        shots_per_clip: Mean number of shots a clip.
        mean_shot_s: Mean length of a shot; None where shots come without their times.
    """

    num_movies: int | None
    years: tuple[int, int] | None
    num_clips: int
    num_shots: int
    shots_per_clip: float
    mean_shot_s: float | None


@dataclass(frozen=True)
class GalleryShot:
    """A shot that shows how sure the labels are.

    Attributes:
        video: Its clip.
        file: Its file.
        score: The score of its best label.
    """

    video: str
    file: str
    score: float


def corpus_statistics(
    clips: AbstractSet[str],
    num_shots: int,
    film_of_clip: Mapping[str, str] | None = None,
    year_of_film: Mapping[str, int] | None = None,
    *,
    total_s: float | None = None,
) -> CorpusStatistics:
    """Return the row of Table 2.

    Raises:
        DatasetError: There is no shot.
    """
    if not num_shots:
        raise DatasetError("there is no shot to count; label clips that have some")
    films = {film_of_clip[clip] for clip in clips if clip in film_of_clip} if film_of_clip else ()
    years = [year_of_film[film] for film in films if year_of_film and film in year_of_film]
    return CorpusStatistics(
        num_movies=None if film_of_clip is None else len(films),
        years=(min(years), max(years)) if years else None,
        num_clips=len(clips),
        num_shots=num_shots,
        shots_per_clip=num_shots / len(clips),
        mean_shot_s=None if total_s is None else total_s / num_shots,
    )


class GenreCounts:
    """How often each label is the best of a shot, by the genres of the shot's film (Fig. 5)."""

    def __init__(self, taxonomy: Taxonomy, genres_of_clip: Mapping[str, Sequence[str]]) -> None:
        self._labels = taxonomy.labels
        self._genres_of_clip = genres_of_clip
        self._counts: dict[str, Counter[int]] = defaultdict(Counter)

    def add(self, video: str, label: int) -> None:
        """Count a shot for every genre of its film."""
        for genre in self._genres_of_clip.get(clip_of_video(video), ()):
            self._counts[genre][label] += 1

    def best(self, num_best: int) -> dict[str, list[tuple[str, int]]]:
        """Return the most frequent labels of each genre; equal counts in the taxonomy's order."""
        return {
            genre: [
                (self._labels[label], count)
                for label, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            ][:num_best]
            for genre, counts in sorted(self._counts.items())
        }


class ScoreSummary:
    """Counts over scored shots, gathered batch by batch in memory that hardly grows.

    Of each label, ``gallery`` of the surest and as many of the least sure shots are kept.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        *,
        genres_of_clip: Mapping[str, Sequence[str]] | None = None,
        gallery: int = 0,
    ) -> None:
        self.taxonomy = taxonomy
        self.label_counts: IntArray = np.zeros(len(taxonomy), np.int64)
        """Shots whose best label is each label, shape (L,)."""
        self.score_counts: IntArray = np.zeros(NUM_BINS, np.int64)
        """Shots whose best score lies in each of the even bins of [0, 1]."""
        self.num_sure = 0
        """Shots whose best score is at least 0.4; they count for genres (paper, section 4.3)."""
        self.scale_counts: dict[str, tuple[int, int]] = {}
        """Of each shot scale, the sure shots, and all."""
        self.genres = GenreCounts(taxonomy, genres_of_clip or {})
        """The best labels of the sure shots, by genre."""
        self._classes = all_classes(taxonomy)
        self.transitions = TransitionCounter(self._classes.labels)
        """Which kept label follows which, from shot to shot."""
        self.clips: set[str] = set()
        """The clips that have a shot."""
        self._gallery = gallery
        self._surest: list[list[GalleryShot]] = [[] for _ in taxonomy.labels]
        self._least: list[list[GalleryShot]] = [[] for _ in taxonomy.labels]
        self._num_shots = 0
        self._total_s = 0.0

    def add(self, shots: ScoredShots) -> None:
        """Count a batch; a shot without a label counts as a shot only."""
        self._num_shots += len(shots)
        self.clips.update(map(clip_of_video, set(shots.videos)))
        self._total_s += float((shots.times_s[:, 1] - shots.times_s[:, 0]).sum())
        rows = np.flatnonzero((shots.labels >= 0).any(axis=1))
        best, scores = shots.labels[rows, :1].ravel(), shots.scores[rows, :1].ravel()
        self.label_counts += np.bincount(best, minlength=len(self.taxonomy))
        edges = np.linspace(0, 1, NUM_BINS + 1).astype(scores.dtype)
        self.score_counts += np.histogram(scores.clip(0, 1), edges)[0]
        is_sure = scores >= scores.dtype.type(MOVIECLIP_RULE.min_best)
        sure_rows = rows[is_sure].tolist()
        self.num_sure += len(sure_rows)
        for row, label in zip(sure_rows, best[is_sure].tolist(), strict=True):
            self.genres.add(shots.videos[row], label)
        sure = set(sure_rows)
        for row, scale in enumerate(shots.scales or ()):
            num_sure, num_shots = self.scale_counts.get(scale, (0, 0))
            self.scale_counts[scale] = num_sure + (row in sure), num_shots + 1
        kept, _ = select_classes(shots, self.taxonomy, self._classes)
        self.transitions.add(shots.videos, shots.files, kept)
        if self._gallery:
            self._add_to_galleries(shots, rows, best)

    def corpus(
        self,
        film_of_clip: Mapping[str, str] | None = None,
        year_of_film: Mapping[str, int] | None = None,
    ) -> CorpusStatistics:
        """Return the row of Table 2.

        Raises:
            DatasetError: No shot was counted.
        """
        return corpus_statistics(
            self.clips, self._num_shots, film_of_clip, year_of_film, total_s=self._total_s
        )

    def galleries(self) -> dict[str, tuple[list[GalleryShot], list[GalleryShot]]]:
        """Return the surest and the least sure shots of each label that has some (Fig. 4)."""
        pairs = zip(self.taxonomy.labels, self._surest, self._least, strict=True)
        return {label: (surest, least) for label, surest, least in pairs if surest}

    def _add_to_galleries(
        self, shots: ScoredShots, rows: IntArray, best: npt.NDArray[np.integer]
    ) -> None:
        for label in np.unique(best).tolist():
            mine = rows[best == label]
            for gallery, sign in ((self._surest[label], -1), (self._least[label], 1)):
                order = np.argsort(sign * shots.scores[mine, 0], kind="stable")
                gallery += [
                    GalleryShot(shots.videos[i], shots.files[i], float(shots.scores[i, 0]))
                    for i in mine[order[: self._gallery]].tolist()
                ]
                # Stable: of equal scores the first met stay.
                gallery.sort(key=attrgetter("score"), reverse=sign < 0)
                del gallery[self._gallery :]


def summarise(batches: Iterable[ScoredShots], summary: ScoreSummary) -> ScoreSummary:
    """Return the summary after all batches were added to it."""
    for batch in batches:
        summary.add(batch)
    return summary
