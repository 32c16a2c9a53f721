"""Scene encoders from pixels on a smaller drawn library: which shot encoder, how many frames?

python bench/drawn_pixels.py draw    # draw the films, once
python bench/drawn_pixels.py run     # train and probe all; goes on where it was
python bench/drawn_pixels.py table   # what was measured

The films are the first 240 of `drawn_library.py`, with viewers of their own, and the same 240 films
for the probe, all drawn at 32 pixels with three keyframes a shot; one is the middle one of them. A
shot encoder learns from the pixels (600 steps), its features pair the scenes of similar films, and
a scene encoder learns from the pixels of the pairs. The probe is that of `drawn_scenes.py`; so is
the training, but for its length (400 steps of 32 pairs) and, as it is shorter, for the momentum. No
movie encoder is trained, as there. Variants "on features" are those of `drawn_scenes.py`, on the
features of this library.

These settings were fixed before anything was trained on these pictures.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

import drawn_library
import drawn_scenes
from drawn_library import DrawnSettings
from drawn_scenes import gap, note, probe, probed_scenes, share_of_one_theme, vectors_of
from mastershot.core.embeddings import FloatArray
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.checkpoints import (
    SavedEncoder,
    load_scene_encoder,
)
from mastershot.training.movies2scenes.networks import (
    SceneShape,
    ShotEncoder,
    scene_network,
    seeded,
    vit_settings,
)
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.scene_pairs import write_scene_pairs
from mastershot.training.movies2scenes.settings.encoders import (
    LogSettings,
    NetworkSettings,
    SceneContrastRecipe,
    ShotContrastRecipe,
    ShotSource,
)
from mastershot.training.movies2scenes.settings.stages import (
    PairingSettings,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
)
from mastershot.training.movies2scenes.shot_encoder import train_shot_encoder, write_features
from probing import read_results

SETTINGS = DrawnSettings(films=240, side_px=32, keyframes=3)
FOLDER = drawn_library.FOLDER.with_name("drawn_pixels")
LEARN, PROBE, RUNS = FOLDER / "learn", FOLDER / "probe", FOLDER / "runs"
RESULTS = drawn_scenes.RESULTS.with_name("drawn_pixels.jsonl")
SEEDS = (0, 1, 2)
NETWORK = NetworkSettings(width=64, depth=2, heads=4, patch_px=16)
OUTPUT = 128  # Numbers of a trained shot encoder's feature.
TRAINING = replace(drawn_scenes.TRAINING, max_steps=400, batch_size=32, momentum=0.98)
SHOT_STEPS = 600
LOG = LogSettings(100, 100)


@dataclass(frozen=True)
class Variant:
    """What a scene encoder learns from; the defaults are those of `metadata`.

    Attributes:
        measure: By which films are similar.
        positives: Scenes of similar films, or the ``nearest`` of the film (ShotCoL).
        window: Shots a scene.
        shot_encoder: Whose features pair scenes: ``trained`` here on pixels, or ``frozen``: the
            pooled maps of the starter's network, the features of `drawn_scenes.py`.
        frames: Keyframes a shot that the scene encoder sees; pairs are those of one.
        reads: What the scene encoder sees: ``pixels``, or the shot encoder's ``features``.
        negatives: Of the scene encoder: from the ``queue`` or the ``batch``.
        steps: Of the scene encoder.
    """

    measure: str = "cowatch"
    positives: str = "similar"
    window: int = 9
    shot_encoder: str = "trained"
    frames: int = 1
    reads: str = "pixels"
    negatives: str = "queue"
    steps: int = TRAINING.max_steps


ON_FEATURES = Variant(shot_encoder="frozen", reads="features")
VARIANTS = {
    "metadata": Variant(),
    "random": Variant(measure="random"),
    "frozen shot encoder": Variant(shot_encoder="frozen"),
    "untrained": Variant(steps=0),
    "three frames": Variant(frames=3),
    "untrained, three frames": Variant(frames=3, steps=0),
    "on features: metadata": ON_FEATURES,
    "on features: shotcol": replace(ON_FEATURES, positives="nearest", window=1),
    "on features: metadata 1-1": replace(ON_FEATURES, window=1),
    "on features: random": replace(ON_FEATURES, measure="random"),
    "on features: untrained": replace(ON_FEATURES, steps=0),
    "on features: trained shot encoder": replace(ON_FEATURES, shot_encoder="trained"),
    # Exploratory, after the rows on pixels were known: there the queue trains badly.
    "metadata, batch": Variant(negatives="batch"),
    "random, batch": Variant(measure="random", negatives="batch"),
}
MEAN = "mean of features, "
ROUNDS = (
    ("metadata", "random", "untrained", f"{MEAN}trained", f"{MEAN}untrained"),
    ("three frames", "untrained, three frames"),
    ("frozen shot encoder", f"{MEAN}frozen"),
    tuple(name for name in VARIANTS if VARIANTS[name].reads == "features"),
    ("metadata, batch", "random, batch"),
)
"""What is measured, in this order, and each round seed by seed."""
COMPARISONS = (
    ("metadata", "random"),
    ("metadata", "untrained"),
    ("metadata", "mean of features, trained"),
    ("metadata", "frozen shot encoder"),
    ("mean of features, trained", "mean of features, untrained"),
    ("mean of features, trained", "mean of features, frozen"),
    ("three frames", "metadata"),
    ("three frames", "untrained, three frames"),
    ("on features: metadata", "on features: random"),
    ("on features: metadata", "on features: untrained"),
    ("on features: metadata", "mean of features, frozen"),
    ("on features: metadata", "on features: shotcol"),
    ("on features: metadata 1-1", "on features: shotcol"),
    ("on features: shotcol", "on features: untrained"),
    ("on features: metadata", "on features: trained shot encoder"),
    ("metadata, batch", "random, batch"),
    ("metadata, batch", "untrained"),
    ("metadata, batch", "metadata"),
)


def draw() -> None:
    """Draw both libraries."""
    libraries = drawn_library.plan(SETTINGS)
    for library, folder in zip(libraries, (LEARN, PROBE), strict=True):
        drawn_library.draw(library, folder, SETTINGS)
        write_middle(folder)
    drawn_scenes.write_metadata_once(libraries[0], FOLDER)


def write_middle(folder: Path) -> None:
    """Write the middle keyframe of each shot of a library."""
    keyframes_of(folder, 1).mkdir(exist_ok=True)
    for path in sorted((folder / "keyframes").glob("*.npy")):
        if not (keyframes_of(folder, 1) / path.name).exists():
            write_movie(keyframes_of(folder, 1), path.stem, np.load(path)[:, 1:2])


def keyframes_of(folder: Path, frames: int) -> Path:
    """Return where the keyframes of a library are, one or three a shot."""
    return folder / ("keyframes" if frames == SETTINGS.keyframes else "middle")


def pixels(folder: Path, frames: int = 1) -> ShotSource:
    """Return the keyframes of a library as shots."""
    path = str(keyframes_of(folder, frames))
    return ShotSource(path, "keyframes", frames_per_shot=frames, image_px=SETTINGS.side_px)


@cache
def trained_shot_encoder(seed: int) -> Path:
    """Return the folder of a shot encoder that learnt from one keyframe a shot."""
    training = replace(TRAINING, seed=seed, max_steps=SHOT_STEPS)
    recipe = ShotContrastRecipe(pixels(LEARN), NETWORK, OUTPUT, training=training, log=LOG)
    return train_shot_encoder(recipe, RUNS / f"shot-encoder-{seed}")


@cache
def frozen_features() -> None:
    """Write the features of both libraries by the starter's network, scaled."""
    for folder in (LEARN, PROBE):
        drawn_library.write_features(folder)
    drawn_scenes.scale(FOLDER)


def features(folder: Path, shot_encoder: str, seed: int) -> Path:
    """Return where the features of the shots' middle keyframes by a shot encoder are."""
    if shot_encoder == "frozen":
        frozen_features()
        return folder / "shots"
    recipe = ShotFeaturesRecipe(pixels(folder), str(trained_shot_encoder(seed)))
    return write_features(recipe, RUNS / f"features-{folder.name}-{seed}")


def pairs_of(variant: Variant, seed: int) -> Path:
    """Return the pairs of scenes that a variant learns from."""
    shots = ShotSource(str(features(LEARN, variant.shot_encoder, seed)))
    similar, name = "", variant.positives
    if variant.positives == "similar":
        found = drawn_scenes.similar_movies(pixels(LEARN), variant.measure, seed, FOLDER)
        similar, name = str(found), found.parent.name
    pairing = PairingSettings(positives=variant.positives, window=variant.window, stride=3)
    by = seed if variant.shot_encoder == "trained" else "frozen"
    out = RUNS / f"pairs-{name}-{variant.window}-{by}"
    return write_scene_pairs(ScenePairsRecipe(shots, similar, pairs=pairing), out)


def seen(variant: Variant, folder: Path, seed: int) -> ShotSource:
    """Return the shots of a library as a variant's scene encoder sees them."""
    if variant.reads == "pixels":
        return pixels(folder, variant.frames)
    return ShotSource(str(features(folder, variant.shot_encoder, seed)))


def encoder_of(name: str, seed: int) -> SavedEncoder:
    """Return a variant's scene encoder."""
    variant = VARIANTS[name]
    shots = seen(variant, LEARN, seed)
    network = NETWORK if variant.reads == "pixels" else drawn_scenes.NETWORK
    if not variant.steps:
        shape = SceneShape(variant.window, ShotArrays(shots.path).row_shape)
        with seeded(seed):
            fresh = scene_network(network, shape).eval().requires_grad_(False)
        return SavedEncoder(fresh, network.width, shape, {})
    training = replace(TRAINING, seed=seed, max_steps=variant.steps, negatives=variant.negatives)
    recipe = SceneContrastRecipe(shots, str(pairs_of(variant, seed)), network, training, log=LOG)
    return load_scene_encoder(train_scene_encoder(recipe, RUNS / f"{name}-{seed}"))


def vectors_by(name: str, seed: int) -> FloatArray:
    """Return the vectors of the probe's scenes by a variant's encoder."""
    shots = ShotArrays(seen(VARIANTS[name], PROBE, seed).path)
    return vectors_of(encoder_of(name, seed), shots, first_rows())


def mean_vectors(shot_encoder: str, seed: int) -> FloatArray:
    """Return the mean of the shots' features of each of the probe's scenes."""
    if shot_encoder != "untrained":
        shots = ShotArrays(features(PROBE, shot_encoder, seed))
        mean: FloatArray = shots.scenes(first_rows(), SETTINGS.shots_per_scene).mean(1)
        return mean
    arrays = ShotArrays(keyframes_of(PROBE, 1))
    with seeded(seed):
        network = ShotEncoder(vit_settings(NETWORK, SETTINGS.side_px), OUTPUT)
    encoder = SavedEncoder(network.eval(), OUTPUT, SceneShape(1, arrays.row_shape), {})
    scenes = arrays.scenes(first_rows(), SETTINGS.shots_per_scene)
    each = encoder.encode(scenes.reshape(-1, 1, *arrays.row_shape))
    return each.reshape(*scenes.shape[:2], OUTPUT).mean(1)


@cache
def first_rows() -> np.ndarray:
    """Return the first row of each of the probe's scenes."""
    return probed_scenes(keyframes_of(PROBE, 1))[1]


def rows_of(seeds: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """Yield what is measured; the features of the frozen encoder depend on no seed."""
    for names in ROUNDS:
        for seed in seeds:
            yield from ((name, seed) for name in names if name != f"{MEAN}frozen" or not seed)


def run(only: list[str], seeds: tuple[int, ...]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    done = {(row["variant"], row["seed"]) for row in read_results(RESULTS)}
    _, _, films, themes = probed_scenes(keyframes_of(PROBE, 1))
    for name, seed in rows_of(seeds):
        if (name, seed) in done or (only and name not in only):
            continue
        began_s = time.process_time()
        if name in VARIANTS:
            vectors = vectors_by(name, seed)
        else:
            vectors = mean_vectors(name.removeprefix(MEAN), seed)
        right = probe(vectors, films, themes)
        note(RESULTS, name, seed, right, time.process_time() - began_s)


def table() -> None:
    tested = drawn_scenes.tested_films(keyframes_of(PROBE, 1))
    by_name = drawn_scenes.outcomes(RESULTS)
    print("| variant | seeds | accuracy | range | pairs of one theme |\n|---|---|---|---|---|")
    for name in sorted(by_name, key=[name for name, _ in rows_of(SEEDS[:1])].index):
        each = np.array([right.mean() for _, right in sorted(by_name[name].items())])
        variant, shared_theme = VARIANTS.get(name), ""
        if variant and variant.steps and variant.positives == "similar":
            shared_theme = f"{100 * share_of_one_theme(str(pairs_of(variant, 0)), FOLDER):.0f} %"
        print(f"| {name} | {drawn_scenes.accuracies(each)} | {shared_theme} |")
    print("\n| one | minus | 95 % |\n|---|---|---|")
    for one, other in COMPARISONS:
        if one in by_name and other in by_name:
            print(f"| {one} | {other} | {gap(by_name[one], by_name[other], tested)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("draw", "run", "table"))
    parser.add_argument("--only", action="append", help="a row of the table; repeat it")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    options = parser.parse_args()
    if options.what == "draw":
        draw()
    elif options.what == "table":
        table()
    else:
        known = {name for name, _ in rows_of(SEEDS)}
        if unknown := set(options.only or ()) - known:
            sys.exit(f"no row {sorted(unknown)[0]!r}; there are: {', '.join(sorted(known))}")
        run(options.only or [], SEEDS[: options.seeds])


if __name__ == "__main__":
    main()
