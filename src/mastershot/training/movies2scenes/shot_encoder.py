"""The shot encoder from scratch: a shot and its film's neighbours lie close (METHODS B1)."""
# S shots, D width of a feature

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.encoders.catalogue import load_encoder
from mastershot.store.shot_arrays import write_movie
from mastershot.training.engine.distributed import rank_zero_first
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress, under
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.movies2scenes.batches import ShotBatches
from mastershot.training.movies2scenes.checkpoints import (
    SHOT_STEM,
    load_shot_encoder,
    write_encoder,
)
from mastershot.training.movies2scenes.contrastive import beginning, knn_probe, learn, length_of
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
from mastershot.training.movies2scenes.settings.stages import ShotFeaturesRecipe, resolved
from mastershot.training.movies2scenes.shots import gather_shots

SHOT_ENCODER = "shot_encoder"
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
    made = out / SHOT_ENCODER
    with open_run_directory(out, recipe, made=(CHECKPOINT, SHOT_ENCODER)):
        if not rank_zero_first(made.is_dir):
            _train(recipe, out, on_progress)
    return made


def _train(recipe: ShotContrastRecipe, out: Path, on_progress: OnProgress) -> None:
    source = resolved(recipe.data, recipe.shots)
    gathered = rank_zero_first(lambda: gather_shots(source, out / "shots", on_progress))
    arrays, training, first = gathered.arrays, recipe.training, steps_done(out)
    batches = ShotBatches(
        arrays, reach=recipe.reach, query_share=recipe.query_share, batch_size=training.batch_size,
        seed=training.seed, first_step=first,
    )  # fmt: skip
    length = length_of(training, num_items=batches.num_queries, num_keys=arrays.num_shots)
    shape = SceneShape(1, arrays.row_shape)
    told = started_from(recipe.network, recipe.data, shape)
    with seeded(training.seed):
        network = ShotEncoder(vit_settings(told, shape.row_shape[1]), recipe.output)
        start_from(told.init, network.vit)
        encoder = projected(network, recipe.output, training.projection)
    counts = {"shots": arrays.num_shots, "queries": batches.num_queries}
    MetricsLog(out).write(beginning(length, first, **counts))
    probe = knn_probe(network, arrays, 1, recipe.log, recipe.data)
    learn(
        encoder,
        batches,
        training,
        length,
        out=out,
        log=recipe.log,
        probe=probe,
        on_progress=on_progress,
    )
    said = {
        "name": recipe.name, "output": recipe.output, "recipe": asdict(recipe),
        "steps": length.steps, "queue": length.queue.length, "movies": len(arrays.movies),
        "unread": list(gathered.unread),
    }  # fmt: skip
    write_encoder(out / SHOT_ENCODER, SHOT_STEM, told, shape, network, said=said)


def write_features(
    recipe: ShotFeaturesRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return a folder of ``<movie>.npy`` with a feature a shot, the mean over its keyframes.

    Films that are there already are kept.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        EncoderError: The encoder cannot be loaded.
        OutputError: The folder cannot be written.
    """
    made = out / SHOT_FEATURES
    with open_run_directory(out, recipe, made=(SHOT_FEATURES,)):
        arrays = gather_shots(
            resolved(recipe.data, recipe.shots), out / "shots", on_progress
        ).arrays
        made.mkdir(exist_ok=True)
        missing = [
            index for index, name in enumerate(arrays.movies)
            if not (made / f"{name}.npy").is_file()
        ]  # fmt: skip
        encode = _encoder(recipe) if missing else None
        for done, index in enumerate(missing):
            assert encode is not None
            on_progress("features", done, len(missing), {})
            features = _mean_over_keyframes(encode, np.array(arrays.movie(index)))
            write_movie(made, arrays.movies[index], features)
    return made


def _mean_over_keyframes(encode: Encode, keyframes: ImageArray) -> FloatArray:
    """Return one feature a shot (S, D) from its keyframes (S, k, H, W, 3)."""
    each = [encode(keyframes[:, k]) for k in range(keyframes.shape[1])]
    mean: FloatArray = np.mean(each, axis=0, dtype=np.float32)
    return mean


def _encoder(recipe: ShotFeaturesRecipe) -> Encode:
    """Return what turns frames (S, H, W, 3) into features (S, D)."""
    folder = under(recipe.data, recipe.encoder)
    if (folder / f"{SHOT_STEM}.json").is_file():
        saved = load_shot_encoder(folder)
        return lambda frames: saved.encode(frames[:, None, None])
    known = load_encoder(str(folder) if folder.is_dir() else recipe.encoder)
    return lambda frames: known.encode_images(list(frames))
