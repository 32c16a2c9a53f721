"""Raters' verdicts on drawn shots: as CSV sheets, or in a table that only grows."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import written_whole
from mastershot.datasets.files import read_table
from mastershot.labelling.draws import Draw
from mastershot.store.files import append_lines

COLUMNS = ("shot", "rater", "shown", "ticked", "made")
UNDATED = "undated"

_NEEDED = ("shot", "rater", "ticked")
_WHAT = "table of verdicts"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rater's verdict on one shot.

    Attributes:
        shot: ``<video>/<shot file>``.
        rater: Who.
        shown: The labels shown, best first.
        ticked: Those that apply, none or more.
        made: When, as UTC in ISO 8601.
    """

    shot: str
    rater: str
    shown: tuple[str, ...]
    ticked: tuple[str, ...]
    made: str

    def __post_init__(self) -> None:
        for name in ("shot", "rater", "made"):
            if not getattr(self, name):
                raise DatasetError(f"a verdict on {self.shot!r} by {self.rater!r} lacks its {name}")
        if not self.shown or len(set(self.shown)) < len(self.shown):
            raise DatasetError(f"a verdict on {self.shot} should show labels, each once")
        if not set(self.ticked) <= set(self.shown) or len(set(self.ticked)) < len(self.ticked):
            raise DatasetError(
                f"a verdict on {self.shot} should tick labels that were shown, each once, "
                f"not {', '.join(map(repr, self.ticked))}"
            )


class VerdictTable:
    """An append-only file of verdicts, one JSON object a line.

    A verdict is on disk when `append` returns. A line cut off by a crash was never acknowledged:
    it is not read, and the next `append` overwrites it.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def append(self, verdict: Verdict) -> None:
        """Keep a verdict; earlier ones stay, also those of the same rater on the same shot.

        Raises:
            OutputError: The file cannot be written.
        """
        line = json.dumps(asdict(verdict)).encode() + b"\n"
        try:
            append_lines(self._path, lambda _: line)
        except OSError as error:
            raise OutputError(
                f"verdicts {self._path} cannot be written: {error.strerror or error}"
            ) from error

    def read(self) -> tuple[Verdict, ...]:
        """Return all verdicts in file order; none where there is no file yet.

        Raises:
            DatasetError: The file cannot be read, or a line is no verdict.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise DatasetError(
                f"verdicts {self._path} cannot be read: {error.strerror or error}"
            ) from error
        lines = data[: data.rfind(b"\n") + 1].splitlines()
        return tuple(self._verdict(line, number) for number, line in enumerate(lines, start=1))

    def _verdict(self, line: bytes, number: int) -> Verdict:
        try:
            values = json.loads(line)
            shown, ticked = tuple(values["shown"]), tuple(values["ticked"])
            texts = [values["shot"], values["rater"], values["made"], *shown, *ticked]
            if not all(isinstance(text, str) for text in texts):
                raise TypeError("a value is not text")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DatasetError(
                f"verdicts {self._path}, line {number}: not a verdict ({error}); a line holds "
                f"{', '.join(COLUMNS)}"
            ) from error
        return Verdict(values["shot"], values["rater"], shown, ticked, values["made"])


def write_sheet(path: Path, draw: Draw) -> None:
    """Write a sheet with a row for each drawn shot, without rater and ticks.

    Raises:
        OutputError: The file cannot be written; an earlier one stays.
    """
    _write(path, ([shot.name, "", ";".join(shot.labels), "", ""] for shot in draw.shots))


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts as CSV, a row each.

    Raises:
        OutputError: The file cannot be written; an earlier one stays.
    """
    rows = ([v.shot, v.rater, ";".join(v.shown), ";".join(v.ticked), v.made] for v in verdicts)
    _write(path, rows)


def holds_verdicts(path: Path) -> bool:
    """Return True if there is a table of verdicts in which someone has filled in a row.

    Raises:
        DatasetError: The file is unreadable, or lacks a column.
    """
    rows = read_table(path, _NEEDED, what=_WHAT) if path.exists() else []
    return any(row["rater"].strip() or row["ticked"].strip() for row in rows)


def read_verdicts(path: str | Path, draw: Draw) -> list[Verdict]:
    """Return the verdicts of a file on drawn shots, in file order.

    A CSV file has the columns ``shot``, ``rater`` and ``ticked`` (labels joined by semicolons) and
    perhaps others; a row without rater and ticks is not rated yet. ``.jsonl`` is a `VerdictTable`.

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
    for row in read_table(path, _NEEDED, what=_WHAT):
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
