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
from mastershot.training.run_folder import read_entries
from mastershot.training.scale_settings import ShotScaleRecipe, missing_scale_inputs
from mastershot.training.scene_settings import SceneContrastRecipe, ShotContrastRecipe
from mastershot.training.settings import DistilRecipe, Watch, missing_inputs
from mastershot.training.stage_settings import (
    MovieSimilarityRecipe,
    PipelineRecipe,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
    SimilarityRecipe,
    missing_for_stage,
)


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
    run: Callable[[Any, Path, Watch], RunResult]
    problems: Callable[[Any], list[str]]
    shared: bool = False


def _distil(recipe: DistilRecipe, out: Path, watch: Watch) -> RunResult:
    with _lightning():
        from mastershot.training.distil import distil
        from mastershot.training.frames import unread_files
    student = distil(recipe, out, watch)
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
        from mastershot.training.teachers import encoder_name

        try:
            fetch_encoder(encoder_name(told, recipe.data), download=False)
        except EncoderUnavailableError:
            problems.append(
                f"the weights of encoder {told.weights} are not on this machine; "
                f"`mastershot models get {told.weights}` fetches them once"
            )
        except EncoderError as error:
            problems.append(str(error))
    return problems


def _shot_scale(recipe: ShotScaleRecipe, out: Path, watch: Watch) -> RunResult:
    with _lightning():
        from mastershot.training.shot_scale import learn_shot_scale
    classifier = learn_shot_scale(recipe, out, watch)
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


def _stage(module: str, function: str, log: str = "") -> Callable[[Any, Path, Watch], RunResult]:
    """Return what runs a stage of Movies2Scenes and tells what its log says last.

    Args:
        module: Of `mastershot.training`.
        function: Takes settings, a folder and who watches; returns what it made.
        log: Folder of the log, within the run's.
    """

    def run(recipe: Any, out: Path, watch: Watch) -> RunResult:
        with _lightning():
            stage = getattr(import_module(f"mastershot.training.{module}"), function)
        made: Path = stage(recipe, out, watch)
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
        ShotContrastRecipe, _stage("shot_contrast", "learn_shots"), missing_for_stage, shared=True
    ),
    "shot_features": RecipeKind(
        ShotFeaturesRecipe, _stage("shot_contrast", "write_features"), missing_for_stage
    ),
    "similarity": RecipeKind(
        SimilarityRecipe, _stage("similar_movies", "tell_similar"), missing_for_stage
    ),
    "movie_similarity": RecipeKind(
        MovieSimilarityRecipe, _stage("movie_similarity", "learn_movies"), missing_for_stage
    ),
    "scene_pairs": RecipeKind(
        ScenePairsRecipe, _stage("pair_mining", "pair_scenes"), missing_for_stage
    ),
    "scene_contrast": RecipeKind(
        SceneContrastRecipe,
        _stage("scene_contrast", "learn_scenes"),
        missing_for_stage,
        shared=True,
    ),
    "pipeline": RecipeKind(
        PipelineRecipe,
        _stage("scene_pipeline", "run_pipeline", "scenes"),
        missing_for_stage,
        shared=True,
    ),
}
