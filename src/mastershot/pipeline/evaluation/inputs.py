"""What every task takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Inputs:
    """What is evaluated and how.

    Attributes:
        runs: Run directories.
        features: Files to evaluate without a run; what they hold is up to the task.
        encoder: Encoder whose features are evaluated.
        split: Split of the runs; None for the task's own choice.
        truth: File of true labels that replace those of the inputs.
        out: Folder of the report; None to write none.
        seed: Settles the intervals.
    """

    runs: tuple[Path, ...] = ()
    features: tuple[Path, ...] = ()
    encoder: str | None = None
    split: str | None = None
    truth: Path | None = None
    out: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation prints: as JSON, and as lines for people."""

    facts: Mapping[str, Any]
    lines: tuple[str, ...]
