"""How well samples are tagged with several classes each (METHODS A7, D)."""
# N samples, C classes, P points of a curve

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.tag_scores import TagScores
from mastershot.evaluation.bootstrap import (
    UNDEFINED,
    BoolArray,
    Figure,
    RealArray,
    basic_interval,
    figure_of_sums,
    interval_of,
)
from mastershot.evaluation.correlation import row_ranks, sample_correlations
from mastershot.evaluation.precision import (
    PrecisionResamples,
    precision_curves,
    resample_precisions,
)


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is recognised.

    Attributes:
        name: The class.
        num_positives: How many samples have it.
        num_films: How many films they are from.
        average_precision: In [0, 1]; NaN without a positive. There is no interval where its
            positives are of one film: resamples of films cannot tell how it varies.
    """

    name: str
    num_positives: int
    num_films: int
    average_precision: Figure


@dataclass(frozen=True)
class Confusion:
    """A wrong class that outranks a true one.

    Attributes:
        true: The class that the samples have.
        predicted: The class that scores highest, which they do not have.
        num_samples: How many samples.
        share: Their share of the samples that have the true class.
    """

    true: str
    predicted: str
    num_samples: int
    share: float


@dataclass(frozen=True, eq=False)
class TaggingFigures:
    """How well samples are tagged; intervals are over films, and undefined where there is one.

    Attributes:
        num_samples: Number of samples, N.
        num_films: Number of films they are from.
        num_classes: How many classes have a positive; means over classes are over these.
        mean_precision: Mean of the classes' average precisions (mAP).
        weighted_precision: The same, weighted by the classes' positives.
        micro_precision: Average precision of all pairs of sample and class as one list.
        pearson: Mean over samples of Pearson's correlation of scores and truth.
        spearman: Mean over samples of Spearman's.
        num_constant_truth: Samples that have no class, or all; the correlations leave them out.
        per_class: Every class, in the order of the columns.
        confusions: The most frequent first.
        curves: Precision of each class at the recalls of `RECALLS`, shape (C, P).
        resamples: What the intervals of the classes are from.
    """

    num_samples: int
    num_films: int
    num_classes: int
    mean_precision: Figure
    weighted_precision: Figure
    micro_precision: Figure
    pearson: Figure
    spearman: Figure
    num_constant_truth: int
    per_class: tuple[ClassFigures, ...]
    confusions: tuple[Confusion, ...]
    curves: RealArray
    resamples: PrecisionResamples


@dataclass(frozen=True)
class ClassGain:
    """What one set of scores gains over another in a class's average precision."""

    name: str
    num_positives: int
    gain: Figure


@dataclass(frozen=True)
class PrecisionGains:
    """What one set of scores gains over another; intervals are paired, over films.

    Attributes:
        mean_precision: Gain in mean average precision.
        per_class: Gain of each class that has a positive, in the order of the columns.
    """

    mean_precision: Figure
    per_class: tuple[ClassGain, ...]


@dataclass(frozen=True, eq=False)
class TaggingResult:
    """What an evaluation says of one set of scores.

    Attributes:
        name: What the scores are called, such as the name of their run.
        scores: The scores with the truth they were compared with.
        figures: How good they are.
        gains: What they gain over the first set evaluated; None for that set itself.
    """

    name: str
    scores: TagScores
    figures: TaggingFigures
    gains: PrecisionGains | None


def tagging_figures(
    scores: TagScores, *, seed: int = 0, num_resamples: int = 1000
) -> TaggingFigures:
    """Return every figure of a set of scores.

    A resample counts the classes that have a positive in it. The 95 % intervals of single classes
    and of correlations are percentiles; those of average precision over all classes are basic ones,
    which cover far better where classes have few samples (docs/evaluation.md).

    Raises:
        DatasetError: No sample has a class.
    """
    values, truth, films = scores.scores, scores.truth, scores.films
    if not truth.any():
        raise DatasetError("no sample has a class, so there is nothing to evaluate")
    film_of = np.unique(np.asarray(films), return_inverse=True)[1]
    settings = {"seed": seed, "num_resamples": num_resamples}
    resamples = resample_precisions(values, truth, film_of, **settings)
    num_classes = len(scores.classes)
    micro = resample_precisions(
        values.reshape(-1, 1), truth.reshape(-1, 1), np.repeat(film_of, num_classes), **settings
    )
    rows = np.arange(len(scores))
    usable = np.any(truth, axis=1) & ~np.all(truth, axis=1)
    num_positives = truth.sum(axis=0)
    has_positive = num_positives > 0
    return TaggingFigures(
        num_samples=len(rows),
        num_films=len(set(films)),
        num_classes=int(has_positive.sum()),
        mean_precision=_mean_figure(resamples, has_positive),
        weighted_precision=_weighted_figure(resamples, num_positives),
        micro_precision=Figure(
            float(micro.average[0]),
            basic_interval(float(micro.average[0]), micro.resampled[:, 0]),
            truth.size,
        ),
        pearson=_mean_correlation(values, truth, films, usable, seed),
        spearman=_mean_correlation(row_ranks(values), truth, films, usable, seed),
        num_constant_truth=int((~usable).sum()),
        per_class=_class_figures(scores, resamples),
        confusions=confused_classes(scores),
        curves=precision_curves(values, truth),
        resamples=resamples,
    )


def confused_classes(scores: TagScores) -> tuple[Confusion, ...]:
    """Return each pair of a true class and a wrong one that outranks it, most samples first.

    A sample counts where its highest score (the first of equal ones) is of a class it lacks: once
    for each class it has.
    """
    best = scores.scores.argmax(axis=1)
    wrong = ~scores.truth[np.arange(len(scores)), best]
    counts = np.zeros((len(scores.classes), len(scores.classes)), np.int64)
    rows, true = np.nonzero(scores.truth & wrong[:, None])
    np.add.at(counts, (true, best[rows]), 1)
    pairs = np.argwhere(counts)
    order = np.argsort(-counts[tuple(pairs.T)], kind="stable")
    num_positives = scores.truth.sum(axis=0)
    return tuple(
        Confusion(
            scores.classes[one],
            scores.classes[other],
            int(counts[one, other]),
            float(counts[one, other] / num_positives[one]),
        )
        for one, other in pairs[order].tolist()
    )


def evaluate_tagging(sets: Mapping[str, TagScores], *, seed: int = 0) -> tuple[TaggingResult, ...]:
    """Return the figures of named sets of scores, and what each gains over the first.

    Raises:
        DatasetError: They are not of the same samples, classes and truth, or no sample has a class.
    """
    first, *_ = sets.values()
    results: list[TaggingResult] = []
    for name, scores in sets.items():
        aligned = aligned_scores(first, scores)
        figures = tagging_figures(aligned, seed=seed)
        gains = gains_of_figures(results[0].figures, figures) if results else None
        results.append(TaggingResult(name, aligned, figures, gains))
    return tuple(results)


def precision_gains(before: TagScores, after: TagScores, *, seed: int = 0) -> PrecisionGains:
    """Return what the second set of scores gains over the first.

    Raises:
        DatasetError: They are not of the same samples, classes and truth, or no sample has a class.
    """
    _, result = evaluate_tagging({"before": before, "after": after}, seed=seed)
    assert result.gains is not None
    return result.gains


def gains_of_figures(before: TaggingFigures, after: TaggingFigures) -> PrecisionGains:
    """Return what the second figures gain over the first, both of the same samples and seed."""
    one, other = before.resamples, after.resamples
    gained = PrecisionResamples(
        other.average - one.average, other.resampled - one.resampled, one.num_positives
    )
    has_positive = ~np.isnan(gained.average)
    per_class = tuple(
        ClassGain(
            row.name,
            row.num_positives,
            Figure(
                float(gained.average[place]),
                interval_of(gained.resampled[:, place]) if row.num_films > 1 else UNDEFINED,
                row.num_positives,
            ),
        )
        for place, row in enumerate(before.per_class)
        if has_positive[place]
    )
    return PrecisionGains(_mean_figure(gained, has_positive, least=-1), per_class)


def aligned_scores(like: TagScores, scores: TagScores) -> TagScores:
    """Return scores with samples and classes in the order of another set's.

    Raises:
        DatasetError: They are not of the same samples, classes and truth.
    """
    rows = _places(like.samples, scores.samples, "sample")
    columns = _places(like.classes, scores.classes, "class")
    cells = np.ix_(rows, columns)
    if (scores.truth[cells] != like.truth).any():
        raise DatasetError(
            "two sets of scores have different true labels; evaluate both against the same"
        )
    return TagScores(
        scores.scores[cells],
        scores.truth[cells],
        like.videos,
        like.files,
        like.films,
        like.classes,
        scores.made_by,
    )


def _places(names: Sequence[object], found: Sequence[object], what: str) -> list[int]:
    place_of = {name: place for place, name in enumerate(found)}
    if set(names) != set(found):
        one = next(iter(sorted(map(str, set(names) ^ set(found)))))
        raise DatasetError(f"two sets of scores differ: only one of them has {what} {one}")
    return [place_of[name] for name in names]


def _mean_figure(
    resamples: PrecisionResamples, counted: BoolArray, *, least: float = 0.0
) -> Figure:
    resampled = resamples.resampled[:, counted]
    defined = ~np.isnan(resampled)
    number = defined.sum(axis=1)
    sums = np.where(defined, resampled, 0).sum(axis=1)
    means = np.divide(sums, number, out=np.full(len(sums), np.nan), where=number > 0)
    average = float(resamples.average[counted].mean())
    return Figure(average, basic_interval(average, means, least=least), int(counted.sum()))


def _weighted_figure(resamples: PrecisionResamples, num_positives: IntArray) -> Figure:
    average = float((np.nan_to_num(resamples.average) * num_positives).sum() / num_positives.sum())
    totals = resamples.num_positives.sum(axis=1)
    counted = resamples.num_positives > 0
    weighted = np.where(counted, resamples.resampled * resamples.num_positives, 0)
    sums = weighted.sum(axis=1)
    means = np.divide(sums, totals, out=np.full(len(sums), np.nan), where=totals > 0)
    return Figure(average, basic_interval(average, means), int((num_positives > 0).sum()))


def _mean_correlation(
    values: RealArray | FloatArray,
    truth: BoolArray,
    films: Sequence[str],
    usable: BoolArray,
    seed: int,
) -> Figure:
    if not usable.any():
        return Figure(np.nan, UNDEFINED, 0)
    correlations = sample_correlations(values[usable], truth[usable])
    rows = np.stack([correlations, np.ones(len(correlations))], axis=1)
    groups = np.asarray(films)[usable].tolist()
    return figure_of_sums(rows, groups, lambda sums: float(sums[0] / sums[1]), seed=seed)


def _class_figures(scores: TagScores, resamples: PrecisionResamples) -> tuple[ClassFigures, ...]:
    films = np.asarray(scores.films)
    figures = []
    for place, name in enumerate(scores.classes):
        positive = scores.truth[:, place]
        num_positives, num_films = int(positive.sum()), len(np.unique(films[positive]))
        interval = interval_of(resamples.resampled[:, place]) if num_films > 1 else UNDEFINED
        average = Figure(float(resamples.average[place]), interval, num_positives)
        figures.append(ClassFigures(name, num_positives, num_films, average))
    return tuple(figures)
