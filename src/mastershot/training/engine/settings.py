"""What all training settings share: progress, augmentations, checks, names of before."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mastershot.core.errors import SettingError

OnProgress = Callable[[str, int, int | None, Mapping[str, float]], None]
"""Called with progress: stage, how much of it is done, how much there is, figures."""


def no_progress(stage: str, done: int, total: int | None, figures: Mapping[str, float]) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class AugmentationSettings:
    """How views are drawn.

    Attributes:
        min_area: Smallest part of a frame's area that a view shows; the largest is all.
        max_stretch: A view is at most so much wider, or higher, than it should be.
        colour: How far brightness, contrast and each channel's gain move.
        grey_share: Share of views without colour.
        mixed_share: Share of views that are two views shown through each other.
    """

    min_area: float = 0.2
    max_stretch: float = 1.5
    colour: float = 0.3
    grey_share: float = 0.2
    mixed_share: float = 0.3

    def __post_init__(self) -> None:
        require(0 < self.min_area <= 1, f"min_area is {self.min_area:g}; it is in (0, 1]")
        require(1 <= self.max_stretch <= 10, f"max_stretch is {self.max_stretch:g}, not 1 to 10")
        for name in ("colour", "grey_share", "mixed_share"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"{name} is {value:g}; it is in [0, 1]")


def under(data: str, path: str) -> Path:
    """Return where a path of a recipe is: it starts from the recipe's data folder."""
    return Path(data).expanduser() / Path(path).expanduser()


_RENAMED = {
    "study": "training",
    "shot_study": "shot_training",
    "movie_study": "movie_training",
    "watches": "viewing_log",
    "watched_after": "co_watch",
    "lessons_per_view": "passes_per_view",
    "distortion": "augmentation",
    "views": "augmentation",
}
_RENAMED_VALUES = {("views", "distorted"): "augmented"}


def by_current_names(values: Mapping[Any, Any], fields: Iterable[str]) -> dict[Any, Any]:
    """Return settings by the names that their fields have now; version 0.1.0 had others for some.

    Args:
        values: Settings by name.
        fields: The names that are known.
    """
    known, current = set(fields), {}
    for name, value in values.items():
        new = _RENAMED.get(name, name) if name not in known else name
        new = new if new in known and new not in values else name
        plain = isinstance(value, str)
        current[new] = _RENAMED_VALUES.get((name, value), value) if plain else value
    return current


def find_encoder(name: str, data: str) -> str:
    """Return what `load_encoder` takes: the name of a known encoder, else a folder if there is one.

    A known encoder goes by the name that says the same on any machine.
    """
    from mastershot.encoders.catalogue import known_name

    folder = under(data, name)
    return known_name(name) or (str(folder.resolve()) if folder.is_dir() else name)


def require(holds: bool, sentence: str) -> None:
    """Raise a SettingError with the sentence unless the condition holds."""
    if not holds:
        raise SettingError(sentence)


def require_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise a SettingError unless a setting is one of those known."""
    require(value in known, f"{name} {value!r} is unknown; use {', '.join(known)}")


def require_above(name: str, value: float, bound: float) -> None:
    """Raise a SettingError unless a number is finite and above a bound."""
    require(bound < value < math.inf, f"{name} is {value:g}; it must be above {bound:g}")
