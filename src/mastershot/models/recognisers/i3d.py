"""I3D with a ResNet-50, as PyTorchVideo publishes it (``i3d_r50``, Kinetics-400, 8 × 8).

Kernels of 3 over time lie in the first layers of blocks: all of stage 1, every other one of the
stages after it, beginning with the first of stages 2 and 3 and the second of stage 4. A pooling
after stage 1 halves the frames, rounded up.
"""
# B batch, T frames, H × W size of a frame

from collections.abc import Mapping
from itertools import cycle, islice

from torch import Tensor, nn

from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.residual3d import (
    ResNet3D,
    Stem,
    bottleneck_stage,
    conv3d,
    spatial_pool,
)

# Blocks of a stage, and the kernels over time of its first layers, repeated.
_STAGES = ((3, (3,)), (4, (3, 1)), (6, (3, 1)), (3, (1, 3)))
BOTTLENECK_NAMES = (
    (r"\.res_blocks\.", "."),
    (r"\.branch1_(conv|norm)\.", r".shortcut.\1."),
    (r"\.branch2\.(conv|norm)_a\.", r".layers.0.\1."),
    (r"\.branch2\.(conv|norm)_b\.", r".layers.1.\1."),
    (r"\.branch2\.(conv|norm)_c\.", r".layers.2.\1."),
    (r"^blocks\.6\.proj\.", "head."),
)


def build(num_classes: int, shape: Shape) -> ResNet3D:
    """Return the network with random weights."""
    width = shape.channels(64)
    conv = conv3d(3, width, (5, 7, 7), (1, 2, 2))
    blocks: list[nn.Module] = [Stem(conv, nn.BatchNorm3d(width), spatial_pool())]
    num_in = width
    for stage, (count, over_time) in enumerate(_STAGES):
        kernels = list(islice(cycle(over_time), shape.blocks(count)))
        inner, stride = width << stage, 2 if stage else 1
        blocks.append(bottleneck_stage(num_in, inner, kernels, spatial_stride=stride))
        if stage == 0:
            blocks.append(nn.MaxPool3d((2, 1, 1), ceil_mode=True))
        num_in = inner * 4
    return ResNet3D(blocks, num_in, num_classes, dropout=0.5)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return PyTorchVideo's weights by our names.

    Raises:
        EncoderError: The names are not PyTorchVideo's.
    """
    formats = {"blocks.0.conv.weight": BOTTLENECK_NAMES}
    return renamed_weights(checkpoint, formats, network, source)
