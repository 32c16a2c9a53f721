"""Does a scene encoder learn what films are about? Variants of one budget on the drawn library.

python bench/drawn_library.py                     # draw the films and their shots' features, once
python bench/drawn_scenes.py run                  # train and probe all; goes on where it was
python bench/drawn_scenes.py run --only metadata  # some of them
python bench/drawn_scenes.py time                 # processor seconds of a step of each
python bench/drawn_scenes.py table                # what was measured, and the plot

Each variant learns from the drawn library without labels, through the stages of the recipes. A
probe then predicts the theme of scenes of other films: logistic regression on frozen
representations, learnt from half of those films and tested on the rest. All variants have the same
network, number of steps and batch.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

import drawn_library
from drawn_library import FOLDER, SETTINGS
from mastershot.datasets.tables.pair_table import read_pairs
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.synthetic.library import SyntheticLibrary, write_metadata
from mastershot.training.movies2scenes.checkpoints import SavedEncoder, load_scene_encoder
from mastershot.training.movies2scenes.networks import SceneShape, scene_network, seeded
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.scene_pairs import window_of, write_scene_pairs
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
    LogSettings,
    NetworkSettings,
    SceneContrastRecipe,
    ShotSource,
)
from mastershot.training.movies2scenes.settings.stages import (
    PairingSettings,
    ScenePairsRecipe,
    SimilarityRecipe,
    SimilaritySettings,
)
from mastershot.training.movies2scenes.similarity import write_similar_movies
from probing import add_result, as_text, logistic_classifier, read_results

RESULTS = Path(__file__).parent / "results" / "drawn_scenes.jsonl"
TIMES = RESULTS.with_name("drawn_scenes_times.json")
TIMED_STEPS = (5, 45)
PLOT = Path(__file__).parents[1] / "docs" / "drawn_scenes.svg"
SEEDS = (0, 1, 2)
NETWORK = NetworkSettings("features", width=128, depth=2, heads=4)
TRAINING = ContrastiveSettings(
    epochs=100_000, max_steps=1_000, warmup_epochs=10_000, batch_size=64, learning_rate=1e-3,
    weight_decay=0.05, momentum=0.99, queue=2048,
)  # fmt: skip
PENALTY = 1e-2  # of the probe, on standardised representations


@dataclass(frozen=True)
class Variant:
    """What is learnt from; the defaults are those of `metadata`."""

    measure: str = "cowatch"
    positives: str = "similar"
    window: int = 9
    films: int = SETTINGS.films
    views: str = "plain"
    negatives: str = "queue"
    steps: int = TRAINING.max_steps


VARIANTS = {
    "metadata": Variant(),
    "random": Variant(measure="random"),
    "untrained": Variant(steps=0),
    "1-1": Variant(window=1),
    "augmentation": Variant(positives="same", views="augmented"),
    "simclr": Variant(positives="same", views="augmented", negatives="batch"),
    "shotcol": Variant(positives="nearest", window=1),
    "shotcol, 9 shots": Variant(positives="nearest"),
    "4-1": Variant(window=4),
    "16-1": Variant(window=16),
    "300 films": Variant(films=300),
    "600 films": Variant(films=600),
    "genre": Variant(measure="genre"),
    "synopsis": Variant(measure="synopsis"),
    # Exploratory, after the others were known: is the gain from more films hidden by few steps?
    "1200 films, 2000 steps": Variant(steps=2_000),
    "600 films, 2000 steps": Variant(films=600, steps=2_000),
    "300 films, 2000 steps": Variant(films=300, steps=2_000),
}


ORDER = (
    "metadata", "synopsis", "genre", "random", "1-1", "4-1", "16-1", "300 films", "600 films",
    "300 films, 2000 steps", "600 films, 2000 steps", "1200 films, 2000 steps",
    "untrained", "mean of features", "augmentation", "simclr", "shotcol",
    "shotcol, 9 shots", "shotcol, picked once",
)  # fmt: skip


def prepare() -> None:
    """Write scaled features, metadata, and folders of fewer films."""
    library, _ = drawn_library.plan()
    scale(FOLDER)
    write_metadata_once(library, FOLDER)
    learn = FOLDER / "learn"
    for films in {variant.films for variant in VARIANTS.values()}:
        folder = learn / f"shots-{films}"
        folder.mkdir(exist_ok=True)
        for film in library.films[:films]:
            link = folder / f"{film.id}.npy"
            if not link.exists():
                link.symlink_to(learn / "shots" / f"{film.id}.npy")


def scale(folder: Path) -> None:
    """Write the features of both libraries of a folder, scaled as those to learn from are."""
    raw = ShotArrays(folder / "learn" / "features")
    some = np.concatenate([raw.movie(index) for index in range(0, len(raw.movies), 12)])
    mean, deviation = some.mean(0), some.std(0) + 1e-5
    for one in (folder / "learn", folder / "probe"):
        (one / "shots").mkdir(exist_ok=True)
        for path in sorted((one / "features").glob("*.npy")):
            if not (one / "shots" / path.name).exists():
                write_movie(one / "shots", path.stem, (np.load(path) - mean) / deviation)


def write_metadata_once(library: SyntheticLibrary, folder: Path) -> None:
    """Write the metadata of the library to learn from, if it is not there yet."""
    metadata = folder / "learn" / "metadata"
    metadata.mkdir(exist_ok=True)
    if not (metadata / "movies.csv").exists():
        write_metadata(library, metadata)


def encoder_of(variant: Variant, seed: int) -> tuple[SavedEncoder, float]:
    """Return a variant's encoder and the seconds its training took."""
    if not variant.steps:
        shots = ShotArrays(FOLDER / "learn" / f"shots-{variant.films}")
        shape = SceneShape(variant.window, shots.row_shape)
        with seeded(seed):
            network = scene_network(NETWORK, shape).eval().requires_grad_(False)
        return SavedEncoder(network, NETWORK.width, shape, {}), 0.0
    recipe, out = recipe_of(variant, seed)
    began_s = time.perf_counter()
    return load_scene_encoder(train_scene_encoder(recipe, out)), time.perf_counter() - began_s


def recipe_of(variant: Variant, seed: int) -> tuple[SceneContrastRecipe, Path]:
    """Return how a variant is trained, its pairs found, and the folder of its run."""
    learn, runs = FOLDER / "learn", FOLDER / "runs"
    shots = ShotSource(str(learn / f"shots-{variant.films}"))
    similar, name = "", variant.positives
    if variant.positives == "similar":
        found = similar_movies(shots, variant.measure, seed, FOLDER, f"-{variant.films}")
        similar, name = str(found), found.parent.name.removeprefix("similar-")
    pairing = PairingSettings(positives=variant.positives, window=variant.window, stride=3)
    pairs_name = f"pairs-{name}-{variant.window}"
    pairs = write_scene_pairs(ScenePairsRecipe(shots, similar, pairs=pairing), runs / pairs_name)
    training = replace(
        TRAINING,
        views=variant.views,
        negatives=variant.negatives,
        seed=seed,
        max_steps=variant.steps,
    )
    recipe = SceneContrastRecipe(shots, str(pairs), NETWORK, training, log=LogSettings(100, 500))
    out = runs / f"scenes-{pairs_name}-{variant.films}-{variant.views}-{variant.negatives}-{seed}"
    if variant.steps != TRAINING.max_steps:
        out = out.with_name(f"{out.name}-{variant.steps}")
    return recipe, out


def similar_movies(
    shots: ShotSource, measure: str, seed: int, folder: Path, suffix: str = ""
) -> Path:
    """Return the table of similar movies by a measure; only some measures depend on the seed."""
    metadata, depends = folder / "learn" / "metadata", measure in ("random", "genre")
    settings = SimilaritySettings(
        measure, viewing_log=str(metadata / "cowatch.csv"), movies=str(metadata / "movies.csv"),
        seed=seed if depends else 0,
    )  # fmt: skip
    name = f"similar-{measure}{suffix}" + (f"-{seed}" if depends else "")
    return write_similar_movies(SimilarityRecipe(shots, settings), folder / "runs" / name)


def measure_times(rounds: int = 3) -> None:
    """Write the processor seconds of a training step of each variant, in turn, on one thread."""
    prepare()
    torch.set_num_threads(1)
    seconds: dict[str, list[float]] = {
        name: [] for name, one in VARIANTS.items() if one.steps == TRAINING.max_steps
    }
    for _ in range(rounds):
        for name, taken in seconds.items():
            recipe, _ = recipe_of(VARIANTS[name], 0)
            few, many = (steps_s(recipe, steps) for steps in TIMED_STEPS)
            taken.append((many - few) / (TIMED_STEPS[1] - TIMED_STEPS[0]))
            print(name, f"{taken[-1]:.3f} s a step", flush=True)
    medians = {name: round(statistics.median(taken), 4) for name, taken in seconds.items()}
    TIMES.write_text(json.dumps(medians, indent=1) + "\n", "utf-8")


def steps_s(recipe: SceneContrastRecipe, steps: int) -> float:
    """Return the processor seconds of a run of so many steps."""
    recipe = replace(recipe, training=replace(recipe.training, max_steps=steps))
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.process_time()
        train_scene_encoder(recipe, Path(folder) / "run")
        return time.process_time() - began_s


def share_of_one_theme(pairs_file: str, folder: Path = FOLDER) -> float:
    """Return the share of pairs of scenes whose middle shots are of one theme."""
    pairs = read_pairs(pairs_file)
    middle = window_of(pairs) // 2
    truth = json.loads((folder / "learn" / "truth.json").read_text("utf-8"))
    themes = [[scene["theme"] for scene in truth[name]["scenes"]] for name in pairs.movies]
    sides = (pairs.movie, pairs.first_shot), (pairs.similar, pairs.similar_first_shot)
    one, other = (
        [
            themes[movie][(first + middle) // SETTINGS.shots_per_scene]
            for movie, first in zip(movies, shots, strict=True)
        ]
        for movies, shots in sides
    )
    return float(np.mean(np.array(one) == np.array(other)))


def probed_scenes(shots: Path) -> tuple[ShotArrays, np.ndarray, np.ndarray, np.ndarray]:
    """Return the other films' shots, and each scene's first row, film and theme."""
    arrays = ShotArrays(shots)
    truth = json.loads((shots.parent / "truth.json").read_text("utf-8"))
    rows, films, themes = [], [], []
    for index, name in enumerate(arrays.movies):
        for scene in truth[name]["scenes"]:
            rows.append(int(arrays.offsets[index]) + scene["first_shot"])
            films.append(index)
            themes.append(scene["theme"])
    numbers = {theme: number for number, theme in enumerate(sorted(set(themes)))}
    return arrays, np.array(rows), np.array(films), np.array([numbers[t] for t in themes])


def vectors_of(encoder: SavedEncoder, arrays: ShotArrays, rows: np.ndarray) -> np.ndarray:
    """Return one vector a true scene: the mean over windows that cover it evenly."""
    num_shots, window = SETTINGS.shots_per_scene, encoder.shape.num_shots
    starts = np.linspace(0, num_shots - window, -(-num_shots // window)).round().astype(int)
    each = [encoder.encode(arrays.scenes(rows + start, window)) for start in starts]
    return np.mean(each, axis=0)


def probe(vectors: np.ndarray, films: np.ndarray, themes: np.ndarray) -> np.ndarray:
    """Return which scenes of the second half of the films are predicted right."""
    learnt = films < (films.max() + 1) // 2
    mean, deviation = vectors[learnt].mean(0), vectors[learnt].std(0) + 1e-6
    points = torch.from_numpy((vectors - mean) / deviation).float()
    truth, known = torch.from_numpy(themes), torch.from_numpy(learnt)
    num_classes = int(themes.max()) + 1
    classify = logistic_classifier(
        points[known], truth[known], num_classes=num_classes, penalty=PENALTY, max_iter=300
    )
    right = classify(points) == truth
    return right[~known].numpy()


def run(names: list[str], seeds: tuple[int, ...]) -> None:
    prepare()
    RESULTS.parent.mkdir(exist_ok=True)
    done = {(row["variant"], row["seed"]) for row in read_results(RESULTS)}
    arrays, rows, films, themes = probed_scenes(FOLDER / "probe" / "shots")
    if ("mean of features", 0) not in done:
        scenes = arrays.scenes(rows, SETTINGS.shots_per_scene)
        note(RESULTS, "mean of features", 0, probe(scenes.mean(1), films, themes), 0.0)
    for seed in seeds:
        for name in names:
            if (name, seed) in done:
                continue
            encoder, seconds = encoder_of(VARIANTS[name], seed)
            right = probe(vectors_of(encoder, arrays, rows), films, themes)
            note(RESULTS, name, seed, right, seconds)


def note(results: Path, name: str, seed: int, right: np.ndarray, seconds: float) -> None:
    row = {"variant": name, "seed": seed, "accuracy": round(float(right.mean()), 4)}
    row |= {"seconds": round(seconds, 1), "right": as_text(right)}
    add_result(results, row)
    print(name, seed, row["accuracy"], f"{seconds:.0f} s", flush=True)


def difference(one: np.ndarray, other: np.ndarray, films: np.ndarray) -> tuple[float, float]:
    """Return a 95 % interval of a difference of accuracy, by films and seeds drawn again.

    Args:
        one: Which scenes one variant predicts right, (seeds, scenes).
        other: Likewise of the other; seeds are paired.
        films: Which film each scene is of.
    """
    rng = np.random.default_rng(0)
    gained = one.astype(float) - other
    by_film = np.stack([gained[:, films == film].mean(1) for film in np.unique(films)], 1)
    seeds, num_films = by_film.shape
    drawn = [
        by_film[rng.integers(seeds, size=seeds)][:, rng.integers(num_films, size=num_films)].mean()
        for _ in range(2000)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def outcomes(results: Path) -> dict[str, dict[int, np.ndarray]]:
    """Return which scenes each variant predicts right, by seed."""
    by_name: dict[str, dict[int, np.ndarray]] = {}
    for row in read_results(results):
        right = np.array([int(answer) for answer in row["right"]])
        by_name.setdefault(row["variant"], {})[row["seed"]] = right
    return by_name


def gap(one: dict[int, np.ndarray], other: dict[int, np.ndarray], films: np.ndarray) -> str:
    """Return the interval of one variant minus another, over the seeds that both have.

    One of a single seed, which depends on none, is compared with every seed of the other.
    """
    seeds = sorted(set(one) & set(other) if min(len(one), len(other)) > 1 else {*one, *other})
    sides = [np.stack([each.get(seed, each[min(each)]) for seed in seeds]) for each in (one, other)]
    low, high = difference(*sides, films)
    return f"{100 * low:+.1f} to {100 * high:+.1f}"


def tested_films(shots: Path) -> np.ndarray:
    """Return which film each scene is of that probes are tested on."""
    _, _, films, _ = probed_scenes(shots)
    tested: np.ndarray = films[films >= (films.max() + 1) // 2]
    return tested


def accuracies(each: np.ndarray) -> str:
    """Return the number of seeds, their mean and their range, as cells."""
    spread = f"{100 * each.min():.1f} to {100 * each.max():.1f}"
    return f"{len(each)} | {100 * each.mean():.1f} % | {spread}"


def table() -> None:
    tested, by_name = tested_films(FOLDER / "probe" / "shots"), outcomes(RESULTS)
    step_s = json.loads(TIMES.read_text("utf-8"))
    print("| variant | seeds | accuracy | range | metadata minus variant, 95 % | "
          "pairs of one theme | time |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    bars = []
    for name in sorted(by_name, key=ORDER.index):
        each = np.array([right.mean() for _, right in sorted(by_name[name].items())])
        apart = "" if name == "metadata" else gap(by_name["metadata"], by_name[name], tested)
        relative = f"{step_s[name] / step_s['metadata']:.2f}" if name in step_s else ""
        variant, shared_theme = VARIANTS.get(name), ""
        if variant and variant.steps and variant.positives != "nearest":
            shared_theme = f"{100 * share_of_one_theme(recipe_of(variant, 0)[0].pairs):.0f} %"
        print(f"| {name} | {accuracies(each)} | {apart} | {shared_theme} | {relative} |")
        bars.append((name, each))
    PLOT.write_text(draw(bars), "utf-8")


def draw(bars: list[tuple[str, np.ndarray]]) -> str:
    """Return the SVG of each variant's accuracy, a dot a seed and a bar to their mean."""
    left, width, line = 170, 420, 22
    height = 30 + line * len(bars) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 60} {height}" '
        'font-family="sans-serif" font-size="12" fill="#444">',
        f'<rect width="{left + width + 60}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="16">scenes of unseen films whose theme a probe predicts, of 8 themes'
        "</text>",
    ]
    for place, (name, each) in enumerate(bars):
        y = 38 + line * place
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{name}</text>')
        end = left + width * each.mean()
        parts.append(f'<path d="M{left} {y}H{end:.1f}" stroke="#9ec1d6" stroke-width="12"/>')
        parts += [
            f'<circle cx="{left + width * one:.1f}" cy="{y}" r="3" fill="#2a6f97"/>' for one in each
        ]
        beside = left + width * each.max() + 10
        parts.append(f'<text x="{beside:.1f}" y="{y + 4}">{100 * each.mean():.1f} %</text>')
    chance = left + width / 8
    parts.append(f'<path d="M{chance} 24V{height - 8}" stroke="#bb3e03" stroke-dasharray="3"/>')
    parts.append(f'<text x="{chance + 4}" y="{height - 6}" fill="#bb3e03">chance</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "time", "table"))
    parser.add_argument("--only", action="append", choices=VARIANTS, help="a variant; repeat it")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    options = parser.parse_args()
    if options.what == "table":
        table()
    elif options.what == "time":
        measure_times()
    else:
        run(options.only or list(VARIANTS), SEEDS[: options.seeds])


if __name__ == "__main__":
    main()
