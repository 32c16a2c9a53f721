"""When a label is not stated: too low a score, and on a close-up sooner than elsewhere.

A close-up shows a face and little of the place: 80 % of the shots of which people confirmed no
label were medium shots or closer (MovieCLIP, section 4 and Fig. 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mastershot.core.errors import SettingError
from mastershot.core.labels import LabelScore
from mastershot.labelling.weak_labels import KeepRule, kept_labels

CLOSE_SCALES = ("ECS", "CS")


@dataclass(frozen=True)
class AbstentionRule:
    """What a label on a close-up needs beyond `KeepRule`. Both values are ours, not yet measured.

    Attributes:
        min_best_close: The best label of a close-up is kept from this score on, where `KeepRule`
            asks no more anyway.
        close_from: A shot is a close-up from this probability of `CLOSE_SCALES` on.
    """

    min_best_close: float = 0.6
    close_from: float = 0.5

    def __post_init__(self) -> None:
        for name in ("min_best_close", "close_from"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingError(f"{name} is {value:g}; it is from 0 to 1")


ABSTENTION_RULE = AbstentionRule()


def is_close(scale: Mapping[str, float], rule: AbstentionRule = ABSTENTION_RULE) -> bool:
    """Return True if a shot of which each scale is so likely counts as a close-up."""
    return sum(scale[name] for name in CLOSE_SCALES) >= rule.close_from


def rule_of_shot(
    keep: KeepRule, scale: Mapping[str, float] | None, rule: AbstentionRule = ABSTENTION_RULE
) -> KeepRule:
    """Return what is kept of a shot: as everywhere, unless it is known to be a close-up."""
    if scale is None or not is_close(scale, rule):
        return keep
    return replace(keep, min_best=max(keep.min_best, rule.min_best_close))


def borrowed_labels(
    shot_labels: Sequence[LabelScore], scene_labels: Sequence[LabelScore]
) -> tuple[LabelScore, ...]:
    """Return what a shot that keeps no label, such as a close-up, takes from its scene.

    That is the labels its scene is sure of; none where the shot is sure of its own.
    """
    if kept_labels(shot_labels):
        return ()
    return tuple(label for label in scene_labels if not label.unsure)
