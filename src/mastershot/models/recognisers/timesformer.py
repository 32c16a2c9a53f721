"""TimeSformer: patches attend along time, then within their frame (Bertasius et al. 2021).

Divided space-time attention of arXiv:2102.05095, section 3 and equations 11 to 14. One class token
stands for the clip: it takes part in the attention of each frame, and its changes are averaged.
"""
# B batch, T frames, H × W size of a frame, N patches of a frame, D width, C classes,
# L = 1 + T·N tokens of a clip: the class token, then the patches frame by frame

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate

from mastershot.core.errors import EncoderError, SettingError
from mastershot.models.checkpointing import CheckpointedBlock
from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.transformer import SelfAttention, TransformerSettings, initialise, learned

_PATCH_PX = 16

_HUGGING_FACE = (
    (r"^timesformer\.", ""),
    (r"^embeddings\.patch_embeddings\.projection\.", "patches."),
    (r"^embeddings\.cls_token$", "class_token"),
    (r"^embeddings\.position_embeddings$", "positions"),
    (r"^embeddings\.time_embeddings$", "times"),
    (r"^encoder\.layer\.", "blocks."),
    (r"\.temporal_attention\.attention\.qkv\.", ".time_attention.queries_keys_values."),
    (r"\.temporal_attention\.output\.dense\.", ".time_attention.attended."),
    (r"\.temporal_layernorm\.", ".time_norm."),
    (r"\.temporal_dense\.", ".time_mixed."),
    (r"\.attention\.attention\.qkv\.", ".space_attention.queries_keys_values."),
    (r"\.attention\.output\.dense\.", ".space_attention.attended."),
    (r"\.layernorm_before\.", ".space_norm."),
    (r"\.layernorm_after\.", ".mlp_norm."),
    (r"\.intermediate\.dense\.", ".widen."),
    (r"\.output\.dense\.", ".narrow."),
    (r"^layernorm\.", "norm."),
    (r"^classifier\.", "head."),
)
# With a classifier and without.
_FORMATS = {
    "timesformer.embeddings.cls_token": _HUGGING_FACE,
    "embeddings.cls_token": _HUGGING_FACE,
}


@dataclass(frozen=True)
class TimeSformerSettings(TransformerSettings):
    """The shape of a TimeSformer; the defaults are those of the paper's base network.

    Attributes:
        frames: T.
        size_px: Edge of the square frames, in whole patches of 16 pixels.
    """

    frames: int = 8
    size_px: int = 224

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size_px % _PATCH_PX:
            raise SettingError(
                f"size_px is {self.size_px}; it must be a multiple of {_PATCH_PX}, "
                "the edge of TimeSformer's patches"
            )

    @property
    def side(self) -> int:
        """Rows, and columns, of patches in a frame."""
        return self.size_px // _PATCH_PX


class DividedBlock(CheckpointedBlock):
    """Attention along time, attention within frames, and an MLP, each added to what came in."""

    def __init__(self, settings: TimeSformerSettings) -> None:
        super().__init__()
        width, heads, eps = settings.width, settings.heads, settings.norm_eps
        hidden = width * settings.mlp_ratio
        self.time_norm = nn.LayerNorm(width, eps)
        self.time_attention = SelfAttention(width, heads)
        self.time_mixed = nn.Linear(width, width)
        self.space_norm = nn.LayerNorm(width, eps)
        self.space_attention = SelfAttention(width, heads)
        self.mlp_norm = nn.LayerNorm(width, eps)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self._frames = settings.frames

    def forward(self, tokens_BLD: Tensor) -> Tensor:
        """Return the tokens of clips, shape (B, L, D)."""
        num_clips, _, width = tokens_BLD.shape
        class_B1D = tokens_BLD[:, :1]
        patches_BTND = tokens_BLD[:, 1:].reshape(num_clips, self._frames, -1, width)
        along_time = self.time_norm(patches_BTND).transpose(1, 2).flatten(0, 1)
        change = self.time_mixed(self.time_attention(along_time))
        patches_BTND = patches_BTND + change.unflatten(0, (num_clips, -1)).transpose(1, 2)

        class_BT1D = class_B1D[:, None].expand(-1, self._frames, -1, -1)
        of_frames = torch.cat([class_BT1D, patches_BTND], 2).flatten(0, 1)
        change = self.space_attention(self.space_norm(of_frames)).unflatten(0, (num_clips, -1))
        class_B1D = class_B1D + change[:, :, :1].mean(1)
        patches_BTND = patches_BTND + change[:, :, 1:]

        tokens_BLD = torch.cat([class_B1D, patches_BTND.flatten(1, 2)], 1)
        changes: Tensor = self.narrow(gelu(self.widen(self.mlp_norm(tokens_BLD))))
        return tokens_BLD + changes


class TimeSformer(nn.Module):
    """Normalised clips to one logit a class."""

    def __init__(self, num_classes: int, settings: TimeSformerSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.patches = nn.Conv2d(3, width, _PATCH_PX, _PATCH_PX)
        self.class_token = learned(width)
        self.class_position = learned(width)
        self.positions = learned(settings.side**2, width)
        self.times = nn.Parameter(torch.zeros(settings.frames, width))
        self.blocks = nn.ModuleList(DividedBlock(settings) for _ in range(settings.depth))
        self.norm = nn.LayerNorm(width, settings.norm_eps)
        self.head = nn.Linear(width, num_classes)
        self.feature_width = width
        initialise(self)

    def forward(self, clips_B3THW: Tensor) -> Tensor:
        """Return logits (B, C).

        Raises:
            SettingError: The clips have another size than the network's.
        """
        return self.head(self.features(clips_B3THW))  # type: ignore[no-any-return]

    def features(self, clips_B3THW: Tensor) -> Tensor:
        """Return the class token of each clip, shape (B, D).

        Raises:
            SettingError: The clips have another size than the network's.
        """
        tokens_BLD = self.tokens(clips_B3THW)
        for block in self.blocks:
            tokens_BLD = block(tokens_BLD)
        return self.norm(tokens_BLD[:, 0])  # type: ignore[no-any-return]

    def tokens(self, clips_B3THW: Tensor) -> Tensor:
        """Return the tokens before the first block, shape (B, L, D).

        Raises:
            SettingError: The clips have another size than the network's.
        """
        settings = self.settings
        size = (3, settings.frames, settings.size_px, settings.size_px)
        if clips_B3THW.shape[1:] != size:
            raise SettingError(
                f"clips of shape {tuple(clips_B3THW.shape)} do not fit a network for "
                f"(batch, {', '.join(map(str, size))})"
            )
        patches = self.patches(clips_B3THW.transpose(1, 2).flatten(0, 1)).flatten(2).transpose(1, 2)
        patches_BTND = patches.unflatten(0, (-1, settings.frames))
        patches_BTND = patches_BTND + self.positions + self.times[:, None]
        class_token = (self.class_token + self.class_position).expand(len(clips_B3THW), 1, -1)
        return torch.cat([class_token, patches_BTND.flatten(1, 2)], 1)


def build(num_classes: int, shape: Shape) -> TimeSformer:
    """Return TimeSformer-B; a share of its width has the same share of its heads.

    Raises:
        SettingError: The frames are not whole patches.
    """
    heads = shape.channels(12)
    settings = TimeSformerSettings(
        width=shape.channels(768, 8 * heads),  # Fused attention takes heads of 8, 16, 24… numbers.
        depth=shape.blocks(12),
        heads=heads,
        frames=shape.frames,
        size_px=shape.size_px,
    )
    return TimeSformer(num_classes, settings)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return weights that Hugging Face published, as a `TimeSformer` names them.

    Embeddings of other frames and other places are those of the nearest, as Hugging Face's code
    has it; without a classifier there is no head among the weights.

    Raises:
        EncoderError: They are no TimeSformer's.
    """
    assert isinstance(network, TimeSformer)
    weights = renamed_weights(checkpoint, _FORMATS, network, source)
    missing = [name for name in ("positions", "times") if name not in weights]
    if missing:
        raise EncoderError(
            f"{source} is no TimeSformer as Hugging Face publishes it (it lacks {missing[0]})"
        )
    positions_LD, times_TD = weights["positions"].flatten(0, -2), weights["times"].flatten(0, -2)
    side = round((len(positions_LD) - 1) ** 0.5)
    if len(positions_LD) < 2 or side**2 != len(positions_LD) - 1:
        raise EncoderError(
            f"{source} has {len(positions_LD)} positions, which are not those of a class token "
            "and a square of patches"
        )
    grid_DRC = positions_LD[1:].T.reshape(-1, side, side)
    settings = network.settings
    weights["class_token"] = weights["class_token"].flatten()
    weights["class_position"] = positions_LD[0]
    weights["positions"] = interpolate(grid_DRC[None], (settings.side,) * 2)[0].flatten(1).T
    weights["times"] = interpolate(times_TD.T[None], settings.frames)[0].T
    return weights
