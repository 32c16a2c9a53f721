"""The networks a student can be, in a table; importing it does not import torch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mastershot.models.fire_net import FireMaps, FireNet
    from mastershot.models.vit import ViTStudent

    StudentNetwork: TypeAlias = FireNet | ViTStudent
    StudentMaps: TypeAlias = FireMaps

DEFAULT_NETWORK = "fire"


@dataclass(frozen=True)
class StudentKind:
    """Makers of a network, from its number of outputs and the edge of its images in pixels.

    Attributes:
        to_train: With random weights.
        to_ship: To hold what its `shipped_weights` returned.
    """

    to_train: "Callable[[int, int], StudentNetwork]"
    to_ship: "Callable[[int, int], StudentNetwork]"


def _fire(num_outputs: int, image_px: int, *, normed: bool = True) -> "FireNet":
    from mastershot.models.fire_net import FireNet

    return FireNet(num_outputs, normed=normed)


def _vit(num_outputs: int, image_px: int) -> "ViTStudent":
    from mastershot.models.vit import ViTStudent

    return ViTStudent(num_outputs, image_px)


STUDENT_NETWORKS = {
    "fire": StudentKind(_fire, partial(_fire, normed=False)),
    "vit": StudentKind(_vit, _vit),
}
