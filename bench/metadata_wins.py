"""Which metadata makes scene encoders better than random pairs, from labels of real shots?

python bench/metadata_wins.py make DATA OUT       # films, scenes, similar films, and their counts
python bench/metadata_wins.py run OUT --jobs 2    # train and probe; goes on where it was
python bench/metadata_wins.py table OUT           # what was measured
python bench/metadata_wins.py why DATA OUT        # do scenes of similar films lie closer?

DATA is a folder with MovieCLIP, Condensed Movies, MovieLens, TMDb and LVU, as `real_library.py`
reads them. The input is labels of shots, not pixels. Each (measure, seed) leaves a file in
``OUT/results`` and its vectors of LVU's clips in ``OUT/features`` (``items``, ``vectors``).

`real_metadata.py` asked the same of scenes that were single clips of three shots, known by MiniLM
vectors alone, and metadata did not win. Fixed before the first training run:

- A shot is the square roots of the shares of its labels (150, length 1, times the square root of
  384) beside the standardised mean MiniLM vector of its labels (384).
- A scene is the labelled shots of `RUN` consecutive labelled clips of a film, or of all its clips
  if it has fewer; `SLOTS` of them at most, evenly spaced. LVU's clips are encoded alone.
- Films: all with labels that are not in validation or test of any of LVU's nine tasks. A measure
  pairs the films that it knows something of; random pairs are of all films.
- Three similar films a film. Scenes of two such films are paired greedily by cosine (METHODS B4),
  and all such pairs are kept: films have few scenes, and the better half would be those whose
  labels agree already, for random films too. ``same film`` pairs two clips with the next two.
- Every encoder takes the same number of steps of the same batch. The temperature is higher than
  the paper's, because most pairs are wrong, and the key encoder follows faster, because training
  is short.
- Probe: that of the paper (METHODS B6; its supplement, Table 1), on vectors standardised by the
  training clips, the epoch kept that is best on the validation clips.
- Primary endpoint: mean test accuracy of LVU's seven classification tasks, each counting the same,
  on the clips that have labels: ``keywords+cast+genre`` minus ``random``; metadata wins if its 95 %
  interval (paired bootstrap over clips, jointly over tasks, and over seeds) lies above 0. All other
  comparisons are secondary, and not corrected for their number.
- ``genre+synopsis`` is two encoders side by side (METHODS B2); its control is ``random, twice``.

Exploratory: ``NAME, batch`` takes its negatives from the batch instead of the queue (``run
--only``). Added after the logs of the first two trainings, and then their figures (seed 0: random
31.7 %, keywords+cast+genre 29.0 %), had been read: their loss fell below that of chance while
queries and keys were far apart, and rose to it as the learning rate fell, so they had told new
keys from the queue's older ones. ``why`` was added then too: it looks at films that no encoder was
trained on, and at no label of LVU.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mastershot.core.similarity import SimilarityTable
from mastershot.datasets.lvu import CLASSIFICATION, REGRESSION, SPLITS
from mastershot.datasets.tables.pair_table import ScenePairs, read_pairs, write_pairs
from mastershot.training.movies2scenes.checkpoints import SavedEncoder, load_scene_encoder
from mastershot.training.movies2scenes.networks import SceneShape, scene_network, seeded
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.scene_pairs import write_scene_pairs
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
    LogSettings,
    NetworkSettings,
    SceneContrastRecipe,
    ShotSource,
)
from mastershot.training.movies2scenes.settings.stages import PairingSettings, ScenePairsRecipe
from metadata_films import (
    RUN,
    SEEDS,
    SLOTS,
    WIDTH,
    films_of,
    make,
    runs_of,
    scale_of,
    shot_labels,
    shot_rows,
    similar_films,
    slots,
)
from real_library import read_films
from real_metadata import _closer

RESULTS = Path(__file__).parent / "results" / "metadata_wins.jsonl"
PARTNERS = (1, 2, 0, 4, 0)  # Of ``random, twice``: which other seed a seed goes with.
NETWORK = NetworkSettings("features", width=128, depth=1, heads=4, padded=True)
TRAINING = ContrastiveSettings(
    epochs=100_000, max_steps=400, warmup_epochs=10_000, batch_size=64, learning_rate=1e-3,
    weight_decay=0.05, momentum=0.95, queue=1024, temperature=0.2,
)  # fmt: skip
BASELINES = ("shares of labels", "mean of label vectors", "both")
TRAINED = ("random", "keywords+cast+genre", "keywords", "cast", "genre", "cowatch", "synopsis",
           "same film")  # fmt: skip
TWICE = {"genre+synopsis": ("genre", "synopsis"), "random, twice": ("random", "random")}
ROWS = (*TRAINED, *TWICE, "untrained", *BASELINES)
EXPLORATORY = tuple(f"{name}, batch" for name in TRAINED)
PRIMARY, CONTROL = "keywords+cast+genre", "random"
PROBES = {  # Learning rate, batch size, epochs, dropout: the paper's supplement, Table 1.
    "relationship": (0.01, 16, 400, 0.5), "way_speaking": (0.1, 256, 400, 0.1),
    "scene": (0.1, 128, 400, 0.1), "director": (1.0, 256, 400, 0.5),
    "writer": (0.5, 32, 400, 0.25), "year": (0.1, 128, 400, 0.75), "genre": (0.1, 256, 400, 0.1),
    "view_count": (0.01, 16, 500, 0.8), "like_ratio": (0.1, 16, 500, 0.5),
}  # fmt: skip
HIDDEN, PATIENCE, MOST_HALVINGS = 512, 50, 10
DRAWS = 5000


def encoder_of(out: Path, name: str, seed: int) -> tuple[SavedEncoder, dict[str, object]]:
    """Return the encoder of a measure, and how much it learnt from in how long."""
    measure, _, batch = name.partition(", ")
    shape = SceneShape(SLOTS, (WIDTH,))
    if measure == "untrained":
        with seeded(seed):
            network = scene_network(NETWORK, shape).eval().requires_grad_(False)
        return SavedEncoder(network, NETWORK.width, shape, {}), {}
    runs = out / "runs" / f"{measure}-{seed}"
    runs.mkdir(parents=True, exist_ok=True)
    pairs = next_clips(out) if measure == "same film" else similar_scenes(out, runs, measure, seed)
    path = runs / "scene_pairs.parquet"
    write_pairs(path, [pairs], pairs.made_by)
    training = replace(TRAINING, seed=seed, negatives=batch or "queue")
    recipe = SceneContrastRecipe(
        ShotSource(str(out / "scenes")), str(path), NETWORK, training,
        log=LogSettings(100, TRAINING.max_steps),
    )  # fmt: skip
    began_s = time.process_time()
    folder = runs / (f"scenes-{batch}" if batch else "scenes")
    encoder = load_scene_encoder(train_scene_encoder(recipe, folder))
    seconds = round(time.process_time() - began_s, 1)
    films = len(set(pairs.movie.tolist()) | set(pairs.similar.tolist()))
    return encoder, {"films": films, "pairs": len(pairs), "training_s": seconds}


def similar_scenes(out: Path, runs: Path, measure: str, seed: int) -> ScenePairs:
    """Return pairs of scenes of similar films (METHODS B4): a scene is a row of their means."""
    recipe = ScenePairsRecipe(
        ShotSource(str(out / "means")), str(out / f"similar-{measure}-{seed}.parquet"),
        pairs=PairingSettings(window=1, keep=1.0),
    )  # fmt: skip
    found = read_pairs(write_scene_pairs(recipe, runs / "pairs"))
    return ScenePairs(
        found.movies, found.movie, found.first_shot * SLOTS, found.similar,
        found.similar_first_shot * SLOTS, found.scores, {"settings": {"window": SLOTS}},
    )  # fmt: skip


def next_clips(out: Path) -> ScenePairs:
    """Return each two consecutive clips of a film paired with its next two."""
    sizes = json.loads((out / "about.json").read_text("utf-8"))["sizes"]
    rows = []
    for film, (name, runs) in enumerate(sizes.items()):
        scenes = len(np.load(out / "scenes" / f"{name}.npy", mmap_mode="r")) // SLOTS
        rows += [(film, first, first + 2) for first in range(runs, scenes - 2)]
    film, first, second = np.array(rows).T
    about = {"settings": {"window": SLOTS}, "positives": "the next two clips"}
    ones = np.ones(len(film), np.float32)
    return ScenePairs(tuple(sizes), film, first * SLOTS, film, second * SLOTS, ones, about)


def vectors_of(out: Path, measure: str, seed: int) -> tuple[np.ndarray, dict[str, object]]:
    """Return the vector of each of LVU's clips, (N, D), and what is known of its encoder."""
    clips = np.load(out / "clips.npz", allow_pickle=False)
    if measure in BASELINES:
        names = {BASELINES[0]: ("shares",), BASELINES[1]: ("vectors",)}
        wanted = names.get(measure, ("shares", "vectors"))
        return np.concatenate([clips[name] for name in wanted], axis=1), {}
    if measure in TWICE:
        seeds = [seed, PARTNERS[seed] if measure == "random, twice" else seed]
        files = [
            out / "features" / f"{part}-{own}.npz"
            for part, own in zip(TWICE[measure], seeds, strict=True)
        ]
        parts = [np.load(file, allow_pickle=False)["vectors"] for file in files]
        return np.concatenate(parts, axis=1), {}
    encoder, about = encoder_of(out, measure, seed)
    return encoder.encode(clips["scenes"]), about


class Perceptron(nn.Sequential):
    """D → 512 → 512 → C; dropout follows both hidden layers (where it is, is ours)."""

    def __init__(self, width: int, num_outputs: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(width, HIDDEN), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(HIDDEN, num_outputs),
        )  # fmt: skip


def probe(
    task: str, points: Mapping[str, torch.Tensor], truth: Mapping[str, torch.Tensor], seed: int
) -> dict[str, object]:
    """Return what each test clip adds to a task's metric, from the best validation epoch.

    That is 1 or 0 of a class that is right or wrong, or the squared error of a value. A training
    whose outputs cease to be finite starts anew with half the learning rate.
    """
    rate = PROBES[task][0]
    for halvings in range(MOST_HALVINGS + 1):
        torch.manual_seed(seed)
        found = _fit(task, points, truth, rate / 2**halvings)
        if found is not None:
            return found
    raise ArithmeticError(f"a probe of {task} does not stay finite")


def _fit(
    task: str, points: Mapping[str, torch.Tensor], truth: Mapping[str, torch.Tensor], rate: float
) -> dict[str, object] | None:
    _, batch_size, epochs, dropout = PROBES[task]
    network = Perceptron(points["train"].shape[1], CLASSIFICATION.get(task, 1), dropout)
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, foreach=True)
    best, kept = -np.inf, None
    for epoch in range(1, epochs + 1):
        network.train()
        for rows in torch.split(torch.randperm(len(points["train"])), batch_size):
            outputs, targets = network(points["train"][rows]), truth["train"][rows]
            if task in CLASSIFICATION:
                loss = functional.cross_entropy(outputs, targets)
            else:
                loss = functional.mse_loss(outputs[:, 0], targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            found = _each(network(points["val"]), truth["val"])
            if not np.isfinite(found).all():
                return None
            figure = found.mean() if task in CLASSIFICATION else -found.mean()
            if figure > best:
                test = _each(network(points["test"]), truth["test"]).round(4).tolist()
                best, kept = figure, {"epoch": epoch, "val": round(abs(figure), 4), "test": test}
            elif epoch - kept["epoch"] >= PATIENCE:
                break
    return kept


def _each(outputs: torch.Tensor, truth: torch.Tensor) -> np.ndarray:
    """Return whether each class is right, or each value's squared error; NaN if not finite."""
    if truth.dtype == torch.int64:
        right = (outputs.argmax(1) == truth).double()
        return (right + 0 * outputs.sum(1)).numpy()
    return (outputs[:, 0] - truth).square().double().numpy()


def measure_one(out: Path, measure: str, seed: int) -> str:
    """Train and probe one (measure, seed), and leave its two files."""
    torch.set_num_threads(1)
    began_s = time.process_time()
    vectors, about = vectors_of(out, measure, seed)
    items = np.load(out / "clips.npz", allow_pickle=False)["items"]
    if measure not in (*BASELINES, *TWICE):
        made_by = json.dumps({"made": "bench/metadata_wins.py", "measure": measure, "seed": seed})
        np.savez(
            out / "features" / f"{measure}-{seed}.npz", items=items, vectors=vectors,
            made_by=np.array(made_by),
        )  # fmt: skip
    place = {clip: row for row, clip in enumerate(items.tolist())}
    tasks = json.loads((out / "about.json").read_text("utf-8"))["tasks"]
    found = {}
    for task in PROBES:
        rows = {split: [place[clip] for clip, _ in tasks[task][split]] for split in SPLITS}
        mean = vectors[rows["train"]].mean(0, dtype=np.float64)
        deviation = vectors[rows["train"]].std(0, dtype=np.float64)
        deviation[deviation < 1e-8] = np.inf
        points = {
            split: torch.from_numpy(((vectors[own] - mean) / deviation).astype(np.float32))
            for split, own in rows.items()
        }
        truth = {
            split: torch.tensor(
                [value for _, value in tasks[task][split]],
                dtype=torch.int64 if task in CLASSIFICATION else torch.float32,
            )
            for split in SPLITS
        }
        found[task] = probe(task, points, truth, seed)
    seconds = round(time.process_time() - began_s, 1)
    row = {"measure": measure, "seed": seed, **about, "seconds": seconds, "tasks": found}
    path = out / "results" / f"{measure}-{seed}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(row), "utf-8")
    partial.replace(path)
    mean = np.mean([np.mean(found[task]["test"]) for task in CLASSIFICATION])
    return f"{measure} {seed}: {mean:.4f}, {about}, {seconds} s"


def run(out: Path, seeds: Sequence[int], jobs: int, names: Sequence[str]) -> None:
    """Measure what has no file yet: all seeds of the primary comparison first."""
    for name in ("results", "features"):
        (out / name).mkdir(exist_ok=True)
    alone = [name for name in names if name not in TWICE]
    first = [name for name in alone if name in (PRIMARY, CONTROL)]
    groups = [first, [name for name in alone if name not in first]]
    groups += [[name for name in names if name in TWICE]]
    with ProcessPoolExecutor(jobs) as pool:
        for group in groups:
            each = [(name, seed) for seed in seeds for name in group]
            left = [one for one in each if not (out / "results" / _file(*one)).exists()]
            for done in [pool.submit(measure_one, out, *one) for one in left]:
                print(done.result(), flush=True)


def _file(measure: str, seed: int) -> str:
    return f"{measure}-{seed}.json"


def interval(
    tasks: Sequence[str], names: Sequence[Sequence[str]], values: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Return the 95 % interval of a mean over tasks, by clips and seeds drawn again.

    Args:
        tasks: Which tasks.
        names: The test clips of each; a clip of several tasks is drawn for all of them at once.
        values: Of each task, (seeds, clips).
    """
    rng = np.random.default_rng(0)
    clips, place = np.unique(np.concatenate(names), return_inverse=True)
    task = np.repeat(np.arange(len(tasks)), [len(own) for own in names])
    joined, drawn = np.concatenate(values, axis=1), []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(len(clips), size=len(clips)), minlength=len(clips))[place]
        by_seed = joined[rng.integers(len(joined), size=len(joined))].mean(0)
        sums, sizes = np.bincount(task, times * by_seed), np.bincount(task, times)
        drawn.append((sums[sizes > 0] / sizes[sizes > 0]).mean())
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def control_of(name: str) -> str:
    """Return the random pairs that a row is compared with."""
    if name in TWICE:
        return "random, twice"
    return "random, batch" if name.endswith(", batch") else CONTROL


def table(out: Path) -> None:
    """Print the tables, and keep what they are made of."""
    about = json.loads((out / "about.json").read_text("utf-8"))
    rows = [
        json.loads(path.read_text("utf-8")) for path in sorted((out / "results").glob("*.json"))
    ]
    test = {task: [clip for clip, _ in about["tasks"][task]["test"]] for task in PROBES}
    lines = [{"counts": about["counts"], "test_clips": test}, *rows]
    if (out / "why.json").exists():
        lines.append({"why": json.loads((out / "why.json").read_text("utf-8"))})
    RESULTS.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    order = (*ROWS, *EXPLORATORY)
    found = {name: {r["seed"]: r for r in rows if r["measure"] == name} for name in order}
    found = {name: by_seed for name, by_seed in found.items() if by_seed}

    def values(name: str, task: str, seeds: Sequence[int]) -> np.ndarray:
        return np.array([found[name][seed]["tasks"][task]["test"] for seed in seeds])

    def gap(name: str, tasks: Sequence[str], scale: float, digits: int, control: str) -> str:
        seeds = sorted(found[name].keys() & found[control].keys())
        each = [values(name, t, seeds) - values(control, t, seeds) for t in tasks]
        low, high = interval(tasks, [test[t] for t in tasks], each)
        mean = scale * np.mean([one.mean() for one in each])
        return f"{mean:+.{digits}f} ({scale * low:+.{digits}f} to {scale * high:+.{digits}f})"

    asked = list(CLASSIFICATION)
    heads = " | ".join(f"{task} ({len(test[task])})" for task in asked)
    print(f"| measure | films | pairs | seeds | mean of seven | minus random, 95 % | {heads} |")
    print("|---" * (6 + len(asked)) + "|")
    common = []
    for task in asked:
        label = Counter(value for _, value in about["tasks"][task]["train"]).most_common(1)[0][0]
        own = [value == label for _, value in about["tasks"][task]["test"]]
        common.append(100 * float(np.mean(own)))
    cells = " | ".join(f"{one:.1f}" for one in common)
    print(f"| commonest class |  |  |  | {np.mean(common):.1f} |  | {cells} |")
    for name, by_seed in found.items():
        seeds = sorted(by_seed)
        by_task = 100 * np.array([values(name, task, seeds).mean(1) for task in asked])
        means, one = by_task.mean(0), by_seed[seeds[0]]
        cells = " | ".join(_spread(own, 1) for own in by_task)
        control = control_of(name)
        less = "" if name == control else gap(name, asked, 100, 1, control)
        print(f"| {name} | {one.get('films', '')} | {one.get('pairs', '')} | {len(seeds)} | "
              f"{_spread(means, 1)} | {less} | {cells} |")  # fmt: skip
    asked = list(REGRESSION)
    print(f"\n| measure | {' | '.join(f'{t} ({len(test[t])}) | minus random' for t in asked)} |")
    print("|---" * (1 + 2 * len(asked)) + "|")
    for name in found:
        cells = []
        for task in asked:
            own = values(name, task, sorted(found[name])).mean(1)
            control = control_of(name)
            less = "" if name == control else gap(name, [task], 1, 2, control)
            cells.append(f"{_spread(own, 2)} | {less}")
        print(f"| {name} | {' | '.join(cells)} |")
    spent = sum(row["seconds"] for row in rows)
    trained = [row["training_s"] for row in rows if "training_s" in row]
    print(f"\n{spent / 60:.0f} minutes of processor time; a training {np.median(trained):.0f} s")


def why(data: Path, out: Path, draws: int = 20_000) -> None:
    """Print how often two scenes of similar films lie closer than two of random films.

    One half is chance. The films are those of LVU's validation and test, which no encoder was
    trained on; a scene is `RUN` clips as in training, or one clip. Spaces: the mean of a scene's
    shots as the encoders take them, and what each encoder makes of it (mean and standard deviation
    over seeds).
    """
    real = read_films(data)
    films, _ = films_of(real)
    labels, scale = shot_labels(data), scale_of(real, films)
    left_out = sorted(set(real.clips) - set(films))
    similar = similar_films(real, data, left_out, 0)
    encoders: dict[str, list[SavedEncoder]] = {}
    for path in sorted((out / "runs").glob("*/scenes*/scene_encoder")):
        measure, batch = path.parts[-3].rpartition("-")[0], path.parent.name.partition("-")[2]
        name = f"{measure}, {batch}" if batch else measure
        encoders.setdefault(name, []).append(load_scene_encoder(path))
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for length in (RUN, 1):
        runs = []
        for film in left_out:
            own = [shot_rows(labels[c], real.features[c], *scale) for c in real.clips[film]]
            runs.append(runs_of(own, length))
        sizes = np.array([len(own) for own in runs])
        flat = [shots for own in runs for shots in own]
        spaces = {"mean of shots": [np.stack([shots.mean(0) for shots in flat])]}
        scenes = np.stack([slots(shots) for shots in flat])
        for name, each in encoders.items():
            spaces[name] = [_standard(encoder.encode(scenes)) for encoder in each]
        pairs = _drawn_pairs(similar, left_out, sizes, draws)
        found[str(length)] = {
            name: {
                measure: [_closer(space, pairs[measure], pairs["random"]) for space in each]
                for measure in similar if measure != "random"
            }
            for name, each in spaces.items()
        }  # fmt: skip
        print(f"\n{len(left_out)} films, {len(flat)} scenes of {length} clips")
        heads = [m for m in similar if m != "random"]
        print(f"| space | seeds | {' | '.join(heads)} |\n{'|---' * (2 + len(heads))}|")
        for name, by_measure in found[str(length)].items():
            cells = " | ".join(_spread(np.array(own), 3) for own in by_measure.values())
            print(f"| {name} | {len(spaces[name])} | {cells} |")
    (out / "why.json").write_text(json.dumps(found), "utf-8")


def _spread(of_seeds: np.ndarray, digits: int) -> str:
    """Return the mean over seeds, and their standard deviation if there are several."""
    spread = f" ± {of_seeds.std():.{digits}f}" if len(of_seeds) > 1 else ""
    return f"{of_seeds.mean():.{digits}f}{spread}"


def _standard(vectors: np.ndarray) -> np.ndarray:
    return (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-9)


def _drawn_pairs(
    similar: Mapping[str, SimilarityTable], films: Sequence[str], sizes: np.ndarray, draws: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each measure pairs of scenes of similar films, as rows of all scenes."""
    rng, starts = np.random.default_rng(0), np.cumsum(sizes) - sizes
    place = {film: row for row, film in enumerate(films)}
    pairs = {}
    for measure, table_ in similar.items():
        rows = np.array([(place[a], place[b]) for a, b, _, _ in table_.rows()])
        one, other = rows[rng.integers(len(rows), size=draws)].T
        pairs[measure] = tuple(
            starts[own] + (rng.random(draws) * sizes[own]).astype(int) for own in (one, other)
        )
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="what", required=True)
    made = parts.add_parser("make")
    made.add_argument("data", type=Path)
    ran, shown = parts.add_parser("run"), parts.add_parser("table")
    why_ = parts.add_parser("why")
    why_.add_argument("data", type=Path)
    for part in (made, ran, shown, why_):
        part.add_argument("out", type=Path)
    ran.add_argument("--seeds", type=int, default=len(SEEDS))
    ran.add_argument("--jobs", type=int, default=1)
    ran.add_argument("--only", action="append", choices=(*ROWS, *EXPLORATORY), metavar="MEASURE")
    options = parser.parse_args()
    if options.what == "make":
        for name in ("scenes", "means"):
            (options.out / name).mkdir(parents=True, exist_ok=True)
        make(options.data, options.out)
    elif options.what == "run":
        run(options.out, SEEDS[: options.seeds], options.jobs, options.only or ROWS)
    elif options.what == "why":
        why(options.data, options.out)
    else:
        table(options.out)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
