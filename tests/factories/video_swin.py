"""Video Swin Transformer as plain loops over windows, read from published weights by their names.

Slow, in double precision, and independent of the package: it follows the published code (the
paper's own, mmaction2's and torchvision's), which is the same network under different names.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

Size = tuple[int, int, int]
PATCH: Size = (2, 4, 4)


class Names(NamedTuple):
    """What a publisher calls the parts; blocks by stage and number, merging by stage."""

    patches: str
    patches_norm: str
    block: Callable[[int, int], str]
    merge: Callable[[int], str]
    widen: str
    narrow: str
    norm: str
    head: str


TORCHVISION = Names(
    patches="patch_embed.proj",
    patches_norm="patch_embed.norm",
    block=lambda stage, block: f"features.{2 * stage}.{block}",
    merge=lambda stage: f"features.{2 * stage + 1}",
    widen="mlp.0",
    narrow="mlp.3",
    norm="norm",
    head="head",
)
PAPER = Names(
    patches="backbone.patch_embed.proj",
    patches_norm="backbone.patch_embed.norm",
    block=lambda stage, block: f"backbone.layers.{stage}.blocks.{block}",
    merge=lambda stage: f"backbone.layers.{stage}.downsample",
    widen="mlp.fc1",
    narrow="mlp.fc2",
    norm="backbone.norm",
    head="cls_head.fc_cls",
)
MMACTION = PAPER._replace(norm="backbone.norm3")


@dataclass(frozen=True)
class Shape:
    """The size of a network; the defaults are those of Video Swin-B."""

    width: int = 128
    heads: int = 4
    depths: tuple[int, ...] = (2, 2, 18, 2)
    window: Size = (8, 7, 7)
    classes: int = 400


def published(names: Names, shape: Shape, device: str = "cpu") -> dict[str, Tensor]:
    """Return random weights as a publisher stores them; the same under any names."""
    random = None if device == "meta" else torch.Generator().manual_seed(5)
    stored: dict[str, Tensor] = {}

    def add(name: str, *size: int, around: float = 0.0, spread: float = 0.3) -> None:
        stored[name] = torch.randn(size, generator=random, device=device) * spread + around

    def norm(name: str, width: int) -> None:
        add(f"{name}.weight", width, around=1.0)
        add(f"{name}.bias", width)

    def linear(name: str, outputs: int, *inputs: int) -> None:
        add(f"{name}.weight", outputs, *inputs, spread=math.prod(inputs) ** -0.5)
        add(f"{name}.bias", outputs)

    width, num_tokens = shape.width, math.prod(shape.window)
    linear(names.patches, width, 3, *PATCH)
    norm(names.patches_norm, width)
    for stage, depth in enumerate(shape.depths):
        for block in (names.block(stage, number) for number in range(depth)):
            norm(f"{block}.norm1", width)
            linear(f"{block}.attn.qkv", 3 * width, width)
            linear(f"{block}.attn.proj", width, width)
            rows = math.prod(2 * edge - 1 for edge in shape.window)
            add(f"{block}.attn.relative_position_bias_table", rows, shape.heads << stage, spread=1)
            index = torch.zeros((num_tokens, num_tokens), dtype=torch.long, device=device)
            stored[f"{block}.attn.relative_position_index"] = index
            norm(f"{block}.norm2", width)
            linear(f"{block}.{names.widen}", 4 * width, width)
            linear(f"{block}.{names.narrow}", width, 4 * width)
        if stage < len(shape.depths) - 1:
            merge = names.merge(stage)
            add(f"{merge}.reduction.weight", 2 * width, 4 * width, spread=(4 * width) ** -0.5)
            norm(f"{merge}.norm", 4 * width)
            width *= 2
    norm(names.norm, width)
    linear(names.head, shape.classes, width)
    return stored


def features(clip_3THW: Tensor, stored: Mapping[str, Tensor], names: Names, shape: Shape) -> Tensor:
    """Return what goes into the head, of one clip, in double precision."""
    weights = {name: tensor.double() for name, tensor in stored.items()}
    grid = _norm(_patches(clip_3THW.double(), weights, names), weights, names.patches_norm)
    for stage, depth in enumerate(shape.depths):
        for number in range(depth):
            block = names.block(stage, number)
            normed = _norm(grid, weights, f"{block}.norm1")
            shift = tuple(edge // 2 if number % 2 else 0 for edge in shape.window)
            heads = shape.heads << stage
            grid = grid + _attended(normed, weights, f"{block}.attn", heads, (shape.window, shift))
            hidden = _linear(
                _norm(grid, weights, f"{block}.norm2"), weights, f"{block}.{names.widen}"
            )
            hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
            grid = grid + _linear(hidden, weights, f"{block}.{names.narrow}")
        if stage < len(shape.depths) - 1:
            grid = _merged(grid, weights, names.merge(stage))
    return _norm(grid, weights, names.norm).mean((0, 1, 2))


def logits(clip_3THW: Tensor, stored: Mapping[str, Tensor], names: Names, shape: Shape) -> Tensor:
    """Return the logits of one clip, in double precision."""
    weights = {name: tensor.double() for name, tensor in stored.items()}
    return _linear(features(clip_3THW, stored, names, shape), weights, names.head)


def _linear(x: Tensor, weights: Mapping[str, Tensor], name: str) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _norm(x: Tensor, weights: Mapping[str, Tensor], name: str) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _places(*edges: int) -> "itertools.product[tuple[int, ...]]":
    return itertools.product(*(range(edge) for edge in edges))


def _patches(clip: Tensor, weights: Mapping[str, Tensor], names: Names) -> Tensor:
    """Return one vector a patch; what a patch lacks at the clip's end is black (0)."""
    size = [math.ceil(length / edge) for length, edge in zip(clip.shape[1:], PATCH, strict=True)]
    kernel, bias = (weights[f"{names.patches}.{part}"] for part in ("weight", "bias"))
    grid = torch.empty(*size, len(bias), dtype=clip.dtype)
    for place in _places(*size):
        cut = [slice(at * edge, (at + 1) * edge) for at, edge in zip(place, PATCH, strict=True)]
        part = clip[:, cut[0], cut[1], cut[2]]
        _, t, h, w = part.shape
        grid[place] = (kernel[:, :, :t, :h, :w] * part).sum((1, 2, 3, 4)) + bias
    return grid


def _merged(grid: Tensor, weights: Mapping[str, Tensor], name: str) -> Tensor:
    """Return one vector for each 2 × 2 tokens of a frame: upper and lower left, then right."""
    frames, rows, columns, width = grid.shape
    merged = torch.zeros(frames, -(-rows // 2), -(-columns // 2), 4 * width, dtype=grid.dtype)
    for f, r, k in _places(*merged.shape[:3]):
        for part, (down, right) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
            if 2 * r + down < rows and 2 * k + right < columns:
                token = grid[f, 2 * r + down, 2 * k + right]
                merged[f, r, k, part * width : (part + 1) * width] = token
    return _norm(merged, weights, f"{name}.norm") @ weights[f"{name}.reduction.weight"].T


def _attended(
    grid: Tensor,
    weights: Mapping[str, Tensor],
    name: str,
    heads: int,
    window_and_shift: tuple[Size, tuple[int, ...]],
) -> Tensor:
    """Return attention window by window, head by head; windows reach into padding of zeros."""
    full, shift = window_and_shift
    lengths = grid.shape[:3]
    window = tuple(min(edge, length) for edge, length in zip(full, lengths, strict=True))
    shift = tuple(s if n > e else 0 for s, n, e in zip(shift, lengths, full, strict=True))
    padded = tuple(math.ceil(n / e) * e for n, e in zip(lengths, window, strict=True))
    width = grid.shape[3]
    bias = weights[f"{name}.relative_position_bias_table"][_rows(full, math.prod(window))]
    out = torch.zeros_like(grid)
    for corner in itertools.product(*(range(0, n, e) for n, e in zip(padded, window, strict=True))):
        tokens, sources, regions = [], [], []
        for inside in _places(*window):
            at = [c + i for c, i in zip(corner, inside, strict=True)]
            moved = [a + s for a, s in zip(at, shift, strict=True)]
            source = tuple(m % n for m, n in zip(moved, padded, strict=True))
            is_real = all(s < n for s, n in zip(source, lengths, strict=True))
            tokens.append(grid[source] if is_real else torch.zeros(width, dtype=grid.dtype))
            sources.append(source if is_real else None)
            # Tokens that the shift took from the other end are a region of their own.
            regions.append(tuple(m >= n for m, n in zip(moved, padded, strict=True)))
        numbers = torch.tensor([sorted(set(regions)).index(region) for region in regions])
        apart = numbers[:, None] != numbers[None, :]
        projected = _linear(torch.stack(tokens), weights, f"{name}.qkv")
        mixed = [
            _one_head(*parts, bias[..., head].masked_fill(apart, -torch.inf))
            for head, parts in enumerate(zip(*_per_head(projected, heads), strict=True))
        ]
        result = _linear(torch.cat(mixed, -1), weights, f"{name}.proj")
        for source, vector in zip(sources, result, strict=True):
            if source is not None:
                out[source] = vector
    return out


def _per_head(projected: Tensor, heads: int) -> list[tuple[Tensor, ...]]:
    """Return the queries, keys and values of each head: they lie side by side, in this order."""
    return [part.chunk(heads, -1) for part in projected.chunk(3, -1)]


def _one_head(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    scores = torch.exp(queries @ keys.T / math.sqrt(queries.shape[-1]) + bias)
    return scores / scores.sum(-1, keepdim=True) @ values


@cache
def _rows(window: Size, num_tokens: int) -> Tensor:
    """Return the bias's row for each pair of tokens, from their places in the full window."""
    places = list(_places(*window))[:num_tokens]
    offsets = {
        offset: row
        for row, offset in enumerate(itertools.product(*(range(1 - edge, edge) for edge in window)))
    }
    return torch.tensor(
        [[offsets[a[0] - b[0], a[1] - b[1], a[2] - b[2]] for b in places] for a in places]
    )
