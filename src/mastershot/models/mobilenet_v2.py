"""MobileNet v2 as Keras builds it, with a head of three layers, batch normalisation folded in.

Sandler et al. 2018, arXiv:1801.04381: inverted residuals with linear bottlenecks. Keras pads a
stride of two only on the right and below. Names are those of Keras, as published with the weights.
"""
# B batch, H × W size of a map, C channels

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn.functional import pad

# Expansion, channels, repeats and first stride of each group of blocks (Table 2).
_GROUPS = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
_STEM, _LAST = 32, 1280
_HEAD = (256, 128)


class _Conv(nn.Conv2d):
    """A convolution with Keras's padding "same" for even maps, and ReLU6 unless it is linear."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups)
        margin = kernel // 2
        self._pads = (0 if stride == 2 else margin, margin) * 2

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return super().forward(pad(x_BCHW, self._pads))


class MobileNetV2(nn.Module):
    """Classifies RGB images in 0..1."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict(Conv1=_Conv(3, _STEM, 3, 2))
        self._bypassed: set[str] = set()
        channels, block = _STEM, 0
        for expansion, outputs, repeats, first_stride in _GROUPS:
            for repeat in range(repeats):
                stride, wide = first_stride if repeat == 0 else 1, expansion * channels
                name = f"block_{block}" if block else "expanded_conv"
                if expansion > 1:
                    layers[f"{name}_expand"] = _Conv(channels, wide)
                layers[f"{name}_depthwise"] = _Conv(wide, wide, 3, stride, wide)
                layers[f"{name}_project"] = _Conv(wide, outputs)
                if stride == 1 and channels == outputs:
                    self._bypassed.add(name)
                channels, block = outputs, block + 1
        layers["Conv_1"] = _Conv(channels, _LAST)
        self._convolutions = tuple(layers)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.dense_1 = nn.Linear(_LAST, _HEAD[0])
        self.dense_2 = nn.Linear(*_HEAD)
        self.dense_3 = nn.Linear(_HEAD[1], num_classes)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return logits, shape (B, num_classes)."""
        maps = before = images_BCHW
        for name in self._convolutions:
            block, _, part = name.rpartition("_")
            maps = self.get_submodule(name)(maps)
            if part != "project":
                maps = maps.clamp(0, 6)
                continue
            if block in self._bypassed:
                maps = maps + before
            before = maps
        pooled_BC = maps.mean(dim=(2, 3))
        logits: Tensor = self.dense_3(self.dense_2(self.dense_1(pooled_BC).relu()).relu())
        return logits
