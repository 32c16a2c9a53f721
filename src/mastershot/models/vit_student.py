"""A small vision transformer as a student, for training with a GPU on many frames."""
# B batch, H × W size of a frame, N outputs

from torch import Tensor, nn

from mastershot.models.students import StudentMaps
from mastershot.models.transformer import initialise
from mastershot.models.vit import VisionTransformer, ViTSettings

# The shape of ViT-Ti (Touvron et al. 2021, arXiv:2012.12877, table 1) at half its depth.
_WIDTH, _DEPTH, _HEADS, _PATCH_PX = 192, 6, 3, 16


class ViTStudent(nn.Module):
    """Frames to N numbers, as `FireNet`; it has no maps for a teacher's hints."""

    map_channels = None

    def __init__(self, num_outputs: int, image_px: int) -> None:
        """Build the network with random weights, for squares of an edge.

        Raises:
            SettingError: Its patches of 16 pixels do not tile the square.
        """
        super().__init__()
        shape = ViTSettings(
            width=_WIDTH, depth=_DEPTH, heads=_HEADS, patch_px=_PATCH_PX, image_px=image_px
        )
        self.frames = VisionTransformer(shape)
        self.head = nn.Linear(_WIDTH, num_outputs)
        initialise(self.head)

    def maps(self, images_B3HW: Tensor) -> StudentMaps:
        """Return the outputs from RGB values 0…255."""
        return StudentMaps(self(images_B3HW))

    def forward(self, images_B3HW: Tensor) -> Tensor:
        """Return the outputs (B, N)."""
        outputs: Tensor = self.head(self.frames(images_B3HW))
        return outputs

    def shipped_weights(self) -> dict[str, Tensor]:
        """Return the weights unchanged."""
        return {name: tensor.detach() for name, tensor in self.state_dict().items()}
