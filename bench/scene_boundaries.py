"""The probe of four shots against grouping without training, on BBC Planet Earth.

Each of the 11 episodes is scored by heads that did not see it: of the other ten, two are for
validation (they choose epoch and threshold) and eight for training; which two, the seed says. Each
figure is the mean over episodes, and over seeds before that, with its 95 % bootstrap interval over
episodes. Thresholds of the other methods are chosen on the ten episodes as well.

    python bench/scene_boundaries.py [--data DIR] [--only FEATURES] [--settings NAME]
        [--seeds N ...] [--table]

Finished runs are kept in bench/results/scene_boundaries.jsonl; --table prints them alone. A run
that was stopped goes on from its last epoch, in mastershot-out/scene_boundaries.
"""

import argparse
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import scene_grouping
from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.encoders.scene_head import boundary_scores, unit_features
from mastershot.evaluation.bootstrap import BoolArray, bootstrap_interval
from mastershot.evaluation.scene_boundaries import (
    FilmFigures,
    best_threshold,
    boundaries_of,
    score_film,
)
from mastershot.scenes.grouping import PENALTY, group_shots
from mastershot.training.scene_boundaries.data import BoundaryData, LabelledFilm
from mastershot.training.scene_boundaries.settings import BoundaryTrainingSettings
from mastershot.training.scene_boundaries.train import fit_head, head_card, scores_of, truth_of

Array = npt.NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "scene_boundaries.jsonl"
UNFINISHED = Path(__file__).parents[1] / "mastershot-out" / "scene_boundaries"
FEATURES = scene_grouping.FEATURES
WIDTHS = {"hsv": 256, "vgg19": 512}
SEEDS = (0, 1, 2)
FRAMES_PER_S = 25
PENALTIES = np.arange(0, 3.05, 0.05)
NAMES = [field.name for field in fields(FilmFigures)]
PROBE, GROUPING = "probe of four shots", "`group_shots`"
# Network, dropout and plain SGD are the paper's; it takes 800 epochs of batches of 4,096 at a rate
# of 0.03, the defaults. Eight episodes have 3,500 gaps, one such batch: the small batch and its
# rate were chosen by training on episodes 01-04 and validating on 05.
TRAINING: dict[str, dict[str, Any]] = {
    "small batches": {"batch_size": 256, "learning_rate": 0.12, "epochs": 25, "patience": 8},
    "the paper's settings": {},
}
# A step of the paper's batch takes less time so; weights stay in float32.
OPTIONS: dict[str, dict[str, Any]] = {"the paper's settings": {"precision": "bf16-mixed"}}


@dataclass(frozen=True, eq=False)
class Episode:
    """One film: features of each shot by name, true boundaries, and when shots begin and end."""

    features: dict[str, FloatArray]
    truth: BoolArray
    edges_s: Array

    def joined(self, names: Sequence[str]) -> FloatArray:
        """Return features side by side, each of unit length, shape (S, D)."""
        parts = [unit_features(self.features[n], [WIDTHS[n]]) for n in names]
        return np.hstack(parts)


def load_episodes(data: Path) -> list[Episode]:
    episodes = []
    paths = sorted((data / "scene_boundaries" / "bbc").glob("*.npz"))
    for path, known in zip(paths, scene_grouping.load_episodes(data), strict=True):
        with np.load(path, allow_pickle=False) as file:
            frames = np.append(file["shots"][:, 0], file["shots"][-1, 1] + 1)
        truth = boundaries_of(known.truth, known.num_shots)
        episodes.append(Episode(known.features, truth, frames / FRAMES_PER_S))
    return episodes


def probe_scores(
    episodes: Sequence[Episode], names: tuple[str, ...], settings: str, episode: int, seed: int
) -> tuple[FloatArray, float]:
    """Return an episode's scores by a head that was trained on others, and its threshold."""
    others = [(episode + step) % len(episodes) for step in range(1, len(episodes))]
    val = others[2 * seed : 2 * seed + 2]
    films = [LabelledFilm(str(i), one.joined(names), one.truth) for i, one in enumerate(episodes)]
    split = {
        "train": tuple(films[i] for i in others if i not in val),
        "val": tuple(films[i] for i in val),
    }
    spaces = tuple(EmbeddingSpace(name, "published", WIDTHS[name]) for name in names)
    data = BoundaryData(spaces, split, {})
    training = BoundaryTrainingSettings(**TRAINING[settings], seed=seed)
    card = head_card("bbc", data, training)
    folder = UNFINISHED / "-".join([*names, *settings.split(), str(episode), str(seed)])
    folder.mkdir(parents=True, exist_ok=True)
    network = fit_head(card, data, training, folder, **OPTIONS.get(settings, {}))
    shutil.rmtree(folder)
    threshold = best_threshold(scores_of(network, split["val"]), truth_of(split["val"]))
    return boundary_scores(network, films[episode].features), threshold


def grouping_scores(features: Sequence[FloatArray]) -> FloatArray:
    """Return for each gap the highest penalty at which grouping still cuts there; below 0, none."""
    highest = np.full(len(features[0]) - 1, -0.05, np.float32)
    for penalty in PENALTIES:
        starts = group_shots(*features, penalty=float(penalty))
        highest[boundaries_of(starts, len(features[0]))] = penalty
    return highest


def neighbour_scores(features: Sequence[FloatArray]) -> FloatArray:
    """Return the cosine distance of the shots on either side of each gap."""
    joined = np.hstack([rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in features])
    return (1 - (joined[1:] * joined[:-1]).sum(axis=1) / len(features)).astype(np.float32)


def pair_scores(features: Sequence[FloatArray]) -> FloatArray:
    """Return the distance of the mean of two shots before each gap and of two after it."""
    joined = np.hstack([rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in features])
    padded = np.concatenate([joined[:1], joined, joined[-1:]])
    means = (padded[1:] + padded[:-1]) / 2
    return np.linalg.norm(means[2:] - means[:-2], axis=1).astype(np.float32)


def random_scores(features: Sequence[FloatArray]) -> FloatArray:
    return np.random.default_rng(len(features[0])).random(len(features[0]) - 1).astype(np.float32)


UNTRAINED: dict[str, Callable[[Sequence[FloatArray]], FloatArray]] = {
    "`group_shots`, penalty of the training episodes": grouping_scores,
    "distance of two shots before and after": pair_scores,
    "distance of neighbours": neighbour_scores,
    "random": random_scores,
}


def untrained_rows(
    episodes: Sequence[Episode], names: tuple[str, ...]
) -> dict[str, list[FilmFigures]]:
    """Return the figures of each episode, by method; thresholds are chosen on the other ten."""
    rows: dict[str, list[FilmFigures]] = defaultdict(list)
    given = [[episode.features[name] for name in names] for episode in episodes]
    for method, scores_by in UNTRAINED.items():
        scores = [scores_by(features) for features in given]
        for index, one in enumerate(episodes):
            rest = [i for i in range(len(episodes)) if i != index]
            truth = np.concatenate([episodes[i].truth for i in rest])
            threshold = best_threshold(np.concatenate([scores[i] for i in rest]), truth)
            found = scores[index] >= np.float32(threshold)
            figures = score_film(scores[index], found, one.truth, shot_edges_s=one.edges_s)
            rows[method].append(figures)
            if scores_by is grouping_scores:  # Its own constant cuts elsewhere.
                found = boundaries_of(
                    group_shots(*given[index], penalty=PENALTY), len(given[index][0])
                )
                figures = score_film(scores[index], found, one.truth, shot_edges_s=one.edges_s)
                rows[GROUPING].append(figures)
    return rows


@cache
def finished() -> dict[tuple[str, str, int, int], list[float]]:
    lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
    runs = [json.loads(line) for line in lines]
    return {
        (run["features"], run["settings"], run["episode"], run["seed"]): [
            run[name] for name in NAMES
        ]
        for run in runs
    }


def train(episodes: Sequence[Episode], feature: str, settings: str, seeds: Sequence[int]) -> None:
    """Train and score what is not kept yet."""
    for seed in seeds:
        for index, one in enumerate(episodes):
            if (feature, settings, index, seed) in finished():
                continue
            scores, threshold = probe_scores(episodes, FEATURES[feature], settings, index, seed)
            found = scores >= np.float32(threshold)
            figures = score_film(scores, found, one.truth, shot_edges_s=one.edges_s)
            run = {"features": feature, "settings": settings, "episode": index, "seed": seed}
            run |= {n: round(v, 5) for n, v in zip(NAMES, astuple(figures), strict=True)}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")
    finished.cache_clear()


def kept_runs(feature: str, settings: str, episode: int) -> list[list[float]]:
    """Return the figures of an episode's finished runs."""
    wanted = (feature, settings, episode)
    return [row for run, row in finished().items() if run[:3] == wanted]


def print_tables(episodes: Sequence[Episode], features: Sequence[str]) -> None:
    print("| feature | method | " + " | ".join(NAMES) + " |\n|---|---|" + "---|" * len(NAMES))
    leads = []
    for feature in features:
        rows = untrained_rows(episodes, FEATURES[feature])
        values = {name: np.array([astuple(f) for f in found]) for name, found in rows.items()}
        probes = {}
        for settings in TRAINING:
            kept = [kept_runs(feature, settings, index) for index in range(len(episodes))]
            if all(kept):
                seeds = min(map(len, kept))
                mean = np.array([np.mean(runs[:seeds], axis=0) for runs in kept])
                name = f"**{PROBE}**, {settings}, seeds: {seeds}"
                probes[name] = mean
                for other in (GROUPING, next(iter(UNTRAINED))):
                    leads.append((feature, settings, other, mean - values[other]))
        values = {**probes, **values}
        for name, figures in values.items():
            cells = " | ".join(scene_grouping.with_interval(column) for column in figures.T)
            print(f"| {feature} | {name} | {cells} |")
    print("\nThe probe is ahead of, episode by episode:\n")
    print("| feature | settings | method | " + " | ".join(NAMES) + " |")
    print("|---|---|---|" + "---|" * len(NAMES))
    for feature, settings, other, difference in leads:
        cells = " | ".join(signed(column) for column in difference.T)
        print(f"| {feature} | {settings} | {other} | {cells} |")


def signed(values: Array) -> str:
    interval = bootstrap_interval(lambda items: float(values[items].mean()), len(values))
    return f"{values.mean():+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def main() -> None:
    repository = Path(__file__).resolve().parents[1]
    default = os.environ.get("MASTERSHOT_DATA", repository.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--only", choices=FEATURES, help="train on these features alone")
    parser.add_argument("--settings", choices=TRAINING, help="train with these alone")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="at most five")
    parser.add_argument("--table", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    torch.set_float32_matmul_precision("medium")  # Products in bfloat16 where the processor can.
    episodes = load_episodes(arguments.data)
    for feature in [arguments.only] if arguments.only else reversed(FEATURES):
        for settings in [arguments.settings] if arguments.settings else TRAINING:
            if not arguments.table:
                train(episodes, feature, settings, arguments.seeds)
    print_tables(episodes, list(FEATURES))


if __name__ == "__main__":
    main()
