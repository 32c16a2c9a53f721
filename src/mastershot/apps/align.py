"""``mastershot align``: a film's script laid along its timeline."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from mastershot.apps.command import Json, loading
from mastershot.apps.show import complain, say_result
from mastershot.core.time import format_clock

if TYPE_CHECKING:
    from mastershot.core.time import Span
    from mastershot.pipeline.align.script import ScriptAlignment


def align(
    script: Annotated[
        Path, Argument(metavar="SCRIPT", help="The script: Fountain, Final Draft or plain text.")
    ],
    onto: Annotated[
        Path,
        Option(metavar="TIMELINE", help="The film's timeline.json, or the folder it is in."),
    ],
    name: Annotated[str, Option(help="What the lane is called.")] = "script",
    as_json: Json = False,
) -> None:
    """Align a script's headings with a film's shots, and keep them in its timeline and report.

    The lane NAME holds a heading for each run of shots, "NAME differences" where the two part: both
    are in every export. An earlier lane of that name is replaced.
    """
    with loading():
        from mastershot.pipeline.align.keep import keep_script

    found = keep_script(script, onto, name=name)
    complain(*found.notes)
    value = {
        "timeline": onto,
        "name": found.name,
        "source": found.source,
        "runs": [asdict(run) | {"span": _bounds(run.span)} for run in found.runs],
        "differences": [asdict(one) | {"span": _bounds(one.span)} for one in found.differences],
        "notes": found.notes,
    }
    say_result(value, _lines(found, onto), as_json=as_json)


def _bounds(span: "Span") -> dict[str, float]:
    names = ("first_frame", "end_frame", "start_pts", "end_pts", "start_s", "end_s")
    return {name: getattr(span, name) for name in names}


def _lines(found: "ScriptAlignment", onto: Path) -> Iterator[str]:
    from mastershot.pipeline.align.differences import written_on_one_line

    for run in found.runs:
        start, end = format_clock(run.span.start_s), format_clock(run.span.end_s)
        yield f"{start} to {end}  {run.score:.2f}  {written_on_one_line(run.heading)}"
    for one in found.differences:
        sure = "" if one.score is None else f"{one.score:.2f}"
        yield f"{format_clock(one.span.start_s)}  {sure:4}  {one.text}"
    scenes = len({run.scene for run in found.runs})
    yield f"{scenes} headings, {len(found.differences)} differences → {onto}"
