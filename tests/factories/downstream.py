"""A small LVU-like data set with features of its clips, and probes that answer at once."""

from pathlib import Path

import numpy as np

from mastershot.evaluation.downstream.items import Answers, Problem
from mastershot.evaluation.downstream.tasks import Probe

SIZES = {"train": 40, "val": 20, "test": 20}
_CLASSES = ("office", "airport", "school")


def write_lvu(folder: Path, *tasks: str, missing: int = 0) -> Path:
    """Write the labels of tasks; so many test clips of each of class 0 are marked as missing."""
    for task in tasks:
        (folder / task).mkdir(parents=True)
        for split, size in SIZES.items():
            if task == "view_count":
                lines = ["view_count youtube_id imdb_id"]
                lines += [f"{1000 + 50 * n} {split}{n} tt{n}" for n in range(size)]
            else:
                names = (r"\N" if missing else _CLASSES[0], *_CLASSES[1:])
                lines = ["class_id class_name youtube_id imdb_id"]
                lines += [f"{n % 3} {names[n % 3]} {split}{n} tt{n}" for n in range(size)]
            (folder / task / f"{split}.csv").write_text("\n".join(lines) + "\n")
    return folder


def clip_names() -> list[str]:
    return [f"{split}{n}" for split, size in SIZES.items() for n in range(size)]


def write_clip_features(path: Path, *, width: int = 6, skip: int = 0, seed: int = 0) -> Path:
    """Write features of all clips but the last so many, which tell the class of each."""
    rng = np.random.default_rng(seed)
    names = clip_names()[: -skip or None]
    classes = [int("".join(filter(str.isdigit, name))) % 3 for name in names]
    vectors = rng.normal(size=(len(names), width)).astype(np.float32)
    vectors[:, :3] += 4 * np.eye(3)[classes]
    np.savez(path, items=np.array(names), vectors=vectors)
    return path


def nearest_class_mean(problem: Problem, probe: Probe, seeds: tuple[int, ...]) -> Answers:
    """Answer by the nearest mean of a class, or with the mean value; any seed the same."""
    vectors, targets = problem.train
    if problem.kind == "value":
        outputs = np.full((len(problem.asked), 1), targets.mean())
    else:
        means = np.full((problem.num_outputs, vectors.shape[1]), 99.0)
        for number in np.unique(targets):
            means[number] = vectors[targets == number].mean(0)
        outputs = -np.square(problem.asked[:, None] - means).sum(2)
    count = len(seeds)
    ones = np.ones(count)
    rates = ones * (probe.learning_rate / 2 if problem.kind == "value" else probe.learning_rate)
    outputs = np.stack([outputs] * count).astype(np.float32)
    return Answers(outputs, ones.astype(np.int64), ones, rates)
