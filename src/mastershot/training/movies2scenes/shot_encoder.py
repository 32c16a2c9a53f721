"""The shot encoder from scratch: a shot comes to lie close to its neighbours (METHODS B1)."""
# S shots, D width of a feature

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.mining.settings import WINDOW_SHOTS
from mastershot.store.shot_arrays import write_movie
from mastershot.training.engine.distributed import rank_zero_first
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.movies2scenes.batches import ShotBatches
from mastershot.training.movies2scenes.checkpoints import (
    SCENE_STEM,
    SHOT_STEM,
    SavedEncoder,
    load_scene_encoder,
    load_shot_encoder,
    write_encoder,
)
from mastershot.training.movies2scenes.contrastive import length_of, train_contrastive
from mastershot.training.movies2scenes.networks import (
    SceneShape,
    ShotEncoder,
    projected,
    scene_network,
    seeded,
    start_from,
    started_from,
    vit_settings,
)
from mastershot.training.movies2scenes.settings.encoders import NetworkSettings, ShotContrastRecipe
from mastershot.training.movies2scenes.settings.stages import ShotFeaturesRecipe
from mastershot.training.movies2scenes.shots import gather_shots

SHOT_FEATURES = "features"
Encode = Callable[[ImageArray], FloatArray]


def train_shot_encoder(
    recipe: ShotContrastRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a shot encoder; `load_shot_encoder` takes it.

    A run that was stopped or killed goes on from its last checkpoint. A run that is done changes
    nothing.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        DatasetError: Shots or labels cannot be read.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    made = out / SHOT_STEM
    with open_run_directory(out, recipe, made=(CHECKPOINT, SHOT_STEM)):
        if not rank_zero_first(made.is_dir):
            _train(recipe, out, on_progress)
    return made


def _train(recipe: ShotContrastRecipe, out: Path, on_progress: OnProgress) -> None:
    gathered = rank_zero_first(lambda: gather_shots(recipe.source, out / "shots", on_progress))
    arrays, training = gathered.arrays, recipe.training
    batches = ShotBatches(
        arrays, reach=recipe.reach, query_share=recipe.query_share, batch_size=training.batch_size,
        seed=training.seed, first_step=steps_done(out),
    )  # fmt: skip
    length = length_of(training, num_items=batches.num_queries, num_keys=arrays.num_shots)
    shape = SceneShape(1, arrays.row_shape)
    settings = started_from(recipe.network, recipe.data, shape)
    with seeded(training.seed):
        network = ShotEncoder(vit_settings(settings, shape.row_shape[1]), recipe.output)
        start_from(settings.init, network.vit)
        encoder = projected(network, recipe.output, training.projection)
    counts = {"shots": arrays.num_shots, "queries": batches.num_queries}
    metadata = train_contrastive(
        encoder, batches, recipe, length, out=out, counts=counts, on_progress=on_progress
    )
    movies, unread = len(arrays.movies), list(gathered.unread)
    metadata |= {"output": recipe.output, "movies": movies, "unread": unread}
    write_encoder(out / SHOT_STEM, SHOT_STEM, settings, shape, network, metadata=metadata)


def write_features(
    recipe: ShotFeaturesRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return a folder of ``<movie>.npy`` with a feature a shot, the mean over its keyframes.

    An encoder of scenes gives a feature a scene instead: those side by side, and if shots are left,
    one more that ends with the last. Films that were written before are kept.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        EncoderError: The encoder cannot be loaded.
        OutputError: The folder cannot be written.
    """
    made = out / SHOT_FEATURES
    with open_run_directory(out, recipe, made=(SHOT_FEATURES,)):
        arrays = gather_shots(recipe.source, out / "shots", on_progress).arrays
        made.mkdir(exist_ok=True)
        missing = [
            place for place, name in enumerate(arrays.movies)
            if not (made / f"{name}.npy").is_file()
        ]  # fmt: skip
        if not missing:
            return made
        encode = _encoder(recipe, SceneShape(WINDOW_SHOTS, arrays.row_shape))
        for done, place in enumerate(missing):
            on_progress("features", done, len(missing), {})
            rows = encode(np.array(arrays.movie(place)))
            write_movie(made, arrays.movies[place], rows)
    return made


def _encoder(recipe: ShotFeaturesRecipe, shape: SceneShape) -> Encode:
    """Return what turns a film's keyframes (S, k, H, W, 3) into a row a shot, or a scene."""
    folder = recipe.path(recipe.encoder)
    scenes = (folder, folder / SCENE_STEM, folder / "scenes" / SCENE_STEM)
    for home in (home for home in scenes if (home / f"{SCENE_STEM}.json").is_file()):
        return partial(_scenes, load_scene_encoder(home))
    if recipe.encoder == "random":
        settings = NetworkSettings()
        with seeded(0):
            network = scene_network(settings, shape).eval().requires_grad_(False)
        return partial(_scenes, SavedEncoder(network, settings.width, shape, {}))
    for home in (folder, folder / SHOT_STEM):
        if (home / f"{SHOT_STEM}.json").is_file():
            return partial(_shots, _frames_by(load_shot_encoder(home)))
    known = load_frame_encoder(str(folder) if folder.exists() else recipe.encoder)
    return partial(_shots, lambda frames: known.encode_images(list(frames)))


def _frames_by(encoder: SavedEncoder) -> Encode:
    return lambda frames: encoder.encode(frames[:, None, None])


def _shots(encode: Encode, keyframes: ImageArray) -> FloatArray:
    """Return the mean vector of each shot's keyframes, (S, D)."""
    each = [encode(keyframes[:, k]) for k in range(keyframes.shape[1])]
    mean: FloatArray = np.mean(each, axis=0, dtype=np.float32)
    return mean


def _scenes(encoder: SavedEncoder, keyframes: ImageArray) -> FloatArray:
    """Return the vectors of a film's scenes side by side, and of its last shots if any are left."""
    vectors, num_shots = encoder.encode_film(keyframes), encoder.shape.num_shots
    if len(keyframes) < num_shots or len(keyframes) % num_shots == 0:
        return vectors
    return np.concatenate([vectors, encoder.encode(keyframes[None, -num_shots:])])
