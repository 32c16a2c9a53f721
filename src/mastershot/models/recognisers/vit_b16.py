"""ViT-B/16 with a linear layer, on normalised frames (Dosovitskiy et al. 2021)."""
# B batch, H × W size of a frame, D width of a feature

from collections.abc import Mapping

from torch import Tensor, nn

from mastershot.models.loading import translate_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.transformer import initialise
from mastershot.models.vit import VisionTransformer, ViTSettings
from mastershot.models.vit import published_weights as vit_weights

_HEAD_WIDTH = 64  # of an attention head, as in the published network


class FrameViT(nn.Module):
    """Frames to logits from their class tokens."""

    def __init__(self, num_classes: int, shape: Shape) -> None:
        """Build the network with random weights.

        Raises:
            SettingError: Patches of 16 pixels do not tile the frames.
        """
        super().__init__()
        width = shape.channels(768, _HEAD_WIDTH)
        settings = ViTSettings(
            width=width,
            depth=shape.blocks(12),
            heads=width // _HEAD_WIDTH,
            norm_eps=1e-12,  # as transformers has it
            image_px=shape.size_px,
            pixel_mean=(0.0, 0.0, 0.0),
            pixel_std=(1.0, 1.0, 1.0),
        )
        self.frames = VisionTransformer(settings)
        self.feature_width = width
        self.head = nn.Linear(width, num_classes)
        initialise(self.head)

    def features(self, frames_B3HW: Tensor) -> Tensor:
        """Return the class tokens, shape (B, D)."""
        return self.frames(frames_B3HW)  # type: ignore[no-any-return]

    def forward(self, frames_B3HW: Tensor) -> Tensor:
        """Return logits (B, C) of normalised frames."""
        return self.head(self.features(frames_B3HW))  # type: ignore[no-any-return]


def build(num_classes: int, shape: Shape) -> FrameViT:
    """Return the network with random weights."""
    return FrameViT(num_classes, shape)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return Hugging Face's weights by our names; positions of another grid are interpolated.

    Raises:
        EncoderError: A weight is missing, or of another shape than the network's.
    """
    assert isinstance(network, FrameViT)
    weights = {
        f"frames.{name}": tensor
        for name, tensor in vit_weights(checkpoint, network.frames.settings).items()
    }
    parts = ("weight", "bias")
    if all(f"classifier.{part}" in checkpoint for part in parts):
        names = {f"head.{part}": (f"classifier.{part}",) for part in parts}
        weights |= translate_weights(checkpoint, names, source)
    return weights
