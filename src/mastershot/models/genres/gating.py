"""Collaborative gating of experts (Liu et al. 2019; METHODS C2): each weighs itself by the others.

An expert that is missing takes no part: what stands in its place is never read, and batch
normalisation sees only what is there.
"""
# B clips, E experts, D width, P pairs of experts that are both there

from collections.abc import Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mastershot.models.genres.netvlad import NetVLAD

Gating: TypeAlias = Literal["pairs", "mean", "none"]
"""How experts are weighed: by each other expert, by the mean of the others, or not at all."""
Pooling: TypeAlias = Literal["mean", "sum"]
"""What is done with what the pairs of an expert say."""


class ExpertProjection(nn.Module):
    """Brings the vectors of experts to one width; those that come in pieces, by NetVLAD first."""

    def __init__(
        self, widths: Mapping[str, int], width: int, *, in_pieces: Mapping[str, int] | None = None
    ) -> None:
        """Take the width of each expert, and how many clusters each has that comes in pieces."""
        super().__init__()
        clusters = in_pieces or {}
        self.names = tuple(widths)
        self.vlads = nn.ModuleDict(
            {name: NetVLAD(widths[name], clusters[name]) for name in self.names if name in clusters}
        )
        for name in self.names:  # Standardised before all else; `standardise` sets them.
            self.register_buffer(f"mean_{name}", torch.zeros(widths[name]))
            self.register_buffer(f"scale_{name}", torch.ones(widths[name]))
        seen = {name: widths[name] * clusters.get(name, 1) for name in self.names}
        self.layers = nn.ModuleDict({name: nn.Linear(seen[name], width) for name in self.names})

    def standardise(self, name: str, mean: Tensor, deviation: Tensor) -> None:
        """Have an expert's features brought to mean 0 and deviation 1; constant ones become 0."""
        self.get_buffer(f"mean_{name}").copy_(mean)
        scale = torch.where(deviation > 0, 1 / deviation.clamp(min=1e-12), 0)
        self.get_buffer(f"scale_{name}").copy_(scale)

    def forward(self, vectors: Mapping[str, Tensor], present_BE: Tensor) -> Tensor:
        """Return (B, E, D), zeros where an expert is missing.

        Args:
            vectors: Of each expert (B, D of its own), or (B, N, D) in pieces, where a piece of NaN
                is none.
            present_BE: Which experts are there, bool.
        """
        projected = []
        for place, name in enumerate(self.names):
            there, one = present_BE[:, place], vectors[name]
            mean, scale = (self.get_buffer(f"{part}_{name}") for part in ("mean", "scale"))
            is_whole = bool(there.all())
            rows = ((one if is_whole else one[there]) - mean) * scale
            if name in self.vlads:
                rows = self.vlads[name](rows, rows.isfinite().all(dim=2))
            made = self.layers[name](rows)
            if not is_whole:
                made = made.new_zeros(len(one), made.shape[1]).index_put((there,), made)
            projected.append(made)
        return torch.stack(projected, dim=1)


class CollaborativeGating(nn.Module):
    """Weighs each expert's vector, feature by feature, by what the others say of it.

    The gate of expert e is σ(mean over f ≠ e of g([Ψe; Ψf])); with ``pooling`` "sum" their sum, as
    the paper has it; with ``gating`` "mean" g sees the mean of the others, once. g is a linear
    layer of the pair, then twice batch normalisation, activation and a linear layer. Its first and
    last layer are linear in the experts and in the pairs, so they are computed once an expert.
    """

    def __init__(self, width: int, *, gating: Gating = "pairs", pooling: Pooling = "mean") -> None:
        super().__init__()
        self.gating, self.pooling = gating, pooling
        self.own = nn.Linear(width, width)
        self.other = nn.Linear(width, width, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(2))
        self.hidden = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, experts_BED: Tensor, present_BE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighed experts and their gates, each (B, E, D); zeros where one is missing.

        Args:
            experts_BED: Vectors of experts, zeros where one is missing.
            present_BE: Which are there, bool.
        """
        gates_BED = torch.sigmoid(self._said(experts_BED, present_BE)) * present_BE[..., None]
        return experts_BED * gates_BED, gates_BED

    def _said(self, experts_BED: Tensor, present_BE: Tensor) -> Tensor:
        """Return what the others say of each expert, before the sigmoid, (B, E, D)."""
        own_BED, other_BED = self.own(experts_BED), self.other(experts_BED)
        there = present_BE[..., None].to(other_BED.dtype)
        others_BE = present_BE.sum(dim=1, keepdim=True) - present_BE.long()
        if self.gating == "mean":
            other_BED = other_BED * there
            total = other_BED.sum(dim=1, keepdim=True)
            means = (total - other_BED) / others_BE.clamp(min=1)[..., None]
            is_asked = present_BE & (others_BE > 0)
            hidden = self._through(own_BED[is_asked] + means[is_asked])
            pooled_BED = torch.zeros_like(own_BED, dtype=hidden.dtype)
            return pooled_BED.index_put((is_asked,), self.out(hidden))
        pooled_BED = self._hidden_of_pairs(own_BED, other_BED, present_BE)
        count = others_BE[..., None].to(pooled_BED.dtype)
        weight, bias = self.out.weight, self.out.bias
        if self.pooling == "mean":
            said = nn.functional.linear(pooled_BED / count.clamp(min=1), weight, bias)
            return said * (count > 0)
        return nn.functional.linear(pooled_BED, weight) + count * bias

    def _hidden_of_pairs(self, own_BED: Tensor, other_BED: Tensor, present_BE: Tensor) -> Tensor:
        """Return the sum of the hidden layers of an expert's pairs, (B, E, D).

        Pairs are formed by turning the experts round, so that no rows are looked up where all
        experts are there: looking up, and its gradient, take longer than the matrix products.
        """
        num_experts, width = own_BED.shape[1:]
        turns = range(1, num_experts)
        others = torch.stack([other_BED.roll(-turn, dims=1) for turn in turns], dim=2)
        pairs = (own_BED[:, :, None] + others).flatten(0, 2)
        if bool(present_BE.all()):
            hidden = self._through(pairs)
        else:
            asked = torch.stack([present_BE.roll(-turn, dims=1) for turn in turns], dim=2)
            places = (asked & present_BE[..., None]).flatten().nonzero()[:, 0]
            there = self._through(pairs.index_select(0, places))
            hidden = there.new_zeros(len(pairs), width).index_copy(0, places, there)
        return hidden.view(-1, num_experts, num_experts - 1, width).sum(dim=2)

    def _through(self, pairs_PD: Tensor) -> Tensor:
        """Return the hidden layer of g of some pairs, before its last linear layer."""
        first, second = self.norms
        if not len(pairs_PD):
            return pairs_PD
        return torch.relu(second(self.hidden(torch.relu(first(pairs_PD)))))


class GatedEmbedding(nn.Module):
    """A linear layer whose features weigh themselves, to length 1 (Miech et al. 2018)."""

    def __init__(self, num_in: int, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(num_in, width)
        self.gate = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return unit vectors (…, D) of vectors (…, C)."""
        y = self.layer(x)
        return normalize(y * torch.sigmoid(self.gate(y)), dim=-1)


class ClipEncoder(nn.Module):
    """The clip vector: experts projected, weighed against each other, embedded, side by side.

    With ``gating`` "none" it is the control: projected experts side by side.

    Attributes:
        names: The experts, in order.
        width: Width of a clip vector, E × D.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        width: int,
        *,
        in_pieces: Mapping[str, int] | None = None,
        gating: Gating = "pairs",
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__()
        self.names = tuple(widths)
        self.width = len(self.names) * width
        self.projection = ExpertProjection(widths, width, in_pieces=in_pieces)
        self.gating = None
        if gating != "none" and len(self.names) > 1:
            self.gating = CollaborativeGating(width, gating=gating, pooling=pooling)
        self.embeddings = nn.ModuleList(
            GatedEmbedding(width, width) for _ in self.names if gating != "none"
        )

    def forward(self, vectors: Mapping[str, Tensor], present_BE: Tensor) -> tuple[Tensor, Tensor]:
        """Return clip vectors (B, E D) and how far each expert's gate was open, (B, E), in [0, 1].

        The arguments are those of `ExpertProjection`. Without gating every gate is open.
        """
        experts_BED = self.projection(vectors, present_BE)
        opened_BE = present_BE.to(experts_BED.dtype)
        if self.gating is not None:
            experts_BED, gates_BED = self.gating(experts_BED, present_BE)
            opened_BE = gates_BED.mean(dim=2)
        if self.embeddings:
            parts = [one(experts_BED[:, place]) for place, one in enumerate(self.embeddings)]
            experts_BED = torch.stack(parts, dim=1) * present_BE[..., None]
        return experts_BED.flatten(1), opened_BE
