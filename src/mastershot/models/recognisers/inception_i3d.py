"""Inception I3D (Carreira & Zisserman 2017, arXiv:1705.07750), with the names of piergiaj's port.

Every layer pads as TensorFlow's "SAME" does. Logits are those of the mean over overlapping pairs of
the last steps in time, as its pooling of 2 × 7 × 7 with a stride of 1 gives them.
"""
# B batch, T frames, H × W size of a frame, D width of a feature

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, max_pool3d, pad, relu

from mastershot.models.checkpointing import CheckpointedBlock
from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.residual3d import Sizes, initialise_convolutions

# The stem: name, channels out (0: a pooling), kernel, stride.
_STEM = (
    ("Conv3d_1a_7x7", 64, (7, 7, 7), (2, 2, 2)),
    ("MaxPool3d_2a_3x3", 0, (1, 3, 3), (1, 2, 2)),
    ("Conv3d_2b_1x1", 64, (1, 1, 1), (1, 1, 1)),
    ("Conv3d_2c_3x3", 192, (3, 3, 3), (1, 1, 1)),
    ("MaxPool3d_3a_3x3", 0, (1, 3, 3), (1, 2, 2)),
)
# Stages of modules, each of channels of its branches: 1 × 1, two of 1 × 1 then 3 × 3, pooling.
_STAGES = {
    "3": ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    "4": (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    "5": ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
}
_POOLS = {
    "4": ("MaxPool3d_4a_3x3", (3, 3, 3), (2, 2, 2)),
    "5": ("MaxPool3d_5a_2x2", (2, 2, 2), (2, 2, 2)),
}
_NAMES = ((r"^(Conv3d|Mixed)", r"layers.\1"), (r"^logits\.conv3d\.", "head."))


class Unit3D(nn.Module):
    """A convolution with "SAME" padding, normalisation and ReLU."""

    def __init__(
        self, num_in: int, num_out: int, kernel: Sizes = (1, 1, 1), stride: Sizes = (1, 1, 1)
    ) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(num_in, num_out, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(num_out, eps=1e-3, momentum=0.01)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the new maps."""
        return relu(self.bn(self.conv3d(_padded(x, self.kernel, self.stride))))


class SamePool(nn.Module):
    """A pooling to the maximum with "SAME" padding."""

    def __init__(self, kernel: Sizes, stride: Sizes) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled maps; the padding of 0 is the least of what a ReLU gives."""
        return max_pool3d(_padded(x, self.kernel, self.stride), self.kernel, self.stride)


class InceptionModule(CheckpointedBlock):
    """Four branches side by side."""

    def __init__(self, num_in: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.b0 = Unit3D(num_in, widths[0])
        self.b1a = Unit3D(num_in, widths[1])
        self.b1b = Unit3D(widths[1], widths[2], (3, 3, 3))
        self.b2a = Unit3D(num_in, widths[3])
        self.b2b = Unit3D(widths[3], widths[4], (3, 3, 3))
        self.b3a = SamePool((3, 3, 3), (1, 1, 1))
        self.b3b = Unit3D(num_in, widths[5])
        self.num_out = widths[0] + widths[2] + widths[4] + widths[5]

    def forward(self, x: Tensor) -> Tensor:
        """Return the branches' maps, one after the other."""
        branches = (
            self.b0(x),
            self.b1b(self.b1a(x)),
            self.b2b(self.b2a(x)),
            self.b3b(self.b3a(x)),
        )
        return torch.cat(branches, 1)


class InceptionI3D(nn.Module):
    """Clips to logits."""

    def __init__(self, num_classes: int, shape: Shape) -> None:
        super().__init__()
        self.layers, num_in = nn.Sequential(), 3
        for name, channels, kernel, stride in _STEM:
            if channels:
                unit = Unit3D(num_in, shape.channels(channels), kernel, stride)
                self.layers.add_module(name, unit)
                num_in = shape.channels(channels)
            else:
                self.layers.add_module(name, SamePool(kernel, stride))
        for stage, modules in _STAGES.items():
            if stage in _POOLS:
                name, kernel, stride = _POOLS[stage]
                self.layers.add_module(name, SamePool(kernel, stride))
            for letter, published in zip(
                "bcdef", modules[: shape.blocks(len(modules))], strict=False
            ):
                module = InceptionModule(num_in, tuple(map(shape.channels, published)))
                self.layers.add_module(f"Mixed_{stage}{letter}", module)
                num_in = module.num_out
        self.dropout = nn.Dropout(0.5)
        self.feature_width = num_in
        self.head = nn.Linear(num_in, num_classes)
        initialise_convolutions(self)

    def features(self, clips_B3THW: Tensor) -> Tensor:
        """Return the mean of the last maps, of which the first and last step count half: (B, D)."""
        steps_BDT = self.layers(clips_B3THW).mean((3, 4))
        return avg_pool1d(steps_BDT, min(2, steps_BDT.shape[2]), 1).mean(2)

    def forward(self, clips_B3THW: Tensor) -> Tensor:
        """Return logits (B, C) of normalised clips."""
        return self.head(self.dropout(self.features(clips_B3THW)))  # type: ignore[no-any-return]


def _padded(x: Tensor, kernel: Sizes, stride: Sizes) -> Tensor:
    """Return maps padded with 0 so that a stride divides their sizes, rounded up."""
    amounts: list[int] = []
    for size, length, step in zip(x.shape[2:], kernel, stride, strict=True):
        total = max(length - (size % step or step), 0)
        amounts = [total // 2, total - total // 2, *amounts]
    return pad(x, amounts) if any(amounts) else x


def build(num_classes: int, shape: Shape) -> InceptionI3D:
    """Return the network with random weights."""
    return InceptionI3D(num_classes, shape)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return the weights of piergiaj's port by our names.

    Raises:
        EncoderError: The names are not its.
    """
    weights = renamed_weights(checkpoint, {"Conv3d_1a_7x7.conv3d.weight": _NAMES}, network, source)
    if "head.weight" in weights:  # a convolution of 1 × 1 × 1 there
        weights["head.weight"] = weights["head.weight"].flatten(1)
    return weights
