"""Networks of fire modules: a small student, two milliseconds a frame on a CPU, and a teacher.

The fire module, its overlapping pools and the bypasses are of SqueezeNet (Iandola et al. 2016,
arXiv:1602.07360, sections 3 and 6); the student's input size, widths and batch normalisation are
ours. The teacher is SqueezeNet 1.1 for places, its batch normalisation folded into its weights, as
in the published Caffe/TensorFlow model (urbste/squeezenet_places365).
"""
# B batch, H × W size of a map, C channels, N outputs

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, max_pool2d, pad, relu

# Frames come as 0…255; the network sees about -2…2.
_PIXEL_MEAN, _PIXEL_SPREAD = 114.0, 64.0
# Squeeze width and width of each expand branch of fire 2 to 9; None is a pool that halves the map.
_FIRES = (
    *(None, (16, 64), (16, 64)),
    *(None, (32, 128), (32, 128)),
    *(None, (48, 192), (48, 192), (80, 320), (80, 320)),
)
_FIRE_5 = 5  # its place among the layers: pool, fire 2, fire 3, pool, fire 4, fire 5
_STEM_CHANNELS = 64
_TEACHER_MEAN_BGR = (104.05, 112.51, 116.68)
_TEACHER_SLOPE = 0.55  # of its leaky ReLU


@dataclass(frozen=True)
class FireMaps:
    """Outputs of a student, and, if it has them, the maps to compare with a teacher's hints.

    Attributes:
        outputs: Shape (B, N), not normalised.
        middle: After fire 5, shape (B, 256, H/8, W/8).
        last: After fire 9, shape (B, 640, H/16, W/16).
    """

    outputs: Tensor
    middle: Tensor | None = None
    last: Tensor | None = None


class Fire(nn.Module):
    """Squeeze to few channels, expand through 1×1 and 3×3 filters side by side.

    Where input and output have one width, the input is added to the output (the bypass).
    """

    def __init__(self, in_channels: int, squeeze: int, expand: int, *, normed: bool) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1, bias=not normed)
        self.squeeze_norm = _norm(squeeze, normed)
        self.expand1 = nn.Conv2d(squeeze, expand, 1, bias=not normed)
        self.expand3 = nn.Conv2d(squeeze, expand, 3, padding=1, bias=not normed)
        self.expand_norm = _norm(2 * expand, normed)  # Of both: twice as fast as two.
        self._bypass = in_channels == 2 * expand

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return a map of twice the expand width, the size of the one given."""
        squeezed = relu(self.squeeze_norm(self.squeeze(x_BCHW)))
        branches = [self.expand1(squeezed), self.expand3(squeezed)]
        expanded = self.expand_norm(torch.cat(branches, 1))
        return relu(expanded + x_BCHW if self._bypass else expanded)


class FireNet(nn.Module):
    """Frames to N numbers: log-probabilities up to a constant, or a vector of a teacher's space."""

    map_channels = (256, 640)

    def __init__(self, num_outputs: int, *, normed: bool = True) -> None:
        """Build the network, with batch normalisation for training, else for `shipped_weights`."""
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM_CHANNELS, 3, stride=2, padding=1, bias=not normed)
        self.stem_norm = _norm(_STEM_CHANNELS, normed)
        channels = _STEM_CHANNELS
        self.fires = nn.ModuleList()
        for widths in _FIRES:
            if widths is None:
                self.fires.append(nn.MaxPool2d(3, 2, 1))
            else:
                self.fires.append(Fire(channels, *widths, normed=normed))
                channels = 2 * widths[1]
        self.head = nn.Linear(channels, num_outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def maps(self, images_BCHW: Tensor) -> FireMaps:
        """Return outputs and the maps after fire 5 and fire 9, from RGB values 0…255."""
        x = (images_BCHW - _PIXEL_MEAN) / _PIXEL_SPREAD
        x = relu(self.stem_norm(self.stem(x)))
        middle = x
        for index, layer in enumerate(self.fires):
            x = layer(x)
            if index == _FIRE_5:
                middle = x
        return FireMaps(self.head(x.mean((2, 3))), middle, x)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return the outputs (B, N) alone."""
        return self.maps(images_BCHW).outputs

    def shipped_weights(self) -> dict[str, Tensor]:
        """Return weights that compute the same in inference without batch normalisation."""
        fused = {f"head.{name}": tensor.detach() for name, tensor in self.head.state_dict().items()}
        modules = dict(self.named_modules())
        for name, norm in modules.items():
            if not isinstance(norm, nn.BatchNorm2d):
                continue
            assert norm.running_mean is not None
            assert norm.running_var is not None
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            bias = norm.bias - norm.running_mean * gain
            # The norm after two branches has the channels of one, then those of the other.
            stem = name.removesuffix("_norm")
            branches = (f"{stem}1", f"{stem}3") if stem.endswith("expand") else (stem,)
            num = len(branches)
            for branch, part, shift in zip(branches, gain.chunk(num), bias.chunk(num), strict=True):
                conv = modules[branch]
                assert isinstance(conv, nn.Conv2d)
                fused[f"{branch}.weight"] = (conv.weight * part.view(-1, 1, 1, 1)).detach()
                fused[f"{branch}.bias"] = shift.detach()
        return fused


def _norm(channels: int, normed: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if normed else nn.Identity()


@dataclass(frozen=True)
class SqueezeNetMaps:
    """Outputs of the teacher, and two maps before them.

    Attributes:
        middle: After fire 5, shape (B, 256, H/8, W/8).
        last: After fire 9, shape (B, 512, H/16, W/16).
        logits: Shape (B, 365).
    """

    middle: Tensor
    last: Tensor
    logits: Tensor


class SqueezeNetPlaces:
    """SqueezeNet 1.1 of Places365, for inference on images of any size near 224 pixels."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        """Take the weights by their names in the file; the network runs on their device.

        Raises:
            KeyError: A weight is missing.
        """
        parts = ("squeeze", "expand1", "expand3")
        fires = (f"fire{number}.{part}" for number, part in product(range(2, 10), parts))
        for name, part in product(("conv1", *fires, "classifier"), ("weight", "bias")):
            if f"{name}.{part}" not in weights:
                raise KeyError(f"{name}.{part}")
        self._mean = torch.tensor(_TEACHER_MEAN_BGR, device=weights["conv1.weight"].device).view(
            1, 3, 1, 1
        )
        self._weights = {
            name: tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
            for name, tensor in weights.items()
        }

    def maps(self, images_BCHW: Tensor) -> SqueezeNetMaps:
        """Return logits and maps, from RGB values 0…255."""
        x = (images_BCHW.flip(1) - self._mean) / 255
        x = x.contiguous(memory_format=torch.channels_last)
        x = leaky_relu(self._conv("conv1", _padded_for_stride(x, 0.0), stride=2), _TEACHER_SLOPE)
        x = self._fire("fire3", self._fire("fire2", _pool(x)))
        middle = self._fire("fire5", self._fire("fire4", _pool(x)))
        x = _pool(middle)
        for name in ("fire6", "fire7", "fire8", "fire9"):
            x = self._fire(name, x)
        scores = leaky_relu(self._conv("classifier", x), _TEACHER_SLOPE)
        return SqueezeNetMaps(middle, x, scores.mean((2, 3)))

    def _conv(self, name: str, x: Tensor, *, stride: int = 1) -> Tensor:
        weight = self._weights[f"{name}.weight"]
        padding = weight.shape[-1] // 2 if stride == 1 else 0
        return conv2d(x, weight, self._weights[f"{name}.bias"], stride=stride, padding=padding)

    def _fire(self, name: str, x: Tensor) -> Tensor:
        squeezed = leaky_relu(self._conv(f"{name}.squeeze", x), _TEACHER_SLOPE)
        branches = [self._conv(f"{name}.{branch}", squeezed) for branch in ("expand1", "expand3")]
        return leaky_relu(torch.cat(branches, 1), _TEACHER_SLOPE)


def _padded_for_stride(x: Tensor, value: float) -> Tensor:
    """Return the map with the "same" padding of a 3×3 window of stride 2."""
    before = x.shape[-1] % 2
    return pad(x, (before, 1, before, 1), value=value)


def _pool(x: Tensor) -> Tensor:
    return max_pool2d(_padded_for_stride(x, -torch.inf), 3, 2)
