"""A draw of shots for raters, on disk: what each rater is shown, settled once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.tables.records import NUM_BEST, read_text, shots_of, written_whole
from mastershot.datasets.tables.scored import ScoredDataset
from mastershot.labelling.draws import (
    DrawnShot,
    draw_shots,
    equal_allocation,
    label_strata,
    proportional_allocation,
)

SCHEMA = "mastershot/draw/1"
ALLOCATIONS: Mapping[str, Callable[[IntArray, int], IntArray]] = {
    "proportional": proportional_allocation,
    "equal": equal_allocation,
}


@dataclass(frozen=True, slots=True)
class ShownShot:
    """A drawn shot as raters see it.

    Attributes:
        video: Its clip.
        file: Name of the shot's own file.
        start_s: Start in seconds.
        end_s: End in seconds.
        labels: The labels shown, best first.
        stratum: The kind of shot it stands for.
        weight: How many of them.
        scale: Its shot scale; empty where it is not known.
    """

    video: str
    file: str
    start_s: float
    end_s: float
    labels: tuple[str, ...]
    stratum: str
    weight: float
    scale: str = ""

    @property
    def name(self) -> str:
        """The shot as ``<video>/<shot file>``."""
        return f"{self.video}/{self.file}"


@dataclass(frozen=True)
class Draw:
    """Drawn shots, in the order raters see them, and how they were drawn.

    Attributes:
        taxonomy: What the shots were labelled with.
        allocation: How many were drawn of each kind, one of `ALLOCATIONS`.
        seed: Settled which.
        num_shots: How many shots they were drawn from.
        shots: The shots.
    """

    taxonomy: Taxonomy
    allocation: str
    seed: int
    num_shots: int
    shots: tuple[ShownShot, ...]

    @property
    def weights(self) -> dict[str, float]:
        """How many shots each stands for, by name."""
        return {shot.name: shot.weight for shot in self.shots}


def draw_from(
    dataset: ScoredDataset, num_drawn: int, *, allocation: str = "proportional", seed: int = 0
) -> Draw:
    """Return shots of a data set, drawn by best label and by whether it is sure (METHODS A6).

    Args:
        dataset: The scored shots; those without a label are left out.
        num_drawn: How many to draw; all where there are fewer.
        allocation: ``proportional`` to how many there are of a kind, or ``equal``.
        seed: Another seed draws others.

    Raises:
        SettingError: Fewer than one shot is asked for.
        DatasetError: There is no shot, two have the same name, or a label holds a semicolon.
    """
    names: list[str] = []
    strata: list[str] = []
    for batch in dataset.batches():
        kinds = label_strata(batch, dataset.taxonomy)
        for row in np.flatnonzero(np.any(batch.labels >= 0, axis=1)).tolist():
            names.append(f"{batch.videos[row]}/{batch.files[row]}")
            strata.append(kinds[row])
    drawn = draw_shots(names, strata, num_drawn, allocate=ALLOCATIONS[allocation], seed=seed)
    shown = _shown(dataset, {names[shot.place]: shot for shot in drawn})
    return Draw(dataset.taxonomy, allocation, seed, len(names), tuple(shown.values()))


def write_draw(path: Path, draw: Draw) -> None:
    """Write a draw as JSON.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    taxonomy = {"taxonomy": draw.taxonomy.name, "labels": draw.taxonomy.labels}
    facts = {name: value for name, value in asdict(draw).items() if name != "taxonomy"}
    with written_whole(path) as file:
        json.dump({"schema": SCHEMA} | taxonomy | facts, file, indent=1)
        file.write("\n")


def read_draw(path: str | Path) -> Draw:
    """Return the draw that `write_draw` wrote.

    Raises:
        DatasetError: The file is unreadable, or is no draw.
    """
    text = read_text(Path(path), what="draw")
    try:
        value = json.loads(text)
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is {value['schema']!r}, not {SCHEMA!r}")
        taxonomy = Taxonomy(value["taxonomy"], tuple(value["labels"]))
        shots = tuple(map(_shot_of, value["shots"]))
        return Draw(taxonomy, value["allocation"], value["seed"], value["num_shots"], shots)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DatasetError(
            f"{path} is no draw of shots ({error}); `mastershot verify draw` makes one"
        ) from error


def _shot_of(value: dict[str, Any]) -> ShownShot:
    shot = ShownShot(**value | {"labels": tuple(value["labels"])})
    texts = [shot.video, shot.file, shot.stratum, shot.scale, *shot.labels]
    numbers = [shot.start_s, shot.end_s, shot.weight]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"shot {shot.file!r} should hold texts, not {texts}")
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        raise TypeError(f"shot {shot.file!r} should hold numbers, not {numbers}")
    return shot


def _shown(dataset: ScoredDataset, drawn: Mapping[str, DrawnShot]) -> dict[str, ShownShot]:
    """Return the drawn shots by name, in the draw's order.

    It is a second pass over the data set, which keeps only their rows in memory.
    """
    found = {}
    for batch in dataset.batches():
        scales = batch.scales or [""] * len(batch)
        best = shots_of(batch.best(NUM_BEST), dataset.taxonomy)
        for shot, scale in zip(best, scales, strict=True):
            name = f"{shot.video}/{shot.file}"
            if name in drawn:
                labels = tuple(label.name for label in shot.labels)
                _require_plain(labels)
                place = shot.video, shot.file, shot.start_s, shot.end_s
                kind = drawn[name].stratum, drawn[name].weight
                found[name] = ShownShot(*place, labels, *kind, scale)
    return {name: found[name] for name in drawn}


def _require_plain(labels: tuple[str, ...]) -> None:
    for label in labels:
        if ";" in label:
            raise DatasetError(
                f"label {label!r} holds a semicolon, which separates labels in a table of "
                "verdicts; label with another taxonomy"
            )
