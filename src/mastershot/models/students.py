"""The networks that a student can be, in one table; importing it does not import torch.

Another network needs its class, with what `FireNet` and `ViTStudent` have in common, and its row.
"""
# B batch, H × W size of a frame, C channels, N outputs

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from mastershot.models.fire_net import FireNet
    from mastershot.models.vit_student import ViTStudent

    StudentNetwork: TypeAlias = FireNet | ViTStudent

DEFAULT_NETWORK = "fire"


@dataclass(frozen=True)
class StudentMaps:
    """Outputs of a network, and the maps before them that a teacher's hints are compared with.

    Attributes:
        outputs: Shape (B, N), not normalised.
        middle: Shape (B, C, H/8, W/8); None of a network without maps.
        last: Shape (B, C, H/16, W/16); None of a network without maps.
    """

    outputs: "Tensor"
    middle: "Tensor | None" = None
    last: "Tensor | None" = None


@dataclass(frozen=True)
class StudentKind:
    """One row of the table; both take the number of outputs and the edge of the images in pixels.

    Attributes:
        to_train: Makes the network with random weights.
        to_ship: Makes the network that holds what `shipped_weights` returns.
    """

    to_train: "Callable[[int, int], StudentNetwork]"
    to_ship: "Callable[[int, int], StudentNetwork]"


def _fire(num_outputs: int, image_px: int) -> "FireNet":
    from mastershot.models.fire_net import FireNet

    return FireNet(num_outputs)


def _fused_fire(num_outputs: int, image_px: int) -> "FireNet":
    from mastershot.models.fire_net import FireNet

    return FireNet(num_outputs, normed=False)


def _vit(num_outputs: int, image_px: int) -> "ViTStudent":
    from mastershot.models.vit_student import ViTStudent

    return ViTStudent(num_outputs, image_px)


STUDENT_NETWORKS = {
    "fire": StudentKind(_fire, _fused_fire),
    "vit": StudentKind(_vit, _vit),
}
