"""An alignment put into a film's folder of results: its timeline and its report."""

from pathlib import Path

from mastershot.core.files import written_whole
from mastershot.core.timeline import Timeline
from mastershot.exports.pages.report import write_report

_TIMELINE, _REPORT, _THUMBS = "timeline.json", "report.html", "thumbs"


def timeline_file(path: Path) -> Path:
    """Return the file of a timeline that is named by itself or by its folder."""
    return path / _TIMELINE if path.is_dir() else path


def put_timeline(timeline: Timeline, file: Path) -> None:
    """Write a timeline in place of the one in a file, and anew the report beside it, if any.

    Raises:
        OutputError: One of them cannot be written; what was there before stays.
    """
    report = file.with_name(_REPORT)
    if report.is_file():
        write_report(timeline, report, thumbs=file.parent / _THUMBS)
    with written_whole(file) as out:
        out.write(timeline.to_json())
