"""Pairs of scenes of similar movies by mining, or as a control asks (METHODS B4)."""
# R pairs, S shots of a film, n shots a scene

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.pair_table import ScenePairs, write_pairs
from mastershot.datasets.tables.similarity_table import read_similarity
from mastershot.mining.library_pairs import mine_library
from mastershot.mining.settings import PairSettings
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.movies2scenes.settings.stages import ScenePairsRecipe
from mastershot.training.movies2scenes.shots import gather_shots

PAIRS = "pairs.parquet"


def write_scene_pairs(
    recipe: ScenePairsRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the file of a library's scene pairs; a finished one is not made again.

    Movies that are similar and not in the library, too short or damaged are counted in the log.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        DatasetError: The similarity cannot be read, or no two films of it have scenes to pair.
        EncoderError: The movie encoder cannot be loaded.
        OutputError: The folder cannot be written.
    """
    made, pairing = out / PAIRS, recipe.pairs
    with open_run_directory(out, recipe, made=(PAIRS,)):
        if made.is_file():
            return made
        arrays = gather_shots(recipe.source, out / "shots", on_progress).arrays
        on_progress("scene pairs", 0, None, {})
        if pairing.positives == "similar":
            found = _mine(recipe, arrays, made)
            MetricsLog(out).write(found)
            if not found["scene_pairs"]:
                made.unlink()
                raise DatasetError(_why_none(found))
        else:
            pairs = same_scenes(arrays, pairing.window, pairing.stride)
            if pairing.positives == "nearest":
                pairs = neighbour_scenes(arrays, pairing.window, pairing.stride, pairing.reach)
            write_pairs(made, [pairs], pairs.made_by)
            MetricsLog(out).write({"positives": pairing.positives, "scene_pairs": len(pairs)})
    return made


def _mine(recipe: ScenePairsRecipe, arrays: ShotArrays, made: Path) -> dict[str, Any]:
    """Write the pairs of similar movies; return counts for the log."""
    table, pairing = read_similarity(recipe.path(recipe.similarity)), recipe.pairs
    place_of = {name: index for index, name in enumerate(arrays.movies)}
    about: dict[str, Any] = {"source": recipe.shots.path}
    first_layer = None
    if recipe.movie_encoder:
        from mastershot.training.movies2scenes.movie_encoder import load_movie_encoder

        encoder = load_movie_encoder(recipe.path(recipe.movie_encoder))
        first_layer, about["movie_encoder"] = encoder.shot_features, encoder.weights_sha256

    def features(movie: str) -> FloatArray | None:
        if movie not in place_of:
            return None
        rows = np.array(arrays.movie(place_of[movie]), np.float32)
        return rows if first_layer is None else first_layer(rows)

    settings = PairSettings(pairing.window, pairing.keep, pairing.consider)
    report = mine_library(table, features, made, settings, made_by=about)
    return {
        "similar_movies": report.num_rows, "movie_pairs": report.num_mined,
        "skipped_pairs": report.num_skipped, "scene_pairs": report.num_scene_pairs,
        "not_in_library": list(report.missing), "too_short": list(report.short),
        "damaged": [why for _, why in report.damaged],
    }  # fmt: skip


def _why_none(found: Mapping[str, Any]) -> str:
    first = f", the first: {found['damaged'][0]}" if found["damaged"] else ""
    return (
        f"no scenes could be paired of {found['similar_movies']} rows of similar movies: "
        f"{len(found['not_in_library'])} movies are not in the library, {len(found['too_short'])} "
        f"have fewer shots than a scene, {len(found['damaged'])} are damaged{first}"
    )


def window_of(pairs: ScenePairs) -> int:
    """Return how many shots the scenes of a table have.

    Raises:
        DatasetError: The table does not record it.
    """
    settings = pairs.made_by.get("settings")
    window = settings.get("window") if isinstance(settings, Mapping) else None
    if type(window) is not int or window < 1:
        raise DatasetError("the scene pairs do not say how many shots a scene has; mine them anew")
    return window


def reach_of(pairs: ScenePairs) -> int:
    """Return within how many shots training picks each scene's positive; 0 where it is given.

    Raises:
        DatasetError: The table records no such number.
    """
    settings = pairs.made_by.get("settings")
    reach = settings.get("reach", 0) if isinstance(settings, Mapping) else 0
    if type(reach) is not int or reach < 0:
        raise DatasetError(f"the scene pairs say a reach of {reach!r} shots; mine them anew")
    return reach


def rows_of(pairs: ScenePairs, arrays: ShotArrays) -> tuple[IntArray, IntArray]:
    """Return the running number of the first shot of each pair's two scenes, (R,) both.

    Raises:
        DatasetError: A film is not among the arrays, or is shorter there than its pairs say.
    """
    window, place_of = window_of(pairs), {name: index for index, name in enumerate(arrays.movies)}
    absent = [name for name in pairs.movies if name not in place_of]
    if absent:
        raise DatasetError(
            f"{len(absent)} films of the scene pairs are not in {arrays.folder}, the first: "
            f"{absent[0]}; mine pairs of the same films"
        )
    index = np.array([place_of[name] for name in pairs.movies], np.int64)
    sides = (pairs.movie, pairs.first_shot), (pairs.similar, pairs.similar_first_shot)
    rows = []
    for movies, shots in sides:
        starts, ends = arrays.offsets[index[movies]], arrays.offsets[index[movies] + 1]
        first = starts + shots
        outside = (shots < 0) | (first + window > ends)
        if outside.any():
            name = pairs.movies[int(movies[outside][0])]
            raise DatasetError(
                f"a scene pair runs past the last shot of {name} in {arrays.folder}; mine pairs "
                "of the same shots"
            )
        rows.append(first)
    return rows[0], rows[1]


def same_scenes(arrays: ShotArrays, window: int, stride: int) -> ScenePairs:
    """Return every scene paired with itself, for controls whose positives are views of it.

    Raises:
        DatasetError: Every film is shorter than a scene.
    """
    starts = [
        np.arange(0, arrays.num_shots_of(index) - window + 1, stride, dtype=np.int64)
        for index in range(len(arrays.movies))
    ]
    movie = np.repeat(np.arange(len(starts), dtype=np.int64), [len(first) for first in starts])
    shot = np.concatenate(starts)
    if not len(shot):
        raise DatasetError(f"every film is shorter than a scene of {window} shots")
    return _table(arrays, window, (movie, shot, shot), np.ones(len(shot), np.float32), "same")


def neighbour_scenes(arrays: ShotArrays, window: int, stride: int, reach: int) -> ScenePairs:
    """Return every scene as a query whose positive is picked in training, within `reach` shots.

    Until then each stands as its own partner; the table records the reach, for `reach_of`.

    Raises:
        DatasetError: Every film is shorter than a scene.
    """
    pairs = same_scenes(arrays, window, stride)
    about = {"settings": {"window": window, "reach": reach}, "positives": "nearest"}
    return replace(pairs, made_by=about)


def _table(
    arrays: ShotArrays,
    window: int,
    columns: tuple[IntArray, IntArray, IntArray],
    scores: FloatArray,
    positives: str,
) -> ScenePairs:
    movie, first, other = columns
    about = {"settings": {"window": window}, "positives": positives}
    return ScenePairs(arrays.movies, movie, first, movie, other, scores, about)
