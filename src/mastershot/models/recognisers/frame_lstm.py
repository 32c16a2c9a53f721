"""A recogniser over the vectors of a shot's frames: an LSTM and a linear layer on its last step.

LSTM-Places and LSTM-ViT of MovieCLIP, and its classifier of shot scales, are this network
(METHODS A6, A7): 2 layers, hidden 512.
"""
# B batch, T steps, D width of a frame's vector, H hidden, C classes

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mastershot.core.embeddings import FloatArray
from mastershot.models.recognisers.build import Shape


class FrameLSTM(nn.Module):
    """Sequences of vectors to one logit a class."""

    def __init__(self, width: int, num_classes: int, *, hidden: int = 512, layers: int = 2) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, num_classes)
        self.feature_width = hidden

    def forward(self, frames_BTD: Tensor, lengths_B: Tensor) -> Tensor:
        """Return logits (B, C) from the last valid step of each sequence; lengths are 1 to T.

        Steps run forward only, so the values of the padding after a sequence have no influence.
        """
        return self.head(self.features(frames_BTD, lengths_B))  # type: ignore[no-any-return]

    def features(self, frames_BTD: Tensor, lengths_B: Tensor) -> Tensor:
        """Return the last valid step of each sequence, shape (B, H)."""
        steps_BTH, _ = self.lstm(frames_BTD)
        rows_B = torch.arange(len(lengths_B), device=lengths_B.device)
        return steps_BTH[rows_B, lengths_B - 1]  # type: ignore[no-any-return]


def build(num_classes: int, shape: Shape) -> FrameLSTM:
    """Return the recogniser of MovieCLIP: 2 layers of 512."""
    return FrameLSTM(
        shape.input_width, num_classes, hidden=shape.channels(512), layers=shape.blocks(2)
    )


def pad_frames(sequences: Sequence[FloatArray]) -> tuple[Tensor, Tensor]:
    """Return sequences (T, D) of one width as the network takes them: (B, T, D) and (B,)."""
    frames_BTD = pad_sequence([torch.from_numpy(one) for one in sequences], batch_first=True)
    return frames_BTD, torch.tensor([len(one) for one in sequences])
