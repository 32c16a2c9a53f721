"""TransNet V2 (Souček and Lokoč 2020, arXiv:2008.04838): is a frame in a transition?

The network of the paper, for inference, computed in another order than published: the spatial
convolutions of a block's four dilations are one convolution, their temporal ones are matrix
products of which the results are shifted and added, and batch norm is folded into them.
"""
# B windows, T frames of a window, H 27 rows, W 48 columns, F filters

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from mastershot.core.errors import EncoderError

WINDOW, HEIGHT_PX, WIDTH_PX = 100, 27, 48
"""Frames of a window, and their size in pixels."""
MARGIN = 25
"""Frames at either end of a window of which the answer is not used, as published."""
_DILATIONS = (1, 2, 4, 8)
_FILTERS = (16, 32, 64)
_REACH = 50  # How many frames away others are compared with.
_BN_EPSILON = 1e-3


class DilatedConvolution(nn.Module):
    """Four (2+1)D convolutions side by side, with dilations 1, 2, 4 and 8 in time, each of F."""

    def __init__(self, num_in: int, filters: int) -> None:
        super().__init__()
        self.filters = filters
        self.space = nn.Conv2d(num_in, 8 * filters, 3, padding=1, bias=False)
        self.time = nn.Parameter(torch.zeros(4, 2 * filters, 3 * filters))
        self.bias = nn.Parameter(torch.zeros(4 * filters))

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """Return (B T, 4 F, H, W) of (B T, C, H, W), channels last in memory."""
        seen = self.space(x).permute(0, 2, 3, 1)
        _, height, width, _ = seen.shape
        seen = seen.reshape(-1, num_frames, height * width, 8 * self.filters)
        parts = []
        for index, dilation in enumerate(_DILATIONS):
            part = seen[..., 2 * self.filters * index : 2 * self.filters * (index + 1)]
            before, now, after = (part @ self.time[index]).chunk(3, dim=-1)
            now = now.contiguous()
            now[:, dilation:] += before[:, :-dilation]
            now[:, :-dilation] += after[:, dilation:]
            parts.append(now)
        joined = torch.cat(parts, dim=-1) + self.bias
        return joined.reshape(-1, height, width, 4 * self.filters).permute(0, 3, 1, 2)


class TransNetV2(nn.Module):
    """The network with many-hot head, as its authors' weights have it."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *(4 * filters for filters in _FILTERS))
        self.blocks = nn.ModuleList(
            nn.ModuleList([DilatedConvolution(width, f), DilatedConvolution(4 * f, f)])
            for width, f in zip(widths, _FILTERS, strict=False)
        )
        lookup = 2 * _REACH + 1
        self.projection = nn.Linear(sum(widths[1:]), 128)
        self.alike = nn.Linear(lookup, 128)
        self.colours = nn.Linear(lookup, 128)
        self.hidden = nn.Linear(3 * 6 * widths[-1] + 256, 1024)
        self.heads = nn.Linear(1024, 2)

    def forward(self, frames: Tensor) -> Tensor:
        """Return logits, (B, T, 2): of a transition's middle frame, and of any frame in one.

        Args:
            frames: RGB, uint8 (B, T, 27, 48, 3).
        """
        num_windows, num_frames = frames.shape[:2]
        kind = self.heads.weight.dtype
        x = frames.flatten(0, 1).permute(0, 3, 1, 2).to(kind) / 255
        means = []
        for first, second in cast("list[tuple[nn.Module, nn.Module]]", self.blocks):
            shortcut = functional.relu(first(x, num_frames))
            x = functional.relu(second(shortcut, num_frames)) + shortcut
            x = functional.avg_pool2d(x, 2)
            means.append(x.mean(dim=(2, 3)))
        vectors = self.projection(torch.cat(means, dim=1).view(num_windows, num_frames, -1))
        seen = x.permute(0, 2, 3, 1).reshape(num_windows, num_frames, -1)
        colours = _histograms(frames).to(kind)
        parts = [
            functional.relu(self.colours(_band(colours))),
            functional.relu(self.alike(_band(functional.normalize(vectors, dim=2)))),
            seen,
        ]
        return cast(Tensor, self.heads(functional.relu(self.hidden(torch.cat(parts, dim=2)))))


def _band(vectors: Tensor) -> Tensor:
    """Return each frame's cosines with the frames up to 50 before and after it, (B, T, 101)."""
    num_windows, num_frames, _ = vectors.shape
    products = functional.pad(vectors @ vectors.transpose(1, 2), (_REACH, _REACH))
    places = torch.arange(num_frames)[:, None] + torch.arange(2 * _REACH + 1)
    return products.gather(2, places.expand(num_windows, -1, -1))


def _histograms(frames: Tensor) -> Tensor:
    """Return unit vectors of the counts of 8 × 8 × 8 colours, (B, T, 512)."""
    levels = frames.flatten(2, 3).int() >> 5
    bins = (levels[..., 0] << 6) + (levels[..., 1] << 3) + levels[..., 2]
    counts = torch.zeros(*bins.shape[:2], 512)
    counts.scatter_add_(2, bins.long(), torch.ones(1).expand(bins.shape))
    return functional.normalize(counts, dim=2)


def published_weights(state: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Return the authors' weights, by their names in PyTorch, as `TransNetV2` has them.

    Raises:
        EncoderError: A weight is missing or of another shape.
    """
    found: dict[str, Tensor] = {}
    try:
        for level in range(len(_FILTERS)):
            for step in range(2):
                name = f"SDDCNN.{level}.DDCNN.{step}"
                layers = [
                    [state[f"{name}.Conv3D_{d}.layers.{part}.weight"] for d in _DILATIONS]
                    for part in range(2)
                ]
                scale = state[f"{name}.bn.weight"] / torch.sqrt(
                    state[f"{name}.bn.running_var"] + _BN_EPSILON
                )
                times = [
                    (kernel[..., 0, 0] * part[:, None, None]).permute(1, 2, 0).flatten(1)
                    for kernel, part in zip(layers[1], scale.chunk(4), strict=True)
                ]
                own = f"blocks.{level}.{step}"
                found[f"{own}.space.weight"] = torch.cat(layers[0]).squeeze(2)
                found[f"{own}.time"] = torch.stack(times)
                found[f"{own}.bias"] = (
                    state[f"{name}.bn.bias"] - state[f"{name}.bn.running_mean"] * scale
                )
        for own, name in (
            ("projection", "frame_sim_layer.projection"),
            ("alike", "frame_sim_layer.fc"),
            ("colours", "color_hist_layer.fc"),
            ("hidden", "fc1"),
        ):
            found |= {f"{own}.{part}": state[f"{name}.{part}"] for part in ("weight", "bias")}
        # The published order of features is colours, similarities, then what is seen.
        heads = [f"cls_layer{number}" for number in (1, 2)]
        for part in ("weight", "bias"):
            found[f"heads.{part}"] = torch.cat([state[f"{name}.{part}"] for name in heads])
    except (KeyError, RuntimeError, ValueError) as error:
        raise EncoderError(f"{source} does not hold TransNet V2's weights: {error}") from error
    return found
