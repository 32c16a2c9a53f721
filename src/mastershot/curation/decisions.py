"""What people decided about labels: an append-only table, replayed at every build."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from mastershot.core.errors import DatasetError, OutputError
from mastershot.datasets.files import read_table
from mastershot.store.files import append_row

DecisionKind: TypeAlias = Literal["keep", "drop", "merge", "rename", "add"]
KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)
_WHAT = "decisions file"


@dataclass(frozen=True)
class Decision:
    """A decision about one label.

    Attributes:
        decision: ``keep`` it, ``drop`` it, ``merge`` it into another label, ``rename`` it, or
            ``add`` one that no source has.
        label: The label.
        into: What it is merged into or renamed to; empty for the others.
        by: Who decided.
        made: When, as UTC in ISO 8601; may be empty in a file written by hand.
        cosine: Of the two labels, where one was shown.
        note: Why.
    """

    decision: DecisionKind
    label: str
    into: str = ""
    by: str = ""
    made: str = ""
    cosine: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.decision not in KINDS:
            raise DatasetError(f"decision {self.decision!r} is not one of {', '.join(KINDS)}")
        if not self.label:
            raise DatasetError(f"a decision to {self.decision} names no label")
        if (self.decision in {"merge", "rename"}) != bool(self.into):
            need = "needs" if not self.into else "has no use for"
            raise DatasetError(
                f"the decision to {self.decision} {self.label!r} {need} a label in the column into"
            )
        if self.into == self.label:
            raise DatasetError(f"{self.label!r} cannot be made into itself")
        name = self.label if self.decision in {"add", "keep"} else self.into
        if holds_separator(name):
            raise DatasetError(
                f"label {name!r} holds a semicolon or a line break, which separate labels in files"
            )

    @property
    def text(self) -> str:
        """The decision in words: ``merge 'creek' into 'river'``."""
        link = "to" if self.decision == "rename" else "into"
        return f"{self.decision} {self.label!r}" + (f" {link} {self.into!r}" if self.into else "")


def holds_separator(label: str) -> bool:
    """Return True if a label holds what separates labels in files: ``;`` or a line's end."""
    return ";" in label or len(label.splitlines()) > 1


COLUMNS = tuple(field.name for field in fields(Decision))


def read_decisions(path: str | Path) -> tuple[Decision, ...]:
    """Return the decisions of a CSV file in its order; none where there is no file yet.

    The columns ``decision``, ``label`` and ``into`` are required; of others, those in `COLUMNS`
    are read. Labels are read in lower case, without blanks around them.

    Raises:
        DatasetError: The file cannot be read or is no CSV, or a row is no decision.
    """
    path = Path(path)
    if path.suffix.lower() in {".yaml", ".yml"}:
        raise DatasetError(
            f"{_WHAT} {path} is named as YAML; it should be a CSV file with the columns "
            f"{', '.join(COLUMNS[:3])}"
        )
    if not path.exists() or path.stat().st_size == 0:
        return ()
    rows = read_table(path, COLUMNS[:3], what=_WHAT)
    return tuple(_decision(path, number, row) for number, row in enumerate(rows, start=1))


def append_decisions(path: str | Path, decisions: Sequence[Decision]) -> None:
    """Add decisions to the end of a file, in the columns it has; they are on disk on return.

    Raises:
        DatasetError: The file is no decisions file.
        OutputError: The file cannot be written.
    """
    path = Path(path)
    columns = COLUMNS
    if read_decisions(path) or (path.exists() and path.stat().st_size):
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns = tuple(next(csv.reader(file)))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    for made in decisions:
        cosine = "" if made.cosine is None else f"{made.cosine:.3f}"
        writer.writerow(vars(made) | {"cosine": cosine})
    try:
        append_row(path, text.getvalue().encode(), header=f"{','.join(COLUMNS)}\n".encode())
    except OSError as error:
        raise OutputError(f"{_WHAT} {path} cannot be written: {error.strerror or error}") from error


def now() -> str:
    """Return the time in UTC as ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _decision(path: Path, number: int, row: dict[str, str]) -> Decision:
    cells = {name: " ".join((row.get(name) or "").split()) for name in COLUMNS}
    lower = {name: cells[name].lower() for name in ("decision", "label", "into")}
    try:
        return Decision(**cells | lower | {"cosine": _cosine(cells["cosine"])})  # type: ignore[arg-type]
    except DatasetError as error:
        raise DatasetError(f"{_WHAT} {path}, row {number}: {error}") from error


def _cosine(text: str) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise DatasetError(f"the cosine {text!r} is not a number")
    return value
