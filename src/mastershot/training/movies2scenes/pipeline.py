"""From a library and its metadata to a scene encoder: the stages of Movies2Scenes in a chain."""

from dataclasses import replace
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.training.engine.distributed import rank_zero_first
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.movies2scenes.movie_encoder import train_movie_encoder
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.scene_pairs import write_scene_pairs
from mastershot.training.movies2scenes.settings.encoders import (
    SceneContrastRecipe,
    ShotContrastRecipe,
)
from mastershot.training.movies2scenes.settings.shots import ShotSource
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    PipelineRecipe,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
    SimilarityRecipe,
    missing_for_stage,
    resolved,
)
from mastershot.training.movies2scenes.shot_encoder import train_shot_encoder, write_features
from mastershot.training.movies2scenes.shots import gather_shots
from mastershot.training.movies2scenes.similarity import write_similar_movies

STAGES = ("shot_encoder", "features", "similarity", "movie_encoder", "pairs", "scenes")


def run_pipeline(recipe: PipelineRecipe, out: Path, on_progress: OnProgress = no_progress) -> Path:
    """Return the folder of a scene encoder, made stage by stage, each in a folder of its own.

    A stage that is done changes nothing, so a run that was stopped goes on at the stage that is
    missing, and within it where it was. Of several processes, all learn shots and scenes; the first
    does the other stages while the rest wait.

    Raises:
        SettingError: The folder is another recipe's.
        DatasetError: Shots or metadata are missing, cannot be read, or do not fit each other.
        OutputError: The folder cannot be written.
    """
    if not out.exists() and (problems := missing_for_stage(recipe)):
        raise DatasetError(problems[0])
    with open_run_directory(out, recipe, made=STAGES):
        shots = rank_zero_first(lambda: _shots(recipe, out, on_progress))
        # Before anything is learnt for days: metadata may be what cannot be read.
        similar, encoder = rank_zero_first(lambda: _similar(recipe, shots, out, on_progress)), ""
        features = _features(recipe, shots, out, on_progress)
        if recipe.movie_encoder and similar:
            movies = MovieSimilarityRecipe(features, similar, recipe.movie_training, recipe.log)
            learnt = rank_zero_first(
                lambda: train_movie_encoder(movies, out / "movie_encoder", on_progress)
            )
            encoder = str(learnt.absolute())
        mining = ScenePairsRecipe(features, similar, encoder, recipe.pairs)
        pairs = str(
            rank_zero_first(
                lambda: write_scene_pairs(mining, out / "pairs", on_progress)
            ).absolute()
        )
        scenes = SceneContrastRecipe(
            shots if recipe.network.network == "vit" else features,
            pairs, recipe.network, recipe.training, recipe.log, recipe.data, recipe.name,
        )  # fmt: skip
        return train_scene_encoder(scenes, out / "scenes", on_progress)


def _shots(recipe: PipelineRecipe, out: Path, on_progress: OnProgress) -> ShotSource:
    """Return where the shots are, gathered once for all stages."""
    gathered = gather_shots(resolved(recipe.data, recipe.shots), out / "shots", on_progress)
    if gathered.unread:
        MetricsLog(out).write({"unread": list(gathered.unread)})
    return replace(recipe.shots, path=str(gathered.arrays.folder.absolute()))


def _similar(recipe: PipelineRecipe, shots: ShotSource, out: Path, on_progress: OnProgress) -> str:
    """Return the table of similar movies; none where scenes are paired without it."""
    if recipe.pairs.positives != "similar":
        return ""
    stage = SimilarityRecipe(shots, recipe.similarity, recipe.data)
    return str(write_similar_movies(stage, out / "similarity", on_progress).absolute())


def _features(
    recipe: PipelineRecipe, shots: ShotSource, out: Path, on_progress: OnProgress
) -> ShotSource:
    """Return what scenes are paired by, after making it of keyframes if need be."""
    encoder = recipe.shot_encoder
    if not encoder:
        return shots
    if encoder == "train":
        stage = ShotContrastRecipe(
            shots,
            recipe.shot_network,
            training=recipe.shot_training,
            log=recipe.log,
            data=recipe.data,
        )
        encoder = str(train_shot_encoder(stage, out / "shot_encoder", on_progress).absolute())
    features = ShotFeaturesRecipe(shots, encoder)
    made = rank_zero_first(lambda: write_features(features, out / "features", on_progress))
    return ShotSource(str(made.absolute()))
