"""An alignment put into a film's folder of results: its timeline and its report."""

from pathlib import Path

from mastershot.core.timeline import Timeline
from mastershot.exports.pages.report import write_report
from mastershot.pipeline.align.script import ScriptAlignment, align_script
from mastershot.pipeline.edits import put_lanes, timeline_file


def keep_script(script: str | Path, onto: str | Path, *, name: str = "script") -> ScriptAlignment:
    """Align a script with a timeline on disk, put its lanes there, and renew the report beside it.

    Args:
        script: The script's file.
        onto: The timeline: ``timeline.json`` or its folder.
        name: What the lane is called; a lane of that name is replaced.

    Raises:
        MastershotError: The script or the timeline cannot be read, or the timeline or the report
            not be written.
    """
    place = timeline_file(onto)
    timeline = Timeline.load(place)
    found = align_script(timeline, script, name=name)
    put_lanes(place, timeline, found.lanes)
    report = place.with_name("report.html")
    if report.is_file():
        write_report(found.onto(timeline), report, thumbs=place.parent / "thumbs")
    return found
