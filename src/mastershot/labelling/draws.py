"""Which shots people rate: a stratified random draw that a seed settles, and its file."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.files import written_whole
from mastershot.core.labels import Taxonomy
from mastershot.datasets.files import read_text
from mastershot.datasets.tables.records import NUM_BEST, ScoredShots, shots_of
from mastershot.datasets.tables.scored import ScoredDataset
from mastershot.labelling.splits import seeded_key
from mastershot.labelling.weak_labels import MOVIECLIP_RULE

SCHEMA = "mastershot/draw/1"


@dataclass(frozen=True, slots=True)
class DrawnShot:
    """A shot to be rated.

    Attributes:
        place: Which of the shots it was drawn from it is, from 0.
        stratum: The kind of shot it represents.
        weight: How many shots of that kind it represents.
    """

    place: int
    stratum: str
    weight: float


@dataclass(frozen=True, slots=True)
class ShownShot:
    """A drawn shot as raters see it.

    Attributes:
        video: Its clip.
        file: Name of the shot's own file.
        start_s: Start in seconds.
        end_s: End in seconds.
        labels: The labels shown, best first.
        stratum: The kind of shot it represents.
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


def label_strata(shots: ScoredShots, taxonomy: Taxonomy) -> list[str]:
    """Return for each shot its best label and how sure it is, such as ``kitchen, from 0.4``.

    A shot without a label is a kind of its own, ``no label``.
    """
    if not shots.labels.shape[1]:
        return ["no label"] * len(shots)
    min_best = MOVIECLIP_RULE.min_best
    bands = f", below {min_best:g}", f", from {min_best:g}"
    is_sure = (shots.scores[:, 0] >= shots.scores.dtype.type(min_best)).tolist()
    return [
        f"{taxonomy.labels[label]}{bands[sure]}" if label >= 0 else "no label"
        for label, sure in zip(shots.labels[:, 0].tolist(), is_sure, strict=True)
    ]


def proportional_allocation(sizes: IntArray, num_drawn: int) -> IntArray:
    """Return how many to draw of each stratum, in proportion to its size.

    Rounding is by largest remainder, of equal ones the first. A small stratum may get none.
    """
    share, remainder = np.divmod(sizes * num_drawn, sizes.sum())
    order = np.argsort(-remainder, kind="stable")
    share[order[: num_drawn - share.sum()]] += 1
    return np.asarray(share)


def equal_allocation(sizes: IntArray, num_drawn: int) -> IntArray:
    """Return equal numbers to draw of each stratum, or all of a small one.

    What does not divide goes to the largest strata.
    """
    counts = np.zeros_like(sizes)
    while left := num_drawn - int(counts.sum()):
        open_strata = np.flatnonzero(counts < sizes)
        share = left // len(open_strata)
        if share == 0:
            order = np.argsort(-sizes[open_strata], kind="stable")
            counts[open_strata[order[:left]]] += 1
            break
        counts[open_strata] += np.minimum(share, (sizes - counts)[open_strata])
    return counts


ALLOCATIONS: Mapping[str, Callable[[IntArray, int], IntArray]] = {
    "proportional": proportional_allocation,
    "equal": equal_allocation,
}


def draw_shots(
    names: Sequence[str],
    strata: Sequence[str],
    num_drawn: int,
    *,
    allocate: Callable[[IntArray, int], IntArray] = proportional_allocation,
    seed: int = 0,
) -> tuple[DrawnShot, ...]:
    """Return shots drawn at random within each stratum, in random order; all where they are few.

    The draw depends on names, strata and seed alone, not on the order of the shots or on the
    machine. ``allocate`` returns how many to draw of each stratum, from the strata's sizes and
    ``num_drawn``.

    Raises:
        SettingError: Fewer than one shot is asked for.
        DatasetError: There is no shot, or a name comes twice.
    """
    if num_drawn < 1:
        raise SettingError(f"a draw of {num_drawn} shots means nothing; draw at least 1")
    if not names:
        raise DatasetError("there is no shot to draw from; label clips that have some")
    if len(set(names)) < len(names):
        raise DatasetError("two shots to draw from have the same name; draw from one data set")
    keys = [seeded_key(seed, name) for name in names]
    members = defaultdict(list)
    for place in sorted(range(len(names)), key=keys.__getitem__):
        members[strata[place]].append(place)
    kinds = sorted(members)
    sizes = np.array([len(members[kind]) for kind in kinds], np.int64)
    counts = allocate(sizes, min(num_drawn, len(names))).tolist()
    drawn = [
        DrawnShot(place, kind, len(members[kind]) / count)
        for kind, count in zip(kinds, counts, strict=True)
        for place in members[kind][:count]
    ]
    # Not by the keys themselves: the more shots a stratum has, the lower are the keys drawn.
    return tuple(sorted(drawn, key=lambda shot: keys[shot.place][::-1]))


def draw_from(
    dataset: ScoredDataset, num_drawn: int, *, allocation: str = "proportional", seed: int = 0
) -> Draw:
    """Return shots of a data set, drawn by best label and by whether it is sure (METHODS A6).

    Shots without a label are left out. The allocation is one of `ALLOCATIONS`.

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
        OutputError: The file cannot be written; an earlier one stays.
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

    This second pass over the data set keeps only their rows in memory.
    """
    found = {}
    for batch in dataset.batches():
        scales = batch.scales or [""] * len(batch)
        best = shots_of(batch.best(NUM_BEST), dataset.taxonomy)
        for shot, scale in zip(best, scales, strict=True):
            name = f"{shot.video}/{shot.file}"
            if name in drawn:
                labels = tuple(label.name for label in shot.labels)
                if odd := next((label for label in labels if ";" in label), ""):
                    raise DatasetError(
                        f"label {odd!r} holds a semicolon, which separates labels in a table of "
                        "verdicts; label with another taxonomy"
                    )
                place = shot.video, shot.file, shot.start_s, shot.end_s
                kind = drawn[name].stratum, drawn[name].weight
                found[name] = ShownShot(*place, labels, *kind, scale)
    return {name: found[name] for name in drawn}
