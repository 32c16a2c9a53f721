"""The scene encoder: scenes of similar films that look alike come to lie close (METHODS B5)."""
# N scenes, n shots a scene, W width of a representation

from dataclasses import asdict
from pathlib import Path

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.pair_table import read_pairs
from mastershot.training.engine.distributed import rank_zero_first
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress, under
from mastershot.training.engine.trainer import CHECKPOINT, steps_done
from mastershot.training.movies2scenes.batches import SceneBatches
from mastershot.training.movies2scenes.checkpoints import SCENE_STEM, write_encoder
from mastershot.training.movies2scenes.contrastive import beginning, knn_probe, learn, length_of
from mastershot.training.movies2scenes.networks import (
    SceneShape,
    projected,
    scene_network,
    seeded,
    started_from,
)
from mastershot.training.movies2scenes.scene_pairs import rows_of, window_of
from mastershot.training.movies2scenes.settings.encoders import SceneContrastRecipe
from mastershot.training.movies2scenes.settings.stages import resolved
from mastershot.training.movies2scenes.shots import gather_shots

SCENE_ENCODER = "scene_encoder"


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
    made = out / SCENE_ENCODER
    with open_run_directory(out, recipe, made=(CHECKPOINT, SCENE_ENCODER)):
        if not rank_zero_first(made.is_dir):
            _train(recipe, out, on_progress)
    return made


def _train(recipe: SceneContrastRecipe, out: Path, on_progress: OnProgress) -> None:
    source = resolved(recipe.data, recipe.shots)
    gathered = rank_zero_first(lambda: gather_shots(source, out / "shots", on_progress))
    arrays, pairs = gathered.arrays, read_pairs(under(recipe.data, recipe.pairs))
    if not len(pairs):
        raise DatasetError(f"{recipe.pairs} holds no scene pair; there is nothing to learn from")
    rows, training, window = rows_of(pairs, arrays), recipe.training, window_of(pairs)
    distinct = len(np.unique(np.concatenate(rows)))
    length = length_of(training, num_items=len(pairs), num_keys=distinct)
    shape = SceneShape(window, arrays.row_shape)
    network = started_from(recipe.network, recipe.data, shape)
    with seeded(training.seed):
        backbone = scene_network(network, shape)
        encoder = projected(backbone, network.width, training.projection)
    first = steps_done(out)
    counts = {"pairs": len(pairs), "distinct_scenes": distinct, "shots": arrays.num_shots}
    MetricsLog(out).write(beginning(length, first, **counts))
    learn(
        encoder,
        SceneBatches(
            arrays, rows, window=window, batch_size=training.batch_size, seed=training.seed,
            first_step=first,
        ),
        training, length,
        out=out, log=recipe.log, on_progress=on_progress,
        probe=knn_probe(backbone, arrays, window, recipe.log, recipe.data),
    )  # fmt: skip
    said = {
        "name": recipe.name, "recipe": asdict(recipe), "steps": length.steps,
        "queue": length.queue.length, "pairs": len(pairs), "movies": len(pairs.movies),
        "pairs_made_by": dict(pairs.made_by), "unread": list(gathered.unread),
        "space": None if gathered.space is None else asdict(gathered.space),
    }  # fmt: skip
    write_encoder(out / SCENE_ENCODER, SCENE_STEM, network, shape, backbone, said=said)
