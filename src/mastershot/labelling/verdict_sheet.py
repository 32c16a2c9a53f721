"""Verdicts as CSV: a blank sheet for raters to fill in, and filled sheets read back."""

import csv
from collections.abc import Iterable
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.core.files import written_whole
from mastershot.datasets.files import read_table
from mastershot.labelling.draw_file import Draw
from mastershot.labelling.verdicts import Verdict, VerdictTable

COLUMNS = ("shot", "rater", "shown", "ticked", "made")
UNDATED = "undated"

_WHAT = "table of verdicts"


def write_sheet(path: Path, draw: Draw) -> None:
    """Write a sheet with a row for each drawn shot, without rater and ticks.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    _write(path, ([shot.name, "", ";".join(shot.labels), "", ""] for shot in draw.shots))


def holds_verdicts(path: Path) -> bool:
    """Return True if a table of verdicts is there, and someone has filled in a row.

    Raises:
        DatasetError: The file is unreadable, or lacks a column.
    """
    if not path.exists():
        return False
    rows = read_table(path, ("shot", "rater", "ticked"), what=_WHAT)
    return any(row["rater"].strip() or row["ticked"].strip() for row in rows)


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts, a row each.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    rows = ([v.shot, v.rater, ";".join(v.shown), ";".join(v.ticked), v.made] for v in verdicts)
    _write(path, rows)


def read_verdicts(path: str | Path, draw: Draw) -> list[Verdict]:
    """Return the verdicts of a file on drawn shots, in file order.

    A CSV file has the columns ``shot``, ``rater`` and ``ticked``, the labels that apply, joined by
    semicolons; nothing there means that none does. Further columns may stay. A row without rater
    and ticks has not been rated yet. A ``.jsonl`` file is a `VerdictTable`.

    Raises:
        DatasetError: The file is unreadable, lacks a column, or a row names a shot that was not
            drawn or a label that it was not shown with.
    """
    path, shown_of = Path(path), {shot.name: shot.labels for shot in draw.shots}
    if path.suffix == ".jsonl":
        verdicts = list(VerdictTable(path).read())
        for verdict in verdicts:
            _require_drawn(path, verdict.shot, shown_of)
        return verdicts
    verdicts = []
    for row in read_table(path, ("shot", "rater", "ticked"), what=_WHAT):
        shot, rater = row["shot"].strip(), row["rater"].strip()
        ticked = tuple(label.strip() for label in row["ticked"].split(";") if label.strip())
        if not rater and not ticked:
            continue
        _require_drawn(path, shot, shown_of)
        for label in ticked:
            if label not in shown_of[shot]:
                raise DatasetError(
                    f"{_WHAT} {path}: {rater!r} ticks {label!r} on {shot}, which was shown with "
                    f"{', '.join(shown_of[shot])}"
                )
        made = (row.get("made") or "").strip() or UNDATED
        verdicts.append(Verdict(shot, rater, shown_of[shot], ticked, made))
    return verdicts


def _require_drawn(path: Path, shot: str, drawn: Iterable[str]) -> None:
    if shot not in drawn:
        raise DatasetError(
            f"{_WHAT} {path} names shot {shot!r}, which was not drawn; report it with the draw it "
            "belongs to"
        )


def _write(path: Path, rows: Iterable[list[str]]) -> None:
    with written_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
