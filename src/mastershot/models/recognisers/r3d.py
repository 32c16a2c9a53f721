"""The 3-D ResNet-18 (Tran et al. 2018, arXiv:1711.11248, R3D), as torchvision's ``r3d_18``."""
# B batch, T frames, H × W size of a frame

from collections.abc import Mapping

from torch import Tensor, nn

from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.residual3d import ResNet3D, Stem, basic_stages, conv3d

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
    stages = basic_stages(width, [shape.blocks(2)] * 4)
    return ResNet3D([Stem(conv, nn.BatchNorm3d(width)), *stages], width << 3, num_classes)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return torchvision's weights by our names.

    Raises:
        EncoderError: The names are not torchvision's.
    """
    return renamed_weights(checkpoint, {"stem.0.weight": _NAMES}, network, source)
