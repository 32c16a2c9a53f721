"""The words about a trailer, by which sub-genres are named: synopsis, keywords, places it shows."""
# N clips, P places

from collections.abc import Sequence

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.datasets.genres.listing import ListedTrailer

NUM_PLACES = 3
"""Places of a trailer that are among its words: the likeliest on the mean of its clips."""


def words_about(trailer: ListedTrailer, places_NP: FloatArray | None, names: Sequence[str]) -> str:
    """Return synopsis, keywords and the its likeliest places.

    Args:
        trailer: What is known of it.
        places_NP: Probabilities of places, a row a clip; None where no expert gave them.
        names: The places' names; empty where the expert's numbers are no such.
    """
    parts = [trailer.synopsis, trailer.keywords.replace("|", " ").replace(";", " ")]
    if places_NP is not None and names:
        best = np.argsort(-places_NP.mean(axis=0), kind="stable")[:NUM_PLACES]
        parts += [names[place] for place in best.tolist()]
    return " ".join(" ".join(parts).split())
