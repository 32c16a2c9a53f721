"""SlowFast with a ResNet-50, 8 × 8, as PyTorchVideo publishes it (Feichtenhofer et al. 2019).

The fast pathway reads all frames with an eighth of the channels (β), the slow one every fourth
frame (α). After the stem and the first three stages, a convolution over time brings the fast
pathway's maps to the slow one's frames, with twice their channels.
"""
# B batch, C channels, T frames, H × W size of a frame, D width of a feature

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.recognisers.i3d import BOTTLENECK_NAMES
from mastershot.models.recognisers.residual3d import (
    Stem,
    bottleneck_stage,
    conv3d,
    initialise_convolutions,
    normed,
    spatial_pool,
)

_ALPHA, _BETA = 4, 8
_FUSED = 2  # channels that the fusion makes of one of the fast pathway
_BLOCKS, _SLOW_KERNELS = (3, 4, 6, 3), (1, 1, 3, 3)
_NAMES = (
    (r"^blocks\.(\d)\.multipathway_blocks\.0\.", r"slow.\1."),
    (r"^blocks\.(\d)\.multipathway_blocks\.1\.", r"fast.\1."),
    (r"^blocks\.(\d)\.multipathway_fusion\.conv_fast_to_slow\.", r"fusions.\1.conv."),
    (r"^blocks\.(\d)\.multipathway_fusion\.norm\.", r"fusions.\1.norm."),
    *BOTTLENECK_NAMES,
)


class SlowFast(nn.Module):
    """One clip, read at two rates."""

    def __init__(self, num_classes: int, shape: Shape) -> None:
        super().__init__()
        slow = shape.channels(64, _BETA)
        fast = slow // _BETA
        self.slow, self.fast = nn.ModuleList([_stem(slow, 1)]), nn.ModuleList([_stem(fast, 5)])
        self.fusions = nn.ModuleList()
        slow_in, fast_in = slow, fast
        for stage, count in enumerate(shape.blocks(blocks) for blocks in _BLOCKS):
            fused = fast_in * _FUSED
            self.fusions.append(normed(conv3d(fast_in, fused, (7, 1, 1), (_ALPHA, 1, 1)), fused))
            stride, kernels = 2 if stage else 1, [_SLOW_KERNELS[stage]] * count
            self.slow.append(
                bottleneck_stage(slow_in + fused, slow << stage, kernels, spatial_stride=stride)
            )
            self.fast.append(
                bottleneck_stage(fast_in, fast << stage, [3] * count, spatial_stride=stride)
            )
            slow_in, fast_in = (slow << stage) * 4, (fast << stage) * 4
        self.dropout = nn.Dropout(0.5)
        self.feature_width = slow_in + fast_in
        self.head = nn.Linear(self.feature_width, num_classes)
        initialise_convolutions(self)

    def features(self, clips_B3THW: Tensor) -> Tensor:
        """Return the means of both pathways' last maps, the slow one's first, shape (B, D)."""
        fast = self.fast[0](clips_B3THW)
        slow = self.slow[0](slow_frames(clips_B3THW))
        for fusion, slow_stage, fast_stage in zip(
            self.fusions, self.slow[1:], self.fast[1:], strict=True
        ):
            slow = slow_stage(torch.cat([slow, relu(fusion(fast))], 1))
            fast = fast_stage(fast)
        return torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], 1)

    def forward(self, clips_B3THW: Tensor) -> Tensor:
        """Return logits (B, C) of normalised clips of the fast pathway's frames."""
        return self.head(self.dropout(self.features(clips_B3THW)))  # type: ignore[no-any-return]


def slow_frames(clips_B3THW: Tensor) -> Tensor:
    """Return a fourth of the frames, evenly spaced from the first to the last.

    There are as many as the fusion's stride makes of T, so for other T than multiples of four the
    number is rounded up.
    """
    num_frames = clips_B3THW.shape[2]
    count = -(-num_frames // _ALPHA)
    # As PyTorchVideo's `PackPathway` rounds them: down.
    steps = torch.linspace(0, num_frames - 1, count).long()
    return clips_B3THW[:, :, steps.to(clips_B3THW.device)]


def _stem(width: int, over_time: int) -> Stem:
    conv = conv3d(3, width, (over_time, 7, 7), (1, 2, 2))
    return Stem(conv, nn.BatchNorm3d(width), spatial_pool())


def build(num_classes: int, shape: Shape) -> SlowFast:
    """Return the network with random weights."""
    return SlowFast(num_classes, shape)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return PyTorchVideo's weights by our names.

    Raises:
        EncoderError: The names are not PyTorchVideo's.
    """
    formats = {"blocks.0.multipathway_blocks.0.conv.weight": _NAMES}
    return renamed_weights(checkpoint, formats, network, source)
