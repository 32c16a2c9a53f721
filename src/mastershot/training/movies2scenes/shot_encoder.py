"""The shot encoder from scratch: a shot comes to lie close to its neighbours (METHODS B1)."""
# S shots, D width of a feature

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.encoders.catalogue import load_encoder
from mastershot.store.shot_arrays import write_movie
from mastershot.training.engine.distributed import rank_zero_first
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.movies2scenes.batches import ShotBatches
from mastershot.training.movies2scenes.checkpoints import (
    SHOT_STEM,
    load_shot_encoder,
    write_encoder,
)
from mastershot.training.movies2scenes.contrastive import length_of, train_contrastive
from mastershot.training.movies2scenes.networks import (
    SceneShape,
    ShotEncoder,
    projected,
    seeded,
    start_from,
    started_from,
    vit_settings,
)
from mastershot.training.movies2scenes.settings.encoders import ShotContrastRecipe
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

    Films that were written before are kept.

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
        encode = _encoder(recipe)
        for done, place in enumerate(missing):
            on_progress("features", done, len(missing), {})
            keyframes = np.array(arrays.movie(place))
            each = [encode(keyframes[:, k]) for k in range(keyframes.shape[1])]
            mean: FloatArray = np.mean(each, axis=0, dtype=np.float32)
            write_movie(made, arrays.movies[place], mean)
    return made


def _encoder(recipe: ShotFeaturesRecipe) -> Encode:
    """Return what turns frames (S, H, W, 3) into features (S, D)."""
    folder = recipe.path(recipe.encoder)
    if (folder / f"{SHOT_STEM}.json").is_file():
        saved = load_shot_encoder(folder)
        return lambda frames: saved.encode(frames[:, None, None])
    known = load_encoder(str(folder) if folder.is_dir() else recipe.encoder)
    return lambda frames: known.encode_images(list(frames))
