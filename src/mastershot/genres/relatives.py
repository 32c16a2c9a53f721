"""Where a new film lies among the trailers of a data set: its sub-genre, its nearest relatives."""
# T trailers, D width of an embedding, E experts

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.labels import ExpertGate, NearestSubgenre, Relative
from mastershot.genres.clustering import unit_rows

NUM_RELATIVES = 10


@dataclass(frozen=True, eq=False)
class KnownTrailers:
    """The trailers that a model of genres was trained on.

    Attributes:
        ids: Their ids, T.
        titles: Their titles, T; empty where one has none.
        files: Digests of their files, T; empty where one has none.
        unit: Their embeddings after the fine stage, of length 1, (T, D).
        opened: How far each expert's gate was open, (T, E); 0 where one has nothing to say.
        experts: The experts' names, E.
        labels: The sub-genre of each, from 0, or `UNASSIGNED`, (T,); None where there are none.
        names: The names of the sub-genres.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    files: tuple[str, ...]
    unit: FloatArray
    opened: FloatArray
    experts: tuple[str, ...]
    labels: IntArray | None = None
    names: tuple[str, ...] = ()


def find_relatives(
    embedding: FloatArray, known: KnownTrailers, *, file: str = "", most: int = NUM_RELATIVES
) -> tuple[Relative, ...]:
    """Return the trailers nearest to a film by cosine, nearest first, equal ones by their order.

    Args:
        embedding: The film's, (D,).
        known: The trailers.
        file: Digest of the film's file: a trailer of the same file is itself, and left out.
        most: How many at most.
    """
    cosines = np.clip(known.unit @ unit_rows(embedding[None])[0], -1, 1)
    order = np.argsort(-cosines, kind="stable").tolist()
    others = [place for place in order if not file or known.files[place] != file]
    return tuple(
        Relative(known.ids[place], known.titles[place], float(cosines[place]))
        for place in others[:most]
    )


def nearest_subgenre(embedding: FloatArray, known: KnownTrailers) -> NearestSubgenre | None:
    """Return the sub-genre whose centre is nearest to a film; None where there are none.

    A centre is the mean of its trailers' unit vectors, and so is k-means', which groups them.
    """
    if known.labels is None:
        return None
    unit = unit_rows(embedding[None])[0]
    found = []
    for group, name in enumerate(known.names):
        members = known.unit[known.labels == group]
        if len(members):
            centre = members.mean(axis=0, dtype=np.float64)
            median = float(np.median(np.linalg.norm(members - centre, axis=1)))
            distance = float(np.linalg.norm(unit - centre))
            found.append(NearestSubgenre(name, distance, median))
    return min(found, key=lambda one: one.distance, default=None)


def gates_of(
    opened: FloatArray, experts: Sequence[str], known: KnownTrailers | None
) -> tuple[ExpertGate, ...]:
    """Return the experts of a film, the one furthest beyond what is usual first.

    Those that have nothing to say of it come last. Where nothing is known of other trailers, the
    widest open comes first.

    Args:
        opened: How far each expert's gate was open, (E,).
        experts: Their names.
        known: The trailers of the data set.
    """
    usual: dict[str, float] = {}
    if known is not None:
        for place, name in enumerate(known.experts):
            column = known.opened[:, place]
            if (there := column[column > 0]).size:
                usual[name] = float(there.mean(dtype=np.float64))
    gates = (
        ExpertGate(name, float(one), usual.get(name))
        for name, one in zip(experts, opened, strict=True)
    )
    return tuple(sorted(gates, key=lambda one: (one.opened == 0, (one.usual or 0.0) - one.opened)))
