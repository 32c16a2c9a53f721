"""The shot encoder from scratch: a shot and its film's neighbours lie close (METHODS B1)."""
# S shots, D width of a feature

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.encoders.catalogue import load_encoder
from mastershot.store.shot_arrays import write_movie
from mastershot.training.data import gather_shots
from mastershot.training.fit import CHECKPOINT, steps_done
from mastershot.training.learning import beginning, knn_probe, learn, length_of
from mastershot.training.networks import (
    SceneShape,
    ShotEncoder,
    projected,
    seeded,
    start_from,
    started_from,
    vit_settings,
)
from mastershot.training.ranks import ahead
from mastershot.training.run_folder import Diary, claimed
from mastershot.training.saved_scenes import SHOT_STEM, load_shot_encoder, write_encoder
from mastershot.training.scene_batches import ShotBatches
from mastershot.training.scene_settings import ShotContrastRecipe
from mastershot.training.settings import Watch, under, unwatched
from mastershot.training.stage_settings import ShotFeaturesRecipe, resolved

SHOT_ENCODER = "shot_encoder"
SHOT_FEATURES = "features"
Encode = Callable[[ImageArray], FloatArray]


def learn_shots(recipe: ShotContrastRecipe, out: Path, watch: Watch = unwatched) -> Path:
    """Return the folder of a shot encoder; `load_shot_encoder` takes it.

    A run that was stopped or killed goes on from its last checkpoint. A run that is done changes
    nothing.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        DatasetError: Shots or labels cannot be read.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    made = out / SHOT_ENCODER
    with claimed(out, recipe, made=(CHECKPOINT, SHOT_ENCODER)):
        if not ahead(made.is_dir):
            _train(recipe, out, watch)
    return made


def _train(recipe: ShotContrastRecipe, out: Path, watch: Watch) -> None:
    source = resolved(recipe.data, recipe.shots)
    gathered = ahead(lambda: gather_shots(source, out / "shots", watch))
    arrays, study, first = gathered.arrays, recipe.study, steps_done(out)
    batches = ShotBatches(
        arrays, reach=recipe.reach, query_share=recipe.query_share, batch_size=study.batch_size,
        seed=study.seed, first_step=first,
    )  # fmt: skip
    length = length_of(study, num_items=batches.num_queries, num_keys=arrays.num_shots)
    shape = SceneShape(1, arrays.row_shape)
    told = started_from(recipe.network, recipe.data, shape)
    with seeded(study.seed):
        network = ShotEncoder(vit_settings(told, shape.row_shape[1]), recipe.output)
        start_from(told.init, network.vit)
        encoder = projected(network, recipe.output, study.projection)
    counts = {"shots": arrays.num_shots, "queries": batches.num_queries}
    Diary(out).write(beginning(length, first, **counts))
    probe = knn_probe(network, arrays, 1, recipe.log, recipe.data)
    learn(encoder, batches, study, length, out=out, log=recipe.log, probe=probe, watch=watch)
    said = {
        "name": recipe.name, "output": recipe.output, "recipe": asdict(recipe),
        "steps": length.steps, "queue": length.queue.length, "movies": len(arrays.movies),
        "unread": list(gathered.unread),
    }  # fmt: skip
    write_encoder(out / SHOT_ENCODER, SHOT_STEM, told, shape, network, said=said)


def write_features(recipe: ShotFeaturesRecipe, out: Path, watch: Watch = unwatched) -> Path:
    """Return a folder of ``<movie>.npy`` with a feature a shot, the mean over its keyframes.

    Films that are there already are kept.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        EncoderError: The encoder cannot be loaded.
        OutputError: The folder cannot be written.
    """
    made = out / SHOT_FEATURES
    with claimed(out, recipe, made=(SHOT_FEATURES,)):
        arrays = gather_shots(resolved(recipe.data, recipe.shots), out / "shots", watch).arrays
        made.mkdir(exist_ok=True)
        missing = [
            index for index, name in enumerate(arrays.movies)
            if not (made / f"{name}.npy").is_file()
        ]  # fmt: skip
        encode = _encoder(recipe) if missing else None
        for done, index in enumerate(missing):
            assert encode is not None
            watch("features", done, len(missing), {})
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
