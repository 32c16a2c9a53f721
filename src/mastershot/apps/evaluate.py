"""``mastershot evaluate``: how good a trained model is."""

from pathlib import Path
from typing import Annotated

from typer import Option

from mastershot.apps.command import Json
from mastershot.apps.show import say_result
from mastershot.core.errors import SettingError


def evaluate(
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
