"""Raters' verdicts, in a table that only grows."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError, OutputError
from mastershot.store.files import exclusive, keep_entry

_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rater said of one shot.

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
        unseen = [label for label in self.ticked if label not in self.shown]
        if unseen or len(set(self.ticked)) < len(self.ticked):
            raise DatasetError(
                f"a verdict on {self.shot} should tick labels that were shown, each once, "
                f"not {', '.join(map(repr, self.ticked))}"
            )


class VerdictTable:
    """An append-only file of verdicts, one JSON object a line.

    A verdict is on disk when `append` returns. A line cut off by a crash was never acknowledged:
    it is not read, and the next `append` puts its verdict in its place.
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
            with exclusive(self._path):
                end = _end_of_whole_lines(self._path)
                with self._path.open("r+b") as file:
                    file.truncate(end)
                    file.seek(end)
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                if end == 0:
                    keep_entry(self._path)
        except OSError as error:
            raise OutputError(
                f"verdicts {self._path} cannot be written: {error.strerror or error}"
            ) from error

    def read(self) -> tuple[Verdict, ...]:
        """Return all verdicts in the order they came; none where there is no file yet.

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
                "shot, rater, shown, ticked and made"
            ) from error
        return Verdict(values["shot"], values["rater"], shown, ticked, values["made"])


def _end_of_whole_lines(path: Path) -> int:
    """Return where the last line that was written whole ends; 0 where there is none."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            first = max(0, end - _BLOCK_BYTES)
            file.seek(first)
            found = file.read(end - first).rfind(b"\n")
            if found >= 0:
                return first + found + 1
            end = first
    return 0
