"""Do scene encoders gain from metadata on real films? Labels of real shots, LVU's tasks.

python bench/real_metadata.py run                    # train and probe all; goes on where it was
python bench/real_metadata.py run --only metadata    # some of them
python bench/real_metadata.py table                  # what was measured
python bench/real_metadata.py counts                 # how thin the data is
python bench/real_metadata.py why                    # do clips of similar films lie close at all?

The data is `shared/data` beside the repository, or where MASTERSHOT_DATA says. What a scene is, and
which films are learnt from: `real_library.py`.

Fixed before the first training run:

- Primary endpoint: mean test accuracy over LVU's seven classification tasks, each task counting the
  same, on the clips that have labels. Metadata wins if the 95 % intervals of metadata minus random
  and of metadata minus mean-pooled features both lie above 0: paired bootstrap over clips, jointly
  over tasks, and over seeds; five seeds. Accuracy by task is descriptive.
- ``metadata``: similar films by co-watch, synopsis and genre together (weights 1, 1, 0.5), three a
  film. ``random``: three random films. Scenes of such films are paired by cosine of their mean
  shots, greedily, the better half kept (METHODS B4, a window is one clip). Both take the same
  steps of the same batch with the same network.
- ``mean of features``: the mean over a clip's shots. ``untrained``: the network before its first
  step.
- Probe: logistic regression on standardised representations, learnt from LVU's train clips; its
  penalty is the one of `PENALTIES` with the highest accuracy on the validation clips, of equal ones
  the strongest. ``\\N`` is kept as the class that the release makes of it (METHODS D).
- Films of LVU's validation and test are not trained on.

Changed once, after reading the log of one training run and before probing any trained encoder:
1,000 steps, the budget of `drawn_scenes.py`, instead of 400, because after 400 the keys still
lagged behind the queries. That run's encoder and its figures were thrown away.

Whatever else is listed in `VARIANTS` is exploratory.
"""

import argparse
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from mastershot.datasets.lvu import CLASSIFICATION, SPLITS
from mastershot.datasets.tables.pair_table import ScenePairs, read_pairs, write_pairs
from mastershot.datasets.tables.similarity_table import read_similarity
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
from probing import add_result, as_text, logistic_classifier, read_results
from real_library import (
    FOLDER,
    SLOTS,
    WEIGHTS,
    RealFilms,
    read_films,
    scene_of,
    similar_films,
    write_films,
)

REPOSITORY = Path(__file__).parents[1]
DATA = Path(os.environ.get("MASTERSHOT_DATA", REPOSITORY.parent / "shared" / "data"))
RESULTS = Path(__file__).parent / "results" / "real_metadata.jsonl"
SEEDS = (0, 1, 2, 3, 4)
NETWORK = NetworkSettings("features", width=128, depth=2, heads=4, padded=True)
TRAINING = ContrastiveSettings(
    epochs=100_000, max_steps=1_000, warmup_epochs=10_000, batch_size=64, learning_rate=1e-3,
    weight_decay=0.05, momentum=0.99, queue=2048,
)  # fmt: skip
PENALTIES = (1e-2, 1e-1, 1.0)  # of the probe
TASKS = tuple(CLASSIFICATION)
POOLED = "mean of features"
DRAWS = 5000


@dataclass(frozen=True)
class Variant:
    """The measures of similar films with their weights; without any, films are drawn at random.

    ``same_film`` pairs each clip with the next of its film instead.
    """

    measures: Mapping[str, float] = field(default_factory=dict)
    steps: int = TRAINING.max_steps
    same_film: bool = False
    negatives: str = "queue"


VARIANTS = {
    "metadata": Variant(WEIGHTS),
    "random": Variant(),
    "untrained": Variant(steps=0),
    # Exploratory, added while the first runs trained: their logs show keys far from the queries.
    "metadata, batch": Variant(WEIGHTS, negatives="batch"),
    "random, batch": Variant(negatives="batch"),
    "same film, batch": Variant(same_film=True, negatives="batch"),
}


def encoder_of(real: RealFilms, variant: Variant, seed: int) -> tuple[SavedEncoder, float, int]:
    """Return a variant's encoder, the seconds its training took, and its number of scene pairs."""
    width = next(iter(real.features.values())).shape[1]
    if not variant.steps:
        shape = SceneShape(SLOTS, (width,))
        with seeded(seed):
            network = scene_network(NETWORK, shape).eval().requires_grad_(False)
        return SavedEncoder(network, NETWORK.width, shape, {}), 0.0, 0
    if variant.same_film:
        runs, pairs = FOLDER / "runs" / f"same-film-{seed}", _next_clips(real)
        runs.mkdir(parents=True, exist_ok=True)
    else:
        similar = similar_films(real, variant.measures, seed)
        runs = FOLDER / "runs" / similar.stem
        pairing = PairingSettings(window=1, keep=0.5)
        recipe = ScenePairsRecipe(ShotSource(str(FOLDER / "clips")), str(similar), pairs=pairing)
        pairs = _of_scenes(write_scene_pairs(recipe, runs / "pairs"))
    path = runs / "scene_pairs.parquet"
    write_pairs(path, [pairs], pairs.made_by)
    study = SceneContrastRecipe(
        ShotSource(str(FOLDER / "scenes")), str(path), NETWORK,
        replace(TRAINING, negatives=variant.negatives, seed=seed), log=LogSettings(100, 400),
    )  # fmt: skip
    began_s = time.perf_counter()
    out = runs / ("scenes" if variant.negatives == "queue" else "scenes-batch")
    folder = train_scene_encoder(study, out)
    return load_scene_encoder(folder), time.perf_counter() - began_s, len(pairs)


def _of_scenes(clips: Path) -> ScenePairs:
    """Return pairs of clips as pairs of scenes: a clip is so many rows of its film's scenes."""
    found = read_pairs(clips)
    return ScenePairs(
        found.movies, found.movie, found.first_shot * SLOTS, found.similar,
        found.similar_first_shot * SLOTS, found.scores,
        {**found.made_by, "settings": {"window": SLOTS, "keep": 0.5}},
    )  # fmt: skip


def _next_clips(real: RealFilms) -> ScenePairs:
    """Return each clip paired with the next of its film."""
    last = [len(real.clips[film]) - 1 for film in real.films]
    movie = np.repeat(np.arange(len(last)), last)
    first = np.concatenate([np.arange(number) for number in last]) * SLOTS
    about = {"settings": {"window": SLOTS}, "positives": "the next clip"}
    scores = np.ones(len(movie), np.float32)
    return ScenePairs(real.films, movie, first, movie, first + SLOTS, scores, about)


@dataclass(frozen=True, eq=False)
class Items:
    """The labelled clips of LVU's tasks, and every clip's row among the representations.

    Attributes:
        clips: All clips, each once.
        rows: Of each task and split, the places of its clips.
        labels: Likewise their classes.
    """

    clips: tuple[str, ...]
    rows: dict[tuple[str, str], np.ndarray]
    labels: dict[tuple[str, str], np.ndarray]


def items_of(real: RealFilms) -> Items:
    place: dict[str, int] = {}
    rows, labels = {}, {}
    for task in TASKS:
        for split in SPLITS:
            known = [c for c in real.tasks[task].splits[split] if c.clip in real.features]
            rows[task, split] = np.array([place.setdefault(c.clip, len(place)) for c in known])
            labels[task, split] = np.array([c.label for c in known])
    return Items(tuple(place), rows, labels)


def probe(vectors: np.ndarray, items: Items) -> dict[str, dict[str, object]]:
    """Return for each task which test clips are predicted right, and with which penalty."""
    return {task: _probed(vectors, items, task) for task in TASKS}


def _probed(vectors: np.ndarray, items: Items, task: str) -> dict[str, object]:
    train = vectors[items.rows[task, "train"]]
    mean, deviation = train.mean(0), train.std(0) + 1e-6
    points = {
        split: torch.from_numpy((vectors[items.rows[task, split]] - mean) / deviation).float()
        for split in SPLITS
    }
    truth = {split: torch.from_numpy(items.labels[task, split]) for split in SPLITS}
    best, kept = -1.0, None
    for penalty in sorted(PENALTIES, reverse=True):
        classify = logistic_classifier(
            points["train"], truth["train"], num_classes=CLASSIFICATION[task], penalty=penalty
        )
        accuracy = (classify(points["val"]) == truth["val"]).double().mean().item()
        if accuracy > best:
            best, kept = accuracy, (penalty, classify(points["test"]) == truth["test"])
    penalty, right = kept
    return {"penalty": penalty, "val": round(best, 4), "right": as_text(right.numpy())}


def commonest(items: Items) -> dict[str, dict[str, object]]:
    """Return which test clips are of the class most common in training: the level of chance."""
    found = {}
    for task in TASKS:
        common = np.bincount(items.labels[task, "train"]).argmax()
        found[task] = {"right": as_text(items.labels[task, "test"] == common)}
    return found


def run(names: list[str], seeds: tuple[int, ...]) -> None:
    real = read_films(DATA)
    show_counts(real)
    mean, deviation = write_films(real)
    items = items_of(real)
    scenes = np.stack([scene_of(real.features[clip], mean, deviation) for clip in items.clips])
    RESULTS.parent.mkdir(exist_ok=True)
    done = {(row["variant"], row["seed"]) for row in read_results(RESULTS)}
    if ("commonest class", 0) not in done:
        note("commonest class", 0, commonest(items))
    if (POOLED, 0) not in done:
        means = np.stack([real.features[clip].mean(0) for clip in items.clips])
        note(POOLED, 0, probe(means, items))
    if ("shares of labels", 0) not in done:  # Exploratory: the labels without their meaning.
        note("shares of labels", 0, probe(np.stack([real.labels[c] for c in items.clips]), items))
    for seed in seeds:
        for name in names:
            if (name, seed) in done:
                continue
            encoder, seconds, pairs = encoder_of(real, VARIANTS[name], seed)
            tasks = probe(encoder.encode(scenes), items)
            note(name, seed, tasks, seconds=round(seconds, 1), pairs=pairs)


def show_counts(real: RealFilms) -> None:
    for name, value in real.counts.items():
        print(f"{name}: {value}", flush=True)


def note(name: str, seed: int, tasks: dict[str, dict[str, object]], **figures: float) -> None:
    mean = np.mean([np.mean([int(c) for c in one["right"]]) for one in tasks.values()])
    row = {"variant": name, "seed": seed, "mean": round(float(mean), 4), **figures, "tasks": tasks}
    add_result(RESULTS, row)
    print(name, seed, row["mean"], figures, flush=True)


def interval(values: np.ndarray, items: Items) -> tuple[float, float]:
    """Return a 95 % interval of a mean over tasks, by clips and seeds drawn again.

    Args:
        values: Of each seed and test clip of each task in turn, or the difference of two variants
            there: (seeds, clips of all tasks).
        items: Whose they are; a clip of several tasks is drawn for all of them at once.
    """
    rng = np.random.default_rng(0)
    rows = np.concatenate([items.rows[task, "test"] for task in TASKS])
    clips, place = np.unique(rows, return_inverse=True)
    task = np.repeat(np.arange(len(TASKS)), [len(items.rows[task, "test"]) for task in TASKS])
    drawn = np.empty(DRAWS)
    for draw in range(DRAWS):
        times = np.bincount(rng.integers(len(clips), size=len(clips)), minlength=len(clips))[place]
        by_seed = values[rng.integers(len(values), size=len(values))].mean(0)
        sums, sizes = np.bincount(task, times * by_seed), np.bincount(task, times)
        drawn[draw] = (sums[sizes > 0] / sizes[sizes > 0]).mean()
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def table() -> None:
    items = items_of(read_films(DATA))
    right: dict[str, dict[int, np.ndarray]] = {}
    for row in read_results(RESULTS):
        text = "".join(row["tasks"][task]["right"] for task in TASKS)
        right.setdefault(row["variant"], {})[row["seed"]] = np.array([int(c) for c in text])
    sizes = [len(items.rows[task, "test"]) for task in TASKS]
    cuts = np.cumsum(sizes)[:-1]
    heads = " | ".join(f"{task} ({size})" for task, size in zip(TASKS, sizes, strict=True))
    print(f"| variant | seeds | mean of seven | 95 % | metadata minus variant, 95 % | {heads} |")
    print("|---" * (5 + len(TASKS)) + "|")
    ours = right.get("metadata", {})
    for name, rows in right.items():
        values = np.stack([rows[seed] for seed in sorted(rows)]).astype(float)
        by_task = [part.mean() for part in np.split(values, cuts, axis=1)]
        gap = ""
        if name != "metadata" and ours:
            shared = [seed for seed in sorted(ours) if seed in rows or len(rows) == 1]
            theirs = [rows[seed if len(rows) > 1 else min(rows)] for seed in shared]
            gained = np.stack([ours[seed] for seed in shared]) - np.stack(theirs).astype(float)
            mean = np.mean([part.mean() for part in np.split(gained, cuts, axis=1)])
            low, high = interval(gained, items)
            gap = f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
        low, high = interval(values, items)
        cells = " | ".join(f"{100 * one:.1f}" for one in by_task)
        print(f"| {name} | {len(rows)} | {100 * np.mean(by_task):.1f} % | {100 * low:.1f} to "
              f"{100 * high:.1f} | {gap} | {cells} |")  # fmt: skip


def why(draws: int = 20_000) -> None:
    """Print how often two clips lie closer than two of random films, by what their films share.

    One half is chance. Clips are of the films that are learnt from; cosine of their mean features,
    and of what encoders of the first seed make of them.
    """
    real = read_films(DATA)
    mean, deviation = write_films(real)
    place = {film: index for index, film in enumerate(real.films)}
    clips = [clip for film in real.films for clip in real.clips[film]]
    sizes = np.array([len(real.clips[film]) for film in real.films])
    starts = np.cumsum(sizes) - sizes
    spaces = {POOLED: np.stack([(real.features[c].mean(0) - mean) / deviation for c in clips])}
    scenes = np.stack([scene_of(real.features[clip], mean, deviation) for clip in clips])
    trained = [
        row["variant"] for row in read_results(RESULTS) if row["seed"] == 0 and "pairs" in row
    ]
    for name in trained:
        vectors = encoder_of(real, VARIANTS[name], 0)[0].encode(scenes)
        spaces[name] = (vectors - vectors.mean(0)) / vectors.std(0)
    rng = np.random.default_rng(0)

    def drawn(films: np.ndarray) -> np.ndarray:
        return starts[films] + (rng.random(len(films)) * sizes[films]).astype(int)

    kinds = {"random films": (), "same film": None}
    kinds |= {name: {name: 1.0} for name in WEIGHTS} | {"all three": WEIGHTS}
    pairs = {}
    for name, measures in kinds.items():
        if measures is None:
            films = rng.choice(np.flatnonzero(sizes > 1), draws)
            one, other = drawn(films), drawn(films)
            pairs[name] = one[one != other], other[one != other]
            continue
        rows = list(read_similarity(similar_films(real, dict(measures), 0)).rows())
        chosen = np.array([(place[a], place[b]) for a, b, _, _ in rows])
        chosen = chosen[rng.integers(len(chosen), size=draws)]
        pairs[name] = drawn(chosen[:, 0]), drawn(chosen[:, 1])
    print(f"| clips of | {' | '.join(spaces)} |\n{'|---' * (1 + len(spaces))}|")
    for name in list(pairs)[1:]:
        cells = [_closer(space, pairs[name], pairs["random films"]) for space in spaces.values()]
        print(f"| {name} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")


def _closer(
    space: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    others: tuple[np.ndarray, np.ndarray],
) -> float:
    """Return the chance that a pair has a higher cosine than another; equal ones count half."""
    space = space / np.linalg.norm(space, axis=1, keepdims=True)
    alike, unlike = ((space[one] * space[other]).sum(1) for one, other in (pairs, others))
    unlike = np.sort(unlike)
    below = np.searchsorted(unlike, alike, "left") + np.searchsorted(unlike, alike, "right")
    return float(below.mean() / 2 / len(unlike))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "table", "counts", "why"))
    parser.add_argument("--only", action="append", choices=VARIANTS, help="a variant; repeat it")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    options = parser.parse_args()
    if options.what == "table":
        table()
    elif options.what == "why":
        why()
    elif options.what == "counts":
        show_counts(read_films(DATA))
    else:
        run(options.only or list(VARIANTS), SEEDS[: options.seeds])


if __name__ == "__main__":
    main()
