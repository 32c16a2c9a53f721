"""The kinds of recipes: one visible table from a YAML's first line to what it sets and runs.

A recipe holds only what differs from the defaults of its dataclass. To offer another kind, write
its dataclass and its runner, and add a row.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from mastershot.core.errors import EncoderError, EncoderUnavailableError, MastershotError
from mastershot.core.settings import Settings
from mastershot.pipeline.features.settings import (
    FeaturesRecipe,
    SceneFeaturesRecipe,
    missing_feature_inputs,
    missing_scene_feature_inputs,
)
from mastershot.training.distillation.settings import DistilRecipe, missing_inputs
from mastershot.training.engine.settings import OnProgress, find_encoder
from mastershot.training.genres.settings import (
    GenreRecipe,
    GenreTableRecipe,
    missing_genre_inputs,
)
from mastershot.training.movies2scenes.settings.encoders import (
    SceneContrastRecipe,
    ShotContrastRecipe,
    StageRecipe,
)
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    PipelineRecipe,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
    SimilarityRecipe,
)
from mastershot.training.probes.settings import (
    FusionRecipe,
    ProbeRecipe,
    VideoSplitsRecipe,
    missing_fusion_inputs,
    missing_probe_inputs,
    missing_video_inputs,
)
from mastershot.training.scene_boundaries.settings import (
    SceneBoundaryRecipe,
    missing_boundary_inputs,
)
from mastershot.training.shot_scale.settings import ShotScaleRecipe, missing_scale_inputs
from mastershot.training.tagging.settings import TaggingRecipe, missing_tagging_inputs


@dataclass(frozen=True)
class RunResult:
    """What a run made.

    Attributes:
        path: The folder or file to go on with.
        figures: What was measured, ready for JSON.
        notes: Sentences the user should read, such as which files could not be read.
        lines: A table of what was measured, line by line, where that is what the run is for.
    """

    path: Path
    figures: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecipeKind:
    """One row of the table.

    Attributes:
        settings: The class whose fields a recipe sets.
        run: Runs settings in a folder and reports progress; a run that was stopped goes on.
        problems: Returns a sentence for each input of the settings that does not exist.
        shared: Whether several processes, each on a device of its own, share the work.
    """

    settings: type[Settings]
    run: Callable[[Any, Path, OnProgress], RunResult]
    problems: Callable[[Any], list[str]]
    shared: bool = False


def _distil(recipe: DistilRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.distillation.frames import unread_files
        from mastershot.training.distillation.train import distil
    student = distil(recipe, out, on_progress)
    saved = json.loads((student / "student.json").read_text("utf-8"))
    unread = unread_files(out)
    notes = _unread_note(len(unread), unread[:1])
    return RunResult(student, {"agreement": saved["agreement"], "unread": unread}, notes)


def _distil_problems(recipe: DistilRecipe) -> list[str]:
    """Return what is missing, with weights of encoders, which a run fetches but not a check."""
    problems = missing_inputs(recipe)
    for weights in (teacher.weights for teacher in recipe.teachers if teacher.kind == "encoder"):
        from mastershot.encoders.catalogue import fetch_encoder

        try:
            fetch_encoder(find_encoder(weights, recipe.data), download=False)
        except EncoderUnavailableError:
            problems.append(
                f"the weights of encoder {weights} are not on this machine; "
                f"`mastershot models get {weights}` fetches them once"
            )
        except EncoderError as error:
            problems.append(str(error))
    return problems


def _shot_scale(recipe: ShotScaleRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.shot_scale.train import train_shot_scale
    classifier = train_shot_scale(recipe, out, on_progress)
    saved = json.loads((classifier / "classifier.json").read_text("utf-8"))
    notes = _unread_note(saved["unread"], saved["unread_first"])
    if saved["shared_trailers"]:
        notes += (
            f"{saved['shared_trailers']} trailers have shots in more than one split, so the "
            "figures are not only of shots held out",
        )
    return RunResult(classifier, {"held_out": saved["held_out"]}, notes)


def _scene_boundaries(recipe: SceneBoundaryRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.scene_boundaries.train import train_scene_head
    head = train_scene_head(recipe, out, on_progress)
    saved = json.loads((head / "scene_head.json").read_text("utf-8"))
    figures = {name: saved[name] for name in ("figures", "threshold", "num_films")}
    return RunResult(head, figures)


def _probe(recipe: ProbeRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.probes.train import train_probe
    probe = train_probe(recipe, out, on_progress)
    saved = json.loads((probe / "probe.json").read_text("utf-8"))
    figures = {name: saved[name] for name in ("mean_precision", "num_classes", "videos")}
    notes = tuple(
        f"videos of split {split} without features, which were left out: {number}"
        for split, number in saved["without_features"].items()
        if number
    )
    return RunResult(probe, figures, notes)


def _fusion(recipe: FusionRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.probes.fusion import fuse_runs
    from mastershot.training.engine.metrics_log import read_entries

    made = fuse_runs(recipe, out, on_progress)
    last = deque(read_entries(out), maxlen=1)
    figures = {split: last[0].get(f"{split}_map") for split in recipe.splits} if last else {}
    return RunResult(made, {"mean_precision": figures})


def _video_splits(recipe: VideoSplitsRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.probes.video_splits import write_video_splits
    made = write_video_splits(recipe, out, on_progress)
    notes = tuple(
        f"videos of split {split} without {what}, which were left out: {number}"
        for what, numbers in (("a film", made.without_film), ("a class", made.without_class))
        for split, number in numbers.items()
        if number
    )
    return RunResult(made.folder, {"videos": dict(made.written)}, notes)


def _tagging(recipe: TaggingRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.tagging.train import train_recogniser
    recogniser = train_recogniser(recipe, out, on_progress)
    saved = json.loads((recogniser / "recogniser.json").read_text("utf-8"))
    notes = _unread_note(saved["unread"], saved["unread_first"], what="shots")
    return RunResult(recogniser, {"mean_precision": saved["mean_precision"]}, notes)


def _genres(recipe: GenreRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.genres.train import train_genres
    model = train_genres(recipe, out, on_progress)
    saved = json.loads((model / "genres.json").read_text("utf-8"))
    test = saved["figures"]["test"]
    names = ("f1", "auprc_micro", "auprc_macro", "auprc_weighted")
    figures = {name: test[name]["value"] for name in names}
    notes: tuple[str, ...] = ()
    if test["left_out"]:
        notes = (f"genres without a trailer of split test: {', '.join(test['left_out'])}",)
    return RunResult(model, figures | {"all_positive_f1": test["all_positive_f1"]}, notes)


def _genre_table(recipe: GenreTableRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    with _lightning():
        from mastershot.training.genres.comparison import TABLE, train_table
    from mastershot.exports.genre_table import PUBLISHED_IN, table_lines

    rows = train_table(recipe, out, on_progress)
    figures = {
        "rows": [row.facts for row in rows],
        "all_positive_f1": rows[0].all_positive_f1,
        "published": PUBLISHED_IN,
    }
    return RunResult(out / TABLE, figures, lines=tuple(table_lines(rows)))


def _features(recipe: FeaturesRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    from mastershot.pipeline.features.export import export_features

    made = export_features(recipe, out, on_progress)
    failed = made.failures
    notes = _unread_note(len(failed), list(failed.values()), what="films")
    if made.num_spaces > 1:
        notes += (
            f"shots were found in {made.num_spaces} ways, and features of the one are not compared "
            "with those of another; add all films with the same settings",
        )
    figures = {"num_films": made.num_films, "num_shots": made.num_shots, "failures": failed}
    return RunResult(made.table, figures, notes)


def _scene_features(recipe: SceneFeaturesRecipe, out: Path, on_progress: OnProgress) -> RunResult:
    from mastershot.pipeline.features.scenes import export_scene_features

    table, num_films, num_scenes = export_scene_features(recipe, out)
    on_progress("features", num_films, num_films, {})
    return RunResult(table, {"num_films": num_films, "num_scenes": num_scenes})


def _unread_note(count: int, first: Sequence[str], what: str = "files") -> tuple[str, ...]:
    return (f"{what} that could not be read: {count}, the first: {first[0]}",) if count else ()


def _stage(
    kind: type[StageRecipe], module: str, function: str, *, log: str = "", shared: bool = False
) -> RecipeKind:
    """Return the row of a stage of Movies2Scenes, whose figures are the last entry of its log.

    Args:
        kind: Its settings.
        module: Of `mastershot.training.movies2scenes`.
        function: Takes settings, a folder and `OnProgress`; returns what it made.
        log: Folder of the log, within the run's.
        shared: See `RecipeKind`.
    """

    def run(recipe: Any, out: Path, on_progress: OnProgress) -> RunResult:
        with _lightning():
            stage = getattr(import_module(f"mastershot.training.movies2scenes.{module}"), function)
        from mastershot.recipes.stage_notes import stage_notes
        from mastershot.training.engine.metrics_log import read_entries

        made: Path = stage(recipe, out, on_progress)
        last = deque(read_entries(out / log), maxlen=1)
        return RunResult(made, last[0] if last else {}, stage_notes(out))

    return RecipeKind(kind, run, StageRecipe.missing, shared)


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
    "scene_features": RecipeKind(
        SceneFeaturesRecipe, _scene_features, missing_scene_feature_inputs
    ),
    "scene_boundaries": RecipeKind(SceneBoundaryRecipe, _scene_boundaries, missing_boundary_inputs),
    "features": RecipeKind(FeaturesRecipe, _features, missing_feature_inputs),
    "probe": RecipeKind(ProbeRecipe, _probe, missing_probe_inputs),
    "fusion": RecipeKind(FusionRecipe, _fusion, missing_fusion_inputs),
    "video_splits": RecipeKind(VideoSplitsRecipe, _video_splits, missing_video_inputs),
    "genres": RecipeKind(GenreRecipe, _genres, missing_genre_inputs),
    "genre_table": RecipeKind(GenreTableRecipe, _genre_table, missing_genre_inputs),
    "tagging": RecipeKind(TaggingRecipe, _tagging, missing_tagging_inputs, shared=True),
    "shot_contrast": _stage(ShotContrastRecipe, "shot_encoder", "train_shot_encoder", shared=True),
    "shot_features": _stage(ShotFeaturesRecipe, "shot_encoder", "write_features"),
    "similarity": _stage(SimilarityRecipe, "similarity", "write_similar_movies"),
    "movie_similarity": _stage(MovieSimilarityRecipe, "movie_encoder", "train_movie_encoder"),
    "scene_pairs": _stage(ScenePairsRecipe, "scene_pairs", "write_scene_pairs"),
    "scene_contrast": _stage(
        SceneContrastRecipe, "scene_encoder", "train_scene_encoder", shared=True
    ),
    "pipeline": _stage(PipelineRecipe, "pipeline", "run_pipeline", log="scenes", shared=True),
}
