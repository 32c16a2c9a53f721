"""What readers of labelled videos return: which classes each video has."""
# N items, C classes

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray


@dataclass(frozen=True, eq=False)
class VideoLabels:
    """Items (videos, or parts of them) and the classes of each.

    Attributes:
        items: Name of each item, that of its file without the ending; features go by it.
        videos: The video each is of; parts of one video belong to one split.
        truth: Which classes each has, shape (N, C).
        classes: Names of the classes.
    """

    items: tuple[str, ...]
    videos: tuple[str, ...]
    truth: npt.NDArray[np.bool_]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.items)

    def at(self, places: Sequence[int] | IntArray) -> "VideoLabels":
        """Return the items at these places, in their order."""
        return VideoLabels(
            tuple(self.items[place] for place in places),
            tuple(self.videos[place] for place in places),
            self.truth[np.asarray(places, np.int64)],
            self.classes,
        )
