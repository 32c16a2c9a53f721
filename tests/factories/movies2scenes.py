"""A tiny library of cached features and keyframes, for tests of learning from scenes."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from mastershot.core.similarity import table_of
from mastershot.datasets.tables.pair_table import write_pairs
from mastershot.datasets.tables.similarity_table import write_similarity
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.scene_pairs import same_scenes
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
    LogSettings,
    NetworkSettings,
)

TRAINING = ContrastiveSettings(
    epochs=2, batch_size=8, queue=16, projection=8, learning_rate=1e-2, warmup_epochs=0.5
)
FEATURE_NET = NetworkSettings("features", width=8, depth=1, heads=2)
PIXEL_NET = NetworkSettings("vit", width=8, depth=1, heads=2, patch_px=8)
LOG = LogSettings(report_every=2, save_every=3)


def write_films(folder: Path, *, films: int = 4, shots: int = 20) -> None:
    """Write ``features`` (6 wide), ``keyframes`` (16²), pairs and a similarity of films a, b, …"""
    rng = np.random.default_rng(0)
    names = [chr(ord("a") + index) for index in range(films)]
    for kind in ("features", "keyframes"):
        (folder / kind).mkdir()
    for name in names:
        write_movie(folder / "features", name, rng.normal(size=(shots, 6)).astype(np.float32))
        frames = rng.integers(0, 256, (shots, 1, 16, 16, 3), np.uint8)
        write_movie(folder / "keyframes", name, frames)
    pairs = same_scenes(ShotArrays(folder / "features"), 3, 1)
    write_pairs(folder / "pairs.parquet", [pairs], pairs.made_by)
    similar = [(one, other, 1.0) for one, other in pairwise(names)]
    write_similarity(folder / "similar.parquet", table_of(names, similar, {"measure": "told"}))
