"""Published networks as plain functions, written from their definitions, and random weights.

A function draws each weight when it first needs it, by the name that the published checkpoint has
for it, so one call gives a checkpoint with the published names and the logits that belong to it.
Nothing here is of the package: its networks are compared with these.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, sigmoid
from torch.nn.functional import conv2d, conv3d, max_pool2d, max_pool3d, pad, relu

SCALE = 8  # Channels are an eighth of the published ones.


class Weights(dict[str, Tensor]):
    """Random weights by their published names."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.random = torch.Generator().manual_seed(seed)

    def normal(self, name: str, *shape: int, std: float = 1.0, mean: float = 0.0) -> Tensor:
        if name not in self:
            self[name] = torch.randn(shape, generator=self.random) * std + mean
        return self[name]

    def conv(
        self, x: Tensor, name: str, out: int, kernel: Sequence[int], stride: Sequence[int] | int = 1
    ) -> Tensor:
        """Convolve with half the kernel as padding, and no bias."""
        std = math.sqrt(2 / (x.shape[1] * math.prod(kernel)))
        weight = self.normal(f"{name}.weight", out, x.shape[1], *kernel, std=std)
        convolve = conv3d if len(kernel) == 3 else conv2d
        return convolve(x, weight, None, stride, [size // 2 for size in kernel])

    def norm(self, x: Tensor, name: str, eps: float = 1e-5) -> Tensor:
        """Normalise with the stored statistics."""
        width = x.shape[1]
        parts = [
            self.normal(f"{name}.{part}", width, std=0.2, mean=mean)
            for part, mean in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1))
        ]
        parts[3].abs_()
        self[f"{name}.num_batches_tracked"] = torch.tensor(7)
        weight, bias, mean, variance = (part.view(-1, *[1] * (x.ndim - 2)) for part in parts)
        return (x - mean) / (variance + eps).sqrt() * weight + bias

    def linear(self, x: Tensor, name: str, out: int) -> Tensor:
        weight = self.normal(f"{name}.weight", out, x.shape[1], std=x.shape[1] ** -0.5)
        return x @ weight.T + self.normal(f"{name}.bias", out)


def _means(x: Tensor) -> Tensor:
    return x.flatten(2).mean(2)


def _stem(w: Weights, x: Tensor, name: str, out: int, kernel: Sequence[int]) -> Tensor:
    """PyTorchVideo's: convolution, normalisation, ReLU, pooling over space."""
    x = relu(w.norm(w.conv(x, f"{name}.conv", out, kernel, (1, 2, 2)), f"{name}.norm"))
    return max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))


def _bottlenecks(
    w: Weights, x: Tensor, name: str, inner: int, kernels: Sequence[int], stride: int
) -> Tensor:
    """PyTorchVideo's stage of bottlenecks, with these kernels over time in conv_a."""
    for index, kernel in enumerate(kernels):
        block = f"{name}.res_blocks.{index}"
        strides = (1, stride, stride) if index == 0 else (1, 1, 1)
        y = relu(w.norm(w.conv(x, f"{block}.branch2.conv_a", inner, (kernel, 1, 1)),
                        f"{block}.branch2.norm_a"))  # fmt: skip
        y = relu(w.norm(w.conv(y, f"{block}.branch2.conv_b", inner, (1, 3, 3), strides),
                        f"{block}.branch2.norm_b"))  # fmt: skip
        y = w.norm(w.conv(y, f"{block}.branch2.conv_c", inner * 4, (1, 1, 1)),
                   f"{block}.branch2.norm_c")  # fmt: skip
        if index == 0:
            x = w.norm(w.conv(x, f"{block}.branch1_conv", inner * 4, (1, 1, 1), strides),
                       f"{block}.branch1_norm")  # fmt: skip
        x = relu(x + y)
    return x


def i3d_r50(w: Weights, clips: Tensor, num_classes: int) -> Tensor:
    """PyTorchVideo's ``i3d_r50``."""
    x = _stem(w, clips, "blocks.0", 64 // SCALE, (5, 7, 7))
    x = _bottlenecks(w, x, "blocks.1", 64 // SCALE, (3, 3, 3), 1)
    x = max_pool3d(x, (2, 1, 1))
    x = _bottlenecks(w, x, "blocks.3", 128 // SCALE, (3, 1, 3, 1), 2)
    x = _bottlenecks(w, x, "blocks.4", 256 // SCALE, (3, 1, 3, 1, 3, 1), 2)
    x = _bottlenecks(w, x, "blocks.5", 512 // SCALE, (1, 3, 1), 2)
    return w.linear(_means(x), "blocks.6.proj", num_classes)


def slowfast_r50(w: Weights, clips: Tensor, num_classes: int) -> Tensor:
    """PyTorchVideo's ``slowfast_r50``, on the frames that its `PackPathway` makes."""
    count = clips.shape[2] // 4
    steps = torch.tensor([i * (clips.shape[2] - 1) // (count - 1) for i in range(count)])
    slow_width, fast_width = 64 // SCALE, 64 // SCALE // 8
    path = "multipathway_blocks"
    slow = _stem(w, clips[:, :, steps], f"blocks.0.{path}.0", slow_width, (1, 7, 7))
    fast = _stem(w, clips, f"blocks.0.{path}.1", fast_width, (5, 7, 7))
    for stage, depth in enumerate((3, 4, 6, 3)):
        fusion = f"blocks.{stage}.multipathway_fusion"
        brought = w.conv(
            fast, f"{fusion}.conv_fast_to_slow", fast.shape[1] * 2, (7, 1, 1), (4, 1, 1)
        )
        slow = torch.cat([slow, relu(w.norm(brought, f"{fusion}.norm"))], 1)
        kernel, stride, name = 3 if stage > 1 else 1, 2 if stage else 1, f"blocks.{stage + 1}"
        slow_inner, fast_inner = slow_width * 2**stage, fast_width * 2**stage
        slow = _bottlenecks(w, slow, f"{name}.{path}.0", slow_inner, [kernel] * depth, stride)
        fast = _bottlenecks(w, fast, f"{name}.{path}.1", fast_inner, [3] * depth, stride)
    return w.linear(torch.cat([_means(slow), _means(fast)], 1), "blocks.6.proj", num_classes)


def r2plus1d_vmz(w: Weights, clips: Tensor, num_classes: int) -> Tensor:
    """VMZ's ``r2plus1d_34``: torchvision's names, eps of 1e-3 everywhere."""

    def two_plus_one(x: Tensor, name: str, out: int, stride: int) -> Tensor:
        num_in = x.shape[1]
        between = (num_in * out * 27) // (num_in * 9 + 3 * out)
        x = w.conv(x, f"{name}.0", between, (1, 3, 3), (1, stride, stride))
        x = relu(w.norm(x, f"{name}.1", 1e-3))
        return w.conv(x, f"{name}.3", out, (3, 1, 1), (stride, 1, 1))

    x = w.conv(clips, "stem.0", round(45 / SCALE), (1, 7, 7), (1, 2, 2))
    x = w.conv(relu(w.norm(x, "stem.1", 1e-3)), "stem.3", 64 // SCALE, (3, 1, 1))
    x = relu(w.norm(x, "stem.4", 1e-3))
    for stage, depth in enumerate((3, 4, 6, 3)):
        out = 64 // SCALE * 2**stage
        for index in range(depth):
            name, stride = f"layer{stage + 1}.{index}", 2 if stage and index == 0 else 1
            y = two_plus_one(x, f"{name}.conv1.0", out, stride)
            y = relu(w.norm(y, f"{name}.conv1.1", 1e-3))
            y = w.norm(two_plus_one(y, f"{name}.conv2.0", out, 1), f"{name}.conv2.1", 1e-3)
            if stride == 2:
                x = w.conv(x, f"{name}.downsample.0", out, (1, 1, 1), 2)
                x = w.norm(x, f"{name}.downsample.1", 1e-3)
            x = relu(x + y)
    return w.linear(_means(x), "fc", num_classes)


def r2plus1d_mmaction2(w: Weights, clips: Tensor, num_classes: int) -> Tensor:
    """MMAction2's ``r2plus1d_r34``: eps of 1e-3 outside, of 1e-5 inside the factorised layers."""

    def module(
        x: Tensor, name: str, out: int, kernel: Sequence[int], stride: Sequence[int]
    ) -> Tensor:
        num_in, area = x.shape[1], kernel[1] * kernel[2]
        between = int(3 * (num_in * out * area) / (num_in * area + 3 * out))
        x = w.conv(x, f"{name}.conv.conv_s", between, (1, *kernel[1:]), (1, *stride[1:]))
        x = relu(w.norm(x, f"{name}.conv.bn_s", 1e-5))
        x = w.conv(x, f"{name}.conv.conv_t", out, (kernel[0], 1, 1), (stride[0], 1, 1))
        return w.norm(x, f"{name}.bn", 1e-3)

    x = relu(module(clips, "backbone.conv1", 64 // SCALE, (3, 7, 7), (1, 2, 2)))
    x = max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
    for stage, depth in enumerate((3, 4, 6, 3)):
        out = 64 // SCALE * 2**stage
        for index in range(depth):
            name, stride = f"backbone.layer{stage + 1}.{index}", 2 if stage and index == 0 else 1
            y = relu(module(x, f"{name}.conv1", out, (3, 3, 3), (stride,) * 3))
            y = module(y, f"{name}.conv2", out, (3, 3, 3), (1, 1, 1))
            if stride == 2:
                x = module(x, f"{name}.downsample", out, (1, 1, 1), (2, 2, 2))
            x = relu(x + y)
    return w.linear(_means(x), "cls_head.fc_cls", num_classes)


def r3d_18(w: Weights, clips: Tensor, num_classes: int) -> Tensor:
    """torchvision's ``r3d_18``."""
    x = relu(w.norm(w.conv(clips, "stem.0", 64 // SCALE, (3, 7, 7), (1, 2, 2)), "stem.1"))
    for stage in range(4):
        out = 64 // SCALE * 2**stage
        for index in range(2):
            name, stride = f"layer{stage + 1}.{index}", 2 if stage and index == 0 else 1
            y = w.norm(w.conv(x, f"{name}.conv1.0", out, (3, 3, 3), stride), f"{name}.conv1.1")
            y = w.norm(w.conv(relu(y), f"{name}.conv2.0", out, (3, 3, 3)), f"{name}.conv2.1")
            if stride == 2:
                x = w.conv(x, f"{name}.downsample.0", out, (1, 1, 1), 2)
                x = w.norm(x, f"{name}.downsample.1")
            x = relu(x + y)
    return w.linear(_means(x), "fc", num_classes)


def resnet(w: Weights, frames: Tensor, num_classes: int, layers: int) -> Tensor:
    """torchvision's ``resnet18`` or ``resnet50``."""
    x = relu(w.norm(w.conv(frames, "conv1", 64 // SCALE, (7, 7), 2), "bn1"))
    x = max_pool2d(x, 3, 2, 1)
    for stage, depth in enumerate({18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}[layers]):
        inner = 64 // SCALE * 2**stage
        out = inner if layers == 18 else inner * 4
        for index in range(depth):
            name, stride = f"layer{stage + 1}.{index}", 2 if stage and index == 0 else 1
            plan = (  # width, kernel, stride
                [(inner, 3, stride), (out, 3, 1)]
                if layers == 18
                else [(inner, 1, 1), (inner, 3, stride), (out, 1, 1)]
            )
            y = x
            for number, (width, size, step) in enumerate(plan, 1):
                y = w.conv(y, f"{name}.conv{number}", width, (size, size), step)
                y = w.norm(y, f"{name}.bn{number}")
                y = relu(y) if number < len(plan) else y
            if stride == 2 or x.shape[1] != out:
                x = w.norm(
                    w.conv(x, f"{name}.downsample.0", out, (1, 1), stride), f"{name}.downsample.1"
                )
            x = relu(x + y)
    return w.linear(_means(x), "fc", num_classes)


def senet154(w: Weights, frames: Tensor, num_classes: int) -> Tensor:
    """Cadene's ``senet154``; its groups are as many as the channels of the first layer."""
    width, groups = 64 // SCALE, 64 // SCALE
    x = frames
    for number, (out, stride) in enumerate(((width, 2), (width, 1), (2 * width, 1)), 1):
        x = w.conv(x, f"layer0.conv{number}", out, (3, 3), stride)
        x = relu(w.norm(x, f"layer0.bn{number}"))
    x = max_pool2d(x, 3, 2, ceil_mode=True)
    for stage, depth in enumerate((3, 8, 36, 3)):
        inner, out = 2 * width << stage, 4 * width << stage
        for index in range(depth):
            name, stride = f"layer{stage + 1}.{index}", 2 if stage and index == 0 else 1
            y = relu(w.norm(w.conv(x, f"{name}.conv1", inner, (1, 1)), f"{name}.bn1"))
            kernel = w.normal(
                f"{name}.conv2.weight", out, inner // groups, 3, 3,
                std=math.sqrt(2 / (inner // groups * 9)),
            )  # fmt: skip
            y = relu(w.norm(conv2d(y, kernel, None, stride, 1, 1, groups), f"{name}.bn2"))
            y = w.norm(w.conv(y, f"{name}.conv3", out, (1, 1)), f"{name}.bn3")
            known = _means(y)
            for layer, (size, squashed) in (("fc1", (out // 16, relu)), ("fc2", (out, sigmoid))):
                layer = f"{name}.se_module.{layer}"
                of = w.normal(f"{layer}.weight", size, known.shape[1], 1, 1, std=0.3)
                known = squashed(known @ of[:, :, 0, 0].T + w.normal(f"{layer}.bias", size))
            if stride == 2 or x.shape[1] != out:
                size = 3 if stage else 1
                x = w.conv(x, f"{name}.downsample.0", out, (size, size), stride)
                x = w.norm(x, f"{name}.downsample.1")
            x = relu(x + y * known[:, :, None, None])
    return w.linear(_means(x), "last_linear", num_classes)


_MIXED = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}


def _same(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    """TensorFlow's "SAME": ceil(size / stride) results, the larger half of the padding behind."""
    amounts: list[int] = []
    for size, length, step in zip(x.shape[2:], kernel, stride, strict=True):
        total = max((math.ceil(size / step) - 1) * step + length - size, 0)
        amounts = [total // 2, math.ceil(total / 2), *amounts]
    return pad(x, amounts)


def inception_i3d(w: Weights, clips: Tensor, num_classes: int) -> Tensor:
    """Inception I3D with piergiaj's names; the mean over time of its logits."""

    def unit(
        x: Tensor, name: str, out: int, kernel: Sequence[int] = (1, 1, 1), step: int = 1
    ) -> Tensor:
        std = math.sqrt(2 / (x.shape[1] * math.prod(kernel)))
        weight = w.normal(f"{name}.conv3d.weight", out // SCALE, x.shape[1], *kernel, std=std)
        x = conv3d(_same(x, kernel, (step,) * 3), weight, stride=step)
        return relu(w.norm(x, f"{name}.bn", 1e-3))

    def pool(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
        return max_pool3d(_same(x, kernel, stride), kernel, stride)

    x = unit(clips, "Conv3d_1a_7x7", 64, (7, 7, 7), 2)
    x = pool(x, (1, 3, 3), (1, 2, 2))
    x = unit(unit(x, "Conv3d_2b_1x1", 64), "Conv3d_2c_3x3", 192, (3, 3, 3))
    x = pool(x, (1, 3, 3), (1, 2, 2))
    for key, widths in _MIXED.items():
        if key in ("4b", "5b"):
            x = pool(x, (3, 3, 3), (2, 2, 2)) if key == "4b" else pool(x, (2, 2, 2), (2, 2, 2))
        name = f"Mixed_{key}"
        branches = [
            unit(x, f"{name}.b0", widths[0]),
            unit(unit(x, f"{name}.b1a", widths[1]), f"{name}.b1b", widths[2], (3, 3, 3)),
            unit(unit(x, f"{name}.b2a", widths[3]), f"{name}.b2b", widths[4], (3, 3, 3)),
            unit(pool(x, (3, 3, 3), (1, 1, 1)), f"{name}.b3b", widths[5]),
        ]
        x = torch.cat(branches, 1)
    windows = [x[:, :, t : t + 2].flatten(2).mean(2) for t in range(x.shape[2] - 1)]
    weight = w.normal(
        "logits.conv3d.weight", num_classes, x.shape[1], 1, 1, 1, std=x.shape[1] ** -0.5
    )
    bias = w.normal("logits.conv3d.bias", num_classes)
    logits = [window @ weight.flatten(1).T + bias for window in windows]
    return torch.stack(logits).mean(0)
