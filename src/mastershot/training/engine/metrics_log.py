"""The metrics of a run, one JSON object a line.

Not Lightning's CSVLogger: it deletes the file of the run before when a run resumes, and its rows
have one set of columns, where an entry here may hold a list.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mastershot.training.engine.distributed import is_rank_zero

LOG = "log.jsonl"


class MetricsLog:
    """Appends the figures of a run to its log, in the first of its processes."""

    def __init__(self, out: Path) -> None:
        self._path = out / LOG
        self._began_s = time.monotonic()

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append a line to the log; figures that are not finite are left out."""
        if not is_rank_zero():
            return
        kept = {
            name: value
            for name, value in entry.items()
            if not isinstance(value, float) or math.isfinite(value)
        }
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(kept, ensure_ascii=False) + "\n")

    def note(self, step: int, figures: Mapping[str, float], **more: Any) -> None:
        """Append the figures of a step, with the seconds since the run began or resumed."""
        rounded = {name: round(value, 5) for name, value in figures.items()}
        seconds = round(time.monotonic() - self._began_s, 1)
        self.write({"step": step, "seconds": seconds, **rounded, **more})


def read_log(out: Path) -> list[dict[str, Any]]:
    """Return the figures of steps, by step; of a step that was taken twice, the later."""
    by_step = {
        entry["step"]: entry
        for entry in read_entries(out)
        if isinstance(entry.get("step"), int) and "seconds" in entry
    }
    return [by_step[step] for step in sorted(by_step)]


def read_entries(out: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a log; none where there is no log.

    The line that a killed run was writing, and whatever else is no entry, is passed over.
    """
    path = out / LOG
    text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    for line in text.split("\n"):  # Not at U+2028, which a film's name may hold.
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
