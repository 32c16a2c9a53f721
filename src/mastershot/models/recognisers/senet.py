"""SENet-154 (Hu et al. 2018, arXiv:1709.01507), with the names of Cadene's pretrained-models.

A ResNeXt of 64 groups whose stem is three convolutions of 3 × 3, whose blocks are twice as wide
within, and whose shortcuts go down by 3 × 3. Each block weighs its channels by what the frame holds
as a whole: squeeze and excitation.
"""
# B batch, C channels, H × W size of a frame, D width of a feature

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import relu

from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.residual3d import (
    ConvNorm,
    ResidualBlock,
    Stem,
    initialise_convolutions,
)

_BLOCKS = (3, 8, 36, 3)
_GROUPS, _REDUCTION, _DROPOUT = 64, 16, 0.2
_NAMES = (
    *((rf"^layer0\.conv{n + 1}\.", f"stem.{n}.conv.") for n in range(3)),
    *((rf"^layer0\.bn{n + 1}\.", f"stem.{n}.norm.") for n in range(3)),
    *((rf"^layer{n + 1}\.", f"stages.{n}.") for n in range(4)),
    *((rf"\.conv{n + 1}\.", f".layers.{n}.conv.") for n in range(3)),
    *((rf"\.bn{n + 1}\.", f".layers.{n}.norm.") for n in range(3)),
    (r"\.se_module\.fc1\.", ".layers.2.squeeze."),
    (r"\.se_module\.fc2\.", ".layers.2.excite."),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"^last_linear\.", "head."),
)


class ExcitedConv(ConvNorm):
    """A convolution, its normalisation, and a weight in (0, 1) for each channel."""

    def __init__(self, conv: nn.Module, norm: nn.Module, width: int) -> None:
        super().__init__(conv, norm)
        self.squeeze = nn.Conv2d(width, max(1, width // _REDUCTION), 1)
        self.excite = nn.Conv2d(max(1, width // _REDUCTION), width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted maps, with their negative values."""
        y = super().forward(x)
        weights = self.excite(relu(self.squeeze(y.mean((2, 3), keepdim=True)))).sigmoid()
        return weights * y  # type: ignore[no-any-return]


class SENet(nn.Module):
    """Frames to the mean of the last maps, and a linear layer."""

    def __init__(self, num_classes: int, shape: Shape) -> None:
        super().__init__()
        width = shape.channels(64)
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.stem = nn.Sequential(
            Stem(_conv(3, width, 3, 2), nn.BatchNorm2d(width)),
            Stem(_conv(width, width, 3), nn.BatchNorm2d(width)),
            Stem(_conv(width, 2 * width, 3), nn.BatchNorm2d(2 * width), pool),
        )
        num_in, self.stages = 2 * width, nn.Sequential()
        for stage, published in enumerate(_BLOCKS):
            blocks = []
            for index in range(shape.blocks(published)):
                stride = 2 if stage and not index else 1
                blocks.append(_block(num_in, width << stage, stride, shape.channels(_GROUPS)))
                num_in = width << stage + 2
            self.stages.append(nn.Sequential(*blocks))
        self.feature_width = num_in
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(num_in, num_classes)
        initialise_convolutions(self)

    def features(self, frames_B3HW: Tensor) -> Tensor:
        """Return the mean of the last maps, shape (B, D)."""
        return self.stages(self.stem(frames_B3HW)).mean((2, 3))  # type: ignore[no-any-return]

    def forward(self, frames_B3HW: Tensor) -> Tensor:
        """Return logits (B, C) of normalised frames."""
        return self.head(self.dropout(self.features(frames_B3HW)))  # type: ignore[no-any-return]


def _conv(num_in: int, num_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(num_in, num_out, kernel, stride, kernel // 2, groups=groups, bias=False)


def _block(num_in: int, width: int, stride: int, groups: int) -> ResidualBlock:
    inner, num_out = 2 * width, 4 * width
    layers = [
        ConvNorm(_conv(num_in, inner, 1), nn.BatchNorm2d(inner)),
        ConvNorm(_conv(inner, num_out, 3, stride, groups), nn.BatchNorm2d(num_out)),
        ExcitedConv(_conv(num_out, num_out, 1), nn.BatchNorm2d(num_out), num_out),
    ]
    if stride == 1 and num_in == num_out:
        return ResidualBlock(layers)
    shortcut = _conv(num_in, num_out, 3 if stride > 1 else 1, stride)
    return ResidualBlock(layers, ConvNorm(shortcut, nn.BatchNorm2d(num_out)))


def build(num_classes: int, shape: Shape) -> SENet:
    """Return the network with random weights."""
    return SENet(num_classes, shape)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return the weights of Cadene's port by our names.

    Raises:
        EncoderError: The names are not its.
    """
    return renamed_weights(checkpoint, {"layer0.conv1.weight": _NAMES}, network, source)
