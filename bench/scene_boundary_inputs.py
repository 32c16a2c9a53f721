"""Whether other inputs of the probe of four shots, or weight decay, bring it up to grouping.

The four vectors of a gap's shots, the distance of each two of them in each space, over the film's
mean, or both go into a smaller MLP. What is best by the mean of AP and F1 on episodes 01-05, each
scored by heads that were trained on three of these and validated on one (--tune), is then trained
as bench/scene_boundaries.py trains: on eight of the ten other episodes, two validate.

    python bench/scene_boundary_inputs.py [--data DIR] [--tune]
"""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

import scene_boundaries
import scene_grouping
from mastershot.core.embeddings import FloatArray
from mastershot.encoders.scene_head import WINDOW_SHOTS, unit_features, windows_of_gaps
from mastershot.evaluation.bootstrap import BoolArray
from mastershot.evaluation.scene_boundaries import (
    FilmFigures,
    best_threshold,
    boundaries_of,
    gap_precision,
    score_film,
)
from mastershot.scenes.grouping import group_shots
from scene_boundaries import GROUPING, NAMES, WIDTHS, Array, Episode

SPACES = ("hsv", "vgg19")
TUNING = 5
TUNING_SEEDS, SEEDS = (0, 1), (0, 1, 2)
HIDDEN, DROPOUT, LEARNING_RATE, BATCH = 64, 0.5, 0.12, 256
EPOCHS, PATIENCE = 40, 12


def shots(episode: Episode) -> FloatArray:
    """Return the vectors of each gap's four shots, side by side."""
    joined = episode.joined(SPACES)
    return joined[windows_of_gaps(len(joined))].reshape(len(joined) - 1, -1)


def plain_distances(episode: Episode) -> FloatArray:
    """Return the cosine distance of each two of each gap's four shots in each space, (G, 12)."""
    return _distances(episode, is_relative=False)


def distances(episode: Episode) -> FloatArray:
    """Return the same, over the film's mean of all pairs of shots."""
    return _distances(episode, is_relative=True)


def both(episode: Episode) -> FloatArray:
    return np.hstack([shots(episode), distances(episode)])


def _distances(episode: Episode, *, is_relative: bool) -> FloatArray:
    first, second = np.triu_indices(WINDOW_SHOTS, 1)
    parts = []
    for space in SPACES:
        unit = unit_features(episode.features[space], [WIDTHS[space]])
        matrix = 1 - unit @ unit.T
        if is_relative:
            matrix /= matrix[np.triu_indices(len(unit), 1)].mean()
        windows = windows_of_gaps(len(unit))
        parts.append(matrix[windows[:, first], windows[:, second]])
    return np.hstack(parts).astype(np.float32)


Inputs = Callable[[Episode], FloatArray]
VARIANTS: dict[str, tuple[Inputs, float]] = {
    "vectors": (shots, 0.0),
    "vectors, weight decay 0.03": (shots, 0.03),
    "vectors, weight decay 0.1": (shots, 0.1),
    "vectors and distances": (both, 0.0),
    "distances": (plain_distances, 0.0),
    "distances over the film's mean": (distances, 0.0),
}
CHOSEN = "distances over the film's mean"


def fit(
    train: tuple[FloatArray, BoolArray], val: tuple[FloatArray, BoolArray], decay: float, seed: int
) -> Callable[[FloatArray], FloatArray]:
    """Return what scores gaps: the epoch that has the best AP on ``val``."""
    mean, deviation = train[0].mean(axis=0), train[0].std(axis=0) + 1e-6

    def standardised(inputs: FloatArray) -> Tensor:
        return torch.from_numpy((inputs - mean) / deviation)

    def scores_of(inputs: FloatArray) -> FloatArray:
        network.eval()
        with torch.no_grad():
            scores: FloatArray = network(standardised(inputs))[:, 0].sigmoid().numpy()
        network.train()
        return scores

    torch.manual_seed(seed)
    network = _network(train[0].shape[1])
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, weight_decay=decay)
    inputs, truth = standardised(train[0]), torch.from_numpy(train[1]).float()
    best, best_epoch, kept = -1.0, 0, network.state_dict()
    for epoch in range(EPOCHS):
        for batch in torch.randperm(len(inputs)).split(BATCH):
            loss = binary_cross_entropy_with_logits(network(inputs[batch])[:, 0], truth[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        figure = gap_precision(scores_of(val[0]), val[1])
        if figure > best:
            best, best_epoch = figure, epoch
            kept = {name: value.clone() for name, value in network.state_dict().items()}
        elif epoch - best_epoch >= PATIENCE:
            break
    network.load_state_dict(kept)
    return scores_of


def _network(width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for wide in (width, HIDDEN):
        layers += [nn.Linear(wide, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers, nn.Linear(HIDDEN, 1))


def figures_of(
    episodes: Sequence[Episode], variant: str, num_val: int, seeds: Sequence[int]
) -> Array:
    """Return each episode's figures by heads that did not see it, mean over seeds, (E, 8)."""
    inputs_of, decay = VARIANTS[variant]
    inputs = [inputs_of(episode) for episode in episodes]

    def of(chosen: Sequence[int]) -> tuple[FloatArray, BoolArray]:
        return (
            np.concatenate([inputs[i] for i in chosen]),
            np.concatenate([episodes[i].truth for i in chosen]),
        )

    rows = []
    for index, one in enumerate(episodes):
        others = [(index + step) % len(episodes) for step in range(1, len(episodes))]
        runs: list[FilmFigures] = []
        for seed in seeds:
            chosen = others[num_val * seed : num_val * (seed + 1)]
            val = of(chosen)
            scores_of = fit(of([i for i in others if i not in chosen]), val, decay, seed)
            threshold = best_threshold(scores_of(val[0]), val[1])
            scores = scores_of(inputs[index])
            found = scores >= np.float32(threshold)
            runs.append(score_film(scores, found, one.truth, shot_edges_s=one.edges_s))
        rows.append(np.mean([astuple(run) for run in runs], axis=0))
    return np.array(rows)


def grouped(episode: Episode) -> FilmFigures:
    """Return the figures of `group_shots` with its own constant."""
    features = [episode.features[space] for space in SPACES]
    scores = scene_boundaries.grouping_scores(features)
    found = boundaries_of(group_shots(*features), len(features[0]))
    return score_film(scores, found, episode.truth, shot_edges_s=episode.edges_s)


def print_tuning(episodes: Sequence[Episode]) -> None:
    print("| inputs | " + " | ".join(NAMES) + " |\n|---|" + "---|" * len(NAMES))
    for variant in VARIANTS:
        means = figures_of(episodes[:TUNING], variant, 1, TUNING_SEEDS).mean(axis=0)
        print(f"| {variant} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |", flush=True)


def print_chosen(episodes: Sequence[Episode]) -> None:
    ours = figures_of(episodes, CHOSEN, 2, SEEDS)
    grouping = np.array([astuple(grouped(episode)) for episode in episodes])
    print("| episodes | method | " + " | ".join(NAMES) + " |\n|---|---|" + "---|" * len(NAMES))
    for name, part in (("06-11", slice(TUNING, None)), ("01-11", slice(None))):
        for method, values in ((CHOSEN, ours), (GROUPING, grouping)):
            cells = " | ".join(scene_grouping.with_interval(column) for column in values[part].T)
            print(f"| {name} | {method} | {cells} |")
        cells = " | ".join(scene_boundaries.signed(c) for c in (ours - grouping)[part].T)
        print(f"| {name} | difference | {cells} |")


def main() -> None:
    default = os.environ.get("MASTERSHOT_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--tune", action="store_true", help="print all inputs, on 01-05 alone")
    arguments = parser.parse_args()
    episodes = scene_boundaries.load_episodes(arguments.data)
    (print_tuning if arguments.tune else print_chosen)(episodes)


if __name__ == "__main__":
    main()
