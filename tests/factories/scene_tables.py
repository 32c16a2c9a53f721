"""Tables of drawn films whose shots' features change where scenes do."""

from pathlib import Path

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.datasets.tables.scene_table import SceneFilm, write_scene_table

SPACES = (EmbeddingSpace("ours", "hash", 6), EmbeddingSpace("theirs", "other", 4))


def toy_film(
    name: str, split: str, seed: int, *, noise: float = 0.2, timed: bool = True
) -> SceneFilm:
    """Return a film of twelve scenes, with shots of one to three seconds where it has times."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 6, 12)
    kinds = np.cumsum(rng.integers(1, 4, 12)) % 4  # No two neighbours are of one kind.
    places = np.random.default_rng(0).normal(size=(4, 10))[kinds]
    features = np.repeat(places, lengths, axis=0) + noise * rng.normal(size=(lengths.sum(), 10))
    starts = (0, *np.cumsum(lengths)[:-1].tolist())
    edges_s = (0.0, *np.cumsum(rng.integers(1, 4, lengths.sum())).astype(float).tolist())
    return SceneFilm(name, split, features.astype(np.float32), starts, edges_s if timed else ())


def write_toy_table(
    folder: Path, *, noise: float = 0.2, timed: bool = True, num_test: int = 3
) -> Path:
    """Write 16 films of train, three of val and some of test; return the folder."""
    splits = ["train"] * 16 + ["val"] * 3 + ["test"] * num_test
    films = [
        toy_film(f"film-{seed}", split, seed, noise=noise, timed=timed)
        for seed, split in enumerate(splits)
    ]
    write_scene_table(folder, films, SPACES, toy=True)
    return folder
