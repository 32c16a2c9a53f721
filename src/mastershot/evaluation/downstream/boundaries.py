"""The figures of boundaries between scenes, from what probes or a head score each gap of films.

AP is of all gaps together; the other figures are means over films. A figure is the mean over seeds,
its interval by bootstrap over films.
"""
# F films, S shots of a film, G gaps of all films, R seeds, B resamples

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.datasets.tables.scene_table import SceneTable
from mastershot.evaluation.bootstrap import BoolArray, Figure, interval_of, share_figure
from mastershot.evaluation.downstream.figures import MAIN, Measured, mean_figure
from mastershot.evaluation.downstream.tasks import Probe
from mastershot.evaluation.precision import resample_precisions
from mastershot.evaluation.scene_boundaries import FilmFigures, score_film

F1, MIOU, RECALL_3S = "f1", "miou", "recall_3s"
BY_FILM = (F1, MIOU, RECALL_3S)
"""Figures that are means over films; the last two need times of shots."""
OnStep = Callable[[str, int, "int | None", Mapping[str, float]], None]


@dataclass(frozen=True, eq=False)
class AskedFilm:
    """A film whose gaps are scored.

    Attributes:
        name: The film.
        truth: Whether a scene ends after each shot but the last, shape (S - 1,).
        shot_edges_s: When each shot starts, and when the last one ends; empty where not known.
    """

    name: str
    truth: BoolArray
    shot_edges_s: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class BoundaryAnswers:
    """What one probe, or one head, answers.

    Attributes:
        scores: Score of each gap of each film asked, F arrays of shape (S - 1,).
        threshold: Score from which on a gap is a boundary.
        validation: AP on the validation films; NaN where it is not known.
    """

    scores: tuple[FloatArray, ...]
    threshold: float
    validation: float = np.nan


class FitBoundaries(Protocol):
    """Trains probes of a table."""

    def __call__(
        self,
        table: SceneTable,
        probe: Probe,
        seeds: tuple[int, ...],
        split: str,
        on_probe: Callable[[int], OnStep],
    ) -> tuple[BoundaryAnswers, ...]:
        """Return the answers of a probe for each seed, for the films of a split."""
        ...


def measure_boundaries(
    answers: Sequence[BoundaryAnswers], films: Sequence[AskedFilm], *, seed: int = 0
) -> Measured:
    """Return AP of all gaps, and the means over films of `BY_FILM`.

    mIoU and recall@3s are left out unless the times of all films' shots are known; recall@3s is of
    films that have a boundary. At least one film has one.
    """
    truth = np.concatenate([film.truth for film in films])
    films_of = np.repeat([film.name for film in films], [len(film.truth) for film in films])
    parts = [
        resample_precisions(
            np.concatenate(one.scores)[:, None], truth[:, None], films_of, seed=seed
        )
        for one in answers
    ]
    by_seed = np.array([float(part.average[0]) for part in parts])
    resampled = np.mean([part.resampled[:, 0] for part in parts], axis=0)
    main = Figure(float(by_seed.mean()), interval_of(resampled), len(truth))
    figures = {MAIN: main}
    names = [field.name for field in fields(FilmFigures)]
    values = np.array([[_film_values(film, one, place) for place, film in enumerate(films)]
                       for one in answers]).mean(axis=0)  # fmt: skip
    for key in BY_FILM if all(film.shot_edges_s for film in films) else (F1,):
        column = values[:, names.index(key)]
        defined = np.flatnonzero(~np.isnan(column))
        groups = [films[place].name for place in defined.tolist()]
        figures[key] = mean_figure(column[defined], groups, seed=seed)
    return Measured(figures, by_seed, resampled={MAIN: resampled})


def chance_precision(films: Sequence[AskedFilm], *, seed: int = 0) -> Figure:
    """Return the AP of equal scores: the share of gaps that are boundaries."""
    truth = np.concatenate([film.truth for film in films])
    groups = [film.name for film in films for _ in film.truth]
    return share_figure(truth, groups, seed=seed)


def _film_values(film: AskedFilm, answers: BoundaryAnswers, place: int) -> list[float]:
    """Return the figures of one film in the order of `FilmFigures`."""
    scores = answers.scores[place]
    edges_s = film.shot_edges_s or range(len(film.truth) + 2)
    is_found = scores >= np.float32(answers.threshold)
    found = score_film(scores, is_found, film.truth, shot_edges_s=list(edges_s))
    return [getattr(found, field.name) for field in fields(found)]
