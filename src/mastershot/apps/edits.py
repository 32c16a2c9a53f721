"""``mastershot export`` and ``mastershot import``: to editors, annotators and players, and back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, cast

from typer import Argument, BadParameter, Option

from mastershot.apps.command import Json
from mastershot.apps.show import complain, say_result

StartTimecode = Annotated[
    str,
    Option(
        metavar="HH:MM:SS:FF",
        help="Time code of the film's first frame there; with ;FF for drop-frame.",
    ),
]


def export(
    *,
    timeline: Annotated[
        Path, Argument(metavar="TIMELINE", help="timeline.json, or the folder it is in.")
    ],
    to: Annotated[str, Option(metavar="NAME", help="Format: edl, otio, fcpxml, …")],
    out: Annotated[
        Path | None, Option(metavar="FILE", help="By default beside the timeline.")
    ] = None,
    lanes: Annotated[
        str | None,
        Option(metavar="NAME,…", help="Which lanes, in order; by default all there are."),
    ] = None,
    min_score: Annotated[
        float, Option(metavar="S", help="Leave out what is scored lower, from 0 to 1.")
    ] = 0.0,
    start_timecode: StartTimecode = "",
    as_json: Json = False,
) -> None:
    """Write a timeline for editors, annotators and players."""
    from mastershot.pipeline import edits

    names = None if lanes is None else [name.strip() for name in lanes.split(",")]
    done = edits.export(
        timeline, to, out, lanes=names, min_score=min_score, start_timecode=start_timecode
    )
    complain(*done.notes)
    say_result(asdict(done), [str(done.path)], as_json=as_json)


def import_edits(
    *,
    file: Annotated[
        Path | None,
        Argument(metavar="FILE", help="What an editor, annotator or player wrote, or a film."),
    ] = None,
    onto: Annotated[
        Path, Option(metavar="TIMELINE", help="timeline.json, or the folder it is in.")
    ],
    purpose: Annotated[
        str, Option("--as", metavar="edits|notes|truth", help="What the shots in it are.")
    ] = "edits",
    name: Annotated[
        str | None, Option(metavar="NAME", help="Of the lane; by default what it is.")
    ] = None,
    start_timecode: StartTimecode = "",
    subtitles: Annotated[
        bool,
        Option("--subtitles", help="The film's own subtitles; FILE may name another copy of it."),
    ] = False,
    track: Annotated[
        int | None, Option(metavar="N", help="Which subtitles, as ffprobe counts streams.")
    ] = None,
    library: Annotated[
        Path | None, Option(metavar="DIR", help="Also keep the timeline in this library.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add what an editor or annotator wrote to a timeline, and say what changed."""
    from mastershot.pipeline import edits
    from mastershot.pipeline.subtitles import import_subtitles, keep_in_library

    if subtitles:
        done = import_subtitles(onto, file, track=track, name=name)
    elif file is None:
        raise BadParameter("name a FILE to import, or --subtitles for the film's own")
    else:
        done = edits.import_edits(
            file,
            onto,
            purpose=cast("edits.Purpose", purpose),
            name=name,
            start_timecode=start_timecode,
        )
    if library is not None:
        keep_in_library(onto, library)
    lines = [
        f"{'replaced' if lane.name in done.replaced else 'added'} lane {lane.name}: "
        f"{len(lane.intervals)} {lane.role}"
        for lane in done.lanes
    ]
    changes = None
    if done.changes is not None:
        lines.append(done.changes.sentence())
        changes = asdict(done.changes)
    found = [
        {"name": lane.name, "role": lane.role, "num_intervals": len(lane.intervals)}
        for lane in done.lanes
    ]
    say_result(
        {"lanes": found, "replaced": done.replaced, "changes": changes}, lines, as_json=as_json
    )
