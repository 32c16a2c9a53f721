"""``mastershot shots``: another threshold for a film's shots, without decoding it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from mastershot.apps.command import Commands, Json, loading
from mastershot.apps.show import say_result

if TYPE_CHECKING:
    from mastershot.pipeline.evaluation.tuning import Tuned

shots_app = Commands(name="shots", help="Work on the shots of a film that is analysed.")


@shots_app.callback()
def shots() -> None:
    """Work on the shots of a film that is analysed."""


@shots_app.command("tune")
def tune(
    *,
    timeline: Annotated[
        Path, Argument(metavar="TIMELINE", help="The film's timeline.json, or its folder.")
    ],
    threshold: Annotated[
        float | None, Option(help="Score of a cut; without it, several are tried.")
    ] = None,
    detector: Annotated[
        str | None,
        Option(metavar="NAME", help="Whose scores decide; default is what found the shots."),
    ] = None,
    write: Annotated[
        bool, Option("--write", help="Put the shots of the threshold into the timeline.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how many shots a film has at another threshold, from the kept scores of its frames."""
    from typer import BadParameter

    with loading():
        from mastershot.pipeline.evaluation.tuning import tune_shots, write_tuned

    if write and threshold is None:
        raise BadParameter("--write needs --threshold, whose shots are to be written")
    thresholds = None if threshold is None else [threshold]
    found = tune_shots(timeline, thresholds, detector=detector)
    if write:
        write_tuned(timeline, found[0])
    say_result([_json(one) for one in found], _lines(found, written=write), as_json=as_json)


def _json(one: "Tuned") -> dict[str, object]:
    return {
        "threshold": one.threshold,
        "num_shots": len(one.transitions),
        "kinds": dict(one.kinds),
        "moved": one.changes.moved,
        "removed": one.changes.removed,
        "added": one.changes.added,
    }


def _lines(found: "Sequence[Tuned]", *, written: bool) -> Iterator[str]:
    for one in found:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(one.kinds.items()))
        yield f"threshold {one.threshold:g}: {len(one.transitions)} shots ({kinds or 'no cut'})"
    if len(found) == 1:
        yield found[0].changes.sentence()
    if written:
        yield "written; `mastershot analyze` with this threshold adds what new shots lack"
