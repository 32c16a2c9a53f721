"""From clips to a trailer's genres and the vector that sub-genres are found in (METHODS C3, C4)."""
# B trailers, S sequences of a trailer, L clips of a sequence, E experts, D width, G genres

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from mastershot.models.genres.gating import ClipEncoder

Joining: TypeAlias = Literal["concat", "sum", "mean"]
"""How the vectors of a trailer's sequences are joined: side by side, or pooled."""


@dataclass(frozen=True)
class TrailerVectors:
    """What the network makes of trailers.

    Attributes:
        logits: Of each genre, (B, G).
        bottleneck: The trailers' embeddings, (B, D).
        opened: How far the gate of each expert was open, on the mean of its clips, (B, E), in
            [0, 1]; 0 for an expert that no clip has.
    """

    logits: Tensor
    bottleneck: Tensor
    opened: Tensor


class GenreNetwork(nn.Module):
    """Genres of trailers, each some sequences of as many clips, seen by several experts.

    Clips that are missing, of which no expert says anything, are zeros in their sequence; sequences
    without any clip take no part.
    """

    def __init__(
        self,
        clips: ClipEncoder,
        num_genres: int,
        *,
        clips_a_sequence: int = 9,
        sequences: int = 4,
        joining: Joining = "sum",
        sequence_width: int = 512,
        bottleneck: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.clips, self.joining, self.sequences = clips, joining, sequences
        self.sequence = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(clips_a_sequence * clips.width, sequence_width),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        joined = sequence_width * (sequences if joining == "concat" else 1)
        self.trailer = nn.Sequential(nn.Linear(joined, bottleneck), nn.ReLU())
        self.genres = nn.Linear(bottleneck, num_genres)

    def forward(self, vectors: Mapping[str, Tensor], present_BSLE: Tensor) -> TrailerVectors:
        """Return what is made of trailers.

        Args:
            vectors: Of each expert (B, S, L, D of its own), or (B, S, L, N, D) in pieces.
            present_BSLE: Which experts each clip has, bool.
        """
        count, num_sequences, length, num_experts = present_BSLE.shape
        present = present_BSLE.flatten(0, 2)
        flat = {name: one.flatten(0, 2) for name, one in vectors.items()}
        made, opened = self.clips(flat, present)
        made_BSC = self.sequence(made.view(count, num_sequences, -1))
        there_BS = present_BSLE.any(dim=3).any(dim=2)
        made_BSC = made_BSC * there_BS[..., None]
        bottleneck = self.trailer(self._joined(made_BSC, there_BS))
        seen_BE = present_BSLE.sum(dim=(1, 2))
        opened = opened.view(count, num_sequences * length, num_experts).sum(dim=1)
        return TrailerVectors(self.genres(bottleneck), bottleneck, opened / seen_BE.clamp(min=1))

    def _joined(self, made_BSC: Tensor, there_BS: Tensor) -> Tensor:
        if self.joining == "concat":
            missing = self.sequences - made_BSC.shape[1]
            return nn.functional.pad(made_BSC, (0, 0, 0, missing)).flatten(1)
        total = made_BSC.sum(dim=1)
        if self.joining == "sum":
            return total
        return total / there_BS.sum(dim=1, keepdim=True).clamp(min=1)


class ProjectionHead(nn.Module):
    """Maps bottlenecks to where halves of a trailer are compared; it is dropped afterwards."""

    def __init__(self, num_in: int, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(num_in, num_in), nn.ReLU(), nn.Linear(num_in, width))

    def forward(self, bottleneck_BD: Tensor) -> Tensor:
        """Return unit vectors, (B, W)."""
        return nn.functional.normalize(self.layers(bottleneck_BD), dim=1)


def half_masks(present_BSLE: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return which experts of which clips each of two random halves of the sequences has.

    A trailer's sequences that hold a clip are dealt out to the halves, equally many to each; where
    there is but one, both halves hold it. Shapes are those of the input.
    """
    there_BS = present_BSLE.any(dim=3).any(dim=2)
    draws = torch.rand(there_BS.shape, generator=generator).to(there_BS.device)
    ranks_BS = draws.masked_fill(~there_BS, 2.0).argsort(dim=1).argsort(dim=1)
    num_B1 = there_BS.sum(dim=1, keepdim=True)
    half = num_B1 // 2
    first = (ranks_BS < half) | (num_B1 == 1)
    second = ((ranks_BS >= half) & (ranks_BS < 2 * half)) | (num_B1 == 1)
    return (
        present_BSLE & (first & there_BS)[:, :, None, None],
        present_BSLE & (second & there_BS)[:, :, None, None],
    )
