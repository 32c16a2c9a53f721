"""``mastershot evaluate``: how good a trained model is, and ``evaluate shots``: found shots."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated

from typer import Argument, Context, Option

from mastershot.apps.command import Commands, Json, flattened
from mastershot.apps.show import say_result
from mastershot.core.errors import SettingError

evaluate_app = Commands(name="evaluate", invoke_without_command=True)


@evaluate_app.callback()
@flattened
def evaluate(
    context: Context,
    task: Annotated[str | None, Option(metavar="NAME", help="What is measured: tagging.")] = None,
    runs: Annotated[
        list[Path] | None, Option("--run", metavar="RUN", help="A run directory; repeat for more.")
    ] = None,
    features: Annotated[
        list[Path] | None,
        Option(metavar="FILE", help="Without a run: for tagging, a .npz file of scores."),
    ] = None,
    encoder: Annotated[
        str | None, Option(metavar="NAME", help="An encoder, for tasks that take one.")
    ] = None,
    split: Annotated[
        str | None,
        Option(metavar="NAME", help="Split of the runs; default human-verified, else test."),
    ] = None,
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
    """Evaluate runs on a task; several are compared with the first."""
    if context.invoked_subcommand is not None:
        return
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
    )
    done = evaluate_task(task, inputs)
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


def _rate(text: str | None) -> Fraction | None:
    try:
        return None if text is None else Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise SettingError(
            f"truth rate is {text!r}; it should be a number or a ratio, such as 24 or 24000/1001"
        ) from error
