"""The scene encoder: paired scenes of similar films come to lie close (METHODS B5)."""
# N scenes, n shots a scene, W width of a representation

from dataclasses import asdict
from pathlib import Path

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.pair_table import read_pairs
from mastershot.training.engine.distributed import rank_zero_first
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.movies2scenes.batches import NeighbourBatches, SceneBatches
from mastershot.training.movies2scenes.checkpoints import SCENE_STEM, write_encoder
from mastershot.training.movies2scenes.contrastive import length_of, train_contrastive
from mastershot.training.movies2scenes.networks import (
    SceneShape,
    projected,
    scene_network,
    seeded,
    started_from,
)
from mastershot.training.movies2scenes.scene_pairs import reach_of, rows_of, window_of
from mastershot.training.movies2scenes.settings.encoders import SceneContrastRecipe
from mastershot.training.movies2scenes.shots import gather_shots


def train_scene_encoder(
    recipe: SceneContrastRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a scene encoder; `load_scene_encoder` takes it.

    A run that was stopped or killed goes on from its last checkpoint, to the same weights on the
    same CPU. A run that is done changes nothing.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        DatasetError: The pairs or labels cannot be read, or do not fit the shots.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    made = out / SCENE_STEM
    with open_run_directory(out, recipe, made=(CHECKPOINT, SCENE_STEM)):
        if not rank_zero_first(made.is_dir):
            _train(recipe, out, on_progress)
    return made


def _train(recipe: SceneContrastRecipe, out: Path, on_progress: OnProgress) -> None:
    gathered = rank_zero_first(lambda: gather_shots(recipe.source, out / "shots", on_progress))
    arrays, training, pairs = (
        gathered.arrays,
        recipe.training,
        read_pairs(recipe.path(recipe.pairs)),
    )
    if not len(pairs):
        raise DatasetError(f"{recipe.pairs} holds no scene pair; there is nothing to train on")
    rows, window = rows_of(pairs, arrays), window_of(pairs)
    distinct = len(np.unique(np.concatenate(rows)))
    length = length_of(training, num_items=len(pairs), num_keys=distinct)
    shape = SceneShape(window, arrays.row_shape)
    settings = started_from(recipe.network, recipe.data, shape)
    with seeded(training.seed):
        network = scene_network(settings, shape)
        encoder = projected(network, settings.width, training.projection)
    step = {"batch_size": training.batch_size, "seed": training.seed, "first_step": steps_done(out)}
    batches: NeighbourBatches | SceneBatches
    if reach := reach_of(pairs):
        batches = NeighbourBatches(arrays, rows[0], window=window, reach=reach, **step)
    else:
        batches = SceneBatches(arrays, rows, window=window, **step)
    counts = {"pairs": len(pairs), "distinct_scenes": distinct, "shots": arrays.num_shots}
    metadata = train_contrastive(
        encoder, batches, recipe, length, out=out, counts=counts, on_progress=on_progress
    )
    metadata |= {
        "pairs": len(pairs), "movies": len(pairs.movies), "pairs_made_by": dict(pairs.made_by),
        "unread": list(gathered.unread),
        "space": None if gathered.space is None else asdict(gathered.space),
    }  # fmt: skip
    write_encoder(out / SCENE_STEM, SCENE_STEM, settings, shape, network, metadata=metadata)
