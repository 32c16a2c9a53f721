"""The scene encoder: scenes of similar films that look alike come to lie close (METHODS B5)."""
# N scenes, n shots a scene, W width of a representation

from dataclasses import asdict
from pathlib import Path

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.datasets.pair_table import read_pairs
from mastershot.training.data import gather_shots
from mastershot.training.fit import CHECKPOINT, steps_done
from mastershot.training.learning import beginning, knn_probe, learn, length_of
from mastershot.training.networks import SceneShape, projected, scene_network, seeded, started_from
from mastershot.training.ranks import ahead
from mastershot.training.run_folder import Diary, claimed
from mastershot.training.saved_scenes import SCENE_STEM, write_encoder
from mastershot.training.scene_batches import SceneBatches
from mastershot.training.scene_pairs import rows_of, window_of
from mastershot.training.scene_settings import SceneContrastRecipe
from mastershot.training.settings import Watch, under, unwatched
from mastershot.training.stage_settings import resolved

SCENE_ENCODER = "scene_encoder"


def learn_scenes(recipe: SceneContrastRecipe, out: Path, watch: Watch = unwatched) -> Path:
    """Return the folder of a scene encoder; `load_scene_encoder` takes it.

    A run that was stopped or killed goes on from its last checkpoint, to the same weights on the
    same CPU. A run that is done changes nothing.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        DatasetError: The pairs or labels cannot be read, or do not fit the shots.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    made = out / SCENE_ENCODER
    with claimed(out, recipe, made=(CHECKPOINT, SCENE_ENCODER)):
        if not ahead(made.is_dir):
            _train(recipe, out, watch)
    return made


def _train(recipe: SceneContrastRecipe, out: Path, watch: Watch) -> None:
    source = resolved(recipe.data, recipe.shots)
    gathered = ahead(lambda: gather_shots(source, out / "shots", watch))
    arrays, pairs = gathered.arrays, read_pairs(under(recipe.data, recipe.pairs))
    if not len(pairs):
        raise DatasetError(f"{recipe.pairs} holds no scene pair; there is nothing to learn from")
    rows, study, window = rows_of(pairs, arrays), recipe.study, window_of(pairs)
    distinct = len(np.unique(np.concatenate(rows)))
    length = length_of(study, num_items=len(pairs), num_keys=distinct)
    shape = SceneShape(window, arrays.row_shape)
    network = started_from(recipe.network, recipe.data, shape)
    with seeded(study.seed):
        backbone = scene_network(network, shape)
        encoder = projected(backbone, network.width, study.projection)
    first = steps_done(out)
    counts = {"pairs": len(pairs), "distinct_scenes": distinct, "shots": arrays.num_shots}
    Diary(out).write(beginning(length, first, **counts))
    learn(
        encoder,
        SceneBatches(
            arrays, rows, window=window, batch_size=study.batch_size, seed=study.seed,
            first_step=first,
        ),
        study, length,
        out=out, log=recipe.log, watch=watch,
        probe=knn_probe(backbone, arrays, window, recipe.log, recipe.data),
    )  # fmt: skip
    said = {
        "name": recipe.name, "recipe": asdict(recipe), "steps": length.steps,
        "queue": length.queue.length, "pairs": len(pairs), "movies": len(pairs.movies),
        "pairs_made_by": dict(pairs.made_by), "unread": list(gathered.unread),
        "space": None if gathered.space is None else asdict(gathered.space),
    }  # fmt: skip
    write_encoder(out / SCENE_ENCODER, SCENE_STEM, network, shape, backbone, said=said)
