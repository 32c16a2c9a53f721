"""The 2-D ResNets with 18 and 50 layers (He et al. 2016), as torchvision defines them.

Bottlenecks have the stride in their second layer. LSTM-Places of MovieCLIP reads the features of
the one with 18 layers, trained on Places365 (METHODS A7).
"""
# B batch, C channels, H × W size of a frame, D width of a feature

from collections.abc import Mapping

from torch import Tensor, nn

from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.residual3d import (
    ConvNorm,
    ResidualBlock,
    Stem,
    initialise_convolutions,
)

_BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
_NAMES = (
    (r"^conv1\.", "stem.conv."),
    (r"^bn1\.", "stem.norm."),
    (r"^layer(\d)\.", r"stages.\1."),
    *((rf"\.conv{n + 1}\.", f".layers.{n}.conv.") for n in range(3)),
    *((rf"\.bn{n + 1}\.", f".layers.{n}.norm.") for n in range(3)),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    *((rf"^stages\.{n + 1}\.", f"stages.{n}.") for n in range(4)),
    (r"^fc\.", "head."),
)


class ResNet(nn.Module):
    """Frames to the mean of the last maps, and a linear layer."""

    def __init__(self, num_classes: int, shape: Shape, layers: int) -> None:
        super().__init__()
        width = shape.channels(64)
        pool = nn.MaxPool2d(3, 2, 1)
        self.stem = Stem(_conv(3, width, 7, 2), nn.BatchNorm2d(width), pool)
        num_in, self.stages = width, nn.Sequential()
        for stage, published in enumerate(_BLOCKS[layers]):
            inner, num_out = width << stage, (width << stage) * (4 if layers == 50 else 1)
            blocks = []
            for index in range(shape.blocks(published)):
                stride = 2 if stage and not index else 1
                blocks.append(_block(num_in, inner, num_out, stride))
                num_in = num_out
            self.stages.append(nn.Sequential(*blocks))
        self.feature_width = num_in
        self.head = nn.Linear(num_in, num_classes)
        initialise_convolutions(self)

    def features(self, frames_B3HW: Tensor) -> Tensor:
        """Return the mean of the last maps, shape (B, D)."""
        return self.stages(self.stem(frames_B3HW)).mean((2, 3))  # type: ignore[no-any-return]

    def forward(self, frames_B3HW: Tensor) -> Tensor:
        """Return logits (B, C) of normalised frames."""
        return self.head(self.features(frames_B3HW))  # type: ignore[no-any-return]


def _conv(num_in: int, num_out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(num_in, num_out, kernel, stride, kernel // 2, bias=False)


def _normed(num_in: int, num_out: int, kernel: int, stride: int = 1) -> ConvNorm:
    return ConvNorm(_conv(num_in, num_out, kernel, stride), nn.BatchNorm2d(num_out))


def _block(num_in: int, inner: int, num_out: int, stride: int) -> ResidualBlock:
    """Return a bottleneck, or a block of two layers where the inner width is the outer one."""
    if inner == num_out:
        layers = [_normed(num_in, inner, 3, stride), _normed(inner, num_out, 3)]
    else:
        layers = [
            _normed(num_in, inner, 1),
            _normed(inner, inner, 3, stride),
            _normed(inner, num_out, 1),
        ]
    changes = stride > 1 or num_in != num_out
    return ResidualBlock(layers, _normed(num_in, num_out, 1, stride) if changes else None)


def build(num_classes: int, shape: Shape, *, layers: int) -> ResNet:
    """Return the network with 18 or 50 layers and random weights."""
    return ResNet(num_classes, shape, layers)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return torchvision's weights, or those of Places365, by our names.

    Raises:
        EncoderError: The names are not torchvision's.
    """
    return renamed_weights(checkpoint, {"conv1.weight": _NAMES}, network, source)
