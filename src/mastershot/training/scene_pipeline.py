"""From a library and its metadata to a scene encoder: the stages of Movies2Scenes in a chain."""

from dataclasses import replace
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.training.data import gather_shots
from mastershot.training.movie_similarity import learn_movies
from mastershot.training.pair_mining import pair_scenes
from mastershot.training.ranks import ahead
from mastershot.training.run_folder import Diary, claimed
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
    missing_for_stage,
    resolved,
)

STAGES = ("shot_encoder", "features", "similarity", "movie_encoder", "pairs", "scenes")


def run_pipeline(recipe: PipelineRecipe, out: Path, watch: Watch = unwatched) -> Path:
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
    with claimed(out, recipe, made=STAGES):
        shots = ahead(lambda: _shots(recipe, out, watch))
        # Before anything is learnt for days: metadata may be what cannot be read.
        similar, encoder = ahead(lambda: _similar(recipe, shots, out, watch)), ""
        features = _features(recipe, shots, out, watch)
        if recipe.movie_encoder and similar:
            movies = MovieSimilarityRecipe(features, similar, recipe.movie_study, recipe.log)
            learnt = ahead(lambda: learn_movies(movies, out / "movie_encoder", watch))
            encoder = str(learnt.absolute())
        mining = ScenePairsRecipe(features, similar, encoder, recipe.pairs)
        pairs = str(ahead(lambda: pair_scenes(mining, out / "pairs", watch)).absolute())
        scenes = SceneContrastRecipe(
            shots if recipe.network.network == "vit" else features,
            pairs, recipe.network, recipe.study, recipe.log, recipe.data, recipe.name,
        )  # fmt: skip
        return learn_scenes(scenes, out / "scenes", watch)


def _shots(recipe: PipelineRecipe, out: Path, watch: Watch) -> ShotSource:
    """Return where the shots are, gathered once for all stages."""
    gathered = gather_shots(resolved(recipe.data, recipe.shots), out / "shots", watch)
    if gathered.unread:
        Diary(out).write({"unread": list(gathered.unread)})
    return replace(recipe.shots, path=str(gathered.arrays.folder.absolute()))


def _similar(recipe: PipelineRecipe, shots: ShotSource, out: Path, watch: Watch) -> str:
    """Return the table of similar movies; none where scenes are paired without it."""
    if recipe.pairs.positives != "similar":
        return ""
    stage = SimilarityRecipe(shots, recipe.similarity, recipe.data)
    return str(tell_similar(stage, out / "similarity", watch).absolute())


def _features(recipe: PipelineRecipe, shots: ShotSource, out: Path, watch: Watch) -> ShotSource:
    """Return what scenes are paired by, after making it of keyframes if need be."""
    encoder = recipe.shot_encoder
    if not encoder:
        return shots
    if encoder == "train":
        stage = ShotContrastRecipe(
            shots, recipe.shot_network, study=recipe.shot_study, log=recipe.log, data=recipe.data
        )
        encoder = str(learn_shots(stage, out / "shot_encoder", watch).absolute())
    features = ShotFeaturesRecipe(shots, encoder)
    made = ahead(lambda: write_features(features, out / "features", watch))
    return ShotSource(str(made.absolute()))
