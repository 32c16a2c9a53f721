"""Which shots people rate: a stratified random draw that a seed settles."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.tables.records import ScoredShots
from mastershot.labelling.splits import seeded_key


@dataclass(frozen=True, slots=True)
class DrawnShot:
    """A shot to be rated.

    Attributes:
        place: Which of the shots it was drawn from it is, from 0.
        stratum: The kind of shot it stands for.
        weight: How many shots of that kind it stands for.
    """

    place: int
    stratum: str
    weight: float


def label_strata(
    shots: ScoredShots, taxonomy: Taxonomy, score_edges: Sequence[float] = (0.4,)
) -> list[str]:
    """Return for each shot its best label and how sure it is, such as ``kitchen, from 0.4``.

    Args:
        shots: The scored shots; one without a label is a kind of its own.
        taxonomy: What they were scored with.
        score_edges: Best scores from which on a shot counts as surer, ascending.
    """
    if not shots.labels.shape[1]:
        return ["no label"] * len(shots)
    edges = np.array(score_edges).astype(shots.scores.dtype)
    bands = [f", below {score_edges[0]:g}"] if len(edges) else [""]
    bands += [f", from {edge:g}" for edge in score_edges]
    band_of = np.searchsorted(edges, shots.scores[:, 0], side="right").tolist()
    return [
        f"{taxonomy.labels[label]}{bands[band]}" if label >= 0 else "no label"
        for label, band in zip(shots.labels[:, 0].tolist(), band_of, strict=True)
    ]


def proportional_allocation(sizes: IntArray, num_drawn: int) -> IntArray:
    """Return how many to draw of each stratum, in proportion to its size.

    Rounded by largest remainder; of equal remainders the first. A small stratum may get none.
    """
    share, remainder = np.divmod(sizes * num_drawn, sizes.sum())
    order = np.argsort(-remainder, kind="stable")
    share[order[: num_drawn - share.sum()]] += 1
    return np.asarray(share)


def equal_allocation(sizes: IntArray, num_drawn: int) -> IntArray:
    """Return how many to draw of each stratum: as many of each, or all of it where it is small.

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
    machine.

    Args:
        names: What names each shot for good, each once.
        strata: The kind of each shot.
        num_drawn: How many shots to draw.
        allocate: How many of each stratum, from the strata's sizes and ``num_drawn``.
        seed: Another seed draws others.

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
