"""A transformer over a set of tokens, of which it returns the first, the class token.

Pre-norm blocks as in ViT (Dosovitskiy et al. 2021, section 3.1). The last block computes the class
token alone: the same numbers for less work.
"""
# B batch, T tokens, W wanted tokens, D width, H heads, E width of a head, G groups of tokens

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear, scaled_dot_product_attention, silu

from mastershot.core.errors import SettingError

_INITIAL_STD = 0.02  # of every weight, as the published ViT


def _quick_gelu(x: Tensor) -> Tensor:
    return silu(1.702 * x) / 1.702


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": gelu, "quick_gelu": _quick_gelu}


@dataclass(frozen=True)
class TransformerSettings:
    """The shape of a transformer; the defaults are ViT-B's (Dosovitskiy et al., table 1).

    Attributes:
        width: D, of every token.
        depth: How many blocks.
        heads: H, of each attention; they share the width.
        mlp_ratio: Hidden width of a block's MLP in widths.
        norm_eps: Added to the variance in layer normalisation.
        activation: ``gelu``, or ``quick_gelu`` as OpenAI's CLIP has it.
    """

    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: int = 4
    norm_eps: float = 1e-6
    activation: str = "gelu"

    def __post_init__(self) -> None:
        require_positive_sizes(self)
        if self.width % self.heads:
            raise SettingError(
                f"{self.heads} heads cannot share a width of {self.width} evenly; "
                "the number of heads must divide the width"
            )
        if self.activation not in _ACTIVATIONS:
            known = " and ".join(_ACTIVATIONS)
            raise SettingError(f"activation {self.activation!r} is unknown; {known} are known")


class SelfAttention(nn.Module):
    """Attention of the tokens of a group to one another (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self._heads = heads

    def forward(self, tokens_GTD: Tensor, bias_GHTT: Tensor | None = None) -> Tensor:
        """Return the attended tokens, shape (G, T, D); the bias is added before the softmax."""
        projected = self.queries_keys_values(tokens_GTD).unflatten(-1, (3, self._heads, -1))
        queries, keys, values = projected.permute(2, 0, 3, 1, 4)
        mixed_GHTE = scaled_dot_product_attention(queries, keys, values, bias_GHTT)
        return self.attended(mixed_GHTE.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Attention, then an MLP, each of normalised tokens and added to what came in."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        width, hidden = settings.width, settings.width * settings.mlp_ratio
        self.attention_norm = nn.LayerNorm(width, settings.norm_eps)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width, settings.norm_eps)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self._heads = settings.heads
        self._activation = _ACTIVATIONS[settings.activation]

    def forward(self, tokens_BTD: Tensor, mask_B11T: Tensor | None, num_wanted: int) -> Tensor:
        """Return the first W tokens, shape (B, W, D), after attention to all the mask permits."""
        normed_BTD = self.attention_norm(tokens_BTD)
        if num_wanted == tokens_BTD.shape[1]:
            projected = self.queries_keys_values(normed_BTD).chunk(3, -1)
        else:  # Keys and values of all tokens, queries of the wanted ones.
            width, joint = tokens_BTD.shape[2], self.queries_keys_values
            queries = linear(normed_BTD[:, :num_wanted], joint.weight[:width], joint.bias[:width])
            others = linear(normed_BTD, joint.weight[width:], joint.bias[width:])
            projected = (queries, *others.chunk(2, -1))
        queries, keys, values = (
            x.view(*x.shape[:2], self._heads, -1).transpose(1, 2) for x in projected
        )
        mixed_BHWE = scaled_dot_product_attention(queries, keys, values, mask_B11T)
        attended: Tensor = self.attended(mixed_BHWE.transpose(1, 2).flatten(2))
        x_BWD = tokens_BTD[:, :num_wanted] + attended
        changes: Tensor = self.narrow(self._activation(self.widen(self.mlp_norm(x_BWD))))
        return x_BWD + changes


class Transformer(nn.Module):
    """Blocks one after another, and a normalisation after the last."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.depth))
        self.norm = nn.LayerNorm(settings.width, settings.norm_eps)

    def forward(self, tokens_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Return the first token, the class token, after all blocks, shape (B, D).

        The mask is True where a token takes part in attention; None is all of them.
        """
        mask_B11T = None if mask_BT is None else mask_BT[:, None, None]
        last = len(self.blocks) - 1
        for index, block in enumerate(self.blocks):
            num_wanted = 1 if index == last else tokens_BTD.shape[1]
            tokens_BTD = block(tokens_BTD, mask_B11T, num_wanted)
        return self.norm(tokens_BTD[:, 0])  # type: ignore[no-any-return]


def require_positive_sizes(settings: Any) -> None:
    """Raise a SettingError if a whole number among a dataclass's fields is below 1."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        if field.type is int and value < 1:
            raise SettingError(f"{field.name} is {value}; it must be 1 or more")


def initialise(module: nn.Module) -> None:
    """Draw a network's weights as the published ViT does; biases become 0."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            nn.init.trunc_normal_(part.weight, std=_INITIAL_STD)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def learned(*shape: int) -> nn.Parameter:
    """Return learned embeddings of a shape, drawn like weights."""
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=_INITIAL_STD))
