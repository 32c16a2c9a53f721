"""Linear layers in eight-bit integers, for processors that multiply those fast.

Each weight row and each row of the input has a scale of its own, 127 steps to its largest value;
products are summed in 32-bit integers, exactly. So what a row becomes depends on that row alone,
never on what else is in the batch, as it would with one scale a batch.
"""
# N rows of the input, I inputs, O outputs

import torch
from torch import Tensor, nn

_STEPS = 127
_SMALLEST = 1e-12  # A row of zeros stays one.


class Int8Linear(nn.Module):
    """A linear layer computed in eight-bit integers; input and output are float32."""

    weight: Tensor  # (I, O)
    weight_scale: Tensor  # (O,)
    bias: Tensor | None

    def __init__(self, layer: nn.Linear) -> None:
        """Take the weights of a layer."""
        super().__init__()
        scale_O1 = _row_scale(layer.weight.detach())
        weight_OI = (layer.weight.detach() / scale_O1).round().to(torch.int8)
        self.register_buffer("weight", weight_OI.t())
        self.register_buffer("weight_scale", scale_O1.squeeze(1))
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the layer's output, (…, O), for inputs (…, I)."""
        rows_NI = inputs.reshape(-1, inputs.shape[-1])
        scale_N1 = _row_scale(rows_NI)
        steps_NI = (rows_NI / scale_N1).round_().to(torch.int8)
        # The one product of int8 matrices that torch has; it is exact, as a test holds it to.
        sums_NO = torch._int_mm(steps_NI, self.weight)
        outputs = sums_NO.float().mul_(self.weight_scale).mul_(scale_N1)
        if self.bias is not None:
            outputs += self.bias
        return outputs.reshape(*inputs.shape[:-1], -1)


def quantise_linear_layers(network: nn.Module) -> None:
    """Put an `Int8Linear` in the place of every linear layer inside a network.

    Subclasses of a linear layer stay: their owners read the weights themselves.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, Int8Linear(child))


def _row_scale(rows: Tensor) -> Tensor:
    """Return what one step of each row is worth, (N, 1)."""
    return rows.abs().amax(dim=1, keepdim=True).clamp_min_(_SMALLEST) / _STEPS
