"""``mastershot evaluate``: how good a trained model is, and ``evaluate shots``: found shots."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Context, Option

from mastershot.apps.command import Commands, Json, flattened
from mastershot.apps.show import complain, say_result, showing_progress
from mastershot.core.errors import SettingError

if TYPE_CHECKING:
    from mastershot.datasets.tables.scene_table import SceneTable
    from mastershot.pipeline.evaluation.inputs import Inputs

evaluate_app = Commands(name="evaluate", invoke_without_command=True)


@evaluate_app.callback()
@flattened
def evaluate(
    context: Context,
    task: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="What is measured: tagging, lvu, lvu/place, place-tags, scene-boundaries, …",
        ),
    ] = None,
    runs: Annotated[
        list[Path] | None, Option("--run", metavar="RUN", help="A run directory; repeat for more.")
    ] = None,
    features: Annotated[
        list[Path] | None,
        Option(
            metavar="FILE",
            help="For tagging, a .npz file of scores; else features: a table's folder, or .npz.",
        ),
    ] = None,
    encoder: Annotated[
        str | None, Option(metavar="NAME", help="An encoder whose vectors --library holds.")
    ] = None,
    split: Annotated[
        str | None,
        Option(metavar="NAME", help="Split; default human-verified, else test; retrieval: val."),
    ] = None,
    data: Annotated[
        Path | None,
        Option(metavar="DIR", help="Labels of the task's data set, or the folder of all; ./data."),
    ] = None,
    library: Annotated[
        Path | None, Option(metavar="DIR", help="A library of the clips, named by their files.")
    ] = None,
    seeds: Annotated[int, Option(metavar="N", help="Probes to train, each of another seed.")] = 5,
    missing_labels: Annotated[
        str,
        Option(metavar="keep|drop", help="Items whose label the release says is missing (\\N)."),
    ] = "keep",
    common: Annotated[
        bool, Option("--common", help="Only items that all rows have, instead of refusing.")
    ] = False,
    side_by_side: Annotated[
        bool,
        Option("--side-by-side", help="One more row: the runs' (or files') vectors side by side."),
    ] = False,
    truth: Annotated[
        Path | None,
        Option(metavar="FILE", help="True labels instead: a split file, or CSV video,file,labels."),
    ] = None,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="Write evaluation.json, .md and .html there.")
    ] = None,
    seed: Annotated[int, Option(help="Of the bootstrap that gives the intervals.")] = 0,
    as_json: Json = False,
) -> None:
    """Evaluate runs, features or an encoder on a task; several are compared with the first."""
    if context.invoked_subcommand is not None:
        return
    from mastershot.pipeline.evaluation.downstream.all_tasks import NothingRunError
    from mastershot.pipeline.evaluation.inputs import Inputs
    from mastershot.pipeline.evaluation.tasks import TASKS, evaluate_task

    if task is None:
        raise SettingError(f"name what is measured with --task: {', '.join(TASKS)}")
    inputs = Inputs(
        runs=tuple(runs or ()),
        features=tuple(features or ()),
        encoder=encoder,
        split=split,
        truth=truth,
        out=out,
        seed=seed,
        data=data,
        library=library,
        num_seeds=seeds,
        missing_labels=_missing_labels(missing_labels),
        common=common,
        side_by_side=side_by_side,
    )
    try:
        with showing_progress(task, quiet=False) as progress:
            if task != "tagging":
                inputs = _with_training(replace(inputs, on_task=progress), task)
            done = evaluate_task(task, inputs)
    except NothingRunError as error:
        complain(*error.notes)
        raise
    say_result(done.facts, done.lines, as_json=as_json)


@evaluate_app.command(no_args_is_help=True)
def shots(
    timelines: Annotated[
        list[Path], Argument(metavar="TIMELINE…", help="timeline.json, or the folder it is in.")
    ],
    truth: Annotated[
        Path | None,
        Option(
            metavar="LIST",
            help="True shots: a list, ClipShots' JSON, a timeline, or a folder with one for each "
            "film; default: the timeline's own lane of role truth.",
        ),
    ] = None,
    tolerance: Annotated[
        float, Option(metavar="FRAMES", help="How far off a boundary may be, in the list's frames.")
    ] = 2.0,
    overlap: Annotated[
        float,
        Option(metavar="SHARE", help="Intersection over union that locates a gradual transition."),
    ] = 0.5,
    truth_rate: Annotated[
        str | None,
        Option(metavar="RATE", help="Frames a second the list counts in, if not the film's own."),
    ] = None,
    shift: Annotated[int, Option(metavar="FRAMES", help="Added to all frames of the list.")] = 0,
    piece_at: Annotated[
        int | None,
        Option(metavar="FRAME", help="Where in the list the film starts that is a piece of one."),
    ] = None,
    flashes: Annotated[
        Path | None, Option(metavar="FILE", help="Frames of flashes, one a line; or a folder.")
    ] = None,
    sweep: Annotated[bool, Option("--sweep", help="Try other thresholds of the detector.")] = False,
    detector: Annotated[
        str | None, Option(metavar="NAME", help="The detector to sweep; default the timeline's.")
    ] = None,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="Write shots.json, and sweep.svg, there.")
    ] = None,
    seed: Annotated[int, Option(help="Of the bootstrap that gives the intervals.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare the shots of timelines with true ones: precision, recall, F1, by kind."""
    from mastershot.evaluation.shots import Measure
    from mastershot.pipeline.evaluation.shot_truth import TruthSettings
    from mastershot.pipeline.evaluation.shots import ShotInputs, evaluate_shots

    inputs = ShotInputs(
        timelines=tuple(timelines),
        truth=TruthSettings(truth, _rate(truth_rate), shift, piece_at, flashes),
        measure=Measure(tolerance, overlap),
        sweeps=sweep,
        detector=detector,
        out=out,
        seed=seed,
    )
    done = evaluate_shots(inputs)
    say_result(done.facts, done.lines, as_json=as_json)


def _missing_labels(text: str) -> Literal["keep", "drop"]:
    if text not in ("keep", "drop"):
        raise SettingError(f"missing labels is {text!r}; it should be keep or drop")
    return "keep" if text == "keep" else "drop"


def _with_training(inputs: "Inputs", task: str) -> "Inputs":
    """Return the inputs with what training adds: probes, and the scene encoders of runs."""
    from mastershot.apps.search import scene_view
    from mastershot.evaluation.downstream.boundaries import BoundaryAnswers, OnStep
    from mastershot.evaluation.downstream.items import Answers, Problem
    from mastershot.evaluation.downstream.tasks import Probe, tasks_named
    from mastershot.pipeline.analysis.trained import holds_scene_head

    def fit(problem: Problem, probe: Probe, seeds: tuple[int, ...]) -> Answers:
        from mastershot.training.probes.fit import fit_probes

        return fit_probes(problem, probe, seeds)

    def fit_boundaries(
        table: "SceneTable",
        probe: Probe,
        seeds: tuple[int, ...],
        split: str,
        on_probe: Callable[[int], OnStep],
    ) -> tuple[BoundaryAnswers, ...]:
        from mastershot.training.scene_boundaries.fit import fit_boundary_probes

        return fit_boundary_probes(table, probe, seeds, split, on_probe)

    heads = {one.head for one in tasks_named(task, others=("tagging",))}
    if heads == {"boundaries"}:
        return replace(inputs, fit_boundaries=fit_boundaries)
    runs = [run for run in inputs.runs if "boundaries" not in heads or not holds_scene_head(run)]
    views = tuple(map(scene_view, runs))
    return replace(inputs, fit=fit, fit_boundaries=fit_boundaries, views=views)


def _rate(text: str | None) -> Fraction | None:
    try:
        return None if text is None else Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise SettingError(
            f"truth rate is {text!r}; it should be a number or a ratio, such as 24 or 24000/1001"
        ) from error
