"""Train the LSTM on the four released split files, at their real size, on stand-in features.

    python bench/movieclip_splits.py DATA [--work FOLDER] [--epochs 1]

DATA holds the release's split files (folder ``movieclip``). The features are stand-ins: a fixed
random direction for each of the 150 classes, added to noise, float16, 768 wide, 4 to 20 steps a
shot. So the figures of accuracy mean nothing; what is measured is that the real files go in at
their real size through the real reader, and how long an epoch takes.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mastershot.datasets.movieclip import read_split_folder
from mastershot.datasets.tables.feature_table import writing_features
from mastershot.datasets.tables.records import LabelledShot
from mastershot.training.engine.metrics_log import read_log
from mastershot.training.tagging.settings import (
    NetworkSettings,
    TaggingRecipe,
    TaggingTrainingSettings,
    VectorSettings,
)
from mastershot.training.tagging.train import train_recogniser

WIDTH, MOST_STEPS = 768, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--epochs", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        measure(options.data, options.work or Path(folder), options.epochs)


def measure(data: Path, work: Path, epochs: int) -> None:
    classes, splits = read_split_folder(data / "movieclip")
    print({name: len(shots) for name, shots in splits.items()}, f"{len(classes)} classes")
    shots = {(s.video, s.file): s for part in splits.values() for s in part}
    began_s = time.perf_counter()
    if not (work / "vectors").exists():
        write_stand_ins(work / "vectors", shots.values(), len(classes))
    print(f"stand-in features of {len(shots):,} shots: {time.perf_counter() - began_s:.0f} s")
    recipe = TaggingRecipe(
        splits=str((data / "movieclip").resolve()),
        network=NetworkSettings("lstm"),
        vectors=VectorSettings(table=str(work / "vectors")),
        training=TaggingTrainingSettings(epochs=epochs),
    )
    began_s = time.perf_counter()
    out = work / f"run-{epochs}-{int(time.time())}"
    made = train_recogniser(recipe, out)
    whole_s = time.perf_counter() - began_s
    log = read_log(out)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    figures = json.loads((made / "recogniser.json").read_text())["mean_precision"]
    print(
        f"{epochs} epoch(s) of {len(splits['train']):,} shots and validation: "
        f"{log[-1]['seconds']:.0f} s; with opening and the scores of all splits {whole_s:.0f} s; "
        f"peak memory {peak_gb:.1f} GB; mAP on stand-ins {figures}"
    )


def write_stand_ins(folder: Path, shots: Iterable[LabelledShot], num_classes: int) -> None:
    """Write vectors in which each class has a direction of its own."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(num_classes, WIDTH)).astype(np.float32)
    noise = rng.normal(size=(4096, WIDTH)).astype(np.float32)
    with writing_features(folder, width=WIDTH, made_by={"stand-ins": "class directions"}) as add:
        for shot in shots:
            num_steps = int(rng.integers(4, MOST_STEPS + 1))
            first = int(rng.integers(len(noise) - num_steps))
            signal = 0.15 * directions[list(shot.classes)].sum(axis=0)
            add(f"{shot.video}/{shot.file}", noise[first : first + num_steps] + signal)


if __name__ == "__main__":
    main()
