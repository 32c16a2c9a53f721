"""Probes of features: of a video's mean (MovieCLIP, METHODS A8), of the gap between two shots."""
# B batch, N shots of a window, D width of a feature, H hidden, C classes

import torch
from torch import Tensor, nn


class VideoProbe(nn.Module):
    """Three fully connected layers, features to one logit a class.

    D → H, dropout → H → C. The paper names no activation; without one the three would be a single
    linear map, so ReLU follows the first two.
    """

    def __init__(self, width: int, num_classes: int, *, hidden: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.hidden_layers = nn.Sequential(
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.head = nn.Linear(hidden, num_classes)
        self.feature_width = hidden

    def features(self, vectors_BD: Tensor) -> Tensor:
        """Return what goes into the last layer, shape (B, H)."""
        return self.hidden_layers(vectors_BD)  # type: ignore[no-any-return]

    def forward(self, vectors_BD: Tensor) -> Tensor:
        """Return logits (B, C)."""
        return self.head(self.features(vectors_BD))  # type: ignore[no-any-return]


class BoundaryProbe(nn.Module):
    """The MLP of scene boundary detection (METHODS B6), on shots' standardised features.

    Four shots' vectors, concatenated, → H → H → one logit: does a scene end between the second and
    the third? ReLU and dropout follow both hidden layers; where dropout stands is not published.
    Mean and scale of the training shots, by which features are standardised, are part of its state;
    that is ours, so that one learning rate suits any space.

    Attributes:
        width: Width D of a shot's features.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, *, num_shots: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.layers = nn.Sequential(
            nn.Linear(num_shots * width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 1),
        )

    def forward(self, windows_BND: Tensor) -> Tensor:
        """Return the logits of B windows of N shots, shape (B,)."""
        standardised_BND = (windows_BND - self.mean) * self.scale
        return self.layers(standardised_BND.flatten(1))[:, 0]  # type: ignore[no-any-return]
