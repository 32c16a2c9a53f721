"""Figures as Movies2Scenes prints them: published, not measured here, and of pixels.

Chen et al., "Movies2Scenes: Using Movie Metadata to Learn Scene Representation", CVPR 2023. Rows of
other methods are those that its tables print. Percentages are given as the tables do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Published:
    """A figure of a paper.

    Attributes:
        method: The method.
        value: The figure; accuracies, precisions and average precisions in per cent.
        source: Table and row.
        split: The split it is of.
        of: What of the task it is of, such as one class; empty for all of it.
    """

    method: str
    value: float
    source: str
    split: str = "test"
    of: str = ""


_TASKS = (
    "place", "director", "relationship", "way_speaking", "writer", "year", "genre", "view_count",
    "like_ratio",
)  # fmt: skip
_TEST = (  # Table 2: test set.
    ("VideoBERT", 54.9, 47.3, 52.8, 37.9, 38.5, 36.1, 51.9, 4.46, 0.320),
    ("SlowFast R101", 54.7, 44.9, 52.4, 35.8, 36.3, 52.5, 53, 3.77, 0.386),
    ("Object Transformer", 56.9, 51.2, 53.1, 39.4, 34.5, 39.1, 54.6, 3.55, 0.230),
    ("ViS4mer", 67.4, 62.6, 57.1, 40.7, 48.8, 44.7, 54.7, 3.63, 0.260),
    ("Hierarchical Object Transformer", 44.1, 40.1, 50.9, 34.1, 31.4, 29.6, 51.1, 4.88, 0.353),
    ("CLIP", 52.9, 56.2, 56.1, 36.7, 37.8, 46.4, 50.9, 3.85, 0.411),
    ("Merlot Reserve", 59.2, 54.4, 60.0, 41.1, 38.5, 49.7, 54.6, 3.03, 0.217),
    ("ShotCoL", 45.3, 49.5, 46.7, 31.1, 29.8, 36.7, 43.1, 4.79, 0.397),
    ("BridgeFormer", 62.8, 55.7, 60.4, 40.9, 49.7, 41.4, 52.9, 3.97, 0.312),
    ("Movies2Scenes", 68.2, 70.9, 71.2, 42.2, 53.7, 57.8, 55.9, 2.79, 0.192),
)
_VALIDATION = (  # Table 1: validation set.
    ("co-watch", 63.2, 69.8, 68.7, 40.1, 60.1, 54.1, 55.5, 2.62, 0.161),
    ("co-watch, 15K movies", 59.1, 66.3, 63.3, 37.5, 55.9, 50.3, 52.7, 3.02, 0.254),
    ("co-watch, 7.5K movies", 55.7, 60.9, 59.4, 35.8, 52.7, 48.3, 48.8, 3.19, 0.307),
    ("co-watch, 3K movies", 45.3, 49.5, 52.2, 34.6, 47.6, 41.2, 43.6, 3.47, 0.352),
    ("co-watch, 300 movies", 31.2, 29.8, 35.7, 27.5, 30.1, 28.9, 34.3, 4.55, 0.496),
    ("co-watch, 1-1", 46.5, 48.2, 44.1, 30.3, 31.1, 34.4, 45.8, 3.89, 0.401),
    ("co-watch, 4-1", 55.6, 60.1, 57.2, 33.4, 50.3, 49.8, 51.1, 3.07, 0.246),
    ("co-watch, 16-1", 62.4, 66.2, 65.3, 39.7, 56.2, 54.3, 52.4, 2.93, 0.173),
    ("co-watch, 9-3", 63.5, 70.1, 69.3, 40.4, 59.7, 54.9, 54.7, 2.59, 0.159),
    ("random", 49.2, 48.8, 51.5, 34.6, 37.2, 36.7, 49.1, 3.94, 0.454),
    ("genre", 62.9, 58.1, 66.3, 39.5, 47.3, 45.2, 56.2, 3.85, 0.351),
    ("synopsis", 56.7, 54.1, 65.3, 36.8, 45.9, 34.5, 50.7, 3.87, 0.471),
    ("genre + synopsis", 64.1, 65.5, 69.6, 41.5, 52.3, 51.1, 56.7, 2.94, 0.199),
    ("co-watch, CLIP weights", 61.2, 65.3, 67.4, 43.7, 54.1, 53.5, 56.3, 2.75, 0.178),
    ("co-watch, 3K movies, MViTv2-S", 47.6, 51.2, 51.3, 35.3, 45.1, 44.7, 43.7, 3.51, 0.343),
)


def _lvu(task: str) -> tuple[Published, ...]:
    column = 1 + _TASKS.index(task)
    test = (
        Published(str(row[0]), float(row[column]), f"Table 2, row {number}")
        for number, row in enumerate(_TEST, 1)
    )
    validation = (
        Published(f"Movies2Scenes, {row[0]}", float(row[column]), f"Table 1, row {number}", "val")
        for number, row in enumerate(_VALIDATION, 1)
    )
    return (*test, *validation)


LVU: Mapping[str, tuple[Published, ...]] = MappingProxyType({task: _lvu(task) for task in _TASKS})
"""Figures of each of LVU's tasks."""
PLACE_TAGS = tuple(
    Published(method, value, "Table 3")
    for method, value in (
        ("TSN, fine-tuned", 8.33),
        ("I3D, fine-tuned", 7.66),
        ("ImageNet features", 7.04),
        ("Places features", 8.76),
        ("CLIP", 9.26),
        ("Movies2Scenes", 12.17),
    )
)
SCENE_BOUNDARIES = tuple(
    Published(method, value, "Table 4")
    for method, value in (
        ("SimCLR, pre-trained in domain", 41.65),
        ("MoCo, pre-trained in domain", 42.51),
        ("ShotCoL, pre-trained in domain", 53.37),
        ("SCRL, pre-trained in domain", 54.82),
        ("BaSSL, pre-trained in domain", 57.40),
        ("LGSS", 47.1),
        ("CLIP", 47.4),
        ("ShotCoL", 48.4),
        ("Movies2Scenes", 55.03),
    )
)
_MODERATED = ("sex", "violence", "drug-use", "")
MODERATION = tuple(
    Published(method, value, source, of=of)
    for method, source, *values in (
        ("SlowFast R50", "Table 5", 63.9, 46.5, 49.4, 53.2),
        ("SlowFast R101", "Table 5", 61.0, 57.3, 54.0, 57.4),
        ("X3D-L", "Table 5", 69.2, 49.4, 56.4, 58.3),
        ("CLIP", "Table 5", 78.5, 62.1, 55.1, 65.2),
        ("ShotCoL", "supplement, Table 3", 62.3, 58.7, 47.1, 56.0),
        ("Merlot Reserve", "supplement, Table 3", 77.0, 68.2, 53.4, 66.2),
        ("BridgeFormer", "supplement, Table 3", 74.8, 61.4, 61.2, 65.8),
        ("Movies2Scenes", "Table 5", 81.5, 70.2, 61.8, 71.1),
    )
    for of, value in zip(_MODERATED, map(float, values), strict=True)
)
"""Average precision of each class and, with an empty ``of``, their mean without *none*."""
_RETRIEVED = {  # Precision at 1, 5 and 10 of CLIP, SlowFast and Movies2Scenes.
    "office": (30, 20, 19, 0, 16, 17, 30, 36, 26),
    "airport": (0, 15, 10, 0, 0, 10, 0, 15, 10),
    "school": (28.57, 26.66, 25, 76.19, 20.47, 32.14, 50, 49.04, 45.95),
    "hotel": (35.71, 28.57, 29.28, 0, 0, 10, 42.85, 20, 24.28),
    "prison": (52.94, 42.94, 42.94, 35.29, 40, 20.29, 58.82, 45.88, 40),
    "restaurant": (20, 13.99, 13.99, 0, 20, 10, 40, 16, 14),
    "": (35.08, 29.64, 28.85, 38.59, 22.63, 21.84, 47.36, 39.29, 35.70),
}
RETRIEVAL = tuple(
    Published(method, float(values[3 * place + at]), "supplement, Table 2", "val", f"{of}@{k}")
    for of, values in _RETRIEVED.items()
    for place, method in enumerate(("CLIP", "SlowFast R101", "Movies2Scenes"))
    for at, k in enumerate((1, 5, 10))
)
"""Precision at k of each label, ``label@k``, and of all queries, ``@k``."""
