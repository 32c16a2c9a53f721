"""From a library and its metadata to a scene encoder: the stages of Movies2Scenes in a chain."""

from collections.abc import Callable
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
    ShotSource,
    StageRecipe,
)
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    PipelineRecipe,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
    SimilarityRecipe,
)
from mastershot.training.movies2scenes.shot_encoder import train_shot_encoder, write_features
from mastershot.training.movies2scenes.shots import gather_shots
from mastershot.training.movies2scenes.similarity import write_similar_movies

STAGES = ("shot_encoder", "features", "similarity", "movie_encoder", "pairs", "scenes")


def run_pipeline(recipe: PipelineRecipe, out: Path, on_progress: OnProgress = no_progress) -> Path:
    """Return the folder of a scene encoder, made stage by stage, each in a folder of its own.

    A finished stage is not run again, so a run that was stopped goes on at the stage that is
    missing, and within it where it was. Of several processes, all train on shots and scenes; the
    first does the other stages while the rest wait.

    Raises:
        SettingError: The folder is another recipe's.
        DatasetError: Shots or metadata are missing, cannot be read, or do not fit each other.
        OutputError: The folder cannot be written.
    """
    if not out.exists() and (problems := recipe.missing()):
        raise DatasetError(problems[0])

    def made(stage: Callable[..., Path], settings: StageRecipe, name: str) -> str:
        return str(stage(settings, out / name, on_progress).absolute())

    with open_run_directory(out, recipe, made=STAGES):
        shots = rank_zero_first(lambda: _shots(recipe, out, on_progress))
        features, similar, movie_encoder = shots, "", ""
        # First of all, before days of training: the metadata may be unreadable.
        if recipe.pairs.positives == "similar":
            stage = SimilarityRecipe(shots, recipe.similarity, data=recipe.data)
            similar = rank_zero_first(lambda: made(write_similar_movies, stage, "similarity"))
        if encoder := recipe.shot_encoder:
            if encoder == "train":
                contrast = ShotContrastRecipe(
                    shots, recipe.shot_network, training=recipe.shot_training, log=recipe.log,
                    data=recipe.data,
                )  # fmt: skip
                encoder = made(train_shot_encoder, contrast, "shot_encoder")
            encoding = ShotFeaturesRecipe(shots, encoder)
            features = ShotSource(
                rank_zero_first(lambda: made(write_features, encoding, "features"))
            )
        if recipe.movie_encoder and similar:
            movies = MovieSimilarityRecipe(features, similar, recipe.movie_training, log=recipe.log)
            movie_encoder = rank_zero_first(
                lambda: made(train_movie_encoder, movies, "movie_encoder")
            )
        mining = ScenePairsRecipe(features, similar, movie_encoder, recipe.pairs)
        pairs = rank_zero_first(lambda: made(write_scene_pairs, mining, "pairs"))
        scenes = SceneContrastRecipe(
            shots if recipe.network.network == "vit" else features,
            pairs, recipe.network, recipe.training, recipe.name, log=recipe.log, data=recipe.data,
        )  # fmt: skip
        return train_scene_encoder(scenes, out / "scenes", on_progress)


def _shots(recipe: PipelineRecipe, out: Path, on_progress: OnProgress) -> ShotSource:
    """Return where the shots are, gathered once for all stages."""
    gathered = gather_shots(recipe.source, out / "shots", on_progress)
    if gathered.unread:
        MetricsLog(out).write({"unread": list(gathered.unread)})
    return replace(recipe.shots, path=str(gathered.arrays.folder.absolute()))
