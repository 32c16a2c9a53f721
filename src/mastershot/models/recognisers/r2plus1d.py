"""R(2+1)D with a ResNet-34 (Tran et al. 2018, arXiv:1711.11248), in two published definitions.

VMZ's is the one that weights of IG-65M and Kinetics were published for at 112². MMAction2's, for
224², pools after the stem, has 83 instead of 45 channels inside it, and factorises the shortcuts'
convolutions too; so its weights fit no network of VMZ's.
"""
# B batch, T frames, H × W size of a frame

from collections.abc import Mapping

from torch import Tensor, nn

from mastershot.core.errors import EncoderError
from mastershot.models.loading import Renames, renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.residual3d import (
    EPS,
    Conv2Plus1D,
    ResNet3D,
    Sizes,
    Stem,
    basic_stages,
    conv3d,
    spatial_pool,
)

_BLOCKS = (3, 4, 6, 3)
_EPS = 1e-3  # of both definitions; inside a factorised convolution MMAction2 has torch's 1e-5
_STEM_BETWEEN = 45  # VMZ's; the formula would give 83
_VMZ = (
    (r"^stem\.0\.", "blocks.0.conv.spatial."),
    (r"^stem\.1\.", "blocks.0.conv.norm."),
    (r"^stem\.3\.", "blocks.0.conv.temporal."),
    (r"^stem\.4\.", "blocks.0.norm."),
    (r"^layer(\d)\.", r"blocks.\1."),
    (r"\.conv1\.", ".layers.0."),
    (r"\.conv2\.", ".layers.1."),
    (r"\.layers\.(\d)\.1\.", r".layers.\1.norm."),
    (r"\.layers\.(\d)\.0\.0\.", r".layers.\1.conv.spatial."),
    (r"\.layers\.(\d)\.0\.1\.", r".layers.\1.conv.norm."),
    (r"\.layers\.(\d)\.0\.3\.", r".layers.\1.conv.temporal."),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"^fc\.", "head."),
)
_MMACTION = (
    (r"^backbone\.conv1\.", "blocks.0."),
    (r"^backbone\.layer(\d)\.", r"blocks.\1."),
    (r"\.conv1\.", ".layers.0."),
    (r"\.conv2\.", ".layers.1."),
    (r"\.downsample\.", ".shortcut."),
    (r"\.conv_s\.", ".spatial."),
    (r"\.bn_s\.", ".norm."),
    (r"\.conv_t\.", ".temporal."),
    (r"\.bn\.", ".norm."),
    (r"^cls_head\.fc_cls\.", "head."),
)
# By definition: a name that only its checkpoints hold, our names, and the row of the table.
_FORMATS: dict[str, tuple[str, Renames, str]] = {
    "vmz": ("stem.3.weight", _VMZ, "r2plus1d_r34"),
    "mmaction2": ("backbone.conv1.conv.conv_s.weight", _MMACTION, "r2plus1d_r34_mmaction2"),
}


def between(num_in: int, num_out: int, kernel: Sizes) -> int:
    """Return the channels between the two convolutions (section 3.5).

    With them, the two have as many weights as the 3-D convolution that they replace, or fewer by
    rounding. MMAction2 counts three frames where the kernel has one, too.
    """
    area = kernel[1] * kernel[2]
    return max(1, 3 * area * num_in * num_out // (area * num_in + 3 * num_out))


class R2Plus1D(ResNet3D):
    """A ResNet-34 of factorised convolutions."""

    def __init__(self, num_classes: int, shape: Shape, definition: str) -> None:
        """Build the network with random weights; the definition is ``vmz`` or ``mmaction2``."""
        vmz = definition == "vmz"
        inner_eps = _EPS if vmz else EPS

        def factorised(num_in: int, num_out: int, kernel: Sizes, stride: Sizes) -> nn.Module:
            channels = num_in, between(num_in, num_out, kernel), num_out
            return Conv2Plus1D(channels, kernel, stride, inner_eps)

        width = shape.channels(64)
        in_stem = shape.channels(_STEM_BETWEEN) if vmz else between(3, width, (3, 7, 7))
        conv = Conv2Plus1D((3, in_stem, width), (3, 7, 7), (1, 2, 2), inner_eps)
        stem = Stem(conv, nn.BatchNorm3d(width, _EPS), None if vmz else spatial_pool())
        stages = basic_stages(
            width,
            [shape.blocks(published) for published in _BLOCKS],
            convolve=factorised,
            shorten=conv3d if vmz else factorised,
            eps=_EPS,
        )
        super().__init__([stem, *stages], width << 3, num_classes, dropout=0.0 if vmz else 0.5)
        self.definition = definition


def build(num_classes: int, shape: Shape, *, definition: str = "vmz") -> R2Plus1D:
    """Return the network with random weights, of VMZ's definition or of ``mmaction2``'s."""
    return R2Plus1D(num_classes, shape, definition)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return the weights of a checkpoint of the network's definition by our names.

    Raises:
        EncoderError: The names are not those of that definition.
    """
    assert isinstance(network, R2Plus1D)
    for definition, (mark, _names, row) in _FORMATS.items():
        if definition != network.definition and mark in checkpoint:
            raise EncoderError(
                f"{source} is of {definition}'s R(2+1)D, whose layers differ from those of "
                f"{network.definition}'s; build {row!r} for it"
            )
    mark, renames, _row = _FORMATS[network.definition]
    return renamed_weights(checkpoint, {mark: renames}, network, source)
