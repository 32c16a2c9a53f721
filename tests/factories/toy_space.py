"""Labels as points of a plane, so that every cosine is known by construction."""

from collections.abc import Mapping, Sequence

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.curation.curate import Embed


def at_angles(degrees: Mapping[str, float]) -> Embed:
    """Return an encoder that puts each label at its angle; an unknown label is a KeyError."""

    def embed(labels: Sequence[str]) -> FloatArray:
        radians = np.deg2rad([degrees[label] for label in labels])
        return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)

    return embed
