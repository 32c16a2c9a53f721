"""YAMNet in torch, with and without the roundings of LiteRT, against LiteRT itself.

The question is whether another runtime can give its scores to 1e-3; it cannot, see docs/sound.md.

    python bench/yamnet_parity.py [FILM ...]
"""

import sys
from pathlib import Path

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor
from torch.nn import functional

from mastershot.core.embeddings import FloatArray
from mastershot.encoders.detectors.packaged import YAMNET
from mastershot.encoders.detectors.sound import WINDOW_SAMPLES, SoundClassifier
from mastershot.media.sound import SoundPiece
from mastershot.media.video import open_video

# Tensors of the file: what layers 2 to 14 have of weights, and their strides.
DEPTHWISE, POINTWISE = range(62, 75), range(44, 57)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


class TorchYamnet:
    """The network of the file; ``rounded`` rounds inputs of layers as XNNPACK does."""

    def __init__(self, *, rounded: bool) -> None:
        self._rounded = rounded
        self._file = Interpreter(model_content=YAMNET.read())
        self._file.allocate_tensors()
        details = self._file.get_tensor_details()
        self._details = {one["index"]: one for one in details}
        self._biases = {one["name"].split("/bn/")[0][14:]: one["index"] for one in details[:40]}

    def weights(self, index: int) -> Tensor:
        tensor = self._file.get_tensor(index)
        scales = self._details[index]["quantization_parameters"]
        if tensor.dtype == np.int8:
            shape = [1] * tensor.ndim
            if len(scales["scales"]) > 1:
                shape[scales["quantized_dimension"]] = -1
            tensor = tensor.astype(np.float32) * scales["scales"].reshape(shape)
        return torch.from_numpy(np.ascontiguousarray(tensor))

    def rounding(self, values: Tensor, dim: int) -> tuple[Tensor, Tensor | float]:
        """Return values as whole numbers of 8 bits, and what one of them is worth."""
        if not self._rounded:
            return values, 1.0
        low = values.amin(dim, keepdim=True).clamp(max=0).double()
        high = values.amax(dim, keepdim=True).clamp(min=0).double()
        inverse = torch.where(high == low, torch.ones_like(high), 255 / (high - low))
        low, high = low * inverse, high * inverse
        zero = torch.where(low + high - 1 > 0, -128 - low, 127 - high).clamp(-128, 127).round()
        inverse = inverse.float()
        whole = ((values * inverse).round() + zero).clamp(-128, 127) - zero
        return whole.float(), 1 / inverse

    def linear(self, values: Tensor, index: int) -> Tensor:
        whole, unit = self.rounding(values, 1)
        return whole @ self.weights(index).T * unit

    def patches(self, window: FloatArray) -> Tensor:
        sound = torch.from_numpy(window).unfold(0, 400, 160) * self.weights(6)
        sound = functional.pad(sound, (56, 56))
        real, imaginary = self.linear(sound, 40), self.linear(sound, 41)
        magnitude = torch.sqrt(real * real + imaginary * imaginary)
        return torch.log(self.linear(magnitude, 42) + self.weights(58))

    def bias(self, layer: str) -> Tensor:
        return self.weights(self._biases[layer])

    def scores(self, window: FloatArray) -> FloatArray:
        maps = _same(self.patches(window)[None, None], 2)
        first = self.weights(43).permute(0, 3, 1, 2)
        maps = functional.conv2d(maps, first, self.bias("layer1/conv"), stride=2).relu()
        layers = zip(DEPTHWISE, POINTWISE, STRIDES, strict=True)
        for number, (deep, point, stride) in enumerate(layers, start=2):
            filters = self.weights(deep).permute(3, 0, 1, 2)
            maps = functional.conv2d(
                _same(maps, stride), filters, self.bias(f"layer{number}/depthwise_conv"),
                stride=stride, groups=len(filters),
            ).relu()  # fmt: skip
            whole, unit = self.rounding(maps, 1)
            sums = functional.conv2d(whole, self.weights(point).permute(0, 3, 1, 2)) * unit
            maps = (sums + self.bias(f"layer{number}/pointwise_conv")[:, None, None]).relu()
        logits = self.linear(maps.mean((2, 3)), 12) + self.weights(1)
        return np.asarray(torch.sigmoid(logits)[0])


def _same(maps: Tensor, stride: int) -> Tensor:
    """Pad for a kernel of 3 as TensorFlow does."""
    pads = []
    for size in (maps.shape[3], maps.shape[2]):
        missing = max((-(-size // stride) - 1) * stride + 3 - size, 0)
        pads += [missing // 2, missing - missing // 2]
    return functional.pad(maps, pads)


def windows_of(film: Path, count: int = 8) -> list[FloatArray]:
    pieces: list[SoundPiece] = []
    for _ in open_video(film).frames(pieces.append):
        pass
    sound = np.concatenate([piece.samples for piece in pieces])
    starts = np.linspace(0, len(sound) - WINDOW_SAMPLES, count).astype(int)
    return [sound[start : start + WINDOW_SAMPLES] for start in starts]


def main() -> None:
    rng, time = np.random.default_rng(0), np.arange(WINDOW_SAMPLES) / 16_000
    drawn = [0.1 * rng.normal(size=WINDOW_SAMPLES), np.sin(2 * np.pi * 440 * time)]
    windows = [one.astype(np.float32) for one in drawn]
    for film in sys.argv[1:]:
        windows += windows_of(Path(film))
    expected = SoundClassifier().scores(windows)
    for rounded in (False, True):
        network = TorchYamnet(rounded=rounded)
        found = np.stack([network.scores(window) for window in windows])
        worst = np.abs(found - expected).max(axis=1)
        print(
            f"torch, {'same roundings' if rounded else 'no roundings'}, {len(windows)} windows: "
            f"largest difference {worst.max():.4f}, median of windows {np.median(worst):.4f}"
        )


if __name__ == "__main__":
    main()
