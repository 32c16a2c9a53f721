"""A timeline as a table: one row a shot, for spreadsheets and data frames."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from mastershot.core.errors import OutputError
from mastershot.core.movie import Shot
from mastershot.core.time import format_clock
from mastershot.core.timeline import Timeline

COLUMNS = (
    "index",
    "id",
    "first_frame",
    "end_frame",
    "start_pts",
    "end_pts",
    "start_s",
    "end_s",
    "duration_s",
    "start_clock",
    "transition",
    "scene_index",
    "top_label",
    "score",
    "unsure",
    "kept",
    "borrowed",
    "scale",
)


def write_shots_csv(timeline: Timeline, path: Path) -> None:
    """Write one row a shot, as RFC 4180 in UTF-8 under the header `COLUMNS`.

    ``index`` and ``scene_index`` count from 0, ranges are half-open, numbers read back to the
    same value. ``kept`` and ``borrowed`` join names with semicolons; ``scale`` is the likeliest.
    Where a step did not run its cells are empty. A text that a spreadsheet would run as a formula
    gets an apostrophe in front.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    scene_of_shot = [
        index
        for index, scene in enumerate(timeline.scenes or ())
        for _ in range(scene.first_shot, scene.end_shot)
    ]
    with open_whole(path, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for index, shot in enumerate(timeline.shots):
            scene_index = scene_of_shot[index] if scene_of_shot else ""
            scale = shot.likeliest_scale or ""
            writer.writerow([index, *_span_cells(shot), scene_index, *_label_cells(shot), scale])


@contextmanager
def open_whole(path: Path, *, newline: str) -> Iterator[TextIO]:
    """Return a UTF-8 file that takes its name only once all of it is written.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline=newline) as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _span_cells(shot: Shot) -> list[object]:
    span = shot.span
    return [
        as_text(shot.id),
        span.first_frame,
        span.end_frame,
        span.start_pts,
        span.end_pts,
        span.start_s,
        span.end_s,
        span.duration_s,
        format_clock(span.start_s),
        as_text(shot.transition_in.kind),
    ]


def _label_cells(shot: Shot) -> list[object]:
    borrowed = _joined(label.name for label in shot.borrowed)
    if not shot.labels:
        return ["", "", "", _joined(shot.kept), borrowed]
    top = shot.labels[0]
    unsure = "true" if top.unsure else "false"
    return [as_text(top.name), top.score, unsure, _joined(shot.kept), borrowed]


def _joined(names: Iterable[str]) -> str:
    # Each name is guarded, not the whole: some spreadsheets split cells at semicolons.
    return ";".join(as_text(name) for name in names)


def as_text(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    # The characters are those of OWASP's page on CSV injection.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
