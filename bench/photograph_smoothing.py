"""Does smoothing restore more labels than it breaks on the study's films, labelled by the starter?

    python bench/photograph_smoothing.py WORK

WORK is where `recogniser_study.py` keeps its films. Smoothing acts on the weak labeller's scores of
every shot of a film; a best label is right if it is the true class. With the package's own settings
nothing is chosen here; the other settings are the best of a grid on the learning films alone.
"""

import argparse
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np

from mastershot.datasets.tables.tag_scores import TagScores, read_tag_scores
from mastershot.evaluation.bootstrap import Figure, figure_of_sums
from mastershot.labelling.smoothing import SmoothingSettings, default_model, smooth_scores
from study_labels import LABELLER

GRID = {
    "stay": (0.2, 0.4, 0.6, 0.8, 0.9, 0.98),
    "temper": (0.5, 1.0, 2.0, 2.5),
    "outlier_probability": (0.0025, 0.02, 0.1, 0.3, 0.5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    work = parser.parse_args().work
    for corpus in ("photographs", "drawn"):
        learn, test = (
            read_tag_scores(work / corpus / LABELLER.format(part)) for part in ("learn", "test")
        )
        candidates = [
            SmoothingSettings(**dict(zip(GRID, values, strict=True)))
            for values in product(*GRID.values())
        ]
        chosen = max(candidates, key=lambda settings: gain(outcomes(learn, settings).sum(axis=0)))
        print(f"\n{corpus}: {len(test)} test shots; restored, broken, gain (95 % over films)")
        for name, settings in (("own settings", SmoothingSettings()), ("chosen", chosen)):
            rows = outcomes(test, settings)
            print(f"{name}: {'; '.join(figures(rows, test))}  {asdict(settings)}")


def outcomes(scores: TagScores, settings: SmoothingSettings) -> np.ndarray:
    """Return for each shot whether its label is restored, whether broken, and 1, (N, 3)."""
    model, videos, smoothed = default_model(settings), np.array(scores.videos), scores.scores.copy()
    for video in dict.fromkeys(scores.videos):
        rows = np.flatnonzero(videos == video)
        smoothed[rows] = smooth_scores(scores.scores[rows], scores.classes, model)
    every = np.arange(len(scores))
    before, after = (scores.truth[every, s.argmax(1)] for s in (scores.scores, smoothed))
    return np.stack([~before & after, before & ~after, np.ones(len(scores))], axis=1).astype(float)


def gain(sums: np.ndarray) -> float:
    """Return the share restored minus the share broken."""
    return float((sums[0] - sums[1]) / sums[2])


def figures(rows: np.ndarray, scores: TagScores) -> list[str]:
    metrics = (lambda s: s[0] / s[2], lambda s: s[1] / s[2], gain)
    return [_shown(figure_of_sums(rows, scores.videos, metric)) for metric in metrics]


def _shown(figure: Figure) -> str:
    interval = figure.interval
    return f"{figure.value:+.2%} ({interval.low:+.2%} to {interval.high:+.2%})"


if __name__ == "__main__":
    main()
