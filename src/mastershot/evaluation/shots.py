"""How well the boundaries between shots were found: precision, recall and F1, by kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mastershot.datasets.boundaries.boundary import Boundary
from mastershot.evaluation.bootstrap import Figure, share_figure
from mastershot.evaluation.matching import match_boundaries

KINDS = ("cut", "gradual", "fade", "dissolve", "wipe")
"""The rows of a table by kind; ``gradual`` is all that are not cuts."""
FLASH_FRAMES = 2
"""A false boundary this near to a flash is the flash's doing."""
NUM_STRETCHES = 20
"""Stretches of equal length that one film alone is cut into, to be resampled."""


@dataclass(frozen=True)
class Measure:
    """When a found boundary counts for a true one.

    Attributes:
        tolerance: Frames by which it may be off, in those that the true list counts.
        least_overlap: What is common to two gradual transitions, over what they cover together
            (intersection over union), must be at least this for one to be located; 0 asks only
            that they touch.
    """

    tolerance: float = 2
    least_overlap: float = 0.5


@dataclass(frozen=True)
class FilmBoundaries:
    """What was found in a film, and what is there; frames are those that the true list counts.

    Attributes:
        film: Its name, unique among those evaluated.
        found: Boundaries found.
        true: Boundaries that are there.
        num_frames: The film's length.
        flashes: Frames of flashes, or None where nobody listed them.
    """

    film: str
    found: tuple[Boundary, ...]
    true: tuple[Boundary, ...]
    num_frames: int
    flashes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Score:
    """How well boundaries were found.

    Attributes:
        num_true: How many there are.
        num_found: How many were found.
        num_matched: How many of the found are true.
        precision: Share of the found that are true.
        recall: Share of the true that were found.
        f1: Their harmonic mean: 2 matched / (found + true).
    """

    num_true: int
    num_found: int
    num_matched: int
    precision: Figure
    recall: Figure
    f1: Figure


@dataclass(frozen=True)
class ShotFigures:
    """How well the boundaries of some films were found.

    Attributes:
        measure: When a boundary counts.
        detected: Whatever the kinds: a boundary counts that touches a true one, within the
            tolerance.
        detected_kinds: Of the true boundaries of each of `KINDS`, the share detected, as whatever.
        located: Of the same kind, and where it is: a cut within the tolerance of a cut, a gradual
            transition with `Measure.least_overlap`. One whose true kind is unknown may be of any.
        located_kinds: The same for each of `KINDS`; for kinds of gradual transitions, over films
            whose list tells them apart. For ``gradual`` these are not told apart.
        num_measured: Gradual transitions that touch a true one, of which both lengths are known.
        start_error: Mean distance in frames of their starts; NaN where there is none.
        end_error: The same of their ends.
        flashes: Share of flashes with a false boundary within `FLASH_FRAMES`; None where no film
            has a list of flashes.
        films: Detection and location in each film, in order, without intervals.
        num_stretches: Into how many stretches the one film was cut for intervals; 0 where there
            are several films, which are resampled themselves.
    """

    measure: Measure
    detected: Score
    detected_kinds: Mapping[str, Figure]
    located: Score
    located_kinds: Mapping[str, Score]
    num_measured: int
    start_error: float
    end_error: float
    flashes: Figure | None
    films: tuple[tuple[str, Score, Score], ...]
    num_stretches: int


def evaluate_boundaries(
    films: Sequence[FilmBoundaries], measure: Measure | None = None, *, seed: int = 0
) -> ShotFigures:
    """Return how well boundaries were found, all films together (micro average).

    Detection is the criterion of TransNetV2's evaluation (Souček and Lokoč, 2020): a found
    boundary and a true one that overlap when both are widened, the kinds aside. Location is
    TRECVID's rule that cuts match cuts and gradual transitions match gradual ones (Smeaton, Over
    and Doherty, "Video shot boundary detection: Seven years of TRECVid activity", 2010), with more
    overlap than the one frame asked for there, and with the kinds told apart. Unlike TRECVID, short
    gradual transitions are not taken for cuts.

    Args:
        films: At least one.
        measure: When a boundary counts.
        seed: Settles the intervals, which are by bootstrap over films; of one film alone, over
            stretches of it.
    """
    measure = measure or Measure()
    alone = len(films) == 1
    detected = [_matched(film, measure) for film in films]
    located = [_matched(film, measure, locates=True) for film in films]
    errors = np.array([gaps for film in films for gaps in _errors(film, measure)]).reshape(-1, 2)
    start_error, end_error = errors.mean(axis=0).tolist() if len(errors) else (np.nan, np.nan)
    return ShotFigures(
        measure=measure,
        detected=_score(detected, alone=alone, seed=seed),
        detected_kinds={kind: _recall(detected, kind, alone=alone, seed=seed) for kind in KINDS},
        located=_score(located, alone=alone, seed=seed),
        located_kinds={
            kind: _score(_of_kind(films, kind, measure), alone=alone, seed=seed) for kind in KINDS
        },
        num_measured=len(errors),
        start_error=start_error,
        end_error=end_error,
        flashes=_flash_share(detected, alone=alone, seed=seed),
        films=tuple(
            (
                film.film,
                _score([one], alone=False, seed=seed),
                _score([other], alone=False, seed=seed),
            )
            for film, one, other in zip(films, detected, located, strict=True)
        ),
        num_stretches=NUM_STRETCHES if alone else 0,
    )


def overlap(one: Boundary, other: Boundary) -> float:
    """Return the intersection over union of two gradual transitions; 0 where one has no length."""
    common = min(one.end, other.end) - max(one.start, other.start)
    if common <= 0:
        return 0.0
    return common / (max(one.end, other.end) - min(one.start, other.start))


def is_of(boundary: Boundary, kind: str) -> bool:
    """Return whether a boundary is of one of `KINDS`."""
    return boundary.is_gradual if kind == "gradual" else boundary.kind == kind


@dataclass(frozen=True)
class _Matched:
    """A film's boundaries, or those of one kind, and which of them are paired."""

    film: FilmBoundaries
    found_hits: frozenset[int]
    true_hits: frozenset[int]


def _matched(
    film: FilmBoundaries, measure: Measure, *, locates: bool = False, tells_apart: bool = True
) -> _Matched:
    def accepts(found: Boundary, true: Boundary) -> bool:
        if found.is_gradual != true.is_gradual:
            return False
        if not found.is_gradual:
            return True
        if tells_apart and true.kind not in ("gradual", found.kind):
            return False
        return overlap(found, true) >= measure.least_overlap

    pairs = match_boundaries(
        film.found,
        film.true,
        tolerance=measure.tolerance,
        accepts=accepts if locates else None,
    )
    return _Matched(film, frozenset(one for one, _ in pairs), frozenset(one for _, one in pairs))


def _of_kind(films: Sequence[FilmBoundaries], kind: str, measure: Measure) -> list[_Matched]:
    """Return the boundaries of one kind, of the films whose list tells it."""
    matched = []
    for film in films:
        if kind in ("cut", "gradual") or all(one.kind != "gradual" for one in film.true):
            found, true = (
                tuple(one for one in side if is_of(one, kind)) for side in (film.found, film.true)
            )
            only = replace(film, found=found, true=true)
            matched.append(_matched(only, measure, locates=True, tells_apart=False))
    return matched


def _errors(film: FilmBoundaries, measure: Measure) -> Iterator[tuple[int, int]]:
    """Yield by how many frames start and end of each gradual transition are off."""
    found, true = ([one for one in side if one.end > one.start] for side in (film.found, film.true))
    for one, other in match_boundaries(found, true, tolerance=measure.tolerance):
        yield (
            abs(found[one].start - true[other].start),
            abs(found[one].end - true[other].end),
        )


def _score(matched: Sequence[_Matched], *, alone: bool, seed: int) -> Score:
    # Precision, recall and F1 are the share of the found, the true, and both that are matched.
    hits: list[bool] = []
    is_found: list[bool] = []
    groups: list[str] = []
    for one in matched:
        found, true = one.film.found, one.film.true
        hits += [place in one.found_hits for place in range(len(found))]
        hits += [place in one.true_hits for place in range(len(true))]
        is_found += [True] * len(found) + [False] * len(true)
        groups += [_group(one.film, at.start, alone=alone) for at in (*found, *true)]
    holds, of_found = np.array(hits, np.bool_), np.array(is_found, np.bool_)
    return Score(
        num_true=int((~of_found).sum()),
        num_found=int(of_found.sum()),
        num_matched=int(holds[of_found].sum()),
        precision=share_figure(holds, groups, where=of_found, seed=seed),
        recall=share_figure(holds, groups, where=~of_found, seed=seed),
        f1=share_figure(holds, groups, seed=seed),
    )


def _recall(matched: Sequence[_Matched], kind: str, *, alone: bool, seed: int) -> Figure:
    holds, groups = [], []
    for one in matched:
        for place, true in enumerate(one.film.true):
            if is_of(true, kind):
                holds.append(place in one.true_hits)
                groups.append(_group(one.film, true.start, alone=alone))
    return share_figure(np.array(holds, np.bool_), groups, seed=seed)


def _flash_share(matched: Sequence[_Matched], *, alone: bool, seed: int) -> Figure | None:
    """Return the share of flashes that made a false boundary; None where nobody listed them."""
    if all(one.film.flashes is None for one in matched):
        return None
    holds, groups = [], []
    for one in matched:
        false = [at for place, at in enumerate(one.film.found) if place not in one.found_hits]
        for flash in one.film.flashes or ():
            near = (flash - FLASH_FRAMES, flash + FLASH_FRAMES)
            holds.append(any(at.start <= near[1] and at.end >= near[0] for at in false))
            groups.append(_group(one.film, flash, alone=alone))
    return share_figure(np.array(holds, np.bool_), groups, seed=seed)


def _group(film: FilmBoundaries, frame: int, *, alone: bool) -> str:
    """Return what is resampled as one: the film, or a stretch of it where it is the only one."""
    if not alone:
        return film.film
    return str(min(NUM_STRETCHES - 1, frame * NUM_STRETCHES // film.num_frames))
