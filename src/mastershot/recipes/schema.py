"""The kinds of recipes: one visible table from a YAML's first line to what it sets and runs.

A recipe holds only what differs from the defaults of its dataclass. To offer another kind, write
its dataclass and its runner, and add a row.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from mastershot.core.errors import EncoderError, EncoderUnavailableError, MastershotError
from mastershot.recipes.stage_notes import stage_notes
from mastershot.training.distillation.settings import DistilRecipe, missing_inputs
from mastershot.training.engine.metrics_log import read_entries
from mastershot.training.engine.settings import OnProgress
from mastershot.training.movies2scenes.settings.encoders import (
    SceneContrastRecipe,
    ShotContrastRecipe,
)
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    PipelineRecipe,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
    SimilarityRecipe,
    missing_for_stage,
)
from mastershot.training.shot_scale.settings import ShotScaleRecipe, missing_scale_inputs


@dataclass(frozen=True)
class RunResult:
    """What a run made.

    Attributes:
        path: The folder or file to go on with.
        figures: What was measured, ready for JSON.
        notes: Sentences the user should read, such as which files could not.
    """

    path: Path
    figures: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecipeKind:
    """One row of the table.

    Attributes:
        settings: The dataclass whose fields a recipe sets.
        run: Runs settings in a folder, telling of progress; a run that was stopped goes on.
        problems: Says what the settings name that is not there, a sentence each.
        shared: Whether several processes, each on a device of its own, share the work.
    """

    settings: type[Any]
    run: Callable[[Any, Path, OnProgress], RunResult]
    problems: Callable[[Any], list[str]]
    shared: bool = False


def _distil(recipe: DistilRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.distillation.frames import unread_files
        from mastershot.training.distillation.train import distil
    student = distil(recipe, out, on_progress)
    said = json.loads((student / "student.json").read_text("utf-8"))
    unread = unread_files(out)
    notes = _unread_note(len(unread), unread[:1])
    return RunResult(student, {"agreement": said["agreement"], "unread": unread}, notes)


def _distil_problems(recipe: DistilRecipe) -> list[str]:
    """Return what is missing, with weights of encoders: a run would fetch them, not a check."""
    problems = missing_inputs(recipe)
    for told in recipe.teachers:
        if told.kind != "encoder":
            continue
        from mastershot.encoders.catalogue import fetch_encoder
        from mastershot.training.engine.settings import find_encoder

        try:
            fetch_encoder(find_encoder(told.weights, recipe.data), download=False)
        except EncoderUnavailableError:
            problems.append(
                f"the weights of encoder {told.weights} are not on this machine; "
                f"`mastershot models get {told.weights}` fetches them once"
            )
        except EncoderError as error:
            problems.append(str(error))
    return problems


def _shot_scale(recipe: ShotScaleRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.shot_scale.train import train_shot_scale
    classifier = train_shot_scale(recipe, out, on_progress)
    said = json.loads((classifier / "classifier.json").read_text("utf-8"))
    notes = _unread_note(said["unread"], said["unread_first"])
    if said["shared_trailers"]:
        notes += (
            f"{said['shared_trailers']} trailers have shots in more than one split, so the figures "
            "are not wholly of shots held out",
        )
    return RunResult(classifier, {"held_out": said["held_out"]}, notes)


def _unread_note(count: int, first: Sequence[str]) -> tuple[str, ...]:
    return (f"files that could not be read: {count}, the first: {first[0]}",) if count else ()


def _stage(
    module: str, function: str, log: str = ""
) -> Callable[[Any, Path, OnProgress], RunResult]:
    """Return what runs a stage of Movies2Scenes and tells what its log says last.

    Args:
        module: Of `mastershot.training`.
        function: Takes settings, a folder and who viewing_log; returns what it made.
        log: Folder of the log, within the run's.
    """

    def run(recipe: Any, out: Path, on_progress: OnProgress) -> RunResult:
        with _lightning():
            stage = getattr(import_module(f"mastershot.training.movies2scenes.{module}"), function)
        made: Path = stage(recipe, out, on_progress)
        return RunResult(made, _last_entry(out / log), stage_notes(out))

    return run


def _last_entry(folder: Path) -> dict[str, Any]:
    """Return the last figures of a folder's log; none where there is no log."""
    figures: dict[str, Any] = {}
    for entry in read_entries(folder):
        figures = entry
    return figures


@contextmanager
def _lightning() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        if not (error.name or "").startswith("lightning"):
            raise
        raise MastershotError(
            "training needs lightning; `pip install 'mastershot[train]'` brings it"
        ) from error


RECIPES = {
    "distil": RecipeKind(DistilRecipe, _distil, _distil_problems),
    "shot_scale": RecipeKind(ShotScaleRecipe, _shot_scale, missing_scale_inputs),
    "shot_contrast": RecipeKind(
        ShotContrastRecipe,
        _stage("shot_encoder", "train_shot_encoder"),
        missing_for_stage,
        shared=True,
    ),
    "shot_features": RecipeKind(
        ShotFeaturesRecipe, _stage("shot_encoder", "write_features"), missing_for_stage
    ),
    "similarity": RecipeKind(
        SimilarityRecipe, _stage("similarity", "write_similar_movies"), missing_for_stage
    ),
    "movie_similarity": RecipeKind(
        MovieSimilarityRecipe, _stage("movie_encoder", "train_movie_encoder"), missing_for_stage
    ),
    "scene_pairs": RecipeKind(
        ScenePairsRecipe, _stage("scene_pairs", "write_scene_pairs"), missing_for_stage
    ),
    "scene_contrast": RecipeKind(
        SceneContrastRecipe,
        _stage("scene_encoder", "train_scene_encoder"),
        missing_for_stage,
        shared=True,
    ),
    "pipeline": RecipeKind(
        PipelineRecipe,
        _stage("pipeline", "run_pipeline", "scenes"),
        missing_for_stage,
        shared=True,
    ),
}
