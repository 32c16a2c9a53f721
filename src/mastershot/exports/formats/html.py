"""The report as one page with the lanes that were asked for beside the shots."""

from pathlib import Path

from mastershot.exports.formats.lanes import Export
from mastershot.exports.pages.report import write_report

# What the report shows of each film anyway.
_ON_PAGE = frozenset({"shots", "scenes"})


def write_html(export: Export, path: Path) -> tuple[str, ...]:
    """Write the report of the film with its lanes, as one page that needs nothing else.

    Raises:
        OutputError: The page cannot be written.
    """
    lanes = tuple(lane for lane in export.lanes if lane.name not in _ON_PAGE and lane.intervals)
    folder = export.folder or path.parent
    write_report(export.timeline, path, thumbs=folder / "thumbs", lanes=lanes)
    return ()
