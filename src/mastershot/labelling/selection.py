"""The training subset: confidently labelled shots, and its classes."""
# N shots, K best labels of each, L labels of the taxonomy, C classes of the subset

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import clip_of_video
from mastershot.datasets.tables.records import LabelledShot, ScoredShots
from mastershot.labelling.weak_labels import MOVIECLIP_RULE, KeepRule

MOVIECLIP_FOLDS: Mapping[str, str] = MappingProxyType(
    {"interrogation room": "room", "phone booth": "booth"}
)
"""Labels that the release counts as another one (METHODS A5)."""


@dataclass(frozen=True)
class Subset:
    """A training subset, and what was left out on the way.

    Attributes:
        classes: Its labels, in index order.
        shots: Its shots, in the order they came.
        num_shots: Shots considered.
        num_unsure: Shots left out because no label was sure enough.
        num_outside: Shots left out because every label kept is outside the classes.
        num_held_out: Shots left out because their clip is held out.
    """

    classes: Taxonomy
    shots: tuple[LabelledShot, ...]
    num_shots: int
    num_unsure: int
    num_outside: int
    num_held_out: int

    @property
    def class_counts(self) -> IntArray:
        """Shots of each class, shape (C,)."""
        places = [place for shot in self.shots for place in shot.classes]
        return np.bincount(np.array(places, np.int64), minlength=len(self.classes))

    @property
    def multi_label_share(self) -> float:
        """Share of shots with more than one label; 0 of an empty subset."""
        return sum(len(shot.classes) > 1 for shot in self.shots) / max(len(self.shots), 1)


def select_classes(
    shots: ScoredShots, taxonomy: Taxonomy, classes: Taxonomy, keep: KeepRule = MOVIECLIP_RULE
) -> tuple[IntArray, IntArray]:
    """Return for each shot the places of its labels among the classes, and how many were kept.

    Places are best first, -1 where a label was dropped, shape (N, K), K at most ``num_best``; the
    number of labels kept, whether among the classes or not, has shape (N,). Thresholds are
    compared in the scores' own type. Labels are folded after that, and a label that two of a
    shot's labels fold into counts once, at the better rank.
    """
    shots = shots.best(keep.num_best)
    if shots.labels.shape[1] == 0:
        return np.empty(shots.labels.shape, np.int64), np.zeros(len(shots), np.int64)
    number = shots.scores.dtype.type
    kept = shots.scores > number(keep.above)
    kept[:, 0] = True
    kept &= shots.scores[:, :1] >= number(keep.min_best)
    kept &= shots.labels >= 0
    places = np.where(kept, class_of_label(taxonomy, classes)[shots.labels], -1)
    for rank in range(1, places.shape[1]):
        again = (places[:, :rank] == places[:, rank : rank + 1]).any(axis=1)
        places[again, rank] = -1
    return places, kept.sum(axis=1)


def select_subset(
    batches: Iterable[ScoredShots],
    taxonomy: Taxonomy,
    classes: Taxonomy,
    *,
    keep: KeepRule = MOVIECLIP_RULE,
    held_out_clips: Collection[str] = (),
) -> Subset:
    """Return the training subset of scored shots (METHODS A5).

    Labels outside the classes are dropped, and shots left with none. The shots, scored with
    ``taxonomy``, come in batches of any size; those of held-out clips are left out.

    Raises:
        DatasetError: A class is not in the taxonomy, or is folded into another.
    """
    held_out = frozenset(map(clip_of_video, held_out_clips))
    selected: list[LabelledShot] = []
    num_shots = num_unsure = num_outside = num_held_out = 0
    for batch in batches:
        places, num_kept = select_classes(batch, taxonomy, classes, keep)
        has_class = (places >= 0).any(axis=1)
        num_shots += len(batch)
        num_unsure += int((num_kept == 0).sum())
        num_outside += int(((num_kept > 0) & ~has_class).sum())
        for row in np.flatnonzero(has_class).tolist():
            video = batch.videos[row]
            if held_out and clip_of_video(video) in held_out:
                num_held_out += 1
                continue
            found = tuple(place for place in places[row].tolist() if place >= 0)
            selected.append(LabelledShot(video, batch.files[row], found))
    return Subset(classes, tuple(selected), num_shots, num_unsure, num_outside, num_held_out)


def all_classes(taxonomy: Taxonomy) -> Taxonomy:
    """Return every label of the taxonomy that is not folded into another, in its order."""
    folds = _folds_within(taxonomy)
    return Taxonomy(taxonomy.name, tuple(name for name in taxonomy.labels if name not in folds))


def keep_common_classes(subset: Subset, *, min_shots: int) -> Subset:
    """Return the subset with only the classes that have at least so many shots.

    A shot goes only when all its classes do, so the classes that stay keep their shots.

    Raises:
        DatasetError: No class has as many shots.
    """
    counts = subset.class_counts
    common = np.flatnonzero(counts >= min_shots)
    if not len(common):
        raise DatasetError(
            f"no label has {min_shots} shots; the most frequent has {int(counts.max())}"
        )
    classes = Taxonomy(subset.classes.name, tuple(subset.classes.labels[i] for i in common))
    place_of = {int(old): new for new, old in enumerate(common)}
    kept = [
        replace(shot, classes=tuple(place_of[old] for old in shot.classes if old in place_of))
        for shot in subset.shots
    ]
    shots = tuple(shot for shot in kept if shot.classes)
    num_outside = subset.num_outside + len(kept) - len(shots)
    return replace(subset, classes=classes, shots=shots, num_outside=num_outside)


def class_of_label(taxonomy: Taxonomy, classes: Taxonomy) -> IntArray:
    """Return for each label of the taxonomy its place among the classes, -1 outside, shape (L,).

    Raises:
        DatasetError: A class is not in the taxonomy, or is folded into another.
    """
    folds = _folds_within(taxonomy)
    for label in classes.labels:
        if label in folds:
            raise DatasetError(
                f"class {label!r} is folded into {folds[label]!r}, so no shot can have it; "
                "remove one of the two"
            )
        if label not in taxonomy.labels:
            raise DatasetError(
                f"class {label!r} is not in taxonomy {taxonomy.name!r}, which the shots were "
                "scored with; take an index made for it"
            )
    place_of = {label: place for place, label in enumerate(classes.labels)}
    places = [place_of.get(folds.get(label, label), -1) for label in taxonomy.labels]
    return np.array(places, np.int64)


def _folds_within(taxonomy: Taxonomy) -> dict[str, str]:
    """Return the folds both ends of which the taxonomy names."""
    return {a: b for a, b in MOVIECLIP_FOLDS.items() if {a, b} <= set(taxonomy.labels)}
