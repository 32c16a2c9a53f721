"""What every task takes and gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mastershot.evaluation.downstream.items import FitProbes
    from mastershot.pipeline.search.vectors import SceneView

SCHEMA = "mastershot/evaluation/1"


OnTask = Callable[[str, int, int], None]
"""Called before each of several tasks: its name, how many are done, how many there are."""


def no_progress(task: str, done: int, total: int) -> None:
    """Show nothing."""


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
        data: Folder of a downstream task's labels; None for ``data``.
        library: Library of the clips whose vectors are evaluated.
        views: The scene encoders of the runs, for downstream tasks.
        fit: Trains the probes of downstream tasks.
        num_seeds: How many probes are trained.
        missing_labels: What is done with items whose label the release says is missing.
        common: Leave out items that one of several rows lacks, instead of refusing.
        side_by_side: Add a row of all runs' vectors side by side; without runs, of all rows'.
        on_task: Told of each task of several.
    """

    runs: tuple[Path, ...] = ()
    features: tuple[Path, ...] = ()
    encoder: str | None = None
    split: str | None = None
    truth: Path | None = None
    out: Path | None = None
    seed: int = 0
    data: Path | None = None
    library: Path | None = None
    views: "tuple[SceneView, ...]" = ()
    fit: "FitProbes | None" = None
    num_seeds: int = 5
    missing_labels: Literal["keep", "drop"] = "keep"
    common: bool = False
    side_by_side: bool = False
    on_task: OnTask = no_progress


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation prints: as JSON, and as lines for people."""

    facts: Mapping[str, Any]
    lines: tuple[str, ...]
