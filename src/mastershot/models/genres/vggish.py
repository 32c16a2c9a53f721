"""VGGish (Hershey et al. 2017, arXiv:1609.09430), with the names of harritaylor's torchvggish."""
# B windows, F frames of 10 ms, M mel bands, D width of an embedding

from torch import Tensor, nn

FRAMES, BANDS, WIDTH = 96, 64, 128
_CHANNELS: tuple[int | None, ...] = (64, None, 128, None, 256, 256, None, 512, 512, None)
"""Of the convolutions, one after the other; None is a pooling."""
_HIDDEN = 4096


class VGGish(nn.Module):
    """Log-mel spectra of 0.96 s to embeddings, which a last ReLU leaves at 0 or above."""

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        num_in, shrunk = 1, 1
        for channels in _CHANNELS:
            if channels is None:
                parts.append(nn.MaxPool2d(2))
                shrunk *= 2
            else:
                parts += [nn.Conv2d(num_in, channels, 3, padding=1), nn.ReLU()]
                num_in = channels
        self.features = nn.Sequential(*parts)
        layers: list[nn.Module] = []
        width = num_in * (FRAMES // shrunk) * (BANDS // shrunk)
        for out in (_HIDDEN, _HIDDEN, WIDTH):
            layers += [nn.Linear(width, out), nn.ReLU()]
            width = out
        self.embeddings = nn.Sequential(*layers)

    def forward(self, spectra_BFM: Tensor) -> Tensor:
        """Return embeddings (B, D)."""
        maps = self.features(spectra_BFM[:, None])
        # The first layer was trained on maps whose channels come last.
        return self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))  # type: ignore[no-any-return]
