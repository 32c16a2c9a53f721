"""Scores of classes that are drawn at random, with their truth."""

import numpy as np

from mastershot.datasets.tables.tag_scores import TagScores


def drawn_scores(num_samples: int = 200, num_classes: int = 8, *, skill: float = 0.4) -> TagScores:
    """Return scores of films of five samples; the first class never occurs, the last often.

    The truth is the same for every skill, from 0 (chance) to 1.
    """
    rng = np.random.default_rng(5)
    truth = rng.random((num_samples, num_classes)) < np.linspace(0, 0.4, num_classes)
    scores = np.round(skill * truth + (1 - skill) * rng.random(truth.shape), 2).astype(np.float32)
    return TagScores(
        scores=scores,
        truth=truth,
        videos=tuple(f"v{row}" for row in range(num_samples)),
        files=("shot.mp4",) * num_samples,
        films=tuple(f"f{row // 5}" for row in range(num_samples)),
        classes=tuple("abcdefghijkl"[:num_classes]),
        made_by={"recipe": "drawn <at> random"},
    )
