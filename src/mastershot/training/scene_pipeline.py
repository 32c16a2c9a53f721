"""From a library and its metadata to a scene encoder: the stages of Movies2Scenes in a chain."""

from pathlib import Path

from mastershot.training.movie_similarity import learn_movies
from mastershot.training.pair_mining import pair_scenes
from mastershot.training.run_folder import claimed
from mastershot.training.scene_contrast import learn_scenes
from mastershot.training.scene_settings import SceneContrastRecipe, ShotContrastRecipe
from mastershot.training.settings import Watch, unwatched
from mastershot.training.shot_contrast import learn_shots, write_features
from mastershot.training.shot_settings import ShotSource
from mastershot.training.similar_movies import tell_similar
from mastershot.training.stage_settings import (
    MovieSimilarityRecipe,
    PipelineRecipe,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
    SimilarityRecipe,
    resolved,
)

STAGES = ("shot_encoder", "features", "similarity", "movie_encoder", "pairs", "scenes")


def run_pipeline(recipe: PipelineRecipe, out: Path, watch: Watch = unwatched) -> Path:
    """Return the folder of a scene encoder, made stage by stage, each in a folder of its own.

    A stage that is done changes nothing, so a run that was stopped goes on at the stage that is
    missing, and within it where it was.

    Raises:
        SettingError: An input is missing, or the folder is another recipe's.
        DatasetError: Shots or metadata cannot be read, or do not fit each other.
        OutputError: The folder cannot be written.
    """
    with claimed(out, recipe, made=STAGES):
        features = _features(recipe, out, watch)
        similar = _similar(recipe, out, watch)
        encoder = ""
        if recipe.movie_encoder and similar:
            movies = MovieSimilarityRecipe(
                features, similar, recipe.movie_study, recipe.log, recipe.data
            )
            encoder = str(learn_movies(movies, out / "movie_encoder", watch).absolute())
        mining = ScenePairsRecipe(features, similar, encoder, recipe.pairs, recipe.data)
        pairs = str(pair_scenes(mining, out / "pairs", watch).absolute())
        # The scenes see keyframes or features, whichever the network takes.
        shots = recipe.shots if recipe.network.network == "vit" else features
        scenes = SceneContrastRecipe(
            shots, pairs, recipe.network, recipe.study, recipe.log, recipe.data, recipe.name
        )
        return learn_scenes(scenes, out / "scenes", watch)


def _similar(recipe: PipelineRecipe, out: Path, watch: Watch) -> str:
    """Return the table of similar movies; none where scenes are paired without it."""
    if recipe.pairs.positives != "similar":
        return ""
    stage = SimilarityRecipe(recipe.shots, recipe.similarity, recipe.data)
    return str(tell_similar(stage, out / "similarity", watch).absolute())


def _features(recipe: PipelineRecipe, out: Path, watch: Watch) -> ShotSource:
    """Return where the shots' features are, after making them of keyframes if need be."""
    if recipe.shots.content == "features":
        return recipe.shots
    encoder = recipe.shot_encoder
    if encoder == "train":
        stage = ShotContrastRecipe(
            recipe.shots, recipe.shot_network, study=recipe.shot_study, log=recipe.log,
            data=recipe.data,
        )  # fmt: skip
        encoder = str(learn_shots(stage, out / "shot_encoder", watch).absolute())
    features = ShotFeaturesRecipe(resolved(recipe.data, recipe.shots), encoder)
    made = write_features(features, out / "features", watch)
    return ShotSource(str(made.absolute()))
