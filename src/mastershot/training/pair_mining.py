"""The stage that pairs scenes: of similar movies by mining, or as a control asks (METHODS B4)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.pair_table import ScenePairs, write_pairs
from mastershot.datasets.similarity_table import read_similarity
from mastershot.mining.library_pairs import PairSettings, mine_library
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.data import gather_shots
from mastershot.training.run_folder import Diary, claimed
from mastershot.training.scene_pairs import nearest_scenes, same_scenes
from mastershot.training.settings import Watch, under, unwatched
from mastershot.training.stage_settings import PairingSettings, ScenePairsRecipe, resolved

PAIRS = "pairs.parquet"


def pair_scenes(recipe: ScenePairsRecipe, out: Path, watch: Watch = unwatched) -> Path:
    """Return the file of a library's scene pairs; one that is whole is not made again.

    Movies that are similar and not in the library, too short or damaged are counted in the log.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        DatasetError: The similarity cannot be read, or no two films of it have scenes to pair.
        EncoderError: The movie encoder cannot be loaded.
        OutputError: The folder cannot be written.
    """
    made = out / PAIRS
    with claimed(out, recipe, made=(PAIRS,)):
        if not made.is_file():
            arrays = gather_shots(resolved(recipe.data, recipe.shots), out / "shots", watch).arrays
            watch("scene pairs", 0, None, {})
            if recipe.pairs.positives == "similar":
                told = _mine(recipe, arrays, made)
                Diary(out).write(told)
                if not told["scene_pairs"]:
                    made.unlink()
                    raise DatasetError(_why_none(told))
            else:
                pairs = _control(arrays, recipe.pairs)
                write_pairs(made, [pairs], pairs.made_by)
                Diary(out).write({"positives": recipe.pairs.positives, "scene_pairs": len(pairs)})
    return made


def _mine(recipe: ScenePairsRecipe, arrays: ShotArrays, made: Path) -> dict[str, Any]:
    table = read_similarity(under(recipe.data, recipe.similarity))
    place = {name: index for index, name in enumerate(arrays.movies)}
    about: dict[str, Any] = {"source": recipe.shots.path}
    first_layer = None
    if recipe.movie_encoder:
        from mastershot.training.movie_similarity import load_movie_encoder

        encoder = load_movie_encoder(under(recipe.data, recipe.movie_encoder))
        first_layer, about["movie_encoder"] = encoder.shot_features, encoder.weights_sha256

    def features(movie: str) -> FloatArray | None:
        if movie not in place:
            return None
        rows = np.array(arrays.movie(place[movie]), np.float32)
        return rows if first_layer is None else first_layer(rows)

    asked = recipe.pairs
    settings = PairSettings(asked.window, asked.keep, asked.consider)
    report = mine_library(table, features, made, settings, made_by=about)
    return {
        "similar_movies": report.num_rows, "movie_pairs": report.num_mined,
        "skipped_pairs": report.num_skipped, "scene_pairs": report.num_scene_pairs,
        "not_in_library": list(report.missing), "too_short": list(report.short),
        "damaged": [why for _, why in report.damaged],
    }  # fmt: skip


def _why_none(told: Mapping[str, Any]) -> str:
    first = next(iter(told["damaged"]), None)
    return (
        f"no scenes could be paired of {told['similar_movies']} rows of similar movies: "
        f"{len(told['not_in_library'])} movies are not in the library, {len(told['too_short'])} "
        f"have fewer shots than a scene, {len(told['damaged'])} are damaged"
        + (f", the first: {first}" if first else "")
    )


def _control(arrays: ShotArrays, asked: PairingSettings) -> ScenePairs:
    if asked.positives == "same":
        return same_scenes(arrays, asked.window, asked.stride)
    return nearest_scenes(arrays, asked.window, asked.stride)
