"""How well shots are grouped into scenes, on BBC Planet Earth, against what is simpler.

Coverage, overflow, F-score and boundary F1 of `group_shots`, of uniform and random groupings, of a
threshold on the distance of neighbouring shots, and of the two costs of the papers on optimal
sequential grouping, which are given the true number of scenes. Each figure is the mean over
episodes with its 95 % bootstrap interval over episodes. Constants were chosen on episodes 01-05.

    python bench/scene_grouping.py [--data DIR] [--tune | --speed]
"""

import argparse
import os
import time
import timeit
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.evaluation.bootstrap import bootstrap_interval
from mastershot.evaluation.metrics import score_boundaries, score_scenes
from mastershot.scenes.grouping import PENALTY, color_histogram, group_shots

Array = npt.NDArray[np.float64]
Grouping = Sequence[int]
FIGURES = ("coverage", "overflow", "F-score", "boundary F1", "scenes found / true")
F_SCORE, BOUNDARY_F1 = 2, 3
OURS = "**ours**"
FEATURES = {"hsv": ("hsv",), "vgg19": ("vgg19",), "hsv + vgg19": ("hsv", "vgg19")}
SETS = {"tuning 01-05": slice(0, 5), "held-out 06-11": slice(5, 11), "all 01-11": slice(0, 11)}
NUM_SEEDS = 100
NUM_THRESHOLDS = 100


@dataclass(frozen=True, eq=False)
class Episode:
    """One film: the features of each shot, and where annotators let scenes begin."""

    features: dict[str, FloatArray]
    truth: list[int]

    @property
    def num_shots(self) -> int:
        return len(self.features["hsv"])


def load_episodes(data: Path) -> list[Episode]:
    paths = sorted((data / "scene_boundaries" / "bbc").glob("*.npz"))
    if len(paths) != 11:
        raise SystemExit(f"{data}/scene_boundaries/bbc holds {len(paths)} episodes of 11")
    return [_load_episode(path) for path in paths]


def _load_episode(path: Path) -> Episode:
    with np.load(path, allow_pickle=False) as file:
        first_frames = file["shots"][:, 0]
        truth = np.searchsorted(first_frames, file["scenes"][:, 0]).tolist()
        # As `color_histogram` does: square roots, so that a few large bins do not decide.
        features = {"hsv": np.sqrt(file["hsv"]), "vgg19": file["vgg19"].astype(np.float32)}
    return Episode(features, truth)


def figures_of(groupings: Iterable[Grouping], episode: Episode) -> Array:
    """Return the mean FIGURES of some groupings of one episode, shape (5,)."""
    rows = []
    for found in groupings:
        scenes = score_scenes(found, episode.truth, shot_lengths=np.ones(episode.num_shots))
        boundaries = score_boundaries(found, episode.truth)
        ratio = len(found) / len(episode.truth)
        rows.append((scenes.coverage, scenes.overflow, scenes.f_score, boundaries.f1, ratio))
    return np.asarray(np.mean(rows, axis=0))


def ours(episode: Episode, names: tuple[str, ...], penalty: float = PENALTY) -> list[int]:
    return group_shots(*(episode.features[name] for name in names), penalty=penalty)


def uniform(num_shots: int, num_scenes: int) -> list[int]:
    return [round(scene * num_shots / num_scenes) for scene in range(num_scenes)]


def random_groupings(num_shots: int, num_scenes: int) -> list[list[int]]:
    generators = (np.random.default_rng(seed) for seed in range(NUM_SEEDS))
    draws = (rng.choice(num_shots - 1, num_scenes - 1, replace=False) + 1 for rng in generators)
    return [[0, *sorted(draw.tolist())] for draw in draws]


@cache
def distances(episode: Episode, names: tuple[str, ...]) -> Array:
    """Return the cosine distance of each pair of shots over the film's mean, shape (S, S)."""
    total = np.zeros((episode.num_shots, episode.num_shots))
    for name in names:
        rows = episode.features[name].astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        matrix = 1 - rows @ rows.T
        total += matrix / matrix[np.triu_indices(len(matrix), 1)].mean()
    return total / len(names)


def neighbour_distances(episode: Episode, names: tuple[str, ...]) -> Array:
    return np.diagonal(distances(episode, names), offset=1)


def threshold_row(episodes: Sequence[Episode], names: tuple[str, ...], threshold: float) -> Array:
    """Return the figures of one threshold on each episode, shape (episodes, 5)."""
    cuts = [np.flatnonzero(neighbour_distances(e, names) > threshold) + 1 for e in episodes]
    pairs = zip(cuts, episodes, strict=True)
    return np.array([figures_of([[0, *cut.tolist()]], episode) for cut, episode in pairs])


def best_thresholds(episodes: Sequence[Episode], names: tuple[str, ...]) -> dict[int, float]:
    """Return the best of 100 thresholds by mean F-score and by mean boundary F1."""
    neighbours = np.concatenate([neighbour_distances(episode, names) for episode in episodes])
    candidates = np.quantile(neighbours, np.linspace(0, 1, NUM_THRESHOLDS))
    means = np.array([threshold_row(episodes, names, t).mean(axis=0) for t in candidates])
    return {
        figure: float(candidates[means[:, figure].argmax()]) for figure in (F_SCORE, BOUNDARY_F1)
    }


def published(episode: Episode, names: tuple[str, ...], *, normalized: bool) -> list[int]:
    """Return the grouping into the true number of scenes with the least H_add, or H_nrm.

    H_add (Rotman et al., ISM 2016) sums the distances inside scenes; H_nrm (Rotman et al., ICMR
    2018) divides that sum by the number of summed pairs. The least ratio is found by lowering the
    price of a pair until no grouping beats it (Dinkelbach 1967).
    """
    blocks, num_scenes = _block_sums(distances(episode, names)), len(episode.truth)
    areas = np.arange(1, len(blocks) + 1) ** 2
    starts = _least(blocks, num_scenes)
    ratio = np.inf
    while normalized:
        lengths = np.diff([*starts, len(blocks)])
        improved = float(blocks[starts, lengths - 1].sum() / areas[lengths - 1].sum())
        if improved >= ratio:
            break
        ratio = improved
        starts = _least(blocks - ratio * areas, num_scenes)
    return starts


def _block_sums(matrix: Array) -> Array:
    """Return the sum of distances among the shots start .. start + n at [start, n]."""
    num_shots = len(matrix)
    sums = np.full((num_shots, num_shots), np.inf)
    for start in range(num_shots):
        inside = matrix[start:, start:].cumsum(axis=0).cumsum(axis=1)
        sums[start, : num_shots - start] = np.diagonal(inside)
    return sums


def _least(blocks: Array, num_scenes: int) -> list[int]:
    """Return the first shots of the `num_scenes` blocks with the least sum that tile the film."""
    num_shots = len(blocks)
    ends = np.minimum(np.add.outer(np.arange(num_shots), np.arange(num_shots)) + 1, num_shots)
    rest = np.append(np.full(num_shots, np.inf), 0.0)
    choices = []
    for _ in range(num_scenes):
        totals = blocks + rest[ends]
        choices.append(totals.argmin(axis=1))
        rest = np.append(totals.min(axis=1), np.inf)
    starts = [0]
    for choice in choices[:0:-1]:
        starts.append(starts[-1] + int(choice[starts[-1]]) + 1)
    return starts


def rows_of_all(episodes: Sequence[Episode], names: tuple[str, ...]) -> dict[str, Array]:
    """Return the figures of every method but the oracles, each of shape (11, 5)."""
    methods: dict[str, Callable[[Episode], Iterable[Grouping]]] = {
        OURS: lambda e: [ours(e, names)],
        "uniform, as many as ours": lambda e: [uniform(e.num_shots, len(ours(e, names)))],
        "uniform, as many as true": lambda e: [uniform(e.num_shots, len(e.truth))],
        "random, as many as ours": lambda e: random_groupings(e.num_shots, len(ours(e, names))),
        "random, as many as true": lambda e: random_groupings(e.num_shots, len(e.truth)),
        "H_add, given the number": lambda e: [published(e, names, normalized=False)],
        "H_nrm, given the number": lambda e: [published(e, names, normalized=True)],
    }
    rows = {
        name: np.array([figures_of(method(episode), episode) for episode in episodes])
        for name, method in methods.items()
    }
    for figure, best in best_thresholds(episodes[SETS["tuning 01-05"]], names).items():
        name = f"threshold {best:.3f}, tuned for {FIGURES[figure]}"
        rows[name] = threshold_row(episodes, names, best)
    return rows


def oracle_rows(episodes: Sequence[Episode], names: tuple[str, ...]) -> dict[str, Array]:
    """Return the figures of the thresholds that are best on the scored episodes themselves."""
    rows = {}
    for figure, best in best_thresholds(episodes, names).items():
        name = f"threshold {best:.3f}, best here for {FIGURES[figure]}"
        rows[name] = threshold_row(episodes, names, best)
    return rows


def print_table(rows: dict[str, Array]) -> None:
    print("| method | " + " | ".join(FIGURES) + " |")
    print("|---|" + "---|" * len(FIGURES))
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(with_interval(column) for column in values.T) + " |")
    print()
    for figure in (F_SCORE, BOUNDARY_F1):
        others = {name: values[:, figure] for name, values in rows.items() if name != OURS}
        tuned = next(name for name in others if name.endswith(f"tuned for {FIGURES[figure]}"))
        best = max(others, key=lambda name: float(others[name].mean()))
        leads = (
            f"{n} by {with_interval(rows[OURS][:, figure] - others[n])}" for n in (tuned, best)
        )
        print(
            f"{FIGURES[figure]}, episode by episode: ours leads {', and the best, '.join(leads)}."
        )
        print()


def with_interval(values: Array) -> str:
    interval = bootstrap_interval(lambda items: float(values[items].mean()), len(values))
    return f"{values.mean():.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def print_null(episodes: Sequence[Episode], names: tuple[str, ...]) -> None:
    """Print how many scenes ours sees where there are none: the same shots in random order."""
    counts = []
    for seed, episode in enumerate(episodes):
        order = np.random.default_rng(seed).permutation(episode.num_shots)
        counts.append(len(group_shots(*(episode.features[name][order] for name in names))))
    mean_shots = np.mean([episode.num_shots for episode in episodes])
    print(
        f"The same shots in random order: {np.mean(counts):.1f} scenes of {mean_shots:.0f} shots."
    )
    print()


def print_tuning(tuning: Sequence[Episode]) -> None:
    """Print what `PENALTY` was chosen by: F-score and boundary F1 on the tuning episodes."""
    print("| penalty | " + " | ".join(FEATURES) + " | mean |\n|---|---|---|---|---|")
    for penalty in np.arange(0, 1.25, 0.05):
        cells = []
        for names in FEATURES.values():
            rows = [figures_of([ours(e, names, float(penalty))], e) for e in tuning]
            cells.append(np.mean(rows, axis=0)[[F_SCORE, BOUNDARY_F1]])
        text = " | ".join(f"{f_score:.3f}, {f1:.3f}" for f_score, f1 in cells)
        print(f"| {penalty:.2f} | {text} | {np.mean(cells):.4f} |")


def print_speed() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(3000, 512)).astype(np.float32)
    film = noise + np.repeat(rng.normal(size=(300, 512)), 10, axis=0).astype(np.float32)
    frame = rng.integers(0, 256, (144, 256, 3), dtype=np.uint8)
    for name, call in {
        "3,000 shots x 512, scenes of ten": lambda: group_shots(film),
        "3,000 shots x 512, no scenes at all (the worst case)": lambda: group_shots(noise),
        "colour histogram of a 256x144 frame": lambda: color_histogram(frame),
    }.items():
        spent_s = min(timeit.repeat(call, timer=time.process_time, number=1, repeat=5))
        print(f"{name}: {1000 * spent_s:.2f} ms of processor time")


def main() -> None:
    repository = Path(__file__).resolve().parents[1]
    default = os.environ.get("MASTERSHOT_DATA", repository.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--tune", action="store_true", help="show how the penalty was chosen")
    parser.add_argument("--speed", action="store_true", help="time it, on drawn data")
    arguments = parser.parse_args()
    if arguments.speed:
        print_speed()
        return
    episodes = load_episodes(arguments.data)
    tuning = episodes[SETS["tuning 01-05"]]
    if arguments.tune:
        print_tuning(tuning)
        return
    for feature, names in FEATURES.items():
        rows = rows_of_all(episodes, names)
        for set_name, chosen in SETS.items():
            print(f"### {feature}, {set_name}\n")
            scored = {name: values[chosen] for name, values in rows.items()}
            print_table(scored | oracle_rows(episodes[chosen], names))
        print_null(episodes, names)


if __name__ == "__main__":
    main()
