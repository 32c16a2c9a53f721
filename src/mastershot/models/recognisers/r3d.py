"""The 3-D ResNet-18 (Tran et al. 2018, arXiv:1711.11248, R3D), as torchvision's ``r3d_18``."""
# B batch, T frames, H × W size of a frame

from collections.abc import Mapping

from torch import Tensor, nn

from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.residual3d import ResNet3D, Stem, basic_stage, conv3d

_NAMES = (
    (r"^stem\.0\.", "blocks.0.conv."),
    (r"^stem\.1\.", "blocks.0.norm."),
    (r"^layer(\d)\.", r"blocks.\1."),
    (r"\.conv([12])\.0\.", r".layers.\1.conv."),
    (r"\.conv([12])\.1\.", r".layers.\1.norm."),
    (r"\.layers\.1\.", ".layers.0."),
    (r"\.layers\.2\.", ".layers.1."),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"^fc\.", "head."),
)


def build(num_classes: int, shape: Shape) -> ResNet3D:
    """Return the network with random weights."""
    width = shape.channels(64)
    conv = conv3d(3, width, (3, 7, 7), (1, 2, 2))
    blocks: list[nn.Module] = [Stem(conv, nn.BatchNorm3d(width))]
    num_in = width
    for stage in range(4):
        num_out, stride = width << stage, 2 if stage else 1
        blocks.append(basic_stage(num_in, num_out, shape.blocks(2), stride=stride))
        num_in = num_out
    return ResNet3D(blocks, num_in, num_classes)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return torchvision's weights by our names.

    Raises:
        EncoderError: The names are not torchvision's.
    """
    return renamed_weights(checkpoint, {"stem.0.weight": _NAMES}, network, source)
