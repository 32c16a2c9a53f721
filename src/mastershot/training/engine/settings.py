"""What settings of trainings share: progress, paths, augmentations, drawn data, former names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from mastershot.core.errors import SettingError
from mastershot.core.settings import NotNegative, Range, Seed, Settings, Share, require

Size = Annotated[int, Range(1, 1 << 14)]
OnProgress = Callable[[str, int, int | None, Mapping[str, float]], None]
"""Called with progress: stage, how much of it is done, how much there is, figures."""


def no_progress(stage: str, done: int, total: int | None, figures: Mapping[str, float]) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class AugmentationSettings(Settings):
    """How views are drawn.

    Attributes:
        min_area: Smallest part of a frame's area that a view shows; the largest is all.
        max_stretch: A view is at most so much wider, or higher, than it should be.
        colour: How far brightness, contrast and each channel's gain move.
        grey_share: Share of views without colour.
        mixed_share: Share of views that are two views shown through each other.
    """

    min_area: Annotated[float, Range(0, 1, "(]")] = 0.2
    max_stretch: Annotated[float, Range(1, 10)] = 1.5
    colour: Share = 0.3
    grey_share: Share = 0.2
    mixed_share: Share = 0.3


@dataclass(frozen=True)
class EpochSettings(Settings):
    """How a network is trained by epochs; the defaults are MovieCLIP's LSTM-ViT (METHODS A7).

    Attributes:
        epochs: Passes over the items, at most.
        batch_size: Items a step.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        halve_every: Epochs after which the learning rate is halved.
        patience: Epochs without a better one after which training ends.
        seed: Seed of weights and batches.
    """

    epochs: Size = 50
    batch_size: Size = 32
    learning_rate: Annotated[float, Range(0, 1000, "()")] = 1e-3
    weight_decay: NotNegative = 1e-3
    halve_every: Size = 15
    patience: Size = 5
    seed: Seed = 0


def under(data: str, path: str) -> Path:
    """Return where a path of a recipe is: it starts from the recipe's data folder."""
    return Path(data).expanduser() / Path(path).expanduser()


def require_drawn(name: str, number: int, least: int) -> None:
    """Raise a `SettingError` unless a recipe draws no data, or enough for every split."""
    require(
        not 0 < number < least,
        f"{name} is {number}; 0 draws none, and each split has one from {least} to 1,000 on",
    )


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


def by_current_names(
    values: Mapping[Any, Any],
    fields: Iterable[str],
    on_renamed: Callable[[str, str], None] = lambda former, current: None,
) -> dict[Any, Any]:
    """Return settings by the current names of their fields; version 0.1.0 had others for some.

    Args:
        values: Settings by name.
        fields: The current names.
        on_renamed: Called with each former name, or value, and the current one.

    Raises:
        SettingError: A setting is given by two of its names.
    """
    known, current = set(fields), {}
    for name, value in values.items():
        new = name if name in known else _RENAMED.get(name, name)
        if new != name and new in known:
            if new in values or new in current:
                raise SettingError(
                    f"{name} is a former name of {new}, which is given too; give only {new}"
                )
            on_renamed(name, new)
        else:
            new = name
        if isinstance(value, str) and (renamed := _RENAMED_VALUES.get((name, value))):
            on_renamed(f"{name}: {value}", f"{new}: {renamed}")
            value = renamed
        current[new] = value
    return current


def find_encoder(name: str, data: str) -> str:
    """Return what `load_encoder` takes: the name of a known encoder, else a path if there is one.

    A known encoder goes by its name, which means the same on any machine.
    """
    from mastershot.encoders.catalogue import known_name

    path = under(data, name)
    return known_name(name) or (str(path.resolve()) if path.exists() else name)
