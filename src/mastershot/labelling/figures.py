"""The figures of a data set as values, of scored shots or of the splits of a training subset."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.labels import Taxonomy
from mastershot.core.movie import SCALES
from mastershot.datasets.clip_films import ClipFilms
from mastershot.datasets.movieclip import HUMAN_VERIFIED, clip_of_video
from mastershot.datasets.tables.records import LabelledShot
from mastershot.labelling.splits import SplitOverlap, split_overlaps
from mastershot.labelling.statistics import (
    CorpusStatistics,
    GenreCounts,
    ScoreSummary,
    corpus_statistics,
)
from mastershot.labelling.transitions import (
    LabelTransitions,
    count_transitions,
    transition_rows,
)
from mastershot.labelling.weak_labels import MOVIECLIP_RULE

BEST_OF_GENRE = 5
"""Labels shown of a genre, as in the paper's Fig. 5."""


@dataclass(frozen=True)
class SplitSize:
    """The size of a split.

    Attributes:
        name: Its name.
        num_shots: Shots.
        num_clips: Clips.
        num_films: Films; None where it is not known which film a clip is of.
        num_classes: Classes that a shot of it has.
        multi_label_share: Share of its shots with more than one label.
    """

    name: str
    num_shots: int
    num_clips: int
    num_films: int | None
    num_classes: int
    multi_label_share: float


@dataclass(frozen=True)
class DatasetFigures:
    """A data set in numbers.

    Attributes:
        taxonomy: Name of its labels.
        corpus: The row of Table 2; of splits, without those that people verified.
        label_counts: Shots of each label, the most frequent first: of scored shots those whose
            best label it is, of splits those that carry it.
        score_counts: Shots by their best score, in even bins of [0, 1]; empty of splits.
        min_best: From this best score on a shot is sure.
        num_sure: Shots whose best score is at least that; all of splits.
        genres: The most frequent best labels of the sure shots of each genre, with their number.
        scales: Of each shot scale, the closest first, the sure shots, and all; empty where scales
            are not known.
        transitions: What follows each label in the next shot of its clip, of scored shots by the
            labels that are kept; the most frequent label first.
        splits: The splits, if it has some.
        overlaps: What each two splits share.
    """

    taxonomy: str
    corpus: CorpusStatistics
    label_counts: tuple[tuple[str, int], ...]
    score_counts: tuple[int, ...]
    min_best: float
    num_sure: int
    genres: Mapping[str, Sequence[tuple[str, int]]]
    scales: Mapping[str, tuple[int, int]]
    transitions: tuple[LabelTransitions, ...] = ()
    splits: tuple[SplitSize, ...] = ()
    overlaps: tuple[SplitOverlap, ...] = ()


def figures_of_scores(summary: ScoreSummary, films: ClipFilms | None = None) -> DatasetFigures:
    """Return the figures of scored shots.

    Raises:
        DatasetError: No shot was counted.
    """
    known = films or ClipFilms({})
    return DatasetFigures(
        taxonomy=summary.taxonomy.name,
        corpus=summary.corpus(None if films is None else films.film_of_clip, known.year_of_film),
        label_counts=_ranked(summary.taxonomy, summary.label_counts.tolist()),
        score_counts=tuple(summary.score_counts.tolist()),
        min_best=MOVIECLIP_RULE.min_best,
        num_sure=summary.num_sure,
        genres=summary.genres.best(BEST_OF_GENRE),
        scales=dict(sorted(summary.scale_counts.items(), key=_scale_order)),
        transitions=transition_rows(summary.transitions.result()),
    )


def figures_of_splits(
    index: Taxonomy, splits: Mapping[str, Sequence[LabelledShot]], films: ClipFilms | None = None
) -> DatasetFigures:
    """Return the figures of a training subset in splits.

    The first label of a shot counts as its best, as the release writes them.

    Raises:
        DatasetError: A clip's film is not known.
    """
    known, film_of_clip = films or ClipFilms({}), None if films is None else films.film_of_clip
    overlaps = split_overlaps(splits, film_of_clip)
    weak = [shot for name, part in splits.items() if name != HUMAN_VERIFIED for shot in part]
    weak = weak or [shot for part in splits.values() for shot in part]
    counts = Counter(place for shot in weak for place in shot.classes)
    genres = GenreCounts(index, known.genres_of_clip)
    for shot in weak:
        genres.add(shot.video, shot.classes[0])
    return DatasetFigures(
        taxonomy=index.name,
        corpus=corpus_statistics(_clips(weak), len(weak), film_of_clip, known.year_of_film),
        label_counts=_ranked(index, [counts[place] for place in range(len(index))]),
        score_counts=(),
        min_best=MOVIECLIP_RULE.min_best,
        num_sure=len(weak),
        genres=genres.best(BEST_OF_GENRE),
        scales={},
        transitions=transition_rows(count_transitions(weak, index.labels)),
        splits=tuple(_size(name, part, film_of_clip) for name, part in splits.items()),
        overlaps=overlaps,
    )


def _size(
    name: str, shots: Sequence[LabelledShot], film_of_clip: Mapping[str, str] | None
) -> SplitSize:
    clips = _clips(shots)
    return SplitSize(
        name=name,
        num_shots=len(shots),
        num_clips=len(clips),
        num_films=None if film_of_clip is None else len({film_of_clip[clip] for clip in clips}),
        num_classes=len({place for shot in shots for place in shot.classes}),
        multi_label_share=sum(len(shot.classes) > 1 for shot in shots) / max(len(shots), 1),
    )


def _clips(shots: Sequence[LabelledShot]) -> set[str]:
    return {clip_of_video(video) for video in {shot.video for shot in shots}}


def _scale_order(item: tuple[str, tuple[int, int]]) -> int:
    """Return where a scale is shown: the closest first, what is not known last."""
    return [*SCALES, item[0]].index(item[0])


def _ranked(taxonomy: Taxonomy, counts: Sequence[int]) -> tuple[tuple[str, int], ...]:
    order = np.argsort(-np.asarray(counts), kind="stable").tolist()
    return tuple((taxonomy.labels[place], counts[place]) for place in order)
