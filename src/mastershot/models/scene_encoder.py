"""Scene encoders: any number of shots to one vector, from pixels or from shots' features.

Positional embeddings are learned for one size and interpolated to the scene's, so any number of
shots goes in, at training or after (Movies2Scenes section 3.2.1; METHODS B5).
"""
# B batch, F frames of a scene (shots × frames a shot), S shots, P learned positions, D width,
# C numbers a shot feature has

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mastershot.core.errors import SettingError
from mastershot.models.transformer import Transformer, TransformerSettings, initialise, learned
from mastershot.models.vit import VisionTransformer, ViTSettings, resized_positions


@dataclass(frozen=True)
class FeatureSceneSettings(TransformerSettings):
    """The shape of a scene encoder that reads shots' features; the defaults are ours.

    Attributes:
        num_inputs: C, how many numbers a shot's feature has.
        num_positions: P, how many positional embeddings are learned; the paper's scenes have 9.
    """

    width: int = 256
    depth: int = 2
    heads: int = 4
    num_inputs: int = 512
    num_positions: int = 9


class PixelSceneEncoder(nn.Module):
    """Frames of a scene to its class token; of one frame, exactly that of the plain ViT."""

    def __init__(self, settings: ViTSettings) -> None:
        super().__init__()
        self.vit = VisionTransformer(settings)

    def forward(self, scenes_BF3HW: Tensor) -> Tensor:
        """Return one vector a scene, RGB values 0…255, before any head, shape (B, D).

        The frames form one picture, stacked along its height: the grid of positions is interpolated
        from (R, C) to (F·R, C), and the class token keeps its own.

        Raises:
            SettingError: A scene has no frame, or the frames another size than the network's.
        """
        if scenes_BF3HW.ndim != 5 or scenes_BF3HW.shape[1] == 0:
            raise SettingError(
                f"scenes of shape {tuple(scenes_BF3HW.shape)} cannot be encoded; "
                "(batch, frames, 3, height, width) with a frame or more is needed"
            )
        tokens = self.vit.patch_tokens(scenes_BF3HW.flatten(0, 1))
        rows, columns = grid = self.vit.settings.grid
        stacked = (scenes_BF3HW.shape[1] * rows, columns)
        positions = resized_positions(self.vit.positions, grid, stacked)
        return self.vit.read(tokens.reshape(len(scenes_BF3HW), *positions.shape), positions)


class FeatureSceneEncoder(nn.Module):
    """Features of a scene's shots to its class token."""

    def __init__(self, settings: FeatureSceneSettings) -> None:
        super().__init__()
        self.settings = settings
        self.tokens = nn.Linear(settings.num_inputs, settings.width)
        self.class_token = learned(settings.width)
        self.positions = learned(settings.num_positions, settings.width)
        self.transformer = Transformer(settings)
        initialise(self)

    def forward(self, features_BSC: Tensor, num_shots_B: Tensor | None = None) -> Tensor:
        """Return one vector a scene before any head, shape (B, D).

        Positions are spread over a scene's own shots, 1 to S of them; without ``num_shots_B``, S.
        Padding comes after them and has no influence.

        Raises:
            SettingError: A scene has no shot or more than S, or features of another width.
        """
        num_inputs, shape = self.settings.num_inputs, features_BSC.shape
        if len(shape) != 3 or shape[1] == 0 or shape[2] != num_inputs:
            raise SettingError(
                f"features of shape {tuple(shape)} do not fit a network for "
                f"(batch, shots, {num_inputs}) with a shot or more"
            )
        batch, num_slots, _ = shape
        mask_BT = None
        if num_shots_B is None:
            num_shots_B = torch.full((1,), num_slots, device=features_BSC.device)
        else:
            _check_lengths(num_shots_B, batch, num_slots)
            slots = torch.arange(-1, num_slots, device=features_BSC.device)  # -1: the class token
            mask_BT = slots < num_shots_B[:, None]
            features_BSC = features_BSC.where(mask_BT[:, 1:, None], 0)
        positions = spread_weights(num_shots_B, num_slots, len(self.positions)) @ self.positions
        shots_BSD = self.tokens(features_BSC) + positions
        tokens = torch.cat([self.class_token.expand(batch, 1, -1), shots_BSD], 1)
        return self.transformer(tokens, mask_BT)  # type: ignore[no-any-return]


class PaddedSceneEncoder(FeatureSceneEncoder):
    """A `FeatureSceneEncoder` for tables of fixed width: zeros at a scene's end are padding."""

    def forward(self, features_BSC: Tensor, num_shots_B: Tensor | None = None) -> Tensor:
        """Return one vector a scene, (B, D), of its shots up to the last that is not all zeros.

        Raises:
            SettingError: A scene holds only zeros, or in the cases of `FeatureSceneEncoder`.
        """
        if num_shots_B is None:
            places_S = torch.arange(1, features_BSC.shape[1] + 1, device=features_BSC.device)
            num_shots_B = ((features_BSC != 0).any(-1) * places_S).amax(1)
        return super().forward(features_BSC, num_shots_B)


class ProjectionHead(nn.Module):
    """Layers between a representation and the contrastive loss, dropped after training."""

    def __init__(self, width: int, num_outputs: int = 128, *, hidden: int | None = None) -> None:
        """Build a head; 128 outputs are those of MoCo (He et al. 2020, section 3.3).

        ``hidden`` is the width of a hidden layer, as in SimCLR and MoCo v2; None is no such layer.
        """
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(width, num_outputs)]
        if hidden is not None:
            layers = [nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, num_outputs)]
        self.layers = nn.Sequential(*layers)

    def forward(self, vectors_BD: Tensor) -> Tensor:
        """Return vectors of length 1, shape (B, outputs)."""
        return normalize(self.layers(vectors_BD), dim=-1)


def spread_weights(num_shots_B: Tensor, num_slots: int, num_positions: int) -> Tensor:
    """Return the weight of each of P positions at each shot of scenes of many lengths, (B, S, P).

    The P embeddings are spread over a scene's shots by bicubic interpolation. Slots past its last
    shot get the last embeddings.
    """
    slots = torch.arange(num_slots, device=num_shots_B.device)
    places_BS = (slots + 0.5) * (num_positions / num_shots_B[:, None]) - 0.5
    first_BS = places_BS.floor()
    taps_4 = torch.arange(-1, 3, device=num_shots_B.device)
    taps_BS4 = (first_BS[..., None] + taps_4).clamp(0, num_positions - 1).long()
    # The cubic convolution kernel of Keys, with the parameter of torch's bicubic interpolation.
    x, a = ((places_BS - first_BS)[..., None] - taps_4).abs(), -0.75
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    weights_BS4 = near.where(x < 1, (((x - 5) * x + 8) * x - 4) * a)
    spread = weights_BS4.new_zeros(*places_BS.shape, num_positions)
    return spread.scatter_add_(-1, taps_BS4, weights_BS4)


def _check_lengths(num_shots_B: Tensor, batch: int, num_slots: int) -> None:
    if num_shots_B.shape != (batch,):
        raise SettingError(
            f"numbers of shots of shape {tuple(num_shots_B.shape)} do not fit {batch} scenes"
        )
    fewest, most = (int(number) for number in num_shots_B.aminmax())
    if fewest < 1 or most > num_slots:
        raise SettingError(
            f"scenes of {fewest} to {most} shots do not fit {num_slots} slots; "
            f"each needs 1 to {num_slots}"
        )
