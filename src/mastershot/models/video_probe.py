"""A probe of a video's mean feature: M_scene and M_trailer of MovieCLIP (METHODS A8)."""
# B batch, D width of a feature, H hidden, C classes

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
