"""The residual block of the 3-D networks, and two ways to factorise its convolutions.

I3D's bottleneck convolves over time in its first layer and over space in its second (Carreira &
Zisserman 2017, as ResNet-50 in Wang et al. 2018, arXiv:1711.07971, table 1). R(2+1)D replaces each
3-D convolution by one over space and one over time with a ReLU in between (Tran et al. 2018,
arXiv:1711.11248, section 3.5). Convolutions have no bias; batch normalisation follows each.
"""
# B batch, C channels, T frames, H × W size of a frame, D width of a feature

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn.functional import relu

from mastershot.models.checkpointing import CheckpointedBlock

Sizes = tuple[int, int, int]  # over time, height and width
# Channels that come in and go out, kernel and stride, to a convolution.
Convolve = Callable[[int, int, Sizes, Sizes], nn.Module]
EPS = 1e-5


class Conv2Plus1D(nn.Module):
    """A convolution over space, then one over time."""

    def __init__(
        self, channels: tuple[int, int, int], kernel: Sizes, stride: Sizes, eps: float = EPS
    ) -> None:
        """Build it from its channels: those that come in, between the two, and that go out."""
        super().__init__()
        num_in, num_between, num_out = channels
        over_space, over_time = (1, *kernel[1:]), (kernel[0], 1, 1)
        self.spatial = conv3d(num_in, num_between, over_space, (1, *stride[1:]))
        self.norm = nn.BatchNorm3d(num_between, eps)
        self.temporal = conv3d(num_between, num_out, over_time, (stride[0], 1, 1))

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return the result without a normalisation after the convolution over time."""
        return self.temporal(relu(self.norm(self.spatial(x_BCTHW))))  # type: ignore[no-any-return]


class ConvNorm(nn.Module):
    """A convolution and the normalisation after it."""

    def __init__(self, conv: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised result, with its negative values."""
        return self.norm(self.conv(x))  # type: ignore[no-any-return]


class Stem(ConvNorm):
    """The first layer: convolution, normalisation, ReLU and, if wanted, a pooling."""

    def __init__(self, conv: nn.Module, norm: nn.Module, pool: nn.Module | None = None) -> None:
        super().__init__(conv, norm)
        self.pool = pool or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled maps."""
        return self.pool(relu(super().forward(x)))  # type: ignore[no-any-return]


class ResidualBlock(CheckpointedBlock):
    """Layers with a ReLU between them, added to a shortcut, and a ReLU after that."""

    def __init__(self, layers: Sequence[ConvNorm], shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the new maps."""
        *first, last = self.layers
        y = x
        for layer in first:
            y = relu(layer(y))
        return relu(last(y) + self.shortcut(x))


def conv3d(num_in: int, num_out: int, kernel: Sizes, stride: Sizes = (1, 1, 1)) -> nn.Conv3d:
    """Return a 3-D convolution that keeps T, H and W but for its stride."""
    pad = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Conv3d(num_in, num_out, kernel, stride, pad, bias=False)


def normed(conv: nn.Module, num_out: int, eps: float = EPS) -> ConvNorm:
    """Return a convolution with a normalisation of its channels."""
    return ConvNorm(conv, nn.BatchNorm3d(num_out, eps))


def spatial_pool() -> nn.MaxPool3d:
    """Return the pooling of the stem, which halves H and W."""
    return nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))


def bottleneck_stage(
    num_in: int, inner: int, over_time: Sequence[int], *, spatial_stride: int
) -> nn.Sequential:
    """Return a stage of bottlenecks, of 4 × `inner` channels, a block a kernel over time.

    The first block has the stride, in its second layer.
    """
    blocks, num_out = [], inner * 4
    for index, length in enumerate(over_time):
        strides = (1, *(spatial_stride if index == 0 else 1,) * 2)
        layers = [
            normed(conv3d(num_in, inner, (length, 1, 1)), inner),
            normed(conv3d(inner, inner, (1, 3, 3), strides), inner),
            normed(conv3d(inner, num_out, (1, 1, 1)), num_out),
        ]
        shortcut = None
        if index == 0:
            shortcut = normed(conv3d(num_in, num_out, (1, 1, 1), strides), num_out)
        blocks.append(ResidualBlock(layers, shortcut))
        num_in = num_out
    return nn.Sequential(*blocks)


def basic_stages(
    width: int,
    num_blocks: Sequence[int],
    *,
    convolve: Convolve = conv3d,
    shorten: Convolve = conv3d,
    eps: float = EPS,
) -> list[nn.Module]:
    """Return stages of blocks of two 3 × 3 × 3 convolutions, each made by ``convolve``.

    The first stage has ``width`` channels, each later one twice as many and in its first layer a
    stride of 2 over time and space. ``shorten`` makes the convolution of a shortcut, which a block
    has where the maps change.
    """
    stages: list[nn.Module] = []
    num_in, kernel, one = width, (3, 3, 3), (1, 1, 1)
    for stage, number in enumerate(num_blocks):
        blocks, num_out, strides = [], width << stage, (2, 2, 2) if stage else one
        for _ in range(number):
            layers = [
                normed(convolve(num_in, num_out, kernel, strides), num_out, eps),
                normed(convolve(num_out, num_out, kernel, one), num_out, eps),
            ]
            shortcut = None
            if num_in != num_out or strides != one:
                shortcut = normed(shorten(num_in, num_out, one, strides), num_out, eps)
            blocks.append(ResidualBlock(layers, shortcut))
            num_in, strides = num_out, one
        stages.append(nn.Sequential(*blocks))
    return stages


class ResNet3D(nn.Module):
    """Blocks, the mean over time and space, dropout and a linear layer."""

    def __init__(
        self, blocks: Sequence[nn.Module], width: int, num_classes: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, num_classes)
        self.feature_width = width
        initialise_convolutions(self)

    def features(self, clips_B3THW: Tensor) -> Tensor:
        """Return the mean of the last maps, shape (B, D)."""
        return self.blocks(clips_B3THW).mean((2, 3, 4))  # type: ignore[no-any-return]

    def forward(self, clips_B3THW: Tensor) -> Tensor:
        """Return logits (B, C) of normalised clips."""
        return self.head(self.dropout(self.features(clips_B3THW)))  # type: ignore[no-any-return]


def initialise_convolutions(network: nn.Module) -> None:
    """Draw the weights as torchvision does (He et al. 2015); the last layer's with deviation 0.01.

    Every normalisation starts at 1 and 0, as torch makes it.
    """
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.01)
            nn.init.zeros_(part.bias)
