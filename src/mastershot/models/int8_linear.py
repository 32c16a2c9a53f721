"""Layers in eight-bit integers, for processors that multiply those fast.

Each row of the weights and of the input has its own scale, 127 steps to its largest value; products
are summed in 32-bit integers, exactly. So a row's output does not depend on the rest of its batch.
"""
# N rows of the input, I inputs, O outputs; B images, C channels, H × W pixels, P edge of a patch

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

_STEPS = 127
_SMALLEST = 1e-12  # A row of zeros stays one.


class Int8Linear(nn.Module):
    """A linear layer computed in eight-bit integers; input and output are float32."""

    weight: Tensor  # (I, O)
    weight_scale: Tensor  # (O,)
    bias: Tensor | None

    def __init__(self, layer: nn.Linear | nn.Conv2d) -> None:
        """Take the weights of a layer; those of a convolution are for its kernel's inputs."""
        super().__init__()
        weight_OI = layer.weight.detach().flatten(1)
        scale_O1 = _row_scale(weight_OI)
        self.register_buffer("weight", (weight_OI / scale_O1).round().to(torch.int8).t())
        self.register_buffer("weight_scale", scale_O1.squeeze(1))
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the layer's output, (…, O), for inputs (…, I)."""
        rows_NI = inputs.reshape(-1, inputs.shape[-1])
        scale_N1 = _row_scale(rows_NI)
        steps_NI = (rows_NI / scale_N1).round_().to(torch.int8)
        # The one product of int8 matrices in torch; it is exact, as a test confirms.
        sums_NO = torch._int_mm(steps_NI, self.weight)
        outputs = sums_NO.float().mul_(self.weight_scale)
        if self.bias is None:
            outputs.mul_(scale_N1)
        else:
            torch.addcmul(self.bias, outputs, scale_N1, out=outputs)
        return outputs.reshape(*inputs.shape[:-1], -1)


class Int8Patches(nn.Module):
    """A convolution whose kernel tiles the image, (B, C, H, W) → (B, O, H/P, W/P), as a product."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self._patch_px = layer.kernel_size[0]
        self.product = Int8Linear(layer)
        self.weight = layer.weight  # transformers casts pixels to its dtype.

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return the layer's output."""
        batch, channels, height, width = images_BCHW.shape
        edge = self._patch_px
        rows, columns = height // edge, width // edge
        patches = images_BCHW.reshape(batch, channels, rows, edge, columns, edge)
        patches = patches.permute(0, 2, 4, 1, 3, 5).reshape(batch, rows * columns, -1)
        outputs: Tensor = self.product(patches)
        return outputs.transpose(1, 2).reshape(batch, -1, rows, columns)


class QuickGelu(nn.Module):
    """x · sigmoid(1.702 x), CLIP's activation, written over its input."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the input, changed."""
        return silu(inputs.mul_(1.702), inplace=True).mul_(1 / 1.702)


def quantise(network: nn.Module) -> None:
    """Replace every linear layer and patch convolution of a network by one in int8.

    Subclasses of a linear layer stay: their owners read the weights themselves.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, Int8Linear(child))
            elif isinstance(child, nn.Conv2d) and child.stride == child.kernel_size:
                setattr(module, name, Int8Patches(child))


def _row_scale(rows: Tensor) -> Tensor:
    """Return the value of one step of each row, (N, 1)."""
    largest = torch.maximum(rows.amax(1, keepdim=True), rows.amin(1, keepdim=True).neg_())
    return largest.clamp_min_(_SMALLEST).div_(_STEPS)
