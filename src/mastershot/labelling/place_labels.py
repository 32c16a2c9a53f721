"""Which labels of a taxonomy a place of a script's heading may be seen as."""
# P places, L labels

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mastershot.labelling.perception.headings import SCRIPT_WORDS

Doubles: TypeAlias = NDArray[np.float64]

_EXACT, _SAME_HEAD, _NAMED, _NARROWER = 1.0, 0.8, 0.4, 0.3
_BY_WORDS = 0.7
_TEMPERATURE = 0.06
_LEAST_COSINE = 0.35


def place_shares(
    places: Sequence[str], labels: Sequence[str], *, cosines: Doubles | None = None
) -> Doubles:
    """Return what part of a place's shots each label would name, shape (P, L).

    A row sums to 1, or to 0 where nothing is known of the place. By words, a place is a label if it
    is called so (or as `SCRIPT_WORDS` has it), ends with it (hotel lobby, lobby), or holds it
    (hotel); a label that ends with the place is a kind of it (court, tennis court). These weights
    are ours. Sentence vectors take the rest, and all where no word fits.

    Args:
        places: As `Heading.places` has them.
        labels: Of the taxonomy.
        cosines: Of the sentence vectors of places and labels, shape (P, L); None does without.
    """
    words = np.array([[_kinship(place, label) for label in labels] for place in places])
    words = _normalised(words.reshape(len(places), len(labels)))
    if cosines is None:
        return words
    near = np.where(cosines >= _LEAST_COSINE, np.exp((cosines - 1) / _TEMPERATURE), 0.0)
    near = _normalised(near)
    by_words, by_vectors = (rows.any(axis=1, keepdims=True) for rows in (words, near))
    share = np.where(by_words & by_vectors, _BY_WORDS, by_words * 1.0)
    return np.asarray(share * words + np.where(by_vectors, 1 - share, 0.0) * near)


def _kinship(place: str, label: str) -> float:
    if place in (label, SCRIPT_WORDS.get(label)):
        return _EXACT
    spaced_place, spaced_label = f" {place} ", f" {label} "
    if spaced_place.endswith(spaced_label):
        return _SAME_HEAD
    if spaced_label in spaced_place:
        return _NAMED
    return _NARROWER if spaced_label.endswith(spaced_place) else 0.0


def _normalised(rows: Doubles) -> Doubles:
    totals = rows.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(rows, totals, out=np.zeros_like(rows), where=totals > 0))
