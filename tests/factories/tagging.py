"""Small splits with vectors or films, for tests of training recognisers."""

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tests.factories.films import encode_film, flat_images

from mastershot.datasets.tables.feature_table import writing_features
from mastershot.training.tagging.settings import (
    ClipSettings,
    NetworkSettings,
    TaggingRecipe,
    TaggingTrainingSettings,
    VectorSettings,
)

CLASSES = ("red", "green", "blue")
WIDTH = 8
_COLOURS = ((200, 40, 40), (40, 180, 40), (40, 40, 220))
_SPLITS = {"train": 8, "val": 3, "test": 3}  # clips
SHOTS_A_CLIP = 4


def write_splits(folder: Path, *, seed: int = 0) -> dict[str, list[tuple[str, list[int]]]]:
    """Write split files with their index; return each shot's name and classes."""
    rng, folder = np.random.default_rng(seed), folder / "splits"
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps({name: i for i, name in enumerate(CLASSES)}))
    splits = {}
    for split, num_clips in _SPLITS.items():
        shots = [
            (f"{split}{clip}/{split}{clip}-Scene-{shot + 1:03}.mp4", [int(rng.integers(3))])
            for clip in range(num_clips)
            for shot in range(SHOTS_A_CLIP)
        ]
        lines = (" ".join([name, *map(str, classes)]) for name, classes in shots)
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
        splits[split] = shots
    return splits


def vector_data(folder: Path) -> Path:
    """Write splits, and a table of vectors in which each class has a dimension."""
    rng = np.random.default_rng(1)
    splits = write_splits(folder)
    with writing_features(folder / "vectors", width=WIDTH, made_by={}) as add:
        for name, classes in (shot for shots in splits.values() for shot in shots):
            vectors = rng.normal(size=(rng.integers(1, 7), WIDTH))
            vectors[:, classes] += 3
            add(name, vectors)
    return folder


def film_data(folder: Path) -> Path:
    """Write splits, a film a clip whose shots have the colours of their classes, and the table."""
    splits = write_splits(folder)
    (folder / "films").mkdir()
    with (folder / "shots.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("video", "file", "path", "start_s", "end_s"))
        for shots in splits.values():
            for first in range(0, len(shots), SHOTS_A_CLIP):
                clip = shots[first : first + SHOTS_A_CLIP]
                video = clip[0][0].partition("/")[0]
                colours = [_COLOURS[classes[0]] for _, classes in clip]
                images = flat_images(colours, each=6, width_px=48, height_px=32)
                encode_film(folder / "films" / f"{video}.mp4", images, time_base=Fraction(1, 12))
                for place, (name, _) in enumerate(clip):
                    span = (place * 6 / 12, (place + 1) * 6 / 12)
                    rows.writerow((video, name.partition("/")[2], f"films/{video}.mp4", *span))
    return folder


def tagging_recipe(data: Path, *, network: str = "lstm", **training: Any) -> TaggingRecipe:
    """Return a recipe of a tiny network: on vectors, or on clips where the network reads those."""
    reads_vectors = network == "lstm"
    return TaggingRecipe(
        data=str(data),
        shots="" if reads_vectors else "shots.csv",
        network=NetworkSettings(
            network,
            width=1 / 64 if reads_vectors else 1 / 8,
            depth=0.3,
            frames=0 if reads_vectors else 4,
            size_px=0 if reads_vectors else 32,
        ),
        vectors=VectorSettings(table="vectors" if reads_vectors else ""),
        clips=ClipSettings(),
        training=TaggingTrainingSettings(
            **{"epochs": 3, "batch_size": 8, "learning_rate": 1e-2} | training
        ),
    )
