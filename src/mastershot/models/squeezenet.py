"""SqueezeNet 1.1 for places, as a teacher: its batch normalisation is folded into its weights.

Input, layers and activation are those of the published Caffe/TensorFlow model
(urbste/squeezenet_places365).
"""
# B batch, H × W size of a map, C channels

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import conv2d, leaky_relu, max_pool2d, pad

_MEAN_BGR = (104.05, 112.51, 116.68)
_SLOPE = 0.55
_FIRES = [f"fire{n}.{part}" for n in range(2, 10) for part in ("squeeze", "expand1", "expand3")]
_CONVOLUTIONS = ("conv1", *_FIRES, "classifier")


@dataclass(frozen=True)
class SqueezeNetMaps:
    """Outputs and two maps before them.

    Attributes:
        middle: After fire 5, shape (B, 256, H/8, W/8).
        last: After fire 9, shape (B, 512, H/16, W/16).
        logits: Shape (B, 365).
    """

    middle: Tensor
    last: Tensor
    logits: Tensor


class SqueezeNetPlaces:
    """The network, for inference on images of any size near 224 pixels."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        """Take the weights by their names in the file; the network runs on their device.

        Raises:
            KeyError: A weight is missing.
        """
        for name, part in product(_CONVOLUTIONS, ("weight", "bias")):
            if f"{name}.{part}" not in weights:
                raise KeyError(f"{name}.{part}")
        self._mean = torch.tensor(_MEAN_BGR, device=weights["conv1.weight"].device).view(1, 3, 1, 1)
        self._weights = {
            name: tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
            for name, tensor in weights.items()
        }

    def maps(self, images_BCHW: Tensor) -> SqueezeNetMaps:
        """Return logits and maps, from RGB values 0…255."""
        x = (images_BCHW.flip(1) - self._mean) / 255
        x = x.contiguous(memory_format=torch.channels_last)
        x = leaky_relu(self._conv("conv1", _padded_for_stride(x, 0.0), stride=2), _SLOPE)
        x = self._fire("fire3", self._fire("fire2", _pool(x)))
        middle = self._fire("fire5", self._fire("fire4", _pool(x)))
        x = _pool(middle)
        for name in ("fire6", "fire7", "fire8", "fire9"):
            x = self._fire(name, x)
        scores = leaky_relu(self._conv("classifier", x), _SLOPE)
        return SqueezeNetMaps(middle, x, scores.mean((2, 3)))

    def _conv(self, name: str, x: Tensor, *, stride: int = 1) -> Tensor:
        weight = self._weights[f"{name}.weight"]
        padding = weight.shape[-1] // 2 if stride == 1 else 0
        return conv2d(x, weight, self._weights[f"{name}.bias"], stride=stride, padding=padding)

    def _fire(self, name: str, x: Tensor) -> Tensor:
        squeezed = leaky_relu(self._conv(f"{name}.squeeze", x), _SLOPE)
        branches = [self._conv(f"{name}.{branch}", squeezed) for branch in ("expand1", "expand3")]
        return leaky_relu(torch.cat(branches, 1), _SLOPE)


def _padded_for_stride(x: Tensor, value: float) -> Tensor:
    """Return the map with the "same" padding of a 3×3 window of stride 2."""
    before = x.shape[-1] % 2
    return pad(x, (before, 1, before, 1), value=value)


def _pool(x: Tensor) -> Tensor:
    return max_pool2d(_padded_for_stride(x, -torch.inf), 3, 2)
