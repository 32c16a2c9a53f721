"""A recogniser over the vectors of a shot's frames: an LSTM and a linear layer on its last step.

LSTM-Places and LSTM-ViT of MovieCLIP, and its classifier of shot scales, are this network
(METHODS A6, A7): 2 layers, hidden 512. In both directions it is the Bi-LSTM of its Table 5.
"""
# B batch, T steps, D width of a frame's vector, H hidden (of both directions together), C classes

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from mastershot.core.embeddings import FloatArray
from mastershot.models.recognisers.build import Shape


class FrameLSTM(nn.Module):
    """Sequences of vectors to one logit a class, read forward, or forward and backward."""

    def __init__(
        self,
        width: int,
        num_classes: int,
        *,
        hidden: int = 512,
        layers: int = 2,
        both_directions: bool = False,
        normed: bool = False,
    ) -> None:
        """Build the network; ``normed`` brings each vector to mean 0 and variance 1 first.

        Encoders' vectors have length 1, so their numbers are of the order of 1/√D: an LSTM whose
        weights are drawn for numbers of the order of 1 hardly learns from them.
        """
        super().__init__()
        self._normed = normed
        self.lstm = nn.LSTM(width, hidden, layers, batch_first=True, bidirectional=both_directions)
        self.feature_width = 2 * hidden if both_directions else hidden
        self.head = nn.Linear(self.feature_width, num_classes)

    def forward(self, frames_BTD: Tensor, lengths_B: Tensor) -> Tensor:
        """Return logits (B, C) of each sequence; lengths are 1 to T.

        The values of the padding after a sequence have no influence.
        """
        return self.head(self.features(frames_BTD, lengths_B))  # type: ignore[no-any-return]

    def features(self, frames_BTD: Tensor, lengths_B: Tensor) -> Tensor:
        """Return the last valid step of each sequence, shape (B, H).

        In both directions it is followed by the first step of the way back, which began at the
        last valid step.
        """
        if self._normed:
            frames_BTD = layer_norm(frames_BTD, frames_BTD.shape[-1:])
        if self.lstm.bidirectional:
            packed = pack_padded_sequence(
                frames_BTD, lengths_B.cpu(), batch_first=True, enforce_sorted=False
            )
            forward_BH, backward_BH = self.lstm(packed)[1][0][-2:]
            return torch.cat([forward_BH, backward_BH], dim=1)
        steps_BTH, _ = self.lstm(frames_BTD)
        rows_B = torch.arange(len(lengths_B), device=lengths_B.device)
        return steps_BTH[rows_B, lengths_B - 1]  # type: ignore[no-any-return]


def build(num_classes: int, shape: Shape) -> FrameLSTM:
    """Return the recogniser of MovieCLIP: 2 layers of 512; that vectors are normed is ours."""
    hidden, layers = shape.channels(512), shape.blocks(2)
    return FrameLSTM(shape.input_width, num_classes, hidden=hidden, layers=layers, normed=True)


def pad_frames(sequences: Sequence[FloatArray]) -> tuple[Tensor, Tensor]:
    """Return sequences (T, D) of one width as the network takes them: (B, T, D) and (B,)."""
    frames_BTD = pad_sequence([torch.from_numpy(one) for one in sequences], batch_first=True)
    return frames_BTD, torch.tensor([len(one) for one in sequences])
