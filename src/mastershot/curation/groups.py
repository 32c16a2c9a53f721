"""Groups of labels that mean something alike, found without telling how many (METHODS A2)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.curation.curate import Embed

_DAMPINGS = (0.5, 0.7, 0.9, 0.97)  # More damping oscillates less and takes longer.
_MAX_ROUNDS = 1000


@dataclass(frozen=True)
class Group:
    """Labels that belong together.

    Attributes:
        exemplar: The label that stands in their middle.
        labels: All of them, the exemplar included, alphabetical.
    """

    exemplar: str
    labels: tuple[str, ...]


def group_labels(labels: Sequence[str], embed: Embed, *, seed: int = 0) -> tuple[Group, ...]:
    """Return groups of labels by affinity propagation on cosines (Frey and Dueck 2007).

    The preference is the median cosine, as the paper's library sets it. Where messages do not
    settle, damping is raised; where they never do, there is no group. The largest group comes
    first.
    """
    if len(labels) < 2:
        return tuple(Group(label, (label,)) for label in labels)
    exemplars = _exemplars(embed(labels), seed)
    if not exemplars:
        return ()
    members: dict[int, list[str]] = {}
    for label, exemplar in zip(labels, exemplars, strict=True):
        members.setdefault(exemplar, []).append(label)
    found = [Group(labels[exemplar], tuple(sorted(names))) for exemplar, names in members.items()]
    return tuple(sorted(found, key=lambda group: (-len(group.labels), group.exemplar)))


def _exemplars(vectors: FloatArray, seed: int) -> list[int]:
    """Return the place of each label's exemplar; an empty list where none settles."""
    from sklearn.cluster import AffinityPropagation

    # float64: in float32 the noise that breaks ties is too small to.
    cosines = np.asarray(vectors, np.float64) @ np.asarray(vectors, np.float64).T
    for damping in _DAMPINGS:
        clusters = AffinityPropagation(
            affinity="precomputed", damping=damping, max_iter=_MAX_ROUNDS, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Both it can give are told by what it returns.
            places = clusters.fit(cosines).labels_
        # Where it did not settle it ran to the end, and may return groups that mean nothing.
        if (places >= 0).all() and clusters.n_iter_ < _MAX_ROUNDS:
            return [int(clusters.cluster_centers_indices_[place]) for place in places]
    return []
