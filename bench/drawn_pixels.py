"""Scene encoders from pixels on a smaller drawn library: which shot encoder, how many frames?

python bench/drawn_pixels.py draw    # draw the films, once
python bench/drawn_pixels.py run     # train and probe all; goes on where it was
python bench/drawn_pixels.py table   # what was measured

The films are the first 400 of `drawn_library.py`, with viewers of their own, and the same 240 films
for the probe, all drawn at 32 pixels with three keyframes a shot; one is the middle one of them. A
shot encoder learns from the pixels, its features pair the scenes of similar films, and a scene
encoder learns from the pixels of the pairs. Probe and training are those of `drawn_scenes.py`, with
400 steps. No movie encoder is trained, as there.

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

SETTINGS = DrawnSettings(films=400, side_px=32, keyframes=3)
FOLDER = drawn_library.FOLDER.with_name("drawn_pixels")
LEARN, PROBE, RUNS = FOLDER / "learn", FOLDER / "probe", FOLDER / "runs"
RESULTS = drawn_scenes.RESULTS.with_name("drawn_pixels.jsonl")
SEEDS = (0, 1, 2)
NETWORK = NetworkSettings(width=64, depth=2, heads=4, patch_px=16)
OUTPUT = 128  # Numbers of a trained shot encoder's feature.
TRAINING = replace(drawn_scenes.TRAINING, max_steps=400)
LOG = LogSettings(100, 100)


@dataclass(frozen=True)
class Variant:
    """What a scene encoder learns from; the defaults are those of `metadata`.

    Attributes:
        measure: By which films are similar.
        shot_encoder: Whose features pair scenes: ``trained`` here on pixels, or ``frozen``: the
            pooled maps of the starter's network, the features of `drawn_scenes.py`.
        frames: Keyframes a shot.
        reads: What the scene encoder sees: ``pixels``, or the shot encoder's ``features``.
        steps: Of the scene encoder.
    """

    measure: str = "cowatch"
    shot_encoder: str = "trained"
    frames: int = 1
    reads: str = "pixels"
    steps: int = TRAINING.max_steps


VARIANTS = {
    "metadata": Variant(),
    "random": Variant(measure="random"),
    "frozen shot encoder": Variant(shot_encoder="frozen"),
    "three frames": Variant(frames=3),
    "untrained": Variant(steps=0),
    "untrained, three frames": Variant(frames=3, steps=0),
    "on features, trained shot encoder": Variant(reads="features"),
    "on features, frozen shot encoder": Variant(shot_encoder="frozen", reads="features"),
}
MEANS = ("trained", "untrained", "frozen")
COMPARISONS = (
    ("three frames", "untrained, three frames"),
    ("on features, trained shot encoder", "on features, frozen shot encoder"),
    ("on features, trained shot encoder", "mean of features, trained"),
    ("on features, frozen shot encoder", "mean of features, frozen"),
    ("mean of features, trained", "mean of features, untrained"),
    ("mean of features, trained", "mean of features, frozen"),
)
"""What is compared besides `metadata` with each."""


def draw() -> None:
    """Draw both libraries and write what does not depend on training."""
    libraries = drawn_library.plan(SETTINGS)
    for library, folder in zip(libraries, (LEARN, PROBE), strict=True):
        drawn_library.draw(library, folder, SETTINGS)
        drawn_library.write_features(folder)
        write_middle(folder)
    drawn_scenes.write_metadata_once(libraries[0], FOLDER)
    drawn_scenes.scale(FOLDER)


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
    recipe = ShotContrastRecipe(
        pixels(LEARN), NETWORK, OUTPUT, training=replace(TRAINING, seed=seed), log=LOG
    )
    return train_shot_encoder(recipe, RUNS / f"shot-encoder-{seed}")


def features(folder: Path, shot_encoder: str, seed: int, frames: int = 1) -> Path:
    """Return where the shots' features by a shot encoder are, the mean over keyframes."""
    if shot_encoder == "frozen":
        return folder / "shots"
    recipe = ShotFeaturesRecipe(pixels(folder, frames), str(trained_shot_encoder(seed)))
    return write_features(recipe, RUNS / f"features-{folder.name}-{frames}-{seed}")


def pairs_of(variant: Variant, seed: int) -> Path:
    """Return the pairs of scenes that a variant learns from."""
    shots = ShotSource(str(features(LEARN, variant.shot_encoder, seed, variant.frames)))
    similar = drawn_scenes.similar_movies(pixels(LEARN), variant.measure, seed, FOLDER)
    recipe = ScenePairsRecipe(shots, str(similar), pairs=PairingSettings())
    by = seed if variant.shot_encoder == "trained" else "frozen"
    return write_scene_pairs(recipe, RUNS / f"pairs-{similar.parent.name}-{variant.frames}-{by}")


def encoder_of(name: str, seed: int) -> SavedEncoder:
    """Return a variant's scene encoder."""
    variant = VARIANTS[name]
    if not variant.steps:
        keyframes = ShotArrays(keyframes_of(LEARN, variant.frames))
        shape = SceneShape(PairingSettings().window, keyframes.row_shape)
        with seeded(seed):
            network = scene_network(NETWORK, shape).eval().requires_grad_(False)
        return SavedEncoder(network, NETWORK.width, shape, {})
    shots, network = pixels(LEARN, variant.frames), NETWORK
    if variant.reads == "features":
        shots = ShotSource(str(features(LEARN, variant.shot_encoder, seed)))
        network = drawn_scenes.NETWORK
    training = replace(TRAINING, seed=seed, max_steps=variant.steps)
    recipe = SceneContrastRecipe(shots, str(pairs_of(variant, seed)), network, training, log=LOG)
    return load_scene_encoder(train_scene_encoder(recipe, RUNS / f"{name}-{seed}"))


def vectors_by(name: str, seed: int) -> FloatArray:
    """Return the vectors of the probe's scenes by a variant's encoder."""
    variant, shots = VARIANTS[name], keyframes_of(PROBE, VARIANTS[name].frames)
    encoder = encoder_of(name, seed)
    if variant.reads == "features":
        shots = features(PROBE, variant.shot_encoder, seed)
    return vectors_of(encoder, ShotArrays(shots), first_rows())


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
    return probed_scenes(PROBE / "shots")[1]


def rows_of(seeds: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """Yield what is measured, seed by seed; what depends on no seed, once."""
    for seed in seeds:
        yield from ((name, seed) for name in VARIANTS)
        for shot_encoder in MEANS:
            if seed == seeds[0] or shot_encoder != "frozen":
                yield f"mean of features, {shot_encoder}", seed


def run(only: list[str], seeds: tuple[int, ...]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    done = {(row["variant"], row["seed"]) for row in read_results(RESULTS)}
    _, _, films, themes = probed_scenes(PROBE / "shots")
    for name, seed in rows_of(seeds):
        if (name, seed) in done or (only and name not in only):
            continue
        began_s = time.process_time()
        if name in VARIANTS:
            vectors = vectors_by(name, seed)
        else:
            vectors = mean_vectors(name.removeprefix("mean of features, "), seed)
        right = probe(vectors, films, themes)
        note(RESULTS, name, seed, right, time.process_time() - began_s)


def table() -> None:
    tested = drawn_scenes.tested_films(PROBE / "shots")
    by_name = drawn_scenes.outcomes(RESULTS)
    print("| variant | seeds | accuracy | range | metadata minus variant, 95 % | "
          "pairs of one theme |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for name, rows in by_name.items():
        each = np.array([right.mean() for _, right in sorted(rows.items())])
        apart = "" if name == "metadata" else gap(by_name["metadata"], rows, tested)
        shared_theme = ""
        if name in VARIANTS and VARIANTS[name].steps:
            share = share_of_one_theme(str(pairs_of(VARIANTS[name], 0)), FOLDER)
            shared_theme = f"{100 * share:.0f} %"
        print(f"| {name} | {drawn_scenes.accuracies(each)} | {apart} | {shared_theme} |")
    for one, other in COMPARISONS:
        if one in by_name and other in by_name:
            print(f"{one} minus {other}: {gap(by_name[one], by_name[other], tested)}")


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
